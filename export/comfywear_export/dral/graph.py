"""The sparse similarity graph over a query and its pool, and how an answer changes it (Liu et al., ICCV 2019)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError

__all__ = ["Graph", "nearest", "reciprocal", "squared_distances"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

QUERY = 0  # the query's number in its graph


def squared_distances(a: Floats, b: Floats) -> Floats:
    """`(N, M)` of `(N, R)` and `(M, R)`: the square of the Euclidean distance of each two rows, never below 0."""
    apart = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2.0 * a @ b.T
    return np.asarray(np.maximum(apart, 0.0), np.float64)


def nearest(closeness: Floats, k: int) -> Bools:
    """`(N, N)`: whether j is one of the k that are closest to i, never i itself; ties go to the smaller number."""
    own = closeness.copy()
    np.fill_diagonal(own, -np.inf)
    order = np.argsort(-own, axis=1, kind="stable")[:, : min(k, len(own) - 1)]
    out = np.zeros(own.shape, bool)
    np.put_along_axis(out, order, True, axis=1)
    return out


def reciprocal(near: Bools) -> Bools:
    """R(i, k): whether i and j are each among the other's nearest; symmetric."""
    return np.asarray(near & near.T, bool)


class Graph:
    """Similarities of a query (number 0) and the items of its pool (1…n), 0 beyond the k-reciprocal neighbours.

    Args:
        distances: `(n + 1, n + 1)`, symmetric, 0 on the diagonal: squared Mahalanobis distances.
        k: How many neighbours count.

    Attributes:
        closeness: `(n + 1, n + 1)`, 0…1: 1 − d / max d, of everybody to everybody.
        sim: `(n + 1, n + 1)`, 0…1, symmetric: at most k numbers in a row, besides the 1 on the diagonal and the items
            that were answered to be the query.
        answers: `(n + 1)`: 1 for an item that is the same as the query (it itself is), −1 for another, 0 unknown.
    """

    def __init__(self, distances: Floats, k: int) -> None:
        if distances.ndim != 2 or distances.shape[0] != distances.shape[1] or len(distances) < 2:
            raise UsageError(f"a graph needs a square table of two distances or more, not {distances.shape}")
        if k < 1:
            raise UsageError(f"a graph needs one neighbour or more, not {k}")
        self._k = k
        largest = float(distances.max())
        self.closeness: Floats = 1.0 - distances / largest if largest > 0.0 else np.ones_like(distances)
        self.sim: Floats = np.where(reciprocal(nearest(self.closeness, k)), self.closeness, 0.0)
        np.fill_diagonal(self.sim, 1.0)
        self.answers: Ints = np.zeros(len(distances), np.int64)
        self.answers[QUERY] = 1

    def open(self) -> Ints:
        """The items about which nothing was answered yet."""
        return np.flatnonzero(self.answers == 0)

    def tell(self, item: int, same: bool) -> None:
        """Take the answer about an item.

        Same: Sim(q, g) = 1 and Sim(q, i) = (Sim(q, i) + Sim(g, i)) / 2. Another: Sim(q, g) = 0 and
        Sim(q, i) = max(Sim(q, i) − Sim(g, i), 0). Then what is no k-reciprocal neighbour of the query any more is 0.

        Raises:
            UsageError: The item is the query, is not there, or was answered before.
        """
        if not 0 < item < len(self.answers) or self.answers[item] != 0:
            raise UsageError(f"item {item} is not open: each is asked about once")
        self.answers[item] = 1 if same else -1
        row, other = self.sim[QUERY], self.sim[item]
        changed = (row + other) / 2.0 if same else np.maximum(row - other, 0.0)
        self._set(np.where(self.answers == 0, changed, row))
        self._set(np.where(self._still_near() | (self.answers != 0), self.sim[QUERY], 0.0))

    def _set(self, row: Floats) -> None:
        row = np.where(self.answers == 1, 1.0, np.where(self.answers == -1, 0.0, row))
        self.sim[QUERY] = self.sim[:, QUERY] = row

    def _still_near(self) -> Bools:
        """The query's k-reciprocal neighbours by similarity, and where that is 0, by distance."""
        key = np.where(self.sim > 0.0, 1.0 + self.sim, self.closeness)
        known = np.where(self.answers == 1, 3.0, -1.0)
        told = self.answers != 0
        key[QUERY, told] = key[told, QUERY] = known[told]
        return np.asarray(reciprocal(nearest(key, self._k))[QUERY], bool)

    def order(self) -> Ints:
        """The items, likeliest first: the same, then by similarity and distance, then the others."""
        items = np.arange(1, len(self.answers))
        keys = (-self.closeness[QUERY, 1:], -self.sim[QUERY, 1:], -self.answers[1:])
        return np.asarray(items[np.lexsort(keys)], np.int64)
