"""The two-node model of the body (Gagge, Fobelets and Berglund, ASHRAE Transactions 92(2B), 1986) and SET.

A core and a skin, stepped a minute at a time for an hour from neutral, as the code of ASHRAE 55-2020 appendix D has
it. What it gives is a *modelled* mean skin temperature, never a measurement.

The 1986 paper and the standard's printed code differ where sweat cannot evaporate any faster: the paper turns
w = 0.06 + 0.94 p around and gets p = (w_max − 0.06) / 0.94, the code says p = w_max / 0.94, which makes SET jump at
that point. `wettedness_cap` picks one: "gagge1986" (continuous, the default) or "ashrae55" (as printed).
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from comfywear.comfort.standards._twonode_array import simulate_many
from comfywear.comfort.standards._twonode_one import simulate_one
from comfywear.comfort.standards.air import unwrap
from comfywear.comfort.standards.symbols import accepts_symbols

__all__ = ["Position", "TwoNode", "WettednessCap", "set_tmp", "skin_temperature", "two_node"]

Position = Literal["standing", "sitting"]
WettednessCap = Literal["gagge1986", "ashrae55"]


class TwoNode(NamedTuple):
    """The state after the simulated hour; floats for scalars in, arrays for arrays in.

    Attributes:
        t_skin: Modelled mean skin temperature, °C.
        t_core: Core temperature, °C.
        w: Skin wettedness, 0…1.
        w_max: The most that the air speed and clothing allow.
        e_skin: Heat lost by evaporation from the skin, W/m².
        e_rsw: Part of it that is sweat, W/m².
        e_max: The most that could evaporate, W/m².
        m_rsw: Sweat, g/(m² h).
        m_bl: Blood flow to the skin, kg/(m² h).
        q_sensible: Dry heat loss of the skin, W/m².
        q_skin: Dry and evaporative heat loss of the skin, W/m².
        q_res: Latent heat loss by breathing, W/m².
        set: Standard effective temperature, °C.
        et: Effective temperature, °C.
        pmv_gagge: Fanger's PMV with this model's heat losses.
        pmv_set: The same with the losses at SET.
        t_sens: Predicted thermal sensation.
        disc: Predicted thermal discomfort.
    """

    t_skin: Any
    t_core: Any
    w: Any
    w_max: Any
    e_skin: Any
    e_rsw: Any
    e_max: Any
    m_rsw: Any
    m_bl: Any
    q_sensible: Any
    q_skin: Any
    q_res: Any
    set: Any
    et: Any
    pmv_gagge: Any
    pmv_set: Any
    t_sens: Any
    disc: Any


@accepts_symbols
def two_node(
    air_temp_c: ArrayLike,
    radiant_temp_c: ArrayLike,
    air_speed_m_s: ArrayLike,
    humidity_pct: ArrayLike,
    met: ArrayLike,
    clo: ArrayLike,
    wme: ArrayLike = 0.0,
    *,
    body_surface_area: ArrayLike = 1.8258,
    p_atm: ArrayLike = 101325.0,
    position: Position = "standing",
    max_skin_blood_flow: ArrayLike = 90.0,
    max_sweating: ArrayLike = 500.0,
    w_max: ArrayLike | None = None,
    still_air: bool = False,
    wettedness_cap: WettednessCap = "gagge1986",
) -> TwoNode:
    """Skin and core temperature after an hour in the given surroundings, scalars or arrays that broadcast.

    Args:
        air_temp_c: Air temperature, °C.
        radiant_temp_c: Mean radiant temperature, °C.
        air_speed_m_s: Air speed, m/s; below 0.1 it counts as 0.1.
        humidity_pct: Relative humidity, %.
        met: Metabolic rate, met.
        clo: Insulation of the clothing, clo.
        wme: External work, met.
        body_surface_area: m².
        p_atm: Pressure of the air, Pa.
        position: "standing" or "sitting"; it sets the share of the body that radiates.
        max_skin_blood_flow: kg/(m² h).
        max_sweating: g/(m² h).
        w_max: Highest skin wettedness, 0…1; None works it out from air speed and clothing.
        still_air: Leave out the movement of the body, as the cooling effect of ASHRAE 55 asks for.
        wettedness_cap: See the module.

    Returns:
        NaN in every field of a row with an input that is not finite or that no body is ever in: air outside −60…100 °C,
        walls outside −60…150 °C, above 50 m/s, humidity outside 0…100 %, above 20 met or 20 clo, or below 0.
    """
    if position not in ("standing", "sitting"):
        raise ValueError(f'position {position!r}: give "standing" or "sitting"')
    if wettedness_cap not in ("gagge1986", "ashrae55"):
        raise ValueError(f'wettedness_cap {wettedness_cap!r}: give "gagge1986" or "ashrae55"')
    sitting, offset = position == "sitting", 0.06 if wettedness_cap == "gagge1986" else 0.0
    limit = 0.0 if w_max is None else w_max
    inputs = (
        air_temp_c,
        radiant_temp_c,
        air_speed_m_s,
        humidity_pct,
        met,
        clo,
        wme,
        body_surface_area,
        p_atm,
        max_skin_blood_flow,
        max_sweating,
        limit,
    )
    if all(isinstance(value, (float, int)) for value in inputs):
        return TwoNode(*simulate_one(*inputs, sitting, still_air, offset))  # type: ignore[arg-type] # just checked
    columns = np.broadcast_arrays(*[np.asarray(value, float) for value in inputs])
    shape = columns[0].shape
    state = simulate_many(np.stack([column.ravel() for column in columns]), sitting, still_air, offset)
    return TwoNode(*[unwrap(row.reshape(shape)) for row in state])


def skin_temperature(
    tdb: float, tr: float, v: float, rh: float, met: float, clo: float, position: Position = "standing"
) -> float:
    """`two_node(…).t_skin` for one person, without the indices that cost as much time as ten minutes of it."""
    inputs = (tdb, tr, v, rh, met, clo, 0.0, 1.8258, 101325.0, 90.0, 500.0, 0.0)
    return simulate_one(*inputs, position == "sitting", False, 0.06, state_only=True)[0]


@accepts_symbols
def set_tmp(
    air_temp_c: ArrayLike,
    radiant_temp_c: ArrayLike,
    air_speed_m_s: ArrayLike,
    humidity_pct: ArrayLike,
    met: ArrayLike,
    clo: ArrayLike,
    wme: ArrayLike = 0.0,
    *,
    position: Position = "standing",
    p_atm: ArrayLike = 101325.0,
    still_air: bool = False,
    limit: bool = True,
    wettedness_cap: WettednessCap = "gagge1986",
) -> Any:
    """Standard effective temperature in °C (ASHRAE 55-2020 appendix D), scalars or arrays; inputs as `two_node`.

    With `limit`, NaN outside the range of the standard: air and radiant temperature 10…40 °C, air speed 0…2 m/s,
    1…4 met, 0…1.5 clo.
    """
    result = two_node(
        air_temp_c, radiant_temp_c, air_speed_m_s, humidity_pct, met, clo, wme,
        position=position, p_atm=p_atm, still_air=still_air, wettedness_cap=wettedness_cap,
    ).set  # fmt: skip
    if not limit:
        return result
    return unwrap(np.where(within_ashrae55(air_temp_c, radiant_temp_c, air_speed_m_s, met, clo), result, np.nan))


def within_ashrae55(
    tdb: ArrayLike, tr: ArrayLike, v: ArrayLike, met: ArrayLike, clo: ArrayLike
) -> NDArray[np.bool_] | np.bool_:
    """Whether the inputs are inside the range of ASHRAE 55-2023 (table 7.3.4)."""
    tdb, tr, v = np.asarray(tdb, float), np.asarray(tr, float), np.asarray(v, float)
    met, clo = np.asarray(met, float), np.asarray(clo, float)
    surroundings = (tdb >= 10) & (tdb <= 40) & (tr >= 10) & (tr <= 40) & (v >= 0) & (v <= 2)
    return surroundings & (met >= 1) & (met <= 4) & (clo >= 0) & (clo <= 1.5)
