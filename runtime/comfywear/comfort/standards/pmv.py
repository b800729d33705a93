"""Fanger's predicted mean vote and percentage dissatisfied: ISO 7730:2005, and ASHRAE 55 with elevated air speed."""

from __future__ import annotations

from math import exp, isfinite, nan, sqrt
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from comfywear.comfort.standards.air import MET_W_M2, unwrap
from comfywear.comfort.standards.symbols import accepts_symbols
from comfywear.comfort.standards.twonode import set_tmp, within_ashrae55
from comfywear.texts import Text

__all__ = ["PmvPpd", "cooling_effect", "outside_standard", "pmv_ppd", "ppd_of"]

Array = NDArray[np.float64]
Standard = Literal["iso", "ashrae"]

BLOCK = 4096
# Stopping rule of the program in ISO 7730:2005 annex D: 0.00015 of 100 K, at most 150 rounds.
EPSILON, ITERATIONS = 0.00015, 150
# What a body may be in, in the order of the inputs; the same bounds as in `_pmv_one`.
LOWEST = np.array([-60, -60, 0, 0, 0, 0, -20])[:, None]
HIGHEST = np.array([100, 150, 50, 100, 20, 20, 20])[:, None]

# Range of ISO 7730:2005, clause 4, by input: name, unit, lowest, highest.
ISO_RANGE = {
    "tdb": ("air temperature", "°C", 10.0, 30.0),
    "tr": ("mean radiant temperature", "°C", 10.0, 40.0),
    "vr": ("air speed", "m/s", 0.0, 1.0),
    "met": ("metabolic rate", "met", 0.8, 4.0),
    "clo": ("clothing", "clo", 0.0, 2.0),
}
# Range of ASHRAE 55-2023, table 7.3.4.
ASHRAE_RANGE = {
    "tdb": ("air temperature", "°C", 10.0, 40.0),
    "tr": ("mean radiant temperature", "°C", 10.0, 40.0),
    "vr": ("air speed", "m/s", 0.0, 2.0),
    "met": ("metabolic rate", "met", 1.0, 4.0),
    "clo": ("clothing", "clo", 0.0, 1.5),
}


class PmvPpd(NamedTuple):
    """Predicted mean vote `pmv` (−3 cold … +3 hot) and predicted percentage dissatisfied `ppd` (%)."""

    pmv: Any
    ppd: Any


@accepts_symbols
def pmv_ppd(
    air_temp_c: ArrayLike,
    radiant_temp_c: ArrayLike,
    air_speed_m_s: ArrayLike,
    humidity_pct: ArrayLike,
    met: ArrayLike,
    clo: ArrayLike,
    wme: ArrayLike = 0.0,
    *,
    standard: Standard = "iso",
    limit: bool = True,
    airspeed_control: bool = True,
) -> PmvPpd:
    """PMV and PPD (ISO 7730:2005 equations 1 to 5), scalars or arrays that broadcast.

    Args:
        air_temp_c: Air temperature, °C.
        radiant_temp_c: Mean radiant temperature, °C.
        air_speed_m_s: Air speed relative to the body, m/s (see `relative_air_speed`).
        humidity_pct: Relative humidity, %.
        met: Metabolic rate, met.
        clo: Insulation of the clothing, clo (see `dynamic_clo`).
        wme: External work, met.
        standard: "iso", or "ashrae": above 0.1 m/s the air and radiant temperature are lowered by the cooling effect
            and the air is taken as still (ASHRAE 55-2020 appendix D).
        limit: NaN outside the standard's range; `outside_standard` says which input it was.
        airspeed_control: Whether people set their air speed. If not, ASHRAE 55 bounds it (5.3.3.4): NaN above.

    Returns:
        NaN where an input is not finite, where no body is ever in it (air outside −60…100 °C, walls outside −60…150 °C,
        above 50 m/s, 20 met or 20 clo, below 0), or where the standard does not hold.
    """
    if standard not in ("iso", "ashrae"):
        raise ValueError(f'standard {standard!r}: give "iso" or "ashrae"')
    inputs = (air_temp_c, radiant_temp_c, air_speed_m_s, humidity_pct, met, clo, wme)
    if standard == "iso" and all(isinstance(value, (float, int)) for value in inputs):
        vote = _pmv_one(*inputs)  # type: ignore[arg-type] # just checked
        if limit and _outside_iso_one(*inputs[:6], vote):  # type: ignore[arg-type] # likewise
            return PmvPpd(nan, nan)
        return PmvPpd(vote, ppd_of(vote))
    columns = np.broadcast_arrays(*[np.asarray(value, float) for value in inputs])
    shape = columns[0].shape
    stacked = np.stack([column.ravel() for column in columns])
    votes = _pmv_many(_still(stacked) if standard == "ashrae" else stacked)
    if limit:
        inside = _inside_ashrae(stacked, airspeed_control) if standard == "ashrae" else _inside_iso(stacked, votes)
        votes = np.where(inside, votes, np.nan)
    result = unwrap(votes.reshape(shape))
    return PmvPpd(result, ppd_of(result))


