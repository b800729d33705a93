"""A person's session of questions: which pair is next, from the vectors and the answers so far. No clock, no files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear_export.dral.answers import Answer, Verdict
from comfywear_export.dral.embedding import Answered, Projection, refreshed, triplets, whitened, within
from comfywear_export.dral.graph import squared_distances
from comfywear_export.dral.policies import Policy
from comfywear_export.dral.rounds import Round
from comfywear_export.dral.simulate import Asking

__all__ = ["Known", "Question", "Refresh", "Session"]

Floats = NDArray[np.float64]

Refresh = Literal["triplets", "supervised", "none"]

_REFRESH_EVERY = 10  # queries


@dataclass(frozen=True, slots=True)
class Question:
    """Are these two the same person?

    Attributes:
        query: Row of the query.
        item: Row of the other.
        asked: Questions about this query before this one.
        same: Rows that are known to show the query.
    """

    query: int
    item: int
    asked: int
    same: tuple[int, ...]


class Known:
    """What follows from the answers: the same as the same is the same, another than the same is another.

    Args:
        size: Number of pictures.
    """

    def __init__(self, size: int) -> None:
        self._group = list(range(size))
        self._apart: set[frozenset[int]] = set()

    def tell(self, a: int, b: int, same: bool) -> None:
        """Take what is known of two rows; what contradicts is passed over, the earlier holds."""
        one, other = self._group[a], self._group[b]
        if one == other or frozenset((one, other)) in self._apart:
            return
        if not same:
            self._apart.add(frozenset((one, other)))
            return
        self._group = [one if group == other else group for group in self._group]
        self._apart = {frozenset(one if group == other else group for group in pair) for pair in self._apart}

    def same(self, a: int, b: int) -> bool | None:
        """Whether two rows show the same person; None when that is not known."""
        one, other = self._group[a], self._group[b]
        if one == other:
            return True
        return False if frozenset((one, other)) in self._apart else None

    def of(self, row: int) -> list[int]:
        """All rows that are known to show the same person as this one, itself among them."""
        return [other for other, group in enumerate(self._group) if group == self._group[row]]

    def others(self, row: int) -> list[int]:
        """All rows that are known to show somebody else."""
        return [other for other in range(len(self._group)) if self.same(row, other) is False]


class Session:
    """Goes through the pictures as queries, at most K_max questions each; no pair twice, none that follows from others.

    Args:
        names: Of the pictures.
        x: `(N, D)` their vectors.
        answers: Those given before, the oldest first; names that are not among the pictures are passed over.
        how: How is asked.
        policy: Chooses the item.
        refresh: What the answers do to the embedding, after every tenth query.
        seed: Of policies that draw.

    Raises:
        UsageError: There are fewer than two pictures.
    """

    def __init__(
        self,
        names: Sequence[str],
        x: Floats,
        answers: Sequence[Answer],
        how: Asking,
        policy: Policy,
        *,
        refresh: Refresh = "triplets",
        seed: int = 0,
    ) -> None:
        if len(names) < 2:
            raise UsageError(f"at least two pictures are needed to ask about, not {len(names)}")
        self.names, self.queries = tuple(names), len(names)
        self._x, self._how, self._policy, self._refresh, self._seed = x, how, policy, refresh, seed
        self._row = {name: row for row, name in enumerate(names)}
        self._start = whitened(x)
        self._answers: list[Answer] = []
        self._again: tuple[int, int] | None = None
        self._query, self._stage, self._placed = 0, -1, x
        self._replay(answers)

    def _replay(self, answers: Sequence[Answer]) -> None:
        self._answers = [each for each in answers if {each.query, each.item} <= self._row.keys()]
        self._known, self._told = Known(self.queries), set[frozenset[int]]()
        self._asked = [0] * self.queries
        for each in self._answers:
            self._count(each)

    def _count(self, answer: Answer) -> None:
        a, b = self._row[answer.query], self._row[answer.item]
        self._told.add(frozenset((a, b)))
        self._asked[a] += 1
        if answer.verdict != "skipped":
            self._known.tell(a, b, answer.verdict == "same")

    @property
    def answered(self) -> int:
        """How many questions were answered, skipped ones included."""
        return len(self._answers)

    @property
    def query(self) -> int:
        """The query at which it stands; the number of pictures at the end."""
        return self._query

    def question(self) -> Question | None:
        """The next question; the same one until it is answered, None at the end."""
        if self._again is not None:
            return self._ask(*self._again)
        while self._query < self.queries:
            item = self._next(self._query) if self._asked[self._query] < self._how.most else None
            if item is not None:
                return self._ask(self._query, item)
            self._query += 1
        return None

    def _ask(self, query: int, item: int) -> Question:
        same = tuple(row for row in self._known.of(query) if row != query)
        return Question(query, item, self._asked[query], same)

    def as_answer(self, question: Question, verdict: Verdict) -> Answer:
        """What is kept of an answer to a question."""
        return Answer(self.names[question.query], self.names[question.item], verdict)

    def take(self, answer: Answer) -> None:
        """Go on after an answer."""
        self._again = None
        self._answers.append(answer)
        self._count(answer)

    def undone(self, answer: Answer) -> None:
        """Go back before an answer, and ask it again first."""
        self._replay([each for each in self._answers if each.pair != answer.pair])
        if {answer.query, answer.item} <= self._row.keys():
            self._query = min(self._query, self._row[answer.query])
            self._again = (self._row[answer.query], self._row[answer.item])

    def _next(self, query: int) -> int | None:
        """The row that is asked about; None when nothing in the query's pool is open."""
        self._place(query // _REFRESH_EVERY)
        skipped = [
            row
            for row in range(self.queries)
            if row == query or (frozenset((query, row)) in self._told and self._known.same(query, row) is None)
        ]
        apart = squared_distances(self._placed[[query]], self._placed)[0]
        order = np.argsort(apart, kind="stable")
        pool = order[~np.isin(order, skipped)][: self._how.pool]
        if len(pool) == 0:
            return None
        rows = np.concatenate([[query], pool])
        table = squared_distances(self._placed[rows], self._placed[rows])
        np.fill_diagonal(table, 0.0)
        now = Round((table + table.T) / 2.0, self._how.k, self._how.most)
        for item in range(1, len(rows)):
            same = self._known.same(query, int(rows[item]))
            if same is not None:
                now.graph.tell(item, same)
        now.asked = self._asked[query]
        if now.over:
            return None
        draw = np.random.default_rng([self._seed, query, self._asked[query]])
        return int(rows[self._policy(now, draw)])

    def _place(self, stage: int) -> None:
        """Put everybody where the answers about the queries before this stage put them."""
        if stage == self._stage:
            return
        queries = [row for row in range(stage * _REFRESH_EVERY) if self._asked[row]]
        projection: Projection = self._start
        if self._refresh == "triplets":
            answered = [Answered(_first(self._known.of(row), row), self._known.others(row)) for row in queries]
            projection = refreshed(self._start, self._x, triplets(answered))
        elif self._refresh == "supervised":
            projection = within(self._x, sorted({tuple(self._known.of(row)) for row in queries}), self._start)
        self._stage, self._placed = stage, projection(self._x)


def _first(rows: Sequence[int], row: int) -> list[int]:
    return [row, *(other for other in rows if other != row)]
