"""How far a figure would move with other photos: the bootstrap over photos (Efron, 1979)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comfywear_export.measure.average_precision import LEVELS, Found, matched

__all__ = ["Ranking", "answers_resampled", "boxes_resampled", "interval", "means"]

_TIMES = 200
_SEED = 20261123

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ranking:
    """Answers, the surest first, each with the photo that it belongs to.

    Attributes:
        hits: `(K,) bool`: right or not.
        photos: `(K,) int`: number of the photo.
        last_of_tie: `(K,) bool`: the last one of its score.
        totals: `(P,) int`: how many are there in each photo.
    """

    hits: NDArray[np.bool_]
    photos: NDArray[np.intp]
    last_of_tie: NDArray[np.bool_]
    totals: NDArray[np.intp]

    @classmethod
    def of(
        cls, scores: NDArray[np.floating], hits: NDArray[np.bool_], photos: NDArray[np.intp], totals: NDArray[np.intp]
    ) -> Ranking:
        """From answers in any order."""
        order = np.argsort(-scores, kind="stable")
        last = np.append(np.diff(scores[order]) != 0, True)[: len(scores)]
        return cls(hits[order], photos[order], last, totals)

    def curve(self, weights: Numbers) -> tuple[Numbers, Numbers, float]:
        """Right answers and all answers so far, and how many are there, each photo counted `weights` times."""
        own = weights[self.photos]
        right, said = np.cumsum(self.hits * own)[self.last_of_tie], np.cumsum(own)[self.last_of_tie]
        return right, said, float((weights * self.totals).sum())


def boxes_resampled(photos: Mapping[str, Sequence[Found]], times: int = _TIMES) -> dict[str, Numbers]:
    """AP50 of each label in `times` resamples of the photos, the same for all labels: `(times,)` each, NaN without any.

    As `average_precision.boxes_precision`, with 101 recall levels.
    """
    return _resampled({label: _ranking(own) for label, own in photos.items()}, _of_boxes, times)


def answers_resampled(
    answers: Mapping[str, tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.intp]]],
    persons: int,
    times: int = _TIMES,
) -> dict[str, Numbers]:
    """AP of each yes-or-no question in resamples of the persons, as `average_precision.average_precision`.

    Args:
        answers: Probability, truth and number of the person of each answer.
        persons: How many there are.
        times: Resamples.
    """
    rankings = {
        label: Ranking.of(said, yes, who, np.bincount(who[yes], minlength=persons))
        for label, (said, yes, who) in answers.items()
    }
    return _resampled(rankings, _of_answers, times)


def means(found: Mapping[str, Numbers]) -> Numbers:
    """The mean over the labels in each resample, those without a figure left out."""
    rows = np.array(list(found.values()))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(rows, 0) / (~np.isnan(rows)).sum(0), np.float64)


def interval(values: Numbers) -> str:
    """The middle 95 % of resampled figures as text; a dash where there are none."""
    known = values[~np.isnan(values)]
    if not len(known):
        return "–"
    low, high = np.percentile(known, [2.5, 97.5])
    return f"{low:.3f}–{high:.3f}"


def _resampled(
    rankings: Mapping[str, Ranking], figure: Callable[[Numbers, Numbers, float], float], times: int
) -> dict[str, Numbers]:
    found = {label: np.full(times, np.nan) for label in rankings}
    draws: dict[int, list[Numbers]] = {}
    for label, ranking in rankings.items():
        n = len(ranking.totals)
        if n not in draws:
            chance = np.random.default_rng(_SEED)
            draws[n] = [np.bincount(chance.integers(n, size=n), minlength=n).astype(float) for _ in range(times)]
        for number, weights in enumerate(draws[n]):
            right, said, total = ranking.curve(weights)
            if total:
                found[label][number] = figure(right, said, total)
    return found


def _ranking(photos: Sequence[Found]) -> Ranking:
    parts = matched(photos, LEVELS[0])
    numbers = np.repeat(np.arange(len(photos)), [len(part[0]) for part in parts])
    totals = np.array([len(photo.truth) for photo in photos], np.intp)
    if not parts:
        return Ranking(np.zeros(0, bool), numbers, np.zeros(0, bool), totals)
    return Ranking.of(np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]), numbers, totals)


def _of_boxes(right: Numbers, said: Numbers, total: float) -> float:
    precision = np.divide(right, said, out=np.zeros_like(right), where=said > 0)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(right / total, np.linspace(0, 1, 101) - 1e-9)
    return float(np.append(best_from_here, 0.0)[at].mean())


def _of_answers(right: Numbers, said: Numbers, total: float) -> float:
    precision = np.divide(right, said, out=np.zeros_like(right), where=said > 0)
    return float((np.diff(np.append(0, right)) * precision).sum() / total)
