"""The two-node model for one person: plain floats, because an array operation costs as much as forty of them.

The same equations as `_twonode_array`; the tests hold the two together.
"""

from __future__ import annotations

from math import exp, nan

__all__ = ["MINUTES", "indices_one", "simulate_one"]

MINUTES = 59
# Set points (°C, kg/(m² h)) and the start of the simulation: Gagge et al. 1986, ASHRAE 55-2020 appendix D.
SKIN_NEUTRAL, CORE_NEUTRAL, BLOOD_NEUTRAL = 33.7, 36.8, 6.3
BODY_NEUTRAL = 0.1 * SKIN_NEUTRAL + 0.9 * CORE_NEUTRAL
MET_W_M2 = 58.2  # this model's own rounding
STEFAN_BOLTZMANN = 5.6697e-8
BODY_WEIGHT_KG = 70.0
_PASSES, _ONCE = range(4), range(1)


def simulate_one(
    tdb: float,
    tr: float,
    v: float,
    rh: float,
    met: float,
    clo: float,
    wme: float,
    body_surface_area: float,
    p_atm: float,
    max_skin_blood_flow: float,
    max_sweating: float,
    w_max: float,
    sitting: bool,
    still_air: bool,
    cap_offset: float,
    state_only: bool = False,
) -> tuple[float, ...]:
    """The fields of `TwoNode` for one person; `w_max` 0 is worked out, `cap_offset` is 0.06 or 0.

    `state_only` stops before SET and the indices: the first three fields alone.
    """
    possible = -60 <= tdb <= 100 and -60 <= tr <= 150 and -1 <= v <= 50 and 0 <= rh <= 100 and 0 <= met <= 20
    possible = possible and 0 <= clo <= 20 and -20 <= wme <= 20 and 0.1 <= body_surface_area <= 10
    possible = possible and 1e3 <= p_atm <= 1e6 and 0.5 <= max_skin_blood_flow <= 1e3
    if not (possible and 0 <= max_sweating <= 1e4 and 0 <= w_max <= 1):
        return (nan,) * 18
    vapour = rh / 100.0 * exp(18.6686 - 4030.183 / (tdb + 235.0))
    speed = v if v > 0.1 else 0.1
    atm = p_atm / 101325.0
    r_clo, f_a_cl, lewis = 0.155 * clo, 1.0 + 0.15 * clo, 2.2 / atm
    rm = (met - wme) * MET_W_M2
    m = met * MET_W_M2
    if not w_max:
        w_max = 0.59 * speed**-0.08 if clo > 0 else 0.38 * speed**-0.29
    h_c = max(3.0 * atm**0.53, 8.600001 * (speed * atm) ** 0.53)
    if not still_air and met > 0.85:
        h_c = max(h_c, 5.66 * (met - 0.85) ** 0.39)
    k_r = 4.0 * 0.95 * STEFAN_BOLTZMANN * (0.7 if sitting else 0.73)
    q_res = 0.0023 * m * (44.0 - vapour)
    c_res = 0.0014 * m * (34.0 - tdb)
    breath = q_res + c_res
    r_e = 1.0 / (lewis * f_a_cl * h_c) + r_clo / (lewis * (0.45 if clo > 0 else 1.0))
    minute = body_surface_area / (0.97 * BODY_WEIGHT_KG * 60.0)
    dry = h_c * tdb

    t_skin, t_core, blood, alpha, e_skin = SKIN_NEUTRAL, CORE_NEUTRAL, BLOOD_NEUTRAL, 0.1, 0.1 * met
    h_r = 4.7
    h_t = h_r + h_c
    r_a, t_op = 1.0 / (f_a_cl * h_t), (h_r * tr + dry) / h_t
    kelvin = 0.5 * tr + 273.15
    q_sensible = e_max = e_rsw = e_diff = m_rsw = w = t_body = 0.0
    t_cl = (r_a * t_skin + r_clo * t_op) / (r_a + r_clo)
    for minute_index in range(MINUTES):
        # Surface of the clothing: warm-started, so that after the first minute one pass is enough.
        for _ in _PASSES if minute_index == 0 else _ONCE:
            x = 0.5 * t_cl + kelvin
            h_r = k_r * x * x * x
            h_t = h_r + h_c
            r_a, t_op = 1.0 / (f_a_cl * h_t), (h_r * tr + dry) / h_t
            resistance = r_a + r_clo
            t_cl = (r_a * t_skin + r_clo * t_op) / resistance
        q_sensible = (t_skin - t_op) / resistance
        to_skin = (t_core - t_skin) * (5.28 + 1.163 * blood)
        t_skin += (to_skin - q_sensible - e_skin) * minute / alpha
        t_core += (m - to_skin - breath - wme) * minute / (1.0 - alpha)
        t_body = alpha * t_skin + (1.0 - alpha) * t_core
        from_skin, from_core, from_body = t_skin - SKIN_NEUTRAL, t_core - CORE_NEUTRAL, t_body - BODY_NEUTRAL
        blood = BLOOD_NEUTRAL + 120.0 * from_core if from_core > 0 else BLOOD_NEUTRAL
        if from_skin < 0:
            blood /= 1.0 - 0.5 * from_skin
            m_rsw = 170.0 * from_body if from_body > 0 else 0.0
            m = rm + 19.4 * from_skin * from_core if from_core < 0 else rm
        else:
            m_rsw = 170.0 * from_body * exp(from_skin / 10.7) if from_body > 0 else 0.0
            m = rm
        if blood > max_skin_blood_flow:  # min() and max() would cost a tenth of the run
            blood = max_skin_blood_flow
        if blood < 0.5:
            blood = 0.5
        if m_rsw > max_sweating:
            m_rsw = max_sweating
        e_rsw = 0.68 * m_rsw
        e_max = (exp(18.6686 - 4030.183 / (t_skin + 235.0)) - vapour) / r_e or 0.001
        w = 0.06 + 0.94 * e_rsw / e_max
        e_diff = w * e_max - e_rsw
        if w > w_max:
            w = w_max
            part = (w_max - cap_offset) / 0.94
            e_rsw = part * e_max
            e_diff = 0.06 * (1.0 - part) * e_max
        if e_max < 0:
            e_diff = e_rsw = 0.0
            w = w_max
        e_skin = e_rsw + e_diff
        alpha = 0.0417737 + 0.7451833 / (blood + 0.585417)

    if state_only:
        return t_skin, t_core, w
    q_skin = q_sensible + e_skin
    saturated = exp(18.6686 - 4030.183 / (t_skin + 235.0))
    h_d_s, h_e_s = standard_coefficients(met, wme, h_r, atm, still_air)
    standard = _effective(t_skin, q_skin, w, saturated, h_d_s, h_e_s)
    effective = _effective(t_skin, q_skin, w, saturated, 1.0 / (r_a + r_clo), 1.0 / r_e)
    e_comfort = max(0.42 * (rm - MET_W_M2), 0.0)
    e_req = rm - breath - q_sensible
    indices = indices_one(t_body, rm, m, e_req, e_max, e_rsw, e_diff, e_comfort, w_max)
    factor = 0.303 * exp(-0.036 * m) + 0.028
    pmv_set = factor * (rm - breath - h_d_s * (t_skin - standard) - e_comfort - e_diff)
    return (
        t_skin, t_core, w, w_max, e_skin, e_rsw, e_max, e_rsw / 0.68, blood, q_sensible, q_skin, q_res,
        standard, effective, indices[0], pmv_set, indices[1], indices[2],
    )  # fmt: skip


