"""Water in the air: vapour pressure, dew point, wet bulb, absolute humidity, enthalpy; scalars or arrays.

Outside −80…100 °C or 0…100 % everything is NaN.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from comfywear.comfort.standards.maths import Maths, maths

__all__ = [
    "absolute_humidity_g_m3",
    "dew_point_c",
    "enthalpy_kj_kg",
    "humidity_at",
    "humidity_ratio_g_kg",
    "saturation_pa",
    "vapour_pressure_pa",
    "wet_bulb_c",
    "wet_bulb_stull_c",
]

SEA_LEVEL_PA = 101325.0
_KELVIN = 273.15
# Mass of water over that of dry air, and the gas constant of water vapour in J/(kg K).
_MASSES, _GAS_CONSTANT = 0.621945, 461.52
# Magnus' form over water as WMO-No. 8 has it (Sonntag, Zeitschrift für Meteorologie 70, 1990).
_MAGNUS_B, _MAGNUS_C = 17.62, 243.12


def saturation_pa(air_temp_c: ArrayLike) -> Any:
    """Pressure of saturated water vapour, Pa: over ice below 0 °C, over water from there on.

    Hyland and Wexler, ASHRAE Transactions 89(2A), 1983; ASHRAE Handbook, Fundamentals, chapter 1, equations 5 and 6.
    """
    m, (t,) = maths(air_temp_c)
    return _saturation(m, m.only((t >= -80.0) & (t <= 100.0), t))


def _saturation(m: Maths, t: Any) -> Any:
    k = t + _KELVIN
    log = m.log(k)
    ice = -5.6745359e3 / k + 6.3925247 + k * (
        -9.677843e-3 + k * (6.2215701e-7 + k * (2.0747825e-9 - 9.484024e-13 * k))
    ) + 4.1635019 * log  # fmt: skip
    water = -5.8002206e3 / k + 1.3914993 + k * (
        -4.8640239e-2 + k * (4.1764768e-5 - 1.4452093e-8 * k)
    ) + 6.5459673 * log  # fmt: skip
    return m.exp(m.where(t < 0.0, ice, water))


def vapour_pressure_pa(air_temp_c: ArrayLike, humidity_pct: ArrayLike) -> Any:
    """Partial pressure of the water vapour, Pa."""
    m, (t, rh) = maths(air_temp_c, humidity_pct)
    return _vapour(m, t, rh)


def _vapour(m: Maths, t: Any, rh: Any) -> Any:
    inside = (t >= -80.0) & (t <= 100.0) & (rh >= 0.0) & (rh <= 100.0)
    return 0.01 * rh * _saturation(m, m.only(inside, t))


def dew_point_c(air_temp_c: ArrayLike, humidity_pct: ArrayLike) -> Any:
    """Temperature at which the vapour would condense, °C, by Magnus' form over water; NaN at 0 %."""
    m, (t, rh) = maths(air_temp_c, humidity_pct)
    inside = (t >= -80.0) & (t <= 100.0) & (rh > 0.0) & (rh <= 100.0)
    t = m.only(inside, t)
    share = m.log(m.only(inside, rh) / 100.0) + _MAGNUS_B * t / (_MAGNUS_C + t)
    return _MAGNUS_C * share / (_MAGNUS_B - share)


def absolute_humidity_g_m3(air_temp_c: ArrayLike, humidity_pct: ArrayLike) -> Any:
    """Mass of water in a cubic metre of air, g/m³ (the gas law of the vapour)."""
    m, (t, rh) = maths(air_temp_c, humidity_pct)
    return 1000.0 * _vapour(m, t, rh) / (_GAS_CONSTANT * (t + _KELVIN))


def humidity_ratio_g_kg(air_temp_c: ArrayLike, humidity_pct: ArrayLike, pressure_pa: ArrayLike = SEA_LEVEL_PA) -> Any:
    """Mass of water by mass of dry air, g/kg (ASHRAE Handbook, chapter 1, equation 20); NaN where it would boil."""
    m, (t, rh, pressure) = maths(air_temp_c, humidity_pct, pressure_pa)
    vapour = _vapour(m, t, rh)
    return 1000.0 * _ratio(m, vapour, pressure)


def _ratio(m: Maths, vapour: Any, pressure: Any) -> Any:
    dry = m.only(pressure > vapour, pressure - vapour)
    return _MASSES * vapour / dry


def enthalpy_kj_kg(air_temp_c: ArrayLike, humidity_pct: ArrayLike, pressure_pa: ArrayLike = SEA_LEVEL_PA) -> Any:
    """Enthalpy by mass of dry air, kJ/kg, 0 for dry air of 0 °C (ASHRAE Handbook, chapter 1, equation 30)."""
    m, (t, rh, pressure) = maths(air_temp_c, humidity_pct, pressure_pa)
    return 1.006 * t + _ratio(m, _vapour(m, t, rh), pressure) * (2501.0 + 1.86 * t)


def wet_bulb_stull_c(air_temp_c: ArrayLike, humidity_pct: ArrayLike) -> Any:
    """Wet-bulb temperature at sea level, °C, by a fit without a search; mostly within 0.3 K of `wet_bulb_c`.

    Stull, Journal of Applied Meteorology and Climatology 50, 2011; NaN outside its −20…50 °C and 5…99 %.
    """
    m, (t, rh) = maths(air_temp_c, humidity_pct)
    inside = (t >= -20.0) & (t <= 50.0) & (rh >= 5.0) & (rh <= 99.0)
    t, rh = m.only(inside, t), m.only(inside, rh)
    root = m.sqrt(rh + 8.313659)
    return (
        t * m.arctan(0.151977 * root)
        + m.arctan(t + rh)
        - m.arctan(rh - 1.676331)
        + 0.00391838 * rh**1.5 * m.arctan(0.023101 * rh)
        - 4.686035
    )


def wet_bulb_c(air_temp_c: ArrayLike, humidity_pct: ArrayLike, pressure_pa: ArrayLike = SEA_LEVEL_PA) -> Any:
    """Thermodynamic wet-bulb temperature, °C: the air saturated adiabatically (ASHRAE Handbook, chapter 1, eq. 33, 35).

    Found by halving −80 °C (in air below −70 °C: 10 K below it) … air temperature until a millionth of a kelvin.
    """
    m, (t, rh, pressure) = maths(air_temp_c, humidity_pct, pressure_pa)
    ratio = _ratio(m, _vapour(m, t, rh), pressure)
    high = m.only(ratio >= 0.0, t)
    low = m.where(t > -70.0, high - (t + 80.0), high - 10.0)
    for _ in range(28):
        middle = 0.5 * (low + high)
        saturated = _ratio(m, _saturation(m, middle), pressure)
        frozen = ((2830.0 - 0.24 * middle) * saturated - 1.006 * (t - middle)) / (2830.0 + 1.86 * t - 2.1 * middle)
        liquid = ((2501.0 - 2.326 * middle) * saturated - 1.006 * (t - middle)) / (2501.0 + 1.86 * t - 4.186 * middle)
        below = m.where(middle < 0.0, frozen, liquid) < ratio
        low, high = m.where(below, middle, low), m.where(below, high, middle)
    return 0.5 * (low + high)


def humidity_at(air_temp_c: ArrayLike, humidity_pct: ArrayLike, other_temp_c: ArrayLike) -> Any:
    """Relative humidity, %, of the same air at another temperature, such as at a wall; above 100 % water condenses."""
    m, (t, rh, other) = maths(air_temp_c, humidity_pct, other_temp_c)
    return 100.0 * _vapour(m, t, rh) / _saturation(m, m.only((other >= -80.0) & (other <= 100.0), other))
