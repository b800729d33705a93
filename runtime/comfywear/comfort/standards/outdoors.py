"""Indices of the weather outdoors: apparent temperature, net effective temperature, wind chill, and likely clothing."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from comfywear.comfort.standards.maths import maths
from comfywear.comfort.standards.moist_air import vapour_pressure_pa

__all__ = ["apparent_temperature_c", "likely_clo", "net_effective_temperature_c", "wind_chill_c"]


def apparent_temperature_c(
    air_temp_c: ArrayLike, humidity_pct: ArrayLike, air_speed_m_s: ArrayLike, absorbed_w_m2: ArrayLike | None = None
) -> Any:
    """Australian apparent temperature, °C (Steadman, Australian Meteorological Magazine 43, 1994); scalars or arrays.

    Args:
        air_temp_c: °C.
        humidity_pct: %.
        air_speed_m_s: At 10 m, m/s.
        absorbed_w_m2: Net radiation absorbed by a body's surface, W/m²; None for shade.
    """
    vapour = vapour_pressure_pa(air_temp_c, humidity_pct)
    if absorbed_w_m2 is None:
        m, (t, e, v) = maths(air_temp_c, vapour, air_speed_m_s)
        return t + 0.0033 * e - 0.7 * m.only(v >= 0.0, v) - 4.0
    m, (t, e, v, q) = maths(air_temp_c, vapour, air_speed_m_s, absorbed_w_m2)
    v = m.only(v >= 0.0, v)
    return t + 0.00348 * e - 0.7 * v + 0.7 * q / (v + 10.0) - 4.25


def net_effective_temperature_c(air_temp_c: ArrayLike, humidity_pct: ArrayLike, air_speed_m_s: ArrayLike) -> Any:
    """Normal effective temperature of Missenard as Hong Kong's observatory uses it, °C (Li and Chan 2000)."""
    m, (t, rh, v) = maths(air_temp_c, humidity_pct, air_speed_m_s)
    inside = (v >= 0.0) & (rh >= 0.0) & (rh <= 100.0)
    speed = m.only(inside, v)
    share = 1.0 / (1.76 + 1.4 * speed**0.75)
    return 37.0 - (37.0 - t) / (0.68 - 0.0014 * rh + share) - 0.29 * t * (1.0 - 0.01 * rh)


def wind_chill_c(air_temp_c: ArrayLike, wind_km_h: ArrayLike) -> Any:
    """Wind chill, °C (Environment Canada and NWS, 2001), wind at 10 m in *km/h*; NaN above 10 °C or without wind."""
    m, (t, v) = maths(air_temp_c, wind_km_h)
    factor = m.only((t <= 10.0) & (v > 0.0), v) ** 0.16
    return 13.12 + 0.6215 * t - 11.37 * factor + 0.3965 * t * factor


def likely_clo(outdoor_temp_c: ArrayLike) -> Any:
    """Clothing that people wear indoors on a day, clo, by the outdoor temperature at 6 in the morning, °C.

    Schiavon and Lee, Building and Environment 59, 2013; ASHRAE 55-2020, figure 5-3. From 0.46 on a hot day to 1.0.
    """
    m, (t,) = maths(outdoor_temp_c)
    t = m.only((t >= -90.0) & (t <= 70.0), t)
    mild = m.exp(2.302585092994046 * (-0.1635 - 0.0066 * t))
    return m.where(t < -5.0, 1.0, m.where(t < 5.0, 0.818 - 0.0364 * t, m.where(t < 26.0, mild, 0.46 + 0.0 * t)))
