"""PMV bent by what people are used to: aPMV, ePMV and the adaptive thermal heat balance (ATHB)."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from comfywear.comfort.standards.air import MET_W_M2
from comfywear.comfort.standards.maths import maths
from comfywear.comfort.standards.pmv import pmv_ppd

__all__ = ["athb_pmv", "pmv_adaptive", "pmv_expectancy"]


def pmv_adaptive(
    air_temp_c: ArrayLike,
    radiant_temp_c: ArrayLike,
    air_speed_m_s: ArrayLike,
    humidity_pct: ArrayLike,
    met: ArrayLike,
    clo: ArrayLike,
    coefficient: ArrayLike,
) -> Any:
    """Adaptive PMV: aPMV = PMV / (1 + λ PMV), λ the place's own (Yao, Li, Liu, Building and Environment 44, 2009).

    Inputs as `pmv_ppd`; NaN outside ISO 7730.
    """
    vote = pmv_ppd(air_temp_c, radiant_temp_c, air_speed_m_s, humidity_pct, met, clo).pmv
    _, (vote, by) = maths(vote, coefficient)
    return vote / (1.0 + by * vote)


def pmv_expectancy(
    air_temp_c: ArrayLike,
    radiant_temp_c: ArrayLike,
    air_speed_m_s: ArrayLike,
    humidity_pct: ArrayLike,
    met: ArrayLike,
    clo: ArrayLike,
    expectancy: ArrayLike,
) -> Any:
    """ePMV: PMV with 6.7 % less activity a vote of warmth, times 0.5…1 (Fanger, Toftum, Energy and Buildings 34, 2002).

    Inputs as `pmv_ppd`; NaN outside ISO 7730.
    """
    vote = pmv_ppd(air_temp_c, radiant_temp_c, air_speed_m_s, humidity_pct, met, clo).pmv
    m, (vote, activity) = maths(vote, met)
    slower = m.where(vote > 0.0, activity * (1.0 - 0.067 * vote), activity)
    vote = pmv_ppd(air_temp_c, radiant_temp_c, air_speed_m_s, humidity_pct, slower, clo).pmv
    _, (vote, factor) = maths(vote, expectancy)
    return vote * factor


def athb_pmv(
    air_temp_c: ArrayLike,
    radiant_temp_c: ArrayLike,
    air_speed_m_s: ArrayLike,
    humidity_pct: ArrayLike,
    met: ArrayLike,
    running_mean_c: ArrayLike,
) -> Any:
    """PMV after adaptation to the running mean of the outdoor temperature, °C: ATHB; clothing follows from both.

    Schweiker and Wagner, Building and Environment 94, 2015, with the equations of Schweiker, Energy and Buildings 274,
    2022. Inputs else as `pmv_ppd`.
    """
    m, (activity, outdoors) = maths(met, running_mean_c)
    adapted = activity - 0.234 * outdoors / 58.2
    power = -0.17168 - 0.000485 * outdoors + 0.08176 * adapted - 0.00527 * outdoors * adapted
    clo = m.exp(2.302585092994046 * power)
    vote = pmv_ppd(air_temp_c, radiant_temp_c, air_speed_m_s, humidity_pct, adapted, clo, limit=False).pmv
    m, (vote, adapted, outdoors) = maths(vote, adapted, outdoors)
    load = vote / (0.303 * m.exp(-0.036 * adapted * MET_W_M2) + 0.028)
    return (
        1.484
        + 0.0276 * load
        - 0.9602 * adapted
        - 0.0342 * outdoors
        + 0.0002264 * load * outdoors
        + 0.018696 * adapted * outdoors
        - 0.0002909 * load * adapted * outdoors
    )
