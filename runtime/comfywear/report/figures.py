"""A zone's month in figures. Pure: from what was said to what a page shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort.standards.pmv import ppd_of
from comfywear.report.month import HOUR_S, Month
from comfywear.report.zone_log import HOLD_S, Series, VoteSeen, ZoneLog
from comfywear.texts import Text, recalled

__all__ = [
    "BOUNDS",
    "CATEGORIES",
    "AdviceTotal",
    "DayAir",
    "HourCell",
    "SensorHealth",
    "SetpointMonth",
    "VotesMonth",
    "WorstHour",
    "ZoneMonth",
    "category_of",
    "figure",
]

Array = NDArray[np.float64]

BOUNDS: Mapping[str, float] = {"I": 0.2, "II": 0.5, "III": 0.7, "IV": 1.0}
"""|PMV| up to which a category of EN 16798-1:2019, table B.1, holds, best first."""
CATEGORIES = (*BOUNDS, "beyond", "unknown")

_MINUTE_S = 60.0
_MOST_WORST, _MOST_ADVICE = 6, 5
# An hour is among the worst only with people for ten minutes, and only outside category II.
_LEAST_MINUTES = 10


@dataclass(frozen=True, slots=True)
class HourCell:
    """An hour of a day: its category by the mean PMV, and the share of it with people (0…1; None = not known)."""

    day: int
    hour: int
    category: str
    occupied: float | None


@dataclass(frozen=True, slots=True)
class DayAir:
    """A day's air temperature, °C: lowest, mean, highest; None where nothing is known."""

    day: int
    low_c: float | None
    mean_c: float | None
    high_c: float | None


@dataclass(frozen=True, slots=True)
class WorstHour:
    """An hour with people that was far from neutral: means, predicted dissatisfied in %, votes of that hour."""

    unix_s: float
    air_temp_c: float | None
    humidity_pct: float | None
    pmv: float
    ppd_pct: float
    votes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AdviceTotal:
    """An advice that stood first for so many hours with people; of 100 people, who would want no change."""

    what: str
    hours: float
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class VotesMonth:
    """The votes.

    Attributes:
        votes: All, oldest first.
        table: `(5, 5)`: votes by expected level (rows, 1 first) and level voted (columns).
        compared: Votes for which something was expected.
        close: Of these, the share that is at most one level from what was expected.
        mean: Mean level; None without votes.
        above: Mean of level voted less level expected; None where none can be compared.
    """

    votes: tuple[VoteSeen, ...]
    table: tuple[tuple[int, ...], ...]
    compared: int
    close: float | None
    mean: float | None
    above: float | None


@dataclass(frozen=True, slots=True)
class SetpointMonth:
    """What the setpoint did: °C, how often it changed, and its course as (Unix time, °C) where it changed."""

    low_c: float
    mean_c: float
    high_c: float
    changes: int
    course: tuple[tuple[float, float | None], ...]


@dataclass(frozen=True, slots=True)
class SensorHealth:
    """How the zone's sensors did.

    Attributes:
        coverage: Share of the time with a temperature, 0…1.
        camera: Share of the time in which it was known whether people were there; None: it never was.
        gaps: Times when the device said nothing for more than `HOLD_S`.
        longest_gap_h: The longest of them, hours.
        silent_h: Hours in which the device said that the sensor is silent or missing.
        disagree_h: Hours in which two sensors differed too much.
        disagreement: How they last did, in words.
        simulated: Whether a replayed recording stood for a sensor.
        unread: Messages that could not be read.
    """

    coverage: float
    camera: float | None
    gaps: int
    longest_gap_h: float
    silent_h: float
    disagree_h: float
    disagreement: str | None
    simulated: bool
    unread: int


@dataclass(frozen=True, slots=True)
class ZoneMonth:
    """A zone's month.

    Attributes:
        title: What to show for the zone.
        device: Whose it is.
        hours: Hours of the month so far.
        occupied_h: Of these with people; all that are known where nobody looked.
        looked: Whether it was known when people were there.
        categories: Hours with people by `CATEGORIES`.
        cells: Every hour.
        days: Every day's air.
        votes: The votes.
        worst: The worst hours, worst first.
        advice: What was advised, longest first.
        setpoint: None where none was said.
        sensors: How the sensors did.
        learnt_k: By how many K warmer than the model it is liked.
    """

    title: str
    device: str
    hours: float
    occupied_h: float
    looked: bool
    categories: Mapping[str, float]
    cells: tuple[HourCell, ...]
    days: tuple[DayAir, ...]
    votes: VotesMonth
    worst: tuple[WorstHour, ...]
    advice: tuple[AdviceTotal, ...]
    setpoint: SetpointMonth | None
    sensors: SensorHealth
    learnt_k: float | None