def ppd_of(pmv: Any) -> Any:
    """Predicted percentage dissatisfied, %, at a vote: 100 − 95 exp(−0.03353 PMV⁴ − 0.2179 PMV²) (ISO 7730, eq. 5)."""
    square = pmv * pmv
    exponent = -0.03353 * square * square - 0.2179 * square
    return 100.0 - 95.0 * (exp(exponent) if isinstance(pmv, float) else np.exp(exponent))


@accepts_symbols
def outside_standard(
    air_temp_c: float,
    radiant_temp_c: float,
    air_speed_m_s: float,
    humidity_pct: float,
    met: float,
    clo: float,
    *,
    standard: Standard = "iso",
) -> str | None:
    """Why the standard gives no PMV for these numbers, in words; None when it does."""
    rh = humidity_pct
    values = {"tdb": air_temp_c, "tr": radiant_temp_c, "vr": air_speed_m_s, "met": met, "clo": clo}
    ranges, title = (ISO_RANGE, "ISO 7730") if standard == "iso" else (ASHRAE_RANGE, "ASHRAE 55")
    if not isfinite(rh) or not 0.0 <= rh <= 100.0:
        return Text("humidity {rh} % is not within 0…100 %", rh=f"{rh:g}")
    for key, (name, unit, low, high) in ranges.items():
        if not low <= values[key] <= high:
            return Text(
                "{name} {values} {unit} is outside {title} ({low}…{high} {unit})",
                name=name,
                values=f"{values[key]:.4g}",
                unit=unit,
                title=title,
                low=f"{low:g}",
                high=f"{high:g}",
            )
    if standard == "iso":
        if (pressure := _vapour_one(air_temp_c, rh)) > 2700.0:
            return Text("vapour pressure {pressure} Pa is outside ISO 7730 (0…2700 Pa)", pressure=f"{pressure:.0f}")
        if abs(vote := _pmv_one(air_temp_c, radiant_temp_c, air_speed_m_s, rh, met, clo, 0.0)) > 2.0:
            return Text("PMV {vote} is outside ISO 7730 (−2…+2)", vote=f"{vote:+.1f}")
    return None


@accepts_symbols
def cooling_effect(
    air_temp_c: ArrayLike,
    radiant_temp_c: ArrayLike,
    air_speed_m_s: ArrayLike,
    humidity_pct: ArrayLike,
    met: ArrayLike,
    clo: ArrayLike,
    wme: ArrayLike = 0.0,
) -> Any:
    """By how many K still air (0.1 m/s) must be colder to give the same SET (ASHRAE 55-2020 appendix D), 0…40.

    0 up to 0.1 m/s and where moving air does not cool.
    """
    inputs = (air_temp_c, radiant_temp_c, air_speed_m_s, humidity_pct, met, clo, wme)
    columns = np.broadcast_arrays(*[np.asarray(value, float) for value in inputs])
    shape = columns[0].shape
    stacked = np.stack([column.ravel() for column in columns])
    return unwrap(_cooling(stacked).reshape(shape))


