"""From what people are seen doing to their activity in met, with what is not known about it.

Values of ISO 7730:2005, annex B, which are those of ISO 8996:2021's tables at 58.15 W/m² a met. Judging a metabolic
rate by watching is good to ± 20 % (ISO 8996:2021, table 1); what the camera does not tell comes on top.
"""

from __future__ import annotations

from itertools import pairwise
from math import isfinite, sqrt
from typing import Literal, NamedTuple

from comfywear.errors import UsageError

__all__ = ["ACTIVITIES", "BY_WATCHING", "Activity", "Motion", "activity_of", "named_activity"]

SeenPosture = Literal["lying", "sitting", "standing"]

ACTIVITIES: dict[str, float] = {
    "sleeping": 0.7,
    "lying": 0.8,
    "seated": 1.0,
    "reading": 1.0,
    "typing": 1.1,
    "office": 1.2,
    "school": 1.2,
    "standing": 1.2,
    "laboratory": 1.6,
    "shopping": 1.6,
    "housework": 2.0,
    "gymnastics": 3.0,
}
"""Activities that settings may name, met: ISO 7730:2005 annex B and, for typing, reading and sleep, ASHRAE 55-2020."""

# People who are seen sit with light work, or stand with it (ISO 7730:2005, annex B: 46, 70 and 93 W/m²).
_POSTURES: dict[SeenPosture, float] = {"lying": 0.8, "sitting": 1.2, "standing": 1.6}
# Where the posture is not known: mostly seated.
_SHARES: dict[SeenPosture, float] = {"sitting": 0.7, "standing": 0.3}
# Walking on level ground, km/h and met (ISO 7730:2005, annex B: 110, 140, 165 and 200 W/m²).
_WALKING = ((0.0, 1.6), (2.0, 1.9), (3.0, 2.4), (4.0, 2.8), (5.0, 3.4))
BY_WATCHING = 0.20
"""Standard deviation of an activity that nobody measured, as a part of it (ISO 8996:2021, table 1)."""

# A usual walk indoors where the speed is not known, and how well it is known, km/h.
_WALK_KM_H, _WALK_SD_KM_H = 3.0, 1.0


class Motion(NamedTuple):
    """What is known of how a person, or all in a zone, moved over the last minutes.

    Attributes:
        posture: While not walking; None: not known.
        walking_share: Part of the time on the way, 0…1; None: not known.
        speed_m_s: While walking; None: not known.
    """

    posture: SeenPosture | None = None
    walking_share: float | None = None
    speed_m_s: float | None = None


class Activity(NamedTuple):
    """Metabolic rate, met, its standard deviation, and what was assumed."""

    met: float
    met_sd: float
    assumptions: tuple[str, ...] = ()


def activity_of(motion: Motion, resting_met: float | None = None) -> Activity:
    """The mean over time of what was seen (ISO 8996:2021, time-weighted), with its uncertainty.

    Args:
        motion: What was seen.
        resting_met: What they do while they do not walk, met, where that is known otherwise; in place of the posture.

    Raises:
        UsageError: A share outside 0…1, a speed below 0, another posture.
    """
    share, speed, posture = motion.walking_share, motion.speed_m_s, motion.posture
    if share is not None and not (isfinite(share) and 0.0 <= share <= 1.0):
        raise UsageError(f"walking_share {share}: give 0…1")
    if speed is not None and not (isfinite(speed) and speed >= 0.0):
        raise UsageError(f"speed_m_s {speed}: give 0 or more")
    if posture is not None and posture not in _POSTURES:
        raise UsageError(f"posture {posture!r}: give one of {', '.join(_POSTURES)}, or None")
    assumptions = []
    resting, resting_sd = _resting(posture) if resting_met is None else (resting_met, 0.0)
    if posture is None and resting_met is None:
        assumptions.append("the posture is not known: mostly seated was assumed")
    if share is None:
        assumptions.append("nobody saw whether people walk: that they do not was assumed")
    share = share or 0.0
    walking, walking_sd = _walking(speed)
    if share > 0.0 and speed is None:
        assumptions.append(f"a walk of {_WALK_KM_H:g} km/h was assumed")
    met = (1.0 - share) * resting + share * walking
    variance = ((1.0 - share) * resting_sd) ** 2 + (share * walking_sd) ** 2 + (BY_WATCHING * met) ** 2
    return Activity(met, sqrt(variance), tuple(assumptions))


def named_activity(name: str) -> Activity:
    """The activity that settings name; UsageError lists those that there are."""
    key = name.strip().lower()
    if key not in ACTIVITIES:
        raise UsageError(f"activity {name!r}: give met as a number, or one of {', '.join(ACTIVITIES)}")
    return Activity(ACTIVITIES[key], BY_WATCHING * ACTIVITIES[key])


def _resting(posture: SeenPosture | None) -> tuple[float, float]:
    if posture is not None:
        return _POSTURES[posture], 0.0
    mean = sum(share * _POSTURES[each] for each, share in _SHARES.items())
    return mean, sqrt(sum(share * (_POSTURES[each] - mean) ** 2 for each, share in _SHARES.items()))


def _walking(speed_m_s: float | None) -> tuple[float, float]:
    if speed_m_s is None:
        low, high = (_walk_met(_WALK_KM_H + by) for by in (-_WALK_SD_KM_H, _WALK_SD_KM_H))
        return _walk_met(_WALK_KM_H), 0.5 * (high - low)
    return _walk_met(3.6 * speed_m_s), 0.0


def _walk_met(km_h: float) -> float:
    """Between the rows of the table, and as its last beyond: indoors nobody runs for long."""
    for (slow, less), (fast, more) in pairwise(_WALKING):
        if km_h <= fast:
            return less + (more - less) * (km_h - slow) / (fast - slow)
    return _WALKING[-1][1]
