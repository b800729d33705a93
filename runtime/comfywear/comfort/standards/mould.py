"""Mould and condensation on a cold surface, from the room's air and the temperature of the wall, or how cold it gets.

ISO 13788:2012 (5.3): mould is avoided while the humidity at the surface stays below 80 % in the monthly mean, and water
condenses at 100 %. The temperature factor fRsi = (surface − outdoors) / (indoors − outdoors) says how cold a surface
gets; 0.70 is what DIN 4108-2:2013 asks of a new building's corners.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import ArrayLike

from comfywear.comfort.standards.maths import maths
from comfywear.comfort.standards.moist_air import humidity_at

__all__ = [
    "MOULD_HUMIDITY_PCT",
    "NEW_BUILDING_FRSI",
    "Mould",
    "critical_humidity_pct",
    "mould",
    "surface_temperature_c",
]

MOULD_HUMIDITY_PCT = 80.0
"""Humidity at a surface from which mould grows in the long run (ISO 13788:2012, 5.3)."""

NEW_BUILDING_FRSI = 0.70
"""The least temperature factor of DIN 4108-2:2013; older buildings have corners of 0.5 and less."""


class Mould(NamedTuple):
    """State of a surface; floats for scalars in, arrays for arrays in.

    Attributes:
        surface_temp_c: °C.
        surface_humidity_pct: Relative humidity of the air at the surface, %; 100 and more is condensation.
        above_criterion: Whether it is at or above `MOULD_HUMIDITY_PCT`. One moment is no mould: the standard's
            criterion is of a month's mean.
        can_grow: Whether mould could grow at this moment, by `critical_humidity_pct`.
        condenses: Whether water condenses.
    """

    surface_temp_c: Any
    surface_humidity_pct: Any
    above_criterion: Any
    can_grow: Any
    condenses: Any


def surface_temperature_c(air_temp_c: ArrayLike, outdoor_temp_c: ArrayLike, frsi: ArrayLike = NEW_BUILDING_FRSI) -> Any:
    """Temperature of a surface, °C, from the temperature factor (ISO 13788:2012, 3.1.9); NaN for fRsi outside 0…1."""
    m, (indoors, outdoors, factor) = maths(air_temp_c, outdoor_temp_c, frsi)
    return outdoors + m.only((factor >= 0.0) & (factor <= 1.0), factor) * (indoors - outdoors)


def critical_humidity_pct(surface_temp_c: ArrayLike) -> Any:
    """Humidity from which mould grows on wood at this temperature, %; NaN outside 0…50 °C, where it does not.

    Hukka and Viitanen, Wood Science and Technology 33, 1999, equation 1: 80 % from 20 °C on, rising to 100 % at 0 °C.
    """
    m, (t,) = maths(surface_temp_c)
    t = m.only((t >= 0.0) & (t <= 50.0), t)
    cold = 100.0 + t * (-3.13 + t * (0.160 - 0.00267 * t))
    return m.where(t > 20.0, 80.0, cold)


def mould(air_temp_c: ArrayLike, humidity_pct: ArrayLike, surface_temp_c: ArrayLike) -> Mould:
    """The air of the room at a surface of that temperature; scalars or arrays.

    Args:
        air_temp_c: Of the room, °C.
        humidity_pct: Of the room, %.
        surface_temp_c: Of the coldest surface, °C: measured, or from `surface_temperature_c`.
    """
    at_surface = humidity_at(air_temp_c, humidity_pct, surface_temp_c)
    _, (surface, humidity) = maths(surface_temp_c, at_surface)
    critical = critical_humidity_pct(surface)
    return Mould(surface, humidity, humidity >= MOULD_HUMIDITY_PCT, humidity >= critical, humidity >= 100.0)
