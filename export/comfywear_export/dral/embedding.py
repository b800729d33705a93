"""The embedding that pairs are compared in: a projection of what the shipped attribute model says of a person.

Its start needs no label: Σ is the covariance of what is at hand. Answers then move it by a triplet loss. No network is
trained: the device's model stays as it is, and a projection of about 80 numbers is learnt in a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError

__all__ = ["Answered", "Projection", "refreshed", "triplets", "whitened", "within"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHRINK = 0.1
"""Part of Σ that is a multiple of the identity (Ledoit and Wolf's form, with a fixed weight)."""

_MARGIN, _STEPS, _RATE, _MOMENTUM, _STAY = 0.3, 60, 0.05, 0.9, 0.1
_MOST = 4_000  # triplets, drawn evenly when there are more


@dataclass(frozen=True, eq=False)
class Projection:
    """`x → (x − mean) L`, so that the squared Euclidean distance behind it is (x − y)ᵀ Σ⁻¹ (x − y) with Σ⁻¹ = L Lᵀ.

    Attributes:
        mean: `(D)`; stands in for what is NaN (clothes that were not seen).
        matrix: `(D, D)` L.
    """

    mean: Floats
    matrix: Floats

    def __call__(self, x: Floats) -> Floats:
        """`(N, D)` of `(N, D)`; NaN counts as the mean."""
        centred = x - self.mean
        return np.asarray(np.where(np.isnan(centred), 0.0, centred) @ self.matrix, np.float64)


class Answered(NamedTuple):
    """What was answered about one query: rows of the table of vectors."""

    same: Sequence[int]  # the query itself first
    others: Sequence[int]


def whitened(x: Floats, shrink: float = SHRINK) -> Projection:
    """The start: Σ is the covariance of `(N, D)` vectors, N ≥ 2, regularised so that it can be inverted.

    Raises:
        UsageError: Fewer than two vectors.
    """
    if len(x) < 2:
        raise UsageError(f"a covariance needs two persons or more, not {len(x)}")
    mean = np.nan_to_num(_column_means(x))
    centred = np.where(np.isnan(x), mean, x) - mean
    return _scaled(Projection(mean, _root(centred.T @ centred / len(x), shrink)), x)


def within(x: Floats, groups: Iterable[Sequence[int]], start: Projection, shrink: float = SHRINK) -> Projection:
    """The plain supervised metric: Σ is the covariance within persons (Bar-Hillel et al., ICML 2003: RCA).

    Args:
        x: `(N, D)` vectors.
        groups: Rows that show one person, of each person.
        start: Gives the mean, and is the answer where no person has two rows.
        shrink: As in `whitened`.
    """
    filled = np.where(np.isnan(x), start.mean, x)
    parts = [filled[list(rows)] - filled[list(rows)].mean(axis=0) for rows in groups if len(rows) > 1]
    if not parts:
        return start
    apart = np.concatenate(parts)
    return _scaled(Projection(start.mean, _root(apart.T @ apart / len(apart), shrink)), x)


def triplets(answered: Iterable[Answered], seed: int = 0) -> Ints:
    """`(T, 3)` rows (anchor, positive, negative): all that follow from the answers, at most 4,000 of them."""
    found = [
        (anchor, positive, negative)
        for each in answered
        for anchor in each.same
        for positive in each.same
        if anchor != positive
        for negative in each.others
    ]
    rows = np.array(found, np.int64).reshape(-1, 3)
    if len(rows) > _MOST:
        rows = rows[np.random.default_rng(seed).choice(len(rows), _MOST, replace=False)]
    return rows


def refreshed(start: Projection, x: Floats, rows: Ints) -> Projection:
    """The projection that the triplet loss [0.3 + d(a, p) − d(a, n)]₊ moves `start` to.

    L = L₀ W with W = 1 at first, by 60 steps of gradient descent with momentum; distances are divided by their mean,
    and a term holds W near 1, so that few answers move it little.

    Args:
        start: Where it begins; what comes back when there is no triplet.
        x: `(N, D)` vectors.
        rows: `(T, 3)` of `triplets`.
    """
    if len(rows) == 0:
        return start
    placed = start(x)
    near, far = placed[rows[:, 0]] - placed[rows[:, 1]], placed[rows[:, 0]] - placed[rows[:, 2]]
    size = np.sqrt(max(float((near**2).sum() + (far**2).sum()) / (2 * len(rows)), 1e-12))
    near, far = near / size, far / size
    one = np.eye(placed.shape[1])
    turn, speed = one.copy(), np.zeros_like(one)
    for _ in range(_STEPS):
        to_near, to_far = near @ turn, far @ turn
        active = _MARGIN + (to_near**2).sum(axis=1) - (to_far**2).sum(axis=1) > 0.0
        pull = near[active].T @ to_near[active] - far[active].T @ to_far[active]
        speed = _MOMENTUM * speed + 2.0 * pull / len(rows) + _STAY * (turn - one)
        turn = turn - _RATE * speed
    return Projection(start.mean, start.matrix @ turn)


def _column_means(x: Floats) -> Floats:
    known = ~np.isnan(x)
    return np.asarray(np.where(known, x, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1), np.float64)


def _root(covariance: Floats, shrink: float) -> Floats:
    """L with L Lᵀ = Σ⁻¹ of the shrunk covariance."""
    width = len(covariance)
    level = max(float(np.trace(covariance)) / width, 1e-9)
    values, turns = np.linalg.eigh((1.0 - shrink) * covariance + shrink * level * np.eye(width))
    return np.asarray(turns / np.sqrt(np.maximum(values, 1e-12)), np.float64)


def _scaled(projection: Projection, x: Floats) -> Projection:
    """With a mean squared distance of 1 between two of the vectors."""
    spread = 2.0 * float(projection(x).var(axis=0).sum())
    return Projection(projection.mean, projection.matrix / np.sqrt(max(spread, 1e-12)))