def category_of(pmv: float) -> str:
    """The best category of EN 16798-1 that a PMV meets; "beyond" outside all, "unknown" for NaN."""
    if pmv != pmv:
        return "unknown"
    return next((name for name, bound in BOUNDS.items() if abs(pmv) <= bound), "beyond")


def figure(log: ZoneLog, month: Month) -> ZoneMonth:
    """The month of a zone, minute by minute: what was said holds until the next word, for `HOLD_S` at most."""
    begin_s, end_s = month.begin.timestamp(), month.end.timestamp()
    minutes = np.arange(begin_s, end_s, _MINUTE_S)
    air, humidity, pmv = log.air.at(minutes), log.humidity.at(minutes), log.pmv.at(minutes)
    present = log.occupied.at(minutes)
    looked = bool(np.any(present == present))
    there = present == 1.0 if looked else (pmv == pmv) | (air == air)
    hours = _Hours(month, minutes)
    votes = tuple(sorted((v for v in log.votes.values() if begin_s <= v.unix_s < end_s), key=lambda v: v.unix_s))
    return ZoneMonth(
        title=log.title or log.zone,
        device=log.device,
        hours=len(minutes) / 60.0,
        occupied_h=float(there.sum()) / 60.0,
        looked=looked,
        categories=_by_category(pmv[there]),
        cells=hours.cells(pmv, there, present if looked else None),
        days=hours.days(air),
        votes=_votes(votes),
        worst=hours.worst(air, humidity, pmv, there, votes),
        advice=_advice(log, minutes, there),
        setpoint=_setpoint(log.setpoint, minutes),
        sensors=_health(log, minutes, air, present if looked else None),
        learnt_k=log.learnt_k,
    )


class _Hours:
    """The minutes of a month by the hour."""

    def __init__(self, month: Month, minutes: Array) -> None:
        self._hours = month.hours()
        self._of = [slice(index * 60, (index + 1) * 60) for index in range(len(self._hours))]
        self._days = month.days
        self._day_of = np.repeat([day for _, day, _ in self._hours], 60)[: len(minutes)]

    def cells(self, pmv: Array, there: NDArray[np.bool_], present: Array | None) -> tuple[HourCell, ...]:
        found = []
        for (_, day, hour), part in zip(self._hours, self._of, strict=True):
            with_people = there[part]
            shown = pmv[part][with_people] if with_people.any() else pmv[part]
            share = None if present is None else _mean(present[part])
            found.append(HourCell(day, hour, category_of(_nanmean(shown)), share))
        return tuple(found)

    def days(self, air: Array) -> tuple[DayAir, ...]:
        found = []
        for day in range(1, self._days + 1):
            known = air[self._day_of == day]
            known = known[known == known]
            if len(known):
                found.append(DayAir(day, float(known.min()), float(known.mean()), float(known.max())))
            else:
                found.append(DayAir(day, None, None, None))
        return tuple(found)

    def worst(
        self, air: Array, humidity: Array, pmv: Array, there: NDArray[np.bool_], votes: Sequence[VoteSeen]
    ) -> tuple[WorstHour, ...]:
        found = []
        for (at_s, _, _), part in zip(self._hours, self._of, strict=True):
            known = there[part] & (pmv[part] == pmv[part])
            if known.sum() < _LEAST_MINUTES:
                continue
            mean = float(pmv[part][known].mean())
            if abs(mean) > BOUNDS["II"]:
                said = tuple(vote.level for vote in votes if at_s <= vote.unix_s < at_s + HOUR_S)
                here = _mean(air[part][known]), _mean(humidity[part][known])
                found.append(WorstHour(at_s, *here, mean, float(ppd_of(mean)), said))
        return tuple(sorted(found, key=lambda hour: -abs(hour.pmv))[:_MOST_WORST])


