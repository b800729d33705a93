"""When a vote would teach most: conditions unlike those voted on come first, uncertainty second. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["STEP", "AskingRules", "Conditions", "Occasion", "Question", "question", "worth"]

Array = NDArray[np.float64]
# What counts as one step of difference: 1.5 K, 15 %, 0.2 clo.
STEP = np.asarray([1.5, 15.0, 0.2])
# The farthest that novelty counts, in steps: the oddest moment is not the most telling.
_FAR = 3.0
# A vote's standard deviation is worth so many steps a unit: it decides between moments that are equally new.
_UNCERTAINTY = 0.25


class Conditions(NamedTuple):
    """The air and the clothing at a moment."""

    air_temp_c: float
    humidity_pct: float
    clo: float


class AskingRules(NamedTuple):
    """When people may be asked: so often a day, between these hours, so far apart, and only if it is worth it."""

    per_day: int = 3
    from_hour: int = 8
    to_hour: int = 20
    gap_s: float = 3600.0
    least_worth: float = 0.9


class Occasion(NamedTuple):
    """What the caller knows of this moment.

    Attributes:
        conditions: Air and clothing; None while they are not known.
        uncertainty: Standard deviation of the predicted vote.
        present: Whether somebody is there; None where no camera can say.
        hour: Local hour 0…23; None while the clock is not set.
        asked_today: Questions of this day.
        since_asked_s: Seconds since the last question; None when there was none.
        since_vote_s: Seconds since the last vote; None when there was none.
    """

    conditions: Conditions | None
    uncertainty: float | None
    present: bool | None
    hour: int | None
    asked_today: int
    since_asked_s: float | None
    since_vote_s: float | None


class Question(NamedTuple):
    """What to show, and what the answer is good for."""

    text: str
    why: str


def worth(candidates: Array, voted: Array, uncertainty: Array) -> Array:
    """`(N,)` how much a vote would teach: distance to the nearest condition voted on (k-centre), then uncertainty.

    Args:
        candidates: `(N, 3)` air temperature °C, humidity %, clo.
        voted: `(M, 3)` conditions of the votes there are; with none, everything is equally new.
        uncertainty: `(N,)` standard deviation of the predicted vote.
    """
    novelty = np.full(len(candidates), _FAR)
    if len(voted):
        apart = (candidates[:, None, :] - voted[None, :, :]) / STEP
        novelty = np.minimum(np.sqrt((apart**2).sum(axis=2)).min(axis=1), _FAR)
    result: Array = novelty + _UNCERTAINTY * uncertainty
    return result


def question(occasion: Occasion, voted: Sequence[Conditions], rules: AskingRules) -> Question | None:
    """The question for this moment, or None: nobody there, night, enough for today, or little to learn."""
    if occasion.conditions is None or occasion.present is False:
        return None
    if occasion.hour is None or not rules.from_hour <= occasion.hour < rules.to_hour:
        return None
    if occasion.asked_today >= rules.per_day:
        return None
    for since_s in (occasion.since_asked_s, occasion.since_vote_s):
        if since_s is not None and since_s < rules.gap_s:
            return None
    here, past = np.asarray([occasion.conditions]), np.asarray(voted, float).reshape(-1, 3)
    if float(worth(here, past, np.asarray([occasion.uncertainty or 0.0]))[0]) < rules.least_worth:
        return None
    return Question("How comfortable is it right now?", _why(occasion.conditions, past))


def _why(now: Conditions, past: Array) -> str:
    if not len(past):
        return "nobody has voted here yet"
    apart = (np.asarray(now) - past[np.argmin((((np.asarray(now) - past) / STEP) ** 2).sum(axis=1))]) / STEP
    index = int(np.argmax(np.abs(apart)))
    if abs(apart[index]) < 0.5:
        return "people's votes differ most in conditions like these"
    words = (("cool", "warm"), ("dry", "humid"), ("lightly dressed", "warmly dressed"))[index][int(apart[index] > 0)]
    return f"there is no vote yet for conditions as {words} as now"
