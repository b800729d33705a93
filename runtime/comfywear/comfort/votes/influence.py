"""How much each vote counts: old votes fade, and one place has only so much of a say, however often it is pressed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["PERSON_LIMITS", "InfluenceLimits", "VoteOrigin", "influences"]

Array = NDArray[np.float64]
_HOUR_S, _DAY_S = 3600.0, 86400.0


class VoteOrigin(NamedTuple):
    """Where and when a vote was pressed, and by whom if that was said: `place` is a source, `time_s` any epoch."""

    place: str
    time_s: float
    person: str | None = None


class InfluenceLimits(NamedTuple):
    """What votes can weigh, in votes.

    Attributes:
        place_hour: All votes of one place in one hour, and of one person at any place.
        place_day: The same in one day.
        place: All votes of one place, or person.
        day: All votes of one day, of all places.
        half_life_days: A vote of this age counts half.
    """

    place_hour: float = 3.0
    place_day: float = 8.0
    place: float = 60.0
    day: float = 24.0
    half_life_days: float = 90.0


PERSON_LIMITS = InfluenceLimits(place_hour=1.0)
"""For the votes of one person: those of one hour are of one state of body and air, and say as much as one.

On people in a climate chamber who voted every ten minutes, three an hour made the answers for later conditions worse.
"""


def influences(presses: Sequence[VoteOrigin], now_s: float, limits: InfluenceLimits | None = None) -> Array:
    """`(N,)` 0…1: how much each vote counts now.

    Where a group is over its limit, every vote of it counts less by the same factor, so that the order of the votes
    plays no part. A name can be typed: persons share what their place may weigh. A vote from the future (the clock was
    put back) counts as one of now.
    """
    limits = limits or InfluenceLimits()
    if not presses:
        return np.zeros(0)
    time_s = np.asarray([press.time_s for press in presses])
    places = np.unique([press.place for press in presses], return_inverse=True)[1]
    persons = np.unique(
        [f"{press.person is None}{press.person or press.place}" for press in presses], return_inverse=True
    )[1]
    hours, days = np.floor(time_s / _HOUR_S), np.floor(time_s / _DAY_S)
    weight: Array = np.ones(len(presses))
    groups: tuple[tuple[tuple[NDArray[Any], ...], float], ...] = (
        ((persons, hours), limits.place_hour),
        ((persons, days), limits.place_day),
        ((places, hours), limits.place_hour),
        ((places, days), limits.place_day),
        ((days,), limits.day),
    )
    for group, most in groups:
        weight = _limited(weight, group, most)
    age_days = np.maximum(now_s - time_s, 0.0) / _DAY_S
    weight = _limited(weight * 0.5 ** (age_days / limits.half_life_days), (persons,), limits.place)
    return _limited(weight, (places,), limits.place)


def _limited(weight: Array, group: tuple[NDArray[Any], ...], most: float) -> Array:
    _, index = np.unique(np.stack(group), axis=1, return_inverse=True)
    index = index.ravel()
    total = np.bincount(index, weight)
    result: Array = weight * np.minimum(1.0, most / np.maximum(total, 1e-12))[index]
    return result
