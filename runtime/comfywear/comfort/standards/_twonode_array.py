"""The two-node model for many rows at once, worked in blocks that stay in the processor's cache.

The same equations as `_twonode_one`; the tests hold the two together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort.standards._twonode_one import (
    BLOOD_NEUTRAL,
    BODY_NEUTRAL,
    BODY_WEIGHT_KG,
    CORE_NEUTRAL,
    MET_W_M2,
    MINUTES,
    SKIN_NEUTRAL,
    STEFAN_BOLTZMANN,
)

__all__ = ["simulate_many"]

Array = NDArray[np.float64]
BLOCK = 2048
FIELDS = 18
# What a body may be in, in the order of the inputs; the same bounds as in `simulate_one`.
LOWEST = np.array([-60, -60, -1, 0, 0, 0, -20, 0.1, 1e3, 0.5, 0, 0])[:, None]
HIGHEST = np.array([100, 150, 50, 100, 20, 20, 20, 10, 1e6, 1e3, 1e4, 1])[:, None]


def simulate_many(inputs: Array, sitting: bool, still_air: bool, cap_offset: float) -> Array:
    """`(12, N)` inputs in the order of `simulate_one` → `(18, N)` fields of `TwoNode`."""
    valid = ((inputs >= LOWEST) & (inputs <= HIGHEST)).all(axis=0)
    out = np.full((FIELDS, inputs.shape[1]), np.nan)
    if valid.all():
        for start in range(0, inputs.shape[1], BLOCK):
            block = slice(start, start + BLOCK)
            out[:, block] = _simulate(inputs[:, block], sitting, still_air, cap_offset)
    elif valid.any():
        out[:, valid] = simulate_many(inputs[:, valid], sitting, still_air, cap_offset)
    return out


def _simulate(inputs: Array, sitting: bool, still_air: bool, cap_offset: float) -> Array:
    tdb, tr, v, rh, met, clo, wme, surface, p_atm, max_blood, max_sweat, w_max = inputs
    vapour = rh / 100.0 * _pressure(tdb)
    speed, atm = np.maximum(v, 0.1), p_atm / 101325.0
    r_clo, f_a_cl, lewis = 0.155 * clo, 1.0 + 0.15 * clo, 2.2 / atm
    rm, m = (met - wme) * MET_W_M2, met * MET_W_M2
    dressed = clo > 0
    w_max = np.where(w_max != 0, w_max, np.where(dressed, 0.59 * speed**-0.08, 0.38 * speed**-0.29))
    moving = 0.0 if still_air else 5.66 * np.maximum(met - 0.85, 0.0) ** 0.39
    h_c = np.maximum(np.maximum(3.0 * atm**0.53, 8.600001 * (speed * atm) ** 0.53), moving)
    k_r = 4.0 * 0.95 * STEFAN_BOLTZMANN * (0.7 if sitting else 0.73)
    q_res, c_res = 0.0023 * m * (44.0 - vapour), 0.0014 * m * (34.0 - tdb)
    r_e = 1.0 / (lewis * f_a_cl * h_c) + r_clo / (lewis * np.where(dressed, 0.45, 1.0))
    minute = surface / (0.97 * BODY_WEIGHT_KG * 60.0)
    dry, kelvin, inner, out_of_core = h_c * tdb, 0.5 * tr + 273.15, 1.0 / f_a_cl, q_res + c_res + wme
    part = (w_max - cap_offset) / 0.94
    part_diff, part_skin = 0.06 * (1.0 - part), part + 0.06 * (1.0 - part)

    n = tdb.shape[0]
    t_skin, t_core, blood = np.full(n, SKIN_NEUTRAL), np.full(n, CORE_NEUTRAL), np.full(n, BLOOD_NEUTRAL)
    alpha, e_skin = np.full(n, 0.1), 0.1 * met
    h_r = np.full(n, 4.7)
    h_t = h_r + h_c
    r_a, t_op = inner / h_t, (h_r * tr + dry) / h_t
    t_cl = (r_a * t_skin + r_clo * t_op) / (r_a + r_clo)
    x, y, s, r = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    t_body, e_max, e_rsw, q_sensible = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for minute_index in range(MINUTES):
        # Surface of the clothing: warm-started, so that after the first minute one pass is enough.
        for _ in range(4 if minute_index == 0 else 1):
            np.multiply(t_cl, 0.5, out=x)
            x += kelvin
            np.multiply(x, x, out=h_r)
            h_r *= x
            h_r *= k_r
            np.add(h_r, h_c, out=h_t)
            np.divide(inner, h_t, out=r_a)
            np.multiply(h_r, tr, out=t_op)
            t_op += dry
            t_op /= h_t
            np.add(r_a, r_clo, out=r)
            np.subtract(t_skin, t_op, out=q_sensible)
            q_sensible /= r
            np.multiply(q_sensible, r_a, out=t_cl)
            t_cl += t_op  # t_op + q r_a: the same point between skin and air
        np.subtract(t_core, t_skin, out=x)
        np.multiply(blood, 1.163, out=y)
        y += 5.28
        x *= y  # heat from core to skin
        np.subtract(x, q_sensible, out=y)
        y -= e_skin
        y *= minute
        y /= alpha
        t_skin += y
        np.subtract(m, x, out=y)
        y -= out_of_core
        y *= minute
        np.subtract(1.0, alpha, out=x)
        y /= x
        t_core += y
        np.subtract(t_core, t_skin, out=y)
        y *= x
        np.add(t_skin, y, out=t_body)
        np.subtract(t_skin, SKIN_NEUTRAL, out=s)
        np.subtract(t_core, CORE_NEUTRAL, out=r)
        np.maximum(r, 0.0, out=blood)
        blood *= 120.0
        blood += BLOOD_NEUTRAL
        np.minimum(s, 0.0, out=x)  # cold skin, negative
        np.multiply(x, -0.5, out=y)
        y += 1.0
        blood /= y
        np.minimum(blood, max_blood, out=blood)
        np.maximum(blood, 0.5, out=blood)
        np.minimum(r, 0.0, out=r)
        np.multiply(x, r, out=m)
        m *= 19.4
        m += rm  # shivering
        np.maximum(s, 0.0, out=s)
        s /= 10.7
        np.exp(s, out=s)
        np.subtract(t_body, BODY_NEUTRAL, out=e_rsw)
        np.maximum(e_rsw, 0.0, out=e_rsw)
        e_rsw *= 170.0
        e_rsw *= s
        np.minimum(e_rsw, max_sweat, out=e_rsw)
        e_rsw *= 0.68
        np.add(t_skin, 235.0, out=x)
        np.divide(-4030.183, x, out=x)
        x += 18.6686
        np.exp(x, out=e_max)
        e_max -= vapour
        e_max /= r_e
        e_max[e_max == 0.0] = 0.001
        np.divide(e_rsw, e_max, out=y)
        y *= 0.94
        y += 0.06
        np.multiply(y, e_max, out=e_skin)
        capped = y > w_max
        if capped.any():
            np.copyto(e_skin, part_skin * e_max, where=capped)
        soaked = e_max < 0.0
        if soaked.any():
            e_skin[soaked] = 0.0
        np.add(blood, 0.585417, out=x)
        np.divide(0.7451833, x, out=alpha)
        alpha += 0.0417737

    w = np.where(capped | soaked, w_max, y)
    e_rsw = np.where(soaked, 0.0, np.where(capped, part * e_max, e_rsw))
    e_diff = np.where(soaked, 0.0, np.where(capped, part_diff * e_max, e_skin - e_rsw))
    q_skin, saturated = q_sensible + e_skin, _pressure(t_skin)
    h_d_s, h_e_s = _standard_coefficients(met, wme, h_r, atm, still_air)
    standard = _effective(t_skin, q_skin, w, saturated, h_d_s, h_e_s)
    effective = _effective(t_skin, q_skin, w, saturated, 1.0 / (r_a + r_clo), 1.0 / r_e)
    e_comfort = np.maximum(0.42 * (rm - MET_W_M2), 0.0)
    balance = rm - q_res - c_res - e_comfort - e_diff
    factor = 0.303 * np.exp(-0.036 * m) + 0.028
    sensation, discomfort = _sensation(t_body, rm, e_max, e_rsw, e_diff, e_comfort, w_max)
    return np.stack(
        [
            t_skin, t_core, w, w_max, e_skin, e_rsw, e_max, e_rsw / 0.68, blood, q_sensible, q_skin, q_res,
            standard, effective, factor * (balance - q_sensible), factor * (balance - h_d_s * (t_skin - standard)),
            sensation, discomfort,
        ]
    )  # fmt: skip


def _pressure(t: Array) -> Array:
    result: Array = np.exp(18.6686 - 4030.183 / (t + 235.0))
    return result


def _standard_coefficients(met: Array, wme: Array, h_r: Array, atm: Array, still_air: bool) -> tuple[Array, Array]:
    moving = 0.0 if still_air else 5.66 * np.maximum(met - 0.85, 0.0) ** 0.39
    h_c = np.maximum(np.maximum(3.0 * atm**0.53, moving), 3.0)
    h_t = h_c + h_r
    clo = 1.52 / ((met - wme / MET_W_M2) + 0.6944) - 0.1835
    r_clo, f_a_cl, lewis, share = 0.155 * clo, 1.0 + 0.25 * clo, 2.2 / atm, h_c / h_t
    f_cl = 1.0 / (1.0 + r_clo * f_a_cl * h_t)
    i_cl = 0.45 * share * (1.0 - f_cl) / (share - f_cl * 0.45)
    dry = 1.0 / (1.0 / (f_a_cl * h_t) + r_clo)
    return dry, 1.0 / (1.0 / (lewis * f_a_cl * h_c) + r_clo / (lewis * i_cl))


def _effective(t_skin: Array, q_skin: Array, w: Array, saturated: Array, h_d: Array, h_e: Array) -> Array:
    t: Array = t_skin - q_skin / h_d
    wet = w * h_e
    for _ in range(50):
        pressure = 0.5 * _pressure(t)
        error = q_skin - h_d * (t_skin - t) - wet * (saturated - pressure)
        step = error / (h_d + wet * pressure * 4030.183 / (t + 235.0) ** 2)
        t = t - step
        if np.abs(step).max() < 1e-4:
            return t
    return np.where(np.abs(step) < 1e-4, t, np.nan)


def _sensation(
    t_body: Array, rm: Array, e_max: Array, e_rsw: Array, e_diff: Array, e_comfort: Array, w_max: Array
) -> tuple[Array, Array]:
    low, high = 0.194 / 58.15 * rm + 36.301, 0.347 / 58.15 * rm + 36.669
    inside = w_max * 4.7 * (t_body - low) / (high - low)
    above = w_max * 4.7 + 0.4685 * (t_body - high)
    sensation = np.where(t_body < low, 0.4685 * (t_body - low), np.where(t_body < high, inside, above))
    room = e_max * w_max - e_comfort - e_diff
    strained = ((room < 0) & (sensation > 0)) | (room == 0)
    ratio = 4.7 * (e_rsw - e_comfort) / np.where(room == 0, 1.0, room)
    discomfort = np.where(strained, 6.0, ratio)
    return sensation, np.minimum(np.where(discomfort <= 0, sensation, discomfort), 6.0)
