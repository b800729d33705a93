"""Adaptive comfort of buildings with windows that open: what is comfortable follows the weather of the last days.

ASHRAE 55-2020, 5.4, and EN 16798-1:2019, annex B.2.2. Both hold for people at rest (1.0…1.5 met) who may dress as they
like and open the windows, without mechanical cooling.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from comfywear.comfort.standards.maths import Maths, maths

__all__ = ["AdaptiveAshrae", "AdaptiveEn", "adaptive_ashrae", "adaptive_en", "next_running_mean", "running_mean"]

# How much of the running mean a day keeps (EN 16798-1:2019, B.2.2; ASHRAE 55 allows 0.6…0.9).
ALPHA = 0.8


class AdaptiveAshrae(NamedTuple):
    """Operative temperatures in °C that 80 % and 90 % accept; NaN where the standard does not hold.

    Attributes:
        neutral_c: The middle, without moving air.
        low_80_c, high_80_c, low_90_c, high_90_c: The bounds; moving air raises the upper ones.
        operative_c: Of the given air and walls.
        within_80, within_90: Whether it lies between the bounds; false where the standard does not hold.
    """

    neutral_c: Any
    low_80_c: Any
    high_80_c: Any
    low_90_c: Any
    high_90_c: Any
    operative_c: Any
    within_80: Any
    within_90: Any


class AdaptiveEn(NamedTuple):
    """Operative temperatures in °C of the categories I, II and III; NaN where the standard does not hold.

    Attributes:
        neutral_c: The middle.
        low_1_c, high_1_c, low_2_c, high_2_c, low_3_c, high_3_c: The bounds of each category.
        operative_c: Of the given air and walls.
        category: The best category that holds, 1, 2 or 3; 4 outside all; NaN where the standard does not hold
            or an input is not known.
    """

    neutral_c: Any
    low_1_c: Any
    high_1_c: Any
    low_2_c: Any
    high_2_c: Any
    low_3_c: Any
    high_3_c: Any
    operative_c: Any
    category: Any


def running_mean(daily_means_c: Sequence[float], alpha: float = ALPHA) -> float:
    """Running mean of the outdoor temperature, °C (EN 16798-1:2019, B.2.2): day i before today counts α^i.

    Args:
        daily_means_c: Means of the past days, yesterday's first; seven or more are wanted. A day that is NaN is not
            known and left out; NaN for none.
        alpha: 0…1, how much a day keeps of the days before it.
    """
    days = np.asarray(daily_means_c, float)
    known = np.isfinite(days)
    if not known.any():
        return float("nan")
    weights = alpha ** np.arange(len(days))[known]
    return float(weights @ days[known] / weights.sum())


def next_running_mean(running_mean_c: float, yesterday_c: float, alpha: float = ALPHA) -> float:
    """The running mean of today from that of yesterday and yesterday's mean (EN 16798-1:2019, B.2.2)."""
    return (1.0 - alpha) * yesterday_c + alpha * running_mean_c


def adaptive_ashrae(
    air_temp_c: ArrayLike, radiant_temp_c: ArrayLike, running_mean_c: ArrayLike, air_speed_m_s: ArrayLike = 0.1
) -> AdaptiveAshrae:
    """The limits of ASHRAE 55-2020, 5.4.2: 0.31 t_out + 17.8 ± 3.5 K (80 %) and ± 2.5 K (90 %); scalars or arrays.

    Args:
        air_temp_c: °C; the standard holds for 10…40.
        radiant_temp_c: Mean radiant temperature, °C; 10…40.
        running_mean_c: Prevailing mean outdoor temperature, °C, as `running_mean`; 10…33.5.
        air_speed_m_s: 0…2; from 0.6 on and 25 °C operative it raises the upper bounds by 1.2, 1.8 or 2.2 K.
    """
    m, (tdb, tr, outdoors, v) = maths(air_temp_c, radiant_temp_c, running_mean_c, air_speed_m_s)
    inside = (tdb >= 10.0) & (tdb <= 40.0) & (tr >= 10.0) & (tr <= 40.0) & (v >= 0.0) & (v <= 2.0)
    inside = inside & (outdoors >= 10.0) & (outdoors <= 33.5)
    share = m.where(v < 0.2, 0.5, m.where(v < 0.6, 0.6, 0.7))
    operative = share * tdb + (1.0 - share) * tr
    neutral = m.only(inside, 0.31 * outdoors + 17.8)
    cooler = _cooler(m, operative, v)
    low_80, high_80, low_90, high_90 = neutral - 3.5, neutral + 3.5 + cooler, neutral - 2.5, neutral + 2.5 + cooler
    within_80 = (low_80 <= operative) & (operative <= high_80)
    within_90 = (low_90 <= operative) & (operative <= high_90)
    return AdaptiveAshrae(neutral, low_80, high_80, low_90, high_90, operative, within_80, within_90)


def adaptive_en(
    air_temp_c: ArrayLike, radiant_temp_c: ArrayLike, running_mean_c: ArrayLike, air_speed_m_s: ArrayLike = 0.1
) -> AdaptiveEn:
    """The categories of EN 16798-1:2019, table B.5: 0.33 t_out + 18.8, −3 … +2 K (I), −4 … +3 (II), −5 … +4 (III).

    Args:
        air_temp_c: °C.
        radiant_temp_c: Mean radiant temperature, °C.
        running_mean_c: Running mean of the outdoor temperature, °C; the standard holds for 10…30.
        air_speed_m_s: From 0.6 on and 25 °C operative it raises the upper bounds by 1.2, 1.8 or 2.2 K.
    """
    m, (tdb, tr, outdoors, v) = maths(air_temp_c, radiant_temp_c, running_mean_c, air_speed_m_s)
    root = m.sqrt(10.0 * m.only(v >= 0.0, v))
    operative = (tdb * root + tr) / (1.0 + root)  # ISO 7726:1998, annex G
    known = (outdoors >= 10.0) & (outdoors <= 30.0) & (v >= 0.0)
    neutral = m.only(known, 0.33 * outdoors + 18.8)
    cooler = _cooler(m, operative, v)
    bounds = [(neutral - 2.0 - wide, neutral + 1.0 + wide + cooler) for wide in (1.0, 2.0, 3.0)]
    category: Any = m.only((neutral == neutral) & (operative == operative), 4.0)
    for number, (low, high) in reversed(list(enumerate(bounds, 1))):
        category = m.where((low <= operative) & (operative <= high), float(number), category)
    (low_1, high_1), (low_2, high_2), (low_3, high_3) = bounds
    return AdaptiveEn(neutral, low_1, high_1, low_2, high_2, low_3, high_3, operative, category)


def _cooler(m: Maths, operative: Any, v: Any) -> Any:
    """How much warmer it may be in moving air, K (ASHRAE 55-2020, table 5-16; EN 16798-1:2019, table B.4)."""
    more = m.where(v >= 1.2, 2.2, m.where(v >= 0.9, 1.8, m.where(v >= 0.6, 1.2, 0.0)))
    return m.where(operative >= 25.0, more, 0.0)
