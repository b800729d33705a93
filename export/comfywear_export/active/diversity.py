"""Which photos differ: k-centre by greedy choice, alone or among the most uncertain; pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["combined", "gradient_embeddings", "k_centre", "standardised", "top"]

Array = NDArray[np.float64]
Numbers = NDArray[np.intp]

_CANDIDATES = 3  # the most uncertain photos to each that is chosen from them


def top(scores: NDArray[np.floating], k: int) -> Numbers:
    """The `k` highest scores' numbers, best first; equal ones in the order given."""
    order: Numbers = np.argsort(-np.asarray(scores), kind="stable")[:k]
    return order


def k_centre(embeddings: NDArray[np.floating], k: int, labelled: NDArray[np.floating] | None = None) -> Numbers:
    """The `k` photos that are each the farthest from all chosen or labelled before (Sener and Savarese 2018).

    Args:
        embeddings: `(N, D)`, compared by Euclidean distance.
        k: How many; at most N come back.
        labelled: `(M, D)` of photos that have labels; without any, the photo nearest to the mean begins.

    Returns:
        `(min(k, N),)` different numbers, in the order of choice.
    """
    points = np.asarray(embeddings, np.float64)
    k = min(k, len(points))
    if k <= 0:
        return np.zeros(0, np.intp)
    chosen: list[int] = []
    if labelled is not None and len(labelled):
        nearest = _squared(points, np.asarray(labelled, np.float64)).min(1)
    else:
        chosen.append(int(_squared(points, points.mean(0)[None])[:, 0].argmin()))
        nearest = _squared(points, points[chosen])[:, 0]
    nearest[chosen] = -1.0
    while len(chosen) < k:
        farthest = int(nearest.argmax())
        chosen.append(farthest)
        nearest = np.minimum(nearest, _squared(points, points[farthest][None])[:, 0])
        nearest[chosen] = -1.0
    return np.array(chosen, np.intp)


def combined(
    scores: NDArray[np.floating],
    embeddings: NDArray[np.floating],
    k: int,
    labelled: NDArray[np.floating] | None = None,
) -> Numbers:
    """Of the `3 k` highest scores, the `k` that differ most from each other and from what is labelled."""
    candidates = top(scores, _CANDIDATES * k)
    return candidates[k_centre(np.asarray(embeddings)[candidates], k, labelled)]


def standardised(embeddings: NDArray[np.floating]) -> Array:
    """Columns with mean 0 and deviation 1, so that none outweighs the others; constant columns become 0."""
    values = np.asarray(embeddings, np.float64)
    spread = values.std(0)
    rows: Array = (values - values.mean(0)) / np.where(spread > 1e-9, spread, np.inf)
    return rows


def gradient_embeddings(
    features: NDArray[np.floating], probabilities: NDArray[np.floating], weights: NDArray[np.floating]
) -> Array:
    """How each photo would turn the head, were its own answers right: `(N, L · D)` (Ash et al. 2020, BADGE).

    The gradient of the logistic loss at the likelier answer: `min(p, 1 − p) · weight` of a label times the features.

    Args:
        features: `(N, D)`.
        probabilities: `(N, L)`.
        weights: `(L,)`, of the labels.
    """
    p = np.asarray(probabilities, np.float64)
    steps = np.minimum(p, 1 - p) * np.asarray(weights, np.float64)
    rows: Array = (steps[:, :, None] * np.asarray(features, np.float64)[:, None, :]).reshape(len(p), -1)
    return rows


def _squared(a: Array, b: Array) -> Array:
    """`(N, D)` and `(M, D)` → `(N, M)` squared distances."""
    distances: Array = (a**2).sum(1)[:, None] - 2 * a @ b.T + (b**2).sum(1)
    return np.maximum(distances, 0.0)
