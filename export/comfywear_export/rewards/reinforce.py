"""Slopes of an expected reward from samples (REINFORCE, Williams 1992), with baselines, and the pull to a first model.

With a baseline that does not depend on the sample it is weighed against, the estimate stays unbiased and varies less.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Baseline",
    "draw_choices",
    "draw_sets",
    "kl_slope_choices",
    "kl_slope_sets",
    "reinforce",
    "sigmoid",
    "softmax",
]

Array = NDArray[np.float64]
Baseline = Literal["none", "other", "rest"]
Drawn = TypeVar("Drawn")


def reinforce(
    draw: Callable[[], Drawn],
    reward: Callable[[Drawn], Array],
    score: Callable[[Drawn], Array],
    samples: int,
    baseline: Baseline,
) -> Array:
    """`(N, …)` estimate of ∂E[reward]/∂logits for each of N photos.

    Args:
        draw: An answer for each photo, from the model.
        reward: `(N,)` of such answers.
        score: `(N, …)` ∂ log P(answer)/∂logits.
        samples: Answers drawn a photo, the baseline's among them.
        baseline: "none"; "other": of every two answers the second is the first one's baseline (Pinto et al. 2023);
            "rest": each answer's baseline is the mean reward of all the others (Kool et al. 2019).
    """
    answers = [draw() for _ in range(samples)]
    rewards = np.stack([reward(answer) for answer in answers])
    if baseline == "other":
        weights, used = rewards[0::2] - rewards[1::2], answers[0::2]
    elif baseline == "rest":
        weights, used = (samples * rewards - rewards.sum(axis=0)) / (samples - 1), answers
    else:
        weights, used = rewards, answers
    total: Array = np.zeros(())
    for weight, answer in zip(weights, used, strict=True):
        own = score(answer)
        total = total + weight.reshape(-1, *[1] * (own.ndim - 1)) * own
    return total / len(used)


def draw_sets(probabilities: Array, rng: np.random.Generator) -> NDArray[np.bool_]:
    """`(N, K)` each label in or out by its own probability."""
    drawn: NDArray[np.bool_] = rng.random(probabilities.shape) < probabilities
    return drawn


def draw_choices(probabilities: Array, rng: np.random.Generator) -> NDArray[np.int64]:
    """`(N, M)` one of K for every cell, from `(N, M, K)` probabilities."""
    edges = probabilities.cumsum(axis=2)
    return np.asarray((rng.random((*edges.shape[:2], 1)) * edges[..., -1:] > edges).sum(axis=2))


def kl_slope_sets(logits: Array, first: Array) -> Array:
    """∂ KL(model ‖ first model)/∂logits of independent yes-or-no labels: p (1 − p) (z − z₀)."""
    p = sigmoid(logits)
    return p * (1.0 - p) * (logits - first)


def kl_slope_choices(logits: Array, first: Array) -> Array:
    """The same for one of K in every cell, over the last axis."""
    p = softmax(logits)
    surprise = np.log(p + 1e-12) - np.log(softmax(first) + 1e-12)
    result: Array = p * (surprise - (p * surprise).sum(axis=-1, keepdims=True))
    return result


def sigmoid(logits: Array) -> Array:
    """1 / (1 + e^−z)."""
    result: Array = 1.0 / (1.0 + np.exp(-np.clip(logits, -40.0, 40.0)))
    return result


def softmax(logits: Array) -> Array:
    """Over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: Array = powers / powers.sum(axis=-1, keepdims=True)
    return result
