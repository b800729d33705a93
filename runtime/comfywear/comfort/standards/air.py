"""Air and body: the small equations that the standards share, for scalars and arrays alike."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from comfywear.comfort.standards.symbols import accepts_symbols

__all__ = [
    "MET_W_M2",
    "dynamic_clo",
    "mean_radiant_temperature",
    "operative_temperature",
    "relative_air_speed",
]

Number = float | NDArray[np.float64]
T = TypeVar("T")

MET_W_M2 = 58.15
"""Heat of one met in W/m² (ISO 7730:2005, clause 4; ASHRAE 55 rounds it to 58.2)."""


def unwrap(value: NDArray[np.float64]) -> Any:
    """A float where the array has no dimension, so that scalars in give scalars out."""
    return float(value) if value.ndim == 0 else value


@accepts_symbols
def relative_air_speed(air_speed_m_s: ArrayLike, met: ArrayLike) -> Any:
    """Air speed relative to a moving body, m/s: v + 0.3 (M − 1) above 1 met (ISO 7730:2005 C.2, ASHRAE 55)."""
    v, met = np.asarray(air_speed_m_s, float), np.asarray(met, float)
    return unwrap(np.where(met > 1.0, v + 0.3 * (met - 1.0), v))


def dynamic_clo(clo: ArrayLike, met: ArrayLike) -> Any:
    """Insulation of clothing on a moving body, clo: I (0.6 + 0.4 / M) above 1.2 met (ASHRAE 55-2020, 5.2.2.2)."""
    clo, met = np.asarray(clo, float), np.asarray(met, float)
    return unwrap(np.where(met > 1.2, clo * (0.6 + 0.4 / np.where(met > 0.0, met, 1.0)), clo))


@accepts_symbols
def operative_temperature(air_temp_c: ArrayLike, radiant_temp_c: ArrayLike, air_speed_m_s: ArrayLike) -> Any:
    """Operative temperature in °C: A tdb + (1 − A) tr, A = 0.5 / 0.6 / 0.7 by air speed (ASHRAE 55 appendix A).

    A is 0.5 below 0.2 m/s, 0.6 below 0.6 m/s, 0.7 from there on.
    """
    tdb, tr, v = (np.asarray(value, float) for value in (air_temp_c, radiant_temp_c, air_speed_m_s))
    a = np.where(v < 0.2, 0.5, np.where(v < 0.6, 0.6, 0.7))
    return unwrap(a * tdb + (1.0 - a) * tr)


@accepts_symbols
def mean_radiant_temperature(
    globe_temp_c: ArrayLike,
    air_temp_c: ArrayLike,
    air_speed_m_s: ArrayLike,
    *,
    diameter_m: float = 0.15,
    emissivity: float = 0.95,
) -> Any:
    """Mean radiant temperature in °C from a globe thermometer (ISO 7726:1998, B.2.3).

    Args:
        globe_temp_c: Temperature of the globe, °C.
        air_temp_c: Air temperature, °C.
        air_speed_m_s: Air speed at the globe, m/s.
        diameter_m: Of the globe; the standard's globe is 0.15 m.
        emissivity: Of the globe; black paint is 0.95.

    Natural and forced convection are both worked out and the larger is used, as the standard says.
    """
    tg, tdb, v = (np.asarray(value, float) for value in (globe_temp_c, air_temp_c, air_speed_m_s))
    natural = 1.4 * (np.abs(tg - tdb) / diameter_m) ** 0.25
    forced = 6.3 * np.maximum(v, 0.0) ** 0.6 / diameter_m**0.4
    gain = np.maximum(natural, forced) / (emissivity * 5.67e-8)
    fourth = (tg + 273.15) ** 4 + gain * (tg - tdb)
    with np.errstate(invalid="ignore"):
        return unwrap(np.where(fourth > 0.0, np.abs(fourth) ** 0.25, np.nan) - 273.15)