def _by_category(pmv: Array) -> dict[str, float]:
    size = np.abs(pmv)
    limits = [*BOUNDS.values(), np.inf]
    found, last = {}, -1.0
    for name, limit in zip(CATEGORIES[:-1], limits, strict=True):
        found[name] = float(((size > last) & (size <= limit)).sum()) / 60.0
        last = limit
    found["unknown"] = float((pmv != pmv).sum()) / 60.0
    return found


def _votes(votes: tuple[VoteSeen, ...]) -> VotesMonth:
    table = np.zeros((5, 5), int)
    pairs = [(vote.expected_level, vote.level) for vote in votes]
    compared = [(a, b) for a, b in pairs if a is not None and 1 <= a <= 5 and 1 <= b <= 5]
    for expected, level in compared:
        table[expected - 1, level - 1] += 1
    apart = [level - expected for expected, level in compared]
    return VotesMonth(
        votes,
        tuple(tuple(int(count) for count in row) for row in table),
        len(compared),
        float(np.mean([abs(each) <= 1 for each in apart])) if apart else None,
        float(np.mean([vote.level for vote in votes])) if votes else None,
        float(np.mean(apart)) if apart else None,
    )


def _advice(log: ZoneLog, minutes: Array, there: NDArray[np.bool_]) -> tuple[AdviceTotal, ...]:
    sentences = sorted({each.sentence for each in log.advised})
    number = {sentence: float(index) for index, sentence in enumerate(sentences)}
    course = Series()
    for each in log.advised:
        course.add(each.unix_s, number[each.sentence])
    said = course.at(minutes)[there]
    counted: Counter[str] = Counter()
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for index, count in zip(*np.unique(said[said == said], return_counts=True), strict=True):
        said_then = recalled(sentences[int(index)])
        found = said_then.values if isinstance(said_then, Text) and "after" in said_then.values else None
        what = found["what"] if found else said_then
        if not what:
            continue
        counted[what] += int(count)
        if found:
            before[what] += int(count) * int(found["before"])
            after[what] += int(count) * int(found["after"])
    return tuple(
        AdviceTotal(
            what,
            count / 60.0,
            before[what] / count if what in before else None,
            after[what] / count if what in after else None,
        )
        for what, count in counted.most_common(_MOST_ADVICE)
    )


def _setpoint(course: Series, minutes: Array) -> SetpointMonth | None:
    values = course.at(minutes)
    known = values[values == values]
    if not len(known):
        return None
    change = np.flatnonzero(np.r_[True, ~np.isclose(values[1:], values[:-1], equal_nan=True)])
    steps = tuple((float(minutes[at]), float(values[at]) if values[at] == values[at] else None) for at in change)
    set_ones = [value for _, value in steps if value is not None]
    changes = sum(a != b for a, b in pairwise(set_ones))
    return SetpointMonth(float(known.min()), float(known.mean()), float(known.max()), changes, steps)


def _health(log: ZoneLog, minutes: Array, air: Array, present: Array | None) -> SensorHealth:
    fresh, disagree = log.fresh.at(minutes), log.disagree.at(minutes)
    silent = _runs(fresh != fresh)
    long_ones = [length for length in silent if length * _MINUTE_S > HOLD_S]
    return SensorHealth(
        coverage=float((air == air).mean()) if len(air) else 0.0,
        camera=None if present is None else float((present == present).mean()),
        gaps=len(long_ones),
        longest_gap_h=max(long_ones, default=0) / 60.0,
        silent_h=float((fresh == 0.0).sum()) / 60.0,
        disagree_h=float((disagree == 1.0).sum()) / 60.0,
        disagreement=log.disagreement,
        simulated=log.simulated,
        unread=log.unread,
    )


def _runs(where: NDArray[np.bool_]) -> list[int]:
    """The lengths of the stretches in which it is so."""
    edges = np.flatnonzero(np.diff(np.r_[False, where, False].astype(int)))
    return [int(end - start) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _nanmean(values: Array) -> float:
    known = values[values == values]
    return float(known.mean()) if len(known) else float("nan")


def _mean(values: Array) -> float | None:
    found = _nanmean(values)
    return None if found != found else found
