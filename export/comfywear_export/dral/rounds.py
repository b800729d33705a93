"""One query's round of questions: what can be asked, what is known of each item, and what an answer is worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear_export.dral.graph import QUERY, Graph

__all__ = ["FEATURES", "MARGIN", "Round"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MARGIN = 0.2
"""m of the reward, in parts of the largest distance in the graph."""

FEATURES = (
    "similarity to the query",
    "closeness to the query",
    "rank by distance",
    "rank now",
    "closeness to the nearest item that is the same",
    "closeness to the nearest item that is another",
    "mean closeness to the items that are the same",
    "mean similarity to the pool",
    "closeness to the query, less that of the item after it",
    "any item found to be the same",
    "part of the answers so far that said the same",
    "part of the questions asked",
)


class Round:
    """At most so many questions about one query and its pool.

    Args:
        distances: As of `Graph`: the query is number 0.
        k: Of the k-reciprocal neighbours.
        most: K_max.
    """

    def __init__(self, distances: Floats, k: int, most: int) -> None:
        if most < 1:
            raise UsageError(f"a round has one question or more, not {most}")
        self.graph = Graph(distances, k)
        self.most = most
        self.asked = 0
        size = len(distances) - 1
        self._by_distance: Ints = np.argsort(distances[QUERY, 1:], kind="stable") + 1
        rank = np.zeros(size + 1)
        rank[self._by_distance] = np.arange(size) / size
        after = np.append(self._by_distance[1:], self._by_distance[-1])
        gap = np.zeros(size + 1)
        gap[self._by_distance] = self.graph.closeness[QUERY, self._by_distance] - self.graph.closeness[QUERY, after]
        self._rank, self._gap = rank, gap

    @property
    def over(self) -> bool:
        """Whether nothing can be asked any more."""
        return self.asked >= self.most or not (self.graph.answers == 0).any()

    def by_distance(self) -> Ints:
        """The items, nearest first, whatever was answered."""
        return self._by_distance

    def features(self, items: Ints) -> Floats:
        """`(n, 12)`, 0…1: what is known of each of `n` items, see `FEATURES`."""
        graph = self.graph
        size = len(graph.answers) - 1
        same, others = np.flatnonzero(graph.answers == 1), np.flatnonzero(graph.answers == -1)
        now = np.zeros(size + 1)
        now[graph.order()] = np.arange(size) / size
        found = same[same != QUERY]
        told = len(found) + len(others)
        zero = np.zeros(len(items))
        return np.stack(
            [
                graph.sim[QUERY, items],
                graph.closeness[QUERY, items],
                self._rank[items],
                now[items],
                graph.closeness[np.ix_(found, items)].max(axis=0) if len(found) else zero,
                graph.closeness[np.ix_(others, items)].max(axis=0) if len(others) else zero,
                graph.closeness[np.ix_(same, items)].mean(axis=0),
                graph.sim[items].mean(axis=1),
                self._gap[items],
                zero + float(len(found) > 0),
                zero + len(found) / max(told, 1),
                zero + self.asked / self.most,
            ],
            axis=1,
        )

    def rewards(self, items: Ints, same: bool) -> Floats:
        """`(n)` what the answer about each item is worth: the harder it was to tell, the more.

        [m + y (max over positives d(x, g) − min over negatives d(x, g))]₊, y = 1 for the same and −1 for another;
        the query is a positive, and before the first negative the mean distance of the pool stands for it.
        """
        apart = 1.0 - self.graph.closeness[:, items]
        positives, negatives = self.graph.answers == 1, self.graph.answers == -1
        far = apart[positives].max(axis=0)
        near = apart[negatives].min(axis=0) if negatives.any() else apart[self.graph.answers == 0].mean(axis=0)
        return np.asarray(np.maximum(MARGIN + (1.0 if same else -1.0) * (far - near), 0.0), np.float64)

    def tell(self, item: int, same: bool) -> float:
        """Take an answer; returns its reward.

        Raises:
            UsageError: The round is over, or the item is not open.
        """
        if self.over:
            raise UsageError("the round is over")
        reward = float(self.rewards(np.array([item]), same)[0])
        self.graph.tell(item, same)
        self.asked += 1
        return reward