def _cooling(rows: Array) -> Array:
    effect = np.zeros(rows.shape[1])
    todo = (rows[2] > 0.1) & np.isfinite(rows).all(axis=0)
    if not todo.any():
        return effect
    tdb, tr, vr, rh, met, clo, wme = rows[:, todo]

    def colder(by: Array, speed: Any) -> Array:
        result: Array = set_tmp(tdb - by, tr - by, speed, rh, met, clo, wme, still_air=True, limit=False)
        return result

    goal = colder(np.zeros_like(tdb), vr)
    low, high = np.zeros_like(tdb), np.full_like(tdb, 40.0)
    f_low, f_high = colder(low, 0.1) - goal, colder(high, 0.1) - goal
    bracketed = (f_low > 0) & (f_high < 0)
    for _ in range(40):  # Illinois variant of false position: never leaves the bracket
        rise = f_high - f_low
        middle = high - np.divide(f_high * (high - low), rise, out=np.zeros_like(rise), where=rise != 0)
        f = colder(middle, 0.1) - goal
        if np.abs(np.where(bracketed, f, 0.0)).max() < 1e-4:
            break
        same = f * f_high > 0
        low, f_low = np.where(same, low, high), np.where(same, f_low * 0.5, f_high)
        high, f_high = middle, f
    effect[todo] = np.where(bracketed, middle, 0.0)
    return effect


def _still(rows: Array) -> Array:
    effect = _cooling(rows)
    still = rows.copy()
    still[0] -= effect
    still[1] -= effect
    still[2] = np.where(effect > 0, 0.1, rows[2])
    return np.asarray(still)


def _inside_iso(rows: Array, vote: Array) -> NDArray[np.bool_]:
    tdb, tr, vr, rh, met, clo, _ = rows
    inside: NDArray[np.bool_] = (tdb >= 10) & (tdb <= 30) & (tr >= 10) & (tr <= 40) & (vr >= 0) & (vr <= 1)
    inside &= (met >= 0.8) & (met <= 4) & (clo >= 0) & (clo <= 2) & (rh >= 0) & (rh <= 100) & (np.abs(vote) <= 2)
    inside &= 10.0 * rh * np.exp(16.6536 - 4030.183 / (tdb + 235.0)) <= 2700.0
    return inside


def _outside_iso_one(tdb: float, tr: float, vr: float, rh: float, met: float, clo: float, vote: float) -> bool:
    inside = 10 <= tdb <= 30 and 10 <= tr <= 40 and 0 <= vr <= 1 and 0.8 <= met <= 4 and 0 <= clo <= 2
    return not (inside and 0 <= rh <= 100 and -2 <= vote <= 2 and _vapour_one(tdb, rh) <= 2700.0)


def _inside_ashrae(rows: Array, airspeed_control: bool) -> NDArray[np.bool_]:
    tdb, tr, vr, rh, met, clo, _ = rows
    inside: NDArray[np.bool_] = np.asarray(within_ashrae55(tdb, tr, vr, met, clo) & (rh >= 0) & (rh <= 100))
    if airspeed_control:
        return inside
    # ASHRAE 55-2020, 5.3.3.4: limits of air speed without control by the occupants, light clothing and work.
    share = np.where(vr < 0.2, 0.5, np.where(vr < 0.6, 0.6, 0.7))
    operative = share * tdb + (1 - share) * tr
    bound = np.where(operative > 25.5, 0.8, np.minimum(50.49 - 4.4047 * operative + 0.096425 * operative**2, 0.8))
    bound = np.where(operative <= 23.0, 0.2, bound)
    inside &= ~((vr > bound) & (clo < 0.7) & (met < 1.3))
    return inside


def _vapour_one(tdb: float, rh: float) -> float:
    return 10.0 * rh * exp(16.6536 - 4030.183 / (tdb + 235.0))


