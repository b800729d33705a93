"""Local discomfort: cold air at the ankles, and a head that is warmer than the feet (ASHRAE 55-2020, 5.3.5)."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from comfywear.comfort.standards.maths import maths
from comfywear.comfort.standards.pmv import pmv_ppd

__all__ = ["ankle_draft_pct", "vertical_gradient_pct"]


def ankle_draft_pct(
    air_temp_c: ArrayLike,
    radiant_temp_c: ArrayLike,
    air_speed_m_s: ArrayLike,
    humidity_pct: ArrayLike,
    met: ArrayLike,
    clo: ArrayLike,
    ankle_speed_m_s: ArrayLike,
) -> Any:
    """Percentage dissatisfied with a draught at the ankles (ASHRAE 55-2020, equation 5-5); 20 % is acceptable.

    Args:
        air_temp_c: °C.
        radiant_temp_c: °C.
        air_speed_m_s: Of the room, relative to the body, m/s; the equation holds up to 0.2.
        humidity_pct: %.
        met: Activity, met.
        clo: Clothing, clo.
        ankle_speed_m_s: 0.1 m above the floor, m/s.

    Returns:
        Scalars or arrays; NaN outside the standard.
    """
    vote = _vote(air_temp_c, radiant_temp_c, air_speed_m_s, humidity_pct, met, clo)
    m, (vote, ankle) = maths(vote, ankle_speed_m_s)
    ankle = m.only((ankle >= 0.0) & (ankle <= 2.0), ankle)
    return 100.0 / (1.0 + m.exp(2.58 - 3.05 * ankle + 1.06 * vote))


def vertical_gradient_pct(
    air_temp_c: ArrayLike,
    radiant_temp_c: ArrayLike,
    air_speed_m_s: ArrayLike,
    humidity_pct: ArrayLike,
    met: ArrayLike,
    clo: ArrayLike,
    gradient_k_m: ArrayLike,
) -> Any:
    """Percentage dissatisfied with warm heads and cool feet (ASHRAE 55-2020, 5.3.5.4); 5 % is acceptable.

    Args:
        air_temp_c: °C.
        radiant_temp_c: °C.
        air_speed_m_s: Relative to the body, m/s; the equation holds up to 0.2.
        humidity_pct: %.
        met: Activity, met.
        clo: Clothing, clo.
        gradient_k_m: By how much it is warmer a metre higher, K/m.

    Returns:
        Scalars or arrays; NaN outside the standard.
    """
    vote = _vote(air_temp_c, radiant_temp_c, air_speed_m_s, humidity_pct, met, clo)
    m, (vote, gradient) = maths(vote, gradient_k_m)
    gradient = m.only((gradient >= -20.0) & (gradient <= 20.0), gradient)
    share = 1.0 / (1.0 + m.exp(1.6 - 0.13 * (vote - 1.91) ** 2 - 0.15 * gradient)) - 0.345
    return 100.0 * m.where(share < 0.0, 0.0, share)


def _vote(
    air_temp_c: ArrayLike,
    radiant_temp_c: ArrayLike,
    air_speed_m_s: ArrayLike,
    humidity_pct: ArrayLike,
    met: ArrayLike,
    clo: ArrayLike,
) -> Any:
    """PMV of ASHRAE 55 up to 0.2 m/s, else NaN."""
    vote = pmv_ppd(air_temp_c, radiant_temp_c, air_speed_m_s, humidity_pct, met, clo, standard="ashrae").pmv
    m, (vote, speed) = maths(vote, air_speed_m_s)
    return m.only(speed <= 0.2, vote)
