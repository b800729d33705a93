"""Persons seen in several views, of whom a simulated person in the loop knows who is who."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear_export.dral.embedding import Answered, Projection
from comfywear_export.dral.graph import squared_distances
from comfywear_export.dral.policies import Policy
from comfywear_export.dral.rounds import Round
from comfywear_export.dral.scores import average_precision

__all__ = ["Asking", "Crowd", "collect", "curves", "start_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_GAIN = 10.0  # of the size of the other reward, so that the same network learns it as fast


@dataclass(frozen=True)
class Asking:
    """How is asked.

    Attributes:
        pool: n_s: that many nearest views are the pool of a query.
        most: K_max.
        k: Of the k-reciprocal neighbours.
    """

    pool: int = 30
    most: int = 10
    k: int = 8

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            UsageError: A number is below 1, or the pool below K_max.
        """
        if min(self.pool, self.most, self.k) < 1 or self.pool < self.most:
            raise UsageError(f"{self}: each is 1 or more, and the pool holds as many as are asked about")


class Crowd:
    """The views of some persons, as a projection places them.

    Args:
        x: `(N, V, D)` vectors: V views of each of N persons.
        projection: Where they are compared.

    Attributes:
        person: `(N · V)` whose view each row is.
        distances: `(N · V, N · V)`.
    """

    def __init__(self, x: Floats, projection: Projection) -> None:
        persons, self.views = x.shape[:2]
        self.person: Ints = np.repeat(np.arange(persons), self.views)
        placed = projection(x.reshape(persons * self.views, -1))
        self.distances = squared_distances(placed, placed)

    def gallery(self, query: int) -> Ints:
        """The rows of all other views, nearest to the query first."""
        order = np.argsort(self.distances[query], kind="stable")
        return np.asarray(order[order != query], np.int64)

    def begin(self, query: int, how: Asking) -> tuple[Round, Ints]:
        """A round, and the rows of its query and pool in the order of the graph."""
        rows = np.concatenate([[query], self.gallery(query)[: how.pool]])
        table = self.distances[np.ix_(rows, rows)]
        np.fill_diagonal(table, 0.0)
        return Round((table + table.T) / 2.0, how.k, how.most), rows

    def same(self, query: int, row: int) -> bool:
        """What the person in the loop answers."""
        return bool(self.person[query] == self.person[row])

    def ranked(self, now: Round, rows: Ints) -> Ints:
        """The whole gallery, likeliest first: the pool as the round has it, the rest by distance, then the others."""
        pool = now.graph.order()
        told = now.graph.answers[pool] == -1
        rest = self.gallery(int(rows[0]))[len(rows) - 1 :]
        return np.concatenate([rows[pool[~told]], rest, rows[pool[told]]])

    def scores(self, query: int, ranked: Ints) -> tuple[float, float]:
        """Whether the first is right, and the average precision."""
        right = self.person[ranked] == self.person[query]
        return float(right[0]), average_precision(right)


def curves(crowd: Crowd, queries: Iterable[int], policy: Policy, how: Asking, rng: np.random.Generator) -> Floats:
    """`(queries, 2, K_max + 1)`: rank-1 and average precision after 0 … K_max questions."""
    out = []
    for query in queries:
        now, rows = crowd.begin(query, how)
        points = [crowd.scores(query, crowd.ranked(now, rows))]
        while not now.over:
            item = policy(now, rng)
            now.tell(item, crowd.same(query, int(rows[item])))
            points.append(crowd.scores(query, crowd.ranked(now, rows)))
        points += [points[-1]] * (how.most + 1 - len(points))
        out.append(np.array(points).T)
    return np.stack(out)


def collect(
    crowd: Crowd, queries: Sequence[int], policy: Policy, how: Asking, rng: np.random.Generator
) -> list[Answered]:
    """Ask about each query; what was answered."""
    out = []
    for query in queries:
        now, rows = crowd.begin(query, how)
        while not now.over:
            item = policy(now, rng)
            now.tell(item, crowd.same(query, int(rows[item])))
        same, others = (rows[now.graph.answers == sign] for sign in (1, -1))
        out.append(Answered([query, *(int(r) for r in same if r != query)], [int(r) for r in others]))
    return out


def start_of(
    crowd: Crowd, how: Asking, *, gain: bool = False
) -> Callable[[np.random.Generator], tuple[Round, Callable[[int], bool], Callable[[int, float], float]]]:
    """Begins rounds of random queries, for `qlearning.learn`.

    Args:
        crowd: Who can be asked about.
        how: How is asked.
        gain: An answer is worth ten times what it adds to the average precision, instead of the reward of the round.
    """

    def start(rng: np.random.Generator) -> tuple[Round, Callable[[int], bool], Callable[[int, float], float]]:
        query = int(rng.integers(len(crowd.person)))
        now, rows = crowd.begin(query, how)
        before = [crowd.scores(query, crowd.ranked(now, rows))[1] if gain else 0.0]

        def worth(_: int, reward: float) -> float:
            if not gain:
                return reward
            before.append(crowd.scores(query, crowd.ranked(now, rows))[1])
            return _GAIN * (before[-1] - before[-2])

        return now, lambda item: crowd.same(query, int(rows[item])), worth

    return start
