"""How much each vote counts: old votes fade, and one place has only so much of a say, however often it is pressed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Limits", "Press", "influences"]

Array = NDArray[np.float64]
_HOUR_S, _DAY_S = 3600.0, 86400.0


class Press(NamedTuple):
    """Where and when a vote was pressed: `place` is a source, or a person who said who they are; `time_s` any epoch."""

    place: str
    time_s: float


class Limits(NamedTuple):
    """What votes can weigh, in votes.

    Attributes:
        place_hour: All votes of one place in one hour.
        place_day: All votes of one place in one day.
        place: All votes of one place.
        day: All votes of one day, of all places.
        half_life_days: A vote of this age counts half.
    """

    place_hour: float = 3.0
    place_day: float = 8.0
    place: float = 60.0
    day: float = 24.0
    half_life_days: float = 90.0


def influences(presses: Sequence[Press], now_s: float, limits: Limits | None = None) -> Array:
    """`(N,)` 0…1: how much each vote counts now.

    Where a group is over its limit, every vote of it counts less by the same factor, so that the order of the votes
    plays no part. A vote from the future (the clock was put back) counts as one of now.
    """
    limits = limits or Limits()
    if not presses:
        return np.zeros(0)
    time_s = np.asarray([press.time_s for press in presses])
    places = np.unique([press.place for press in presses], return_inverse=True)[1]
    hours, days = np.floor(time_s / _HOUR_S), np.floor(time_s / _DAY_S)
    weight: Array = np.ones(len(presses))
    groups: tuple[tuple[tuple[NDArray[Any], ...], float], ...] = (
        ((places, hours), limits.place_hour),
        ((places, days), limits.place_day),
        ((days,), limits.day),
    )
    for group, most in groups:
        weight = _limited(weight, group, most)
    age_days = np.maximum(now_s - time_s, 0.0) / _DAY_S
    return _limited(weight * 0.5 ** (age_days / limits.half_life_days), (places,), limits.place)


def _limited(weight: Array, group: tuple[NDArray[Any], ...], most: float) -> Array:
    _, index = np.unique(np.stack(group), axis=1, return_inverse=True)
    index = index.ravel()
    total = np.bincount(index, weight)
    result: Array = weight * np.minimum(1.0, most / np.maximum(total, 1e-12))[index]
    return result
