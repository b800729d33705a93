"""What votes teach about one zone or one person: a Bayesian offset and scale on the ordinal model, and a tilt.

q(v | η) ∝ P(v | s · (c − η − b)) · exp(w · φ(v))

b and s shift and stretch the cutpoints c of the model; w tilts its answer. The tilted distribution is the one nearest
to the model's in Kullback–Leibler divergence among those with its means of φ (Csiszár, Annals of Probability 3, 1975),
and the Gaussian prior on w is the price of that divergence. The prior of (b, log s, w) is how units of a kind (zones,
persons) differ, fitted on votes of many units; with few votes little but b and s can move, with many the tilt does.

The posterior is a Gaussian around its mode (Laplace), found by Fisher scoring. Nothing here depends on the order of the
votes, so that a vote can be taken back by learning again without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["FARTHEST_SD", "Evidence", "Learnt", "Population", "learn", "terms", "tilted"]

Array = NDArray[np.float64]
VOTES = 7
# A vote is taken for a slip, or for somebody's joke, with this probability: one vote can say only so much.
SLIP = 0.02
# No parameter leaves the population's mean by more standard deviations than this, whatever is pressed.
FARTHEST_SD = 3.0
_LOG_SCALE = 2.0
# Half the posterior's spread is averaged over. All of it blurred the answers: log-loss and RPS of later votes were
# worse, for persons of the surveys and of a climate chamber; buildings did equally well.
_SPREAD = 0.5


@dataclass(frozen=True, slots=True)
class Population:
    """How units of a kind differ from the model: mean `(D,)` and covariance `(D, D)` of (b, log s, w).

    `tilt` is `(D − 2, 7)`: φ of each vote. `trust` 0…1 is how much one vote of a unit counts: votes of the same days
    and the same few people tell less about the days to come than as many independent ones.
    """

    mean: Array
    covariance: Array
    tilt: Array
    trust: float = 1.0

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Population:
        """From the model file.

        Raises:
            ValueError: When the shapes do not fit, or the covariance is none.
        """
        mean, covariance = np.asarray(data["mean"], float), np.asarray(data["covariance"], float)
        tilt = np.asarray(data["tilt"], float).reshape(-1, VOTES)
        count = 2 + tilt.shape[0]
        if mean.shape != (count,) or covariance.shape != (count, count):
            raise ValueError(f"{count} parameters need a mean and a covariance of that size")
        np.linalg.cholesky(covariance)  # raises LinAlgError, a ValueError
        trust = float(data["trust"])
        if not 0.0 < trust <= 1.0:
            raise ValueError(f"a trust of {trust} is not in 0…1")
        return cls(mean, covariance, tilt, trust)


class Evidence(NamedTuple):
    """Votes of one unit, in any order.

    Attributes:
        eta: `(N,)` η of the model at the moment of each vote.
        label: `(N,)` what was pressed: a row of the table of answers.
        weight: `(N,)` 0…1, how much each counts.
    """

    eta: Array
    label: NDArray[np.int64]
    weight: Array


@dataclass(frozen=True, slots=True)
class Learnt:
    """What is known about a unit: a Gaussian over (b, log s, w), and how many votes it rests on.

    Attributes:
        mean: `(D,)`.
        covariance: `(D, D)`.
        population: What it was before any vote.
        cutpoints: `(6,)` of the model.
        weight: Votes that count, after forgetting and limits; 0 leaves the model as it is.
    """

    mean: Array
    covariance: Array
    population: Population
    cutpoints: Array
    weight: float

    @property
    def offset(self) -> float:
        """b: how much warmer than the model says the unit feels, in units of η."""
        return float(self.mean[0])

    @property
    def offset_sd(self) -> float:
        """Standard deviation of `offset`."""
        return float(np.sqrt(self.covariance[0, 0]))

    def probabilities(self, eta: Array | float) -> Array:
        """`(N,)` or a number → `(N, 7)` probabilities of the votes, the uncertainty of what was learnt included.

        The first votes count for less: the model itself keeps exp(−weight) of the say.
        """
        eta = np.atleast_1d(np.asarray(eta, float))
        plain = np.zeros(self.mean.shape[0])
        model = tilted(plain, eta, self.cutpoints, self.population.tilt)
        if self.weight <= 0.0:
            return model
        # Cubature points of a Gaussian (Arasaratnam and Haykin, IEEE Transactions on Automatic Control 54, 2009).
        arms = _SPREAD * np.linalg.cholesky(self.covariance).T * np.sqrt(self.mean.shape[0])
        points = np.concatenate([self.mean + arms, self.mean - arms])
        bent: Array = np.mean([tilted(point, eta, self.cutpoints, self.population.tilt) for point in points], axis=0)
        own = 1.0 - np.exp(-self.weight)
        result: Array = own * bent + (1.0 - own) * model
        return result


def learn(
    population: Population,
    cutpoints: Array,
    evidence: Evidence,
    answers: Array | None = None,
    *,
    start: Array | None = None,
    steps: int = 30,
) -> Learnt:
    """The posterior after the given votes.

    Args:
        population: The prior.
        cutpoints: `(6,)`, rising.
        evidence: The votes; none at all gives the prior with weight 0.
        answers: `(L, 7)` P(pressed | vote −3…+3); None where the votes −3…+3 themselves were pressed.
        start: `(D,)` to begin from, such as an earlier mode; saves steps and changes nothing else.
        steps: At most so many.
    """
    table = np.eye(VOTES) if answers is None else np.asarray(answers, float)
    counted = evidence._replace(weight=evidence.weight * population.trust)
    spread = _inverse(population.covariance)
    farthest = FARTHEST_SD * np.sqrt(np.diag(population.covariance))
    low, high = population.mean - farthest, population.mean + farthest
    mode = np.clip(population.mean if start is None else start, low, high)
    value = _objective(mode, population, spread, cutpoints, counted, table)
    information = spread
    for _ in range(steps):
        gradient, information = _scores(mode, population, cutpoints, counted, table)
        gradient = gradient - spread @ (mode - population.mean)
        information = information + spread
        move = np.linalg.solve(information, gradient)
        step = 1.0
        while step > 1e-3:
            trial = np.clip(mode + step * move, low, high)
            found = _objective(trial, population, spread, cutpoints, counted, table)
            if found >= value:
                break
            step *= 0.5
        else:
            break
        moved = float(np.abs(trial - mode).max())
        mode, value = trial, found
        if moved < 1e-5:
            break
    weight = float(counted.weight.sum())
    return Learnt(mode, _inverse(information), population, np.asarray(cutpoints, float), weight)


def tilted(parameters: Array, eta: Array, cutpoints: Array, tilt: Array) -> Array:
    """`(N, 7)` q(v | η) for parameters `(D,)` = (b, log s, w)."""
    return terms(parameters, eta, cutpoints, tilt)[0]


def vote_given(parameters: Array, evidence: Evidence, cutpoints: Array, tilt: Array, answers: Array) -> Array:
    """`(N, 7)` P(vote | pressed, η): which sensations lie behind what was pressed."""
    joint = tilted(parameters, evidence.eta, cutpoints, tilt) * answers[evidence.label]
    result: Array = joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-12)
    return result


def terms(parameters: Array, eta: Array, cutpoints: Array, tilt: Array) -> tuple[Array, Array]:
    """`(N, 7)` q, and `(N, 7, D)` its logarithm's derivatives by the parameters.

    Parameters `(D,)` and cutpoints `(6,)` may also be `(N, D)` and `(N, 6)`: those of each row.
    """
    scale = np.exp(np.clip(parameters[..., 1:2], -_LOG_SCALE, _LOG_SCALE))
    z = scale * (cutpoints - eta[:, None] - parameters[..., :1])
    edge = np.zeros((eta.shape[0], 1))
    below = 1.0 / (1.0 + np.exp(-np.clip(z, -35.0, 35.0)))
    density = below * (1.0 - below)
    p = np.maximum(np.diff(np.concatenate([edge, below, edge + 1.0], axis=1), axis=1), 1e-12)
    by_offset = -scale * np.diff(np.concatenate([edge, density, edge], axis=1), axis=1) / p
    by_scale = np.diff(np.concatenate([edge, z * density, edge], axis=1), axis=1) / p
    q = p * np.exp(parameters[..., 2:] @ tilt)
    q /= q.sum(axis=1, keepdims=True)
    flat = np.broadcast_to(tilt.T, (*q.shape, tilt.shape[0]))
    slopes = np.concatenate([by_offset[:, :, None], by_scale[:, :, None], flat], axis=2)
    slopes -= np.einsum("nv,nvd->nd", q, slopes)[:, None, :]
    return q, slopes


def _inverse(matrix: Array) -> Array:
    return np.linalg.inv(matrix).astype(np.float64)


def _likelihood(q: Array, evidence: Evidence, table: Array) -> Array:
    """`(N,)` P(pressed): by the table, or by a slip that presses anything."""
    told: Array = (q * table[evidence.label]).sum(axis=1)
    result: Array = (1.0 - SLIP) * told + SLIP / table.shape[0]
    return result


def _objective(
    parameters: Array, population: Population, spread: Array, cutpoints: Array, evidence: Evidence, table: Array
) -> float:
    q = tilted(parameters, evidence.eta, cutpoints, population.tilt)
    away = parameters - population.mean
    likelihood = _likelihood(q, evidence, table)
    return float(evidence.weight @ np.log(likelihood) - 0.5 * away @ spread @ away)


def _scores(
    parameters: Array, population: Population, cutpoints: Array, evidence: Evidence, table: Array
) -> tuple[Array, Array]:
    """The gradient `(D,)` of the log-likelihood and its expected information `(D, D)`."""
    q, slopes = terms(parameters, evidence.eta, cutpoints, population.tilt)
    told = q @ table.T  # (N, L)
    pressed = (1.0 - SLIP) * told + SLIP / table.shape[0]
    rise = (1.0 - SLIP) * np.einsum("nv,lv,nvd->nld", q, table, slopes) / pressed[:, :, None]
    chosen = rise[np.arange(evidence.label.shape[0]), evidence.label]
    information: Array = np.einsum("n,nl,nld,nle->de", evidence.weight, pressed, rise, rise)
    gradient: Array = evidence.weight @ chosen
    return gradient, information
