"""Air and body: the small equations that the standards share, for scalars and arrays alike."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "MET_W_M2",
    "dynamic_clo",
    "mean_radiant_temperature",
    "operative_temperature",
    "relative_air_speed",
    "saturation_pressure_pa",
    "saturation_pressure_torr",
]

Number = float | NDArray[np.float64]
T = TypeVar("T")

MET_W_M2 = 58.15
"""Heat of one met in W/m² (ISO 7730:2005, clause 4; ASHRAE 55 rounds it to 58.2)."""


def unwrap(value: NDArray[np.float64]) -> Any:
    """A float where the array has no dimension, so that scalars in give scalars out."""
    return float(value) if value.ndim == 0 else value


def saturation_pressure_pa(tdb: ArrayLike) -> Any:
    """Saturated water vapour pressure in Pa at `tdb` °C (Antoine's form, ISO 7730:2005 annex D)."""
    return unwrap(1000.0 * np.exp(16.6536 - 4030.183 / (np.asarray(tdb, float) + 235.0)))


def saturation_pressure_torr(tdb: ArrayLike) -> Any:
    """Saturated water vapour pressure in torr at `tdb` °C (Gagge, Fobelets and Berglund 1986)."""
    return unwrap(np.exp(18.6686 - 4030.183 / (np.asarray(tdb, float) + 235.0)))


def relative_air_speed(v: ArrayLike, met: ArrayLike) -> Any:
    """Air speed relative to a moving body, m/s: v + 0.3 (M − 1) above 1 met (ISO 7730:2005 C.2, ASHRAE 55)."""
    v, met = np.asarray(v, float), np.asarray(met, float)
    return unwrap(np.where(met > 1.0, v + 0.3 * (met - 1.0), v))


def dynamic_clo(clo: ArrayLike, met: ArrayLike) -> Any:
    """Insulation of clothing on a moving body, clo: I (0.6 + 0.4 / M) above 1.2 met (ASHRAE 55-2020, 5.2.2.2)."""
    clo, met = np.asarray(clo, float), np.asarray(met, float)
    return unwrap(np.where(met > 1.2, clo * (0.6 + 0.4 / np.where(met > 0.0, met, 1.0)), clo))


def operative_temperature(tdb: ArrayLike, tr: ArrayLike, v: ArrayLike) -> Any:
    """Operative temperature in °C: A tdb + (1 − A) tr, A = 0.5 / 0.6 / 0.7 by air speed (ASHRAE 55 appendix A).

    A is 0.5 below 0.2 m/s, 0.6 below 0.6 m/s, 0.7 from there on.
    """
    tdb, tr, v = np.asarray(tdb, float), np.asarray(tr, float), np.asarray(v, float)
    a = np.where(v < 0.2, 0.5, np.where(v < 0.6, 0.6, 0.7))
    return unwrap(a * tdb + (1.0 - a) * tr)


def mean_radiant_temperature(
    tg: ArrayLike, tdb: ArrayLike, v: ArrayLike, *, diameter_m: float = 0.15, emissivity: float = 0.95
) -> Any:
    """Mean radiant temperature in °C from a globe thermometer (ISO 7726:1998, B.2.3).

    Args:
        tg: Temperature of the globe, °C.
        tdb: Air temperature, °C.
        v: Air speed at the globe, m/s.
        diameter_m: Of the globe; the standard's globe is 0.15 m.
        emissivity: Of the globe; black paint is 0.95.

    Natural and forced convection are both worked out and the larger is used, as the standard says.
    """
    tg, tdb, v = np.asarray(tg, float), np.asarray(tdb, float), np.asarray(v, float)
    natural = 1.4 * (np.abs(tg - tdb) / diameter_m) ** 0.25
    forced = 6.3 * np.maximum(v, 0.0) ** 0.6 / diameter_m**0.4
    gain = np.maximum(natural, forced) / (emissivity * 5.67e-8)
    fourth = (tg + 273.15) ** 4 + gain * (tg - tdb)
    with np.errstate(invalid="ignore"):
        return unwrap(np.where(fourth > 0.0, np.abs(fourth) ** 0.25, np.nan) - 273.15)
