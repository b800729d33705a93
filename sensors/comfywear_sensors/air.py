"""Moist air: dew point and absolute humidity from temperature and relative humidity."""

from __future__ import annotations

import math

# Magnus formula over water: August-Roche-Magnus with the coefficients of WMO-No. 8 (Guide to Instruments and Methods
# of Observation), Annex 4.B: e_w(t) = 6.112 exp(17.62 t / (243.12 + t)) hPa for −45…60 °C.
_E0_HPA, _A, _B_C = 6.112, 17.62, 243.12
_WATER_VAPOUR_J_KG_K = 461.5  # specific gas constant of water vapour


def saturation_pressure_hpa(air_temp_c: float) -> float:
    """Saturation vapour pressure over water in hPa, for −45…60 °C."""
    return _E0_HPA * math.exp(_A * air_temp_c / (_B_C + air_temp_c))


def dew_point_c(air_temp_c: float, humidity_pct: float) -> float | None:
    """Dew point in °C; None for perfectly dry air, which has none."""
    if humidity_pct <= 0.0:
        return None
    gamma = math.log(humidity_pct / 100.0) + _A * air_temp_c / (_B_C + air_temp_c)
    return _B_C * gamma / (_A - gamma)


def absolute_humidity_g_m3(air_temp_c: float, humidity_pct: float) -> float:
    """Grams of water vapour in a cubic metre of air."""
    vapour_pa = humidity_pct * saturation_pressure_hpa(air_temp_c)  # % × hPa = Pa
    return 1000.0 * vapour_pa / (_WATER_VAPOUR_J_KG_K * (air_temp_c + 273.15))