def standard_coefficients(met: float, wme: float, h_r: float, atm: float, still_air: bool) -> tuple[float, float]:
    """Dry and evaporative conductance of SET's standard surroundings (Gagge et al. 1986), W/(m² K) and W/(m² torr)."""
    h_c = 3.0 * atm**0.53
    if not still_air and met > 0.85:
        h_c = max(h_c, 5.66 * (met - 0.85) ** 0.39)
    h_c = max(h_c, 3.0)
    h_t = h_c + h_r
    clo = 1.52 / ((met - wme / MET_W_M2) + 0.6944) - 0.1835
    r_clo, f_a_cl = 0.155 * clo, 1.0 + 0.25 * clo
    f_cl = 1.0 / (1.0 + r_clo * f_a_cl * h_t)
    share = h_c / h_t
    i_cl = 0.45 * share * (1.0 - f_cl) / (share - f_cl * 0.45)
    lewis = 2.2 / atm
    dry = 1.0 / (1.0 / (f_a_cl * h_t) + r_clo)
    return dry, 1.0 / (1.0 / (lewis * f_a_cl * h_c) + r_clo / (lewis * i_cl))


def _effective(t_skin: float, q_skin: float, w: float, saturated: float, h_d: float, h_e: float) -> float:
    """Temperature of surroundings at half humidity with the same loss from the skin, by Newton's method."""
    t = t_skin - q_skin / h_d
    for _ in range(50):
        pressure = 0.5 * exp(18.6686 - 4030.183 / (t + 235.0))
        error = q_skin - h_d * (t_skin - t) - w * h_e * (saturated - pressure)
        step = error / (h_d + w * h_e * pressure * 4030.183 / (t + 235.0) ** 2)
        t -= step
        if -1e-4 < step < 1e-4:
            return t
    return nan


def indices_one(
    t_body: float, rm: float, m: float, e_req: float, e_max: float, e_rsw: float, e_diff: float, e_comfort: float,
    w_max: float,
) -> tuple[float, float, float]:  # fmt: skip
    """PMV by Gagge's heat losses, thermal sensation and discomfort (Gagge et al. 1986)."""
    low, high = 0.194 / 58.15 * rm + 36.301, 0.347 / 58.15 * rm + 36.669
    if t_body < low:
        sensation = 0.4685 * (t_body - low)
    elif t_body < high:
        sensation = w_max * 4.7 * (t_body - low) / (high - low)
    else:
        sensation = w_max * 4.7 + 0.4685 * (t_body - high)
    room = e_max * w_max - e_comfort - e_diff
    discomfort = 6.0 if room < 0 < sensation or room == 0 else 4.7 * (e_rsw - e_comfort) / room
    if discomfort <= 0:
        discomfort = sensation
    pmv = (0.303 * exp(-0.036 * m) + 0.028) * (e_req - e_comfort - e_diff)
    return pmv, sensation, min(discomfort, 6.0)
