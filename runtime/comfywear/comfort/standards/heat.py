"""Hot rooms: WBGT, heat index, humidex and discomfort index, with the words that go with them."""

from __future__ import annotations

from math import log10
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from comfywear.comfort.standards.maths import Bands, maths
from comfywear.comfort.standards.moist_air import wet_bulb_c

__all__ = [
    "DISCOMFORT_WORDS",
    "HEAT_INDEX_WORDS",
    "HUMIDEX_WORDS",
    "discomfort_index_c",
    "heat_index_c",
    "humidex",
    "natural_wet_bulb_c",
    "wbgt_c",
    "wbgt_indoors_c",
]

HUMIDEX_WORDS = Bands(
    (30.0, 35.0, 40.0, 45.0, 54.0),
    ("little discomfort", "noticeable discomfort", "evident discomfort", "great discomfort: no exertion", "dangerous",
     "heat stroke is imminent"),
)  # fmt: skip
"""Masterton and Richardson 1979, as Environment Canada and Rana et al. 2013 have them."""

DISCOMFORT_WORDS = Bands(
    (21.0, 24.0, 27.0, 29.0, 32.0),
    ("no discomfort", "less than half feel discomfort", "more than half feel discomfort", "most feel discomfort",
     "everyone feels severe stress", "a medical emergency"),
)  # fmt: skip
"""Giles, Balafoutis and Maheras, International Journal of Biometeorology 34, 1990."""

HEAT_INDEX_WORDS = Bands(
    (26.7, 32.2, 39.4, 51.7), ("no heat stress", "caution", "extreme caution", "danger", "extreme danger")
)
"""NOAA's National Weather Service (80, 90, 103 and 125 °F)."""


def wbgt_c(
    wet_bulb_temp_c: ArrayLike, globe_temp_c: ArrayLike, air_temp_c: ArrayLike | None = None, *, sunshine: bool = False
) -> Any:
    """Wet-bulb globe temperature, °C (ISO 7243:2017, equations 1 and 2); scalars or arrays.

    Args:
        wet_bulb_temp_c: *Natural* wet-bulb temperature, °C: a wet wick in the air as it moves.
        globe_temp_c: Of a black globe of 0.15 m, °C.
        air_temp_c: °C; needed in sunshine only.
        sunshine: Whether the sun reaches the person.

    Raises:
        ValueError: Sunshine without an air temperature.
    """
    if not sunshine:
        _, (wet, globe) = maths(wet_bulb_temp_c, globe_temp_c)
        return 0.7 * wet + 0.3 * globe
    if air_temp_c is None:
        raise ValueError("WBGT in sunshine needs air_temp_c")
    _, (wet, globe, air) = maths(wet_bulb_temp_c, globe_temp_c, air_temp_c)
    return 0.7 * wet + 0.2 * globe + 0.1 * air


def natural_wet_bulb_c(air_temp_c: ArrayLike, humidity_pct: ArrayLike, air_speed_m_s: ArrayLike = 0.1) -> Any:
    """Natural wet-bulb temperature without radiant heat, °C: t − c (t − t_wet), c = 0.85 … 1 by the air speed.

    Bernard and Pourmoghani, Applied Occupational and Environmental Hygiene 14, 1999, as Lemke and Kjellstrom
    (Industrial Health 50, 2012) have it: c = 0.96 + 0.069 log₁₀ v, 0.85 below 0.03 m/s and 1 above 3.
    """
    m, (t, wet, v) = maths(air_temp_c, wet_bulb_c(air_temp_c, humidity_pct), air_speed_m_s)
    held = m.where(v < 0.03, 0.03, m.where(v > 3.0, 3.0, v))
    log = log10(held) if isinstance(held, float) else np.log10(held)
    share = m.where(v < 0.03, 0.85, m.where(v > 3.0, 1.0, 0.96 + 0.069 * log))
    return t - m.only(v >= 0.0, share) * (t - wet)


def wbgt_indoors_c(air_temp_c: ArrayLike, humidity_pct: ArrayLike, air_speed_m_s: ArrayLike = 0.1) -> Any:
    """WBGT of a room whose walls are as warm as its air, °C, without a globe: an estimate, to warn by and not to judge.

    `natural_wet_bulb_c`, with the globe as warm as the air.
    """
    return wbgt_c(natural_wet_bulb_c(air_temp_c, humidity_pct, air_speed_m_s), air_temp_c)


def heat_index_c(air_temp_c: ArrayLike, humidity_pct: ArrayLike, *, limit: bool = True) -> Any:
    """Heat index, °C: the regression of Rothfusz (NWS SR 90-23, 1990), in °C; scalars or arrays.

    With `limit`, NaN below 27 °C, where the regression does not hold.
    """
    m, (t, rh) = maths(air_temp_c, humidity_pct)
    inside = (rh >= 0.0) & (rh <= 100.0) & (t <= 60.0) & (t >= (27.0 if limit else -60.0))
    t = m.only(inside, t)
    linear = -8.784695 + 1.61139411 * t + 2.338549 * rh - 0.14611605 * t * rh
    square = -0.012308094 * t * t - 0.016424828 * rh * rh
    return linear + square + t * rh * (0.002211732 * t + 0.00072546 * rh - 3.582e-06 * t * rh)


def humidex(air_temp_c: ArrayLike, humidity_pct: ArrayLike) -> Any:
    """Humidex, in °C: t + 5/9 (e − 10), e the vapour pressure in hPa (Masterton and Richardson 1979; Rana 2013)."""
    m, (t, rh) = maths(air_temp_c, humidity_pct)
    t = m.only((t >= -60.0) & (t <= 60.0) & (rh >= 0.0) & (rh <= 100.0), t)
    vapour = 6.112 * m.exp(2.302585092994046 * 7.5 * t / (237.7 + t)) * rh / 100.0
    return t + 5.0 / 9.0 * (vapour - 10.0)


def discomfort_index_c(air_temp_c: ArrayLike, humidity_pct: ArrayLike) -> Any:
    """Discomfort index, °C: t − 0.55 (1 − RH) (t − 14.5) (Thom, Weatherwise 12, 1959, in °C)."""
    m, (t, rh) = maths(air_temp_c, humidity_pct)
    rh = m.only((rh >= 0.0) & (rh <= 100.0), rh)
    return t - 0.55 * (1.0 - 0.01 * rh) * (t - 14.5)