def _pmv_one(tdb: float, tr: float, vr: float, rh: float, met: float, clo: float, wme: float) -> float:
    """One PMV in plain floats: an array operation costs as much as forty of them."""
    possible = -60 <= tdb <= 100 and -60 <= tr <= 150 and 0 <= vr <= 50 and 0 <= rh <= 100
    if not (possible and 0 <= met <= 20 and 0 <= clo <= 20 and -20 <= wme <= 20):
        return nan
    i_cl, m = 0.155 * clo, met * MET_W_M2
    mw = m - wme * MET_W_M2
    pa = _vapour_one(tdb, rh)
    f_cl = 1.0 + 1.29 * i_cl if i_cl <= 0.078 else 1.05 + 0.645 * i_cl
    forced = 12.1 * sqrt(vr)
    # Surface of the clothing by the iteration of ISO 7730 annex D, with its start and its stopping rule.
    kelvin, sky = tdb + 273.0, ((tr + 273.0) / 100.0) ** 4
    p1 = i_cl * f_cl
    p2, p3, p4 = 3.96 * p1, 100.0 * p1, p1 * kelvin
    p5 = 308.7 - 0.028 * mw + p2 * sky
    xn = (kelvin + (35.5 - tdb) / (3.5 * (6.45 * i_cl + 0.1))) / 100.0
    xf = 2.0 * xn
    for _ in range(ITERATIONS):
        xf = 0.5 * (xf + xn)
        natural = 2.38 * sqrt(sqrt(abs(100.0 * xf - kelvin)))
        h = natural if natural > forced else forced
        square = xf * xf
        xn = (p5 + p4 * h - p2 * square * square) / (100.0 + p3 * h)
        if -EPSILON <= xn - xf <= EPSILON:
            break
    else:
        return nan
    dry = 3.96 * f_cl * (xn**4 - sky) + f_cl * h * (100.0 * xn - kelvin)
    return (0.303 * exp(-0.036 * m) + 0.028) * (
        mw
        - 3.05e-3 * (5733.0 - 6.99 * mw - pa)
        - (0.42 * (mw - MET_W_M2) if mw > MET_W_M2 else 0.0)
        - 1.7e-5 * m * (5867.0 - pa)
        - 0.0014 * m * (34.0 - tdb)
        - dry
    )


def _pmv_many(rows: Array) -> Array:
    """`(7, N)` → `(N,)`, the equations of `_pmv_one`, in blocks that stay in the processor's cache."""
    valid = ((rows >= LOWEST) & (rows <= HIGHEST)).all(axis=0)
    out = np.full(rows.shape[1], np.nan)
    rows = rows if valid.all() else rows[:, valid]
    votes = [_pmv_block(rows[:, start : start + BLOCK]) for start in range(0, rows.shape[1], BLOCK)]
    if votes:
        out[valid] = np.concatenate(votes)
    return out


def _pmv_block(rows: Array) -> Array:
    tdb, tr, vr, rh, met, clo, wme = rows
    i_cl, m = 0.155 * clo, met * MET_W_M2
    mw = m - wme * MET_W_M2
    pa = 10.0 * rh * np.exp(16.6536 - 4030.183 / (tdb + 235.0))
    f_cl = np.where(i_cl <= 0.078, 1.0 + 1.29 * i_cl, 1.05 + 0.645 * i_cl)
    forced = 12.1 * np.sqrt(vr)
    kelvin, sky = tdb + 273.0, (tr + 273.0) / 100.0
    sky *= sky
    sky *= sky
    p1 = i_cl * f_cl
    p2, p3, p4 = 3.96 * p1, 100.0 * p1, p1 * kelvin
    p5 = 308.7 - 0.028 * mw + p2 * sky
    xn = (kelvin + (35.5 - tdb) / (3.5 * (6.45 * i_cl + 0.1))) / 100.0
    xf = 2.0 * xn
    h = np.empty_like(xn)
    active = np.ones(xn.shape, bool)
    for _ in range(ITERATIONS):
        # A row that has converged stays as it is, so that every row stops where the standard's program stops.
        np.copyto(xf, 0.5 * (xf + xn), where=active)
        natural = np.abs(100.0 * xf - kelvin)
        np.sqrt(natural, out=natural)
        np.sqrt(natural, out=natural)
        natural *= 2.38
        np.maximum(natural, forced, out=h)
        square = xf * xf
        square *= square
        square *= p2
        new = p4 * h
        new += p5
        new -= square
        new /= 100.0 + p3 * h
        np.copyto(xn, new, where=active)
        active = np.abs(xn - xf) > EPSILON
        if not active.any():
            break
    square = xn * xn
    dry = 3.96 * f_cl * (square * square - sky) + f_cl * h * (100.0 * xn - kelvin)
    dry[active] = np.nan
    loss = 3.05e-3 * (5733.0 - 6.99 * mw - pa) + 0.42 * np.maximum(mw - MET_W_M2, 0.0)
    loss += 1.7e-5 * m * (5867.0 - pa)
    loss += 0.0014 * m * (34.0 - tdb)
    result: Array = (0.303 * np.exp(-0.036 * m) + 0.028) * (mw - loss - dry)
    return result
