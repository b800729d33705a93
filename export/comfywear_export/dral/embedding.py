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

_MARGIN, _STEPS, _RATE, _STAY = 0.3, 150, 0.01, 0.1
_MOST = 20_000  # triplets, drawn evenly when there are more


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
    """`(T, 3)` rows (anchor, positive, negative): all that follow from the answers, at most 20,000 of them."""
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
    """The projection that the triplet loss [0.3 + d(a, p) − d(a, n)]₊ moves `start` to (Adam, 150 steps of all).

    Distances are divided by their mean, and a term holds L near its start: few answers move it little.

    Args:
        start: Where it begins; what comes back when there is no triplet.
        x: `(N, D)` vectors.
        rows: `(T, 3)` of `triplets`.
    """
    if len(rows) == 0:
        return start
    filled = np.where(np.isnan(x), start.mean, x)
    near, far = filled[rows[:, 0]] - filled[rows[:, 1]], filled[rows[:, 0]] - filled[rows[:, 2]]
    size = float(((near @ start.matrix) ** 2).sum(axis=1).mean() + ((far @ start.matrix) ** 2).sum(axis=1).mean()) / 2
    first = start.matrix / np.sqrt(max(size, 1e-12))
    now, mean, square = first.copy(), np.zeros_like(first), np.zeros_like(first)
    reach = float(np.abs(first).mean())
    for step in range(1, _STEPS + 1):
        to_near, to_far = near @ now, far @ now
        active = _MARGIN + (to_near**2).sum(axis=1) - (to_far**2).sum(axis=1) > 0.0
        pull = near[active].T @ to_near[active] - far[active].T @ to_far[active]
        gradient = 2.0 * pull / len(rows) + _STAY * (now - first) / max(float((first**2).sum()), 1e-12)
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        now = now - _RATE * reach * 10 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return Projection(start.mean, now)


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
