"""Which temperature would please a zone, which are fine, and what a thermostat should be set to.

The middle is Griffiths' method turned around: from the air as it is and what people there say of it, on to the
temperature that they would call neutral (votes change by half a step a kelvin: Griffiths 1990; Humphreys, Rijal, Nicol,
Building and Environment 63, 2013) and to the one at which as many want it warmer as cooler (0.4 of the model's units a
kelvin: the slope within 163 buildings of the development data). The two differ: people who call warm air neutral still
want it cooler. What is preferred is taken to lie half way. The model's own slope is not used, for it holds what people
do over weeks, such as dressing lighter.

Satisfied is who votes −1, 0 or +1, as in ISO 7730 and ASHRAE 55. Clothing counts as the model of votes has it. Setting
people who are dressed differently apart by the heat balance made it worse on the development data: the wishes within a
building were told apart in 60 % of pairs with it and in 72 % without. Pure: the caller knows who is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor, isfinite, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort.assumed import AIR_SPEED_M_S, MET
from comfywear.comfort.comfort_vote import ComfyWear
from comfywear.comfort.standards.air import relative_air_speed
from comfywear.comfort.standards.pmv import pmv_ppd
from comfywear.comfort.votes.levels import Taught
from comfywear.errors import UsageError
from comfywear.records import Preferred
from comfywear.texts import Text

__all__ = ["Preferred", "Setpoint", "SetpointRules", "neutral_temperature_c", "preferred_temperature", "setpoint"]

Array = NDArray[np.float64]
VOTES_PER_K = 0.5
WISHES_PER_K = 0.4
# How far buildings' preferred temperatures lie from what is said here, beyond what votes leave open (K, one standard
# deviation; `comfywear-export evaluate setpoint` on the development data).
MODEL_SD_K = 1.4
# Steps of the search around the middle, and how far from it and from the present air temperature it goes.
_STEP_K, _AROUND_K, _FARTHEST_K = 0.1, 8.0, 10.0
# 20.3 + 0.1 is a multiple of 0.1, whatever floating point makes of it.
_ROUNDING = 1e-6
_NEUTRAL_GRID = np.arange(0.0, 45.01, 0.5)


class SetpointRules(NamedTuple):
    """What a thermostat may be set to.

    Attributes:
        lowest_c: Never below while people are there; from below it comes back by `most_k` at a time.
        highest_c: Never above while people are there; the same from above.
        empty_heating_c: Setback where nobody is and the plant heats.
        empty_cooling_c: Where nobody is and the plant cools.
        most_k: The largest change at a time, K; at least `round_k`.
        round_k: What a thermostat can be set to, K: multiples of this, one of them within the limits.
    """

    lowest_c: float = 19.0
    highest_c: float = 27.0
    empty_heating_c: float = 17.0
    empty_cooling_c: float = 28.0
    most_k: float = 1.0
    round_k: float = 0.5


class Setpoint(NamedTuple):
    """A value for a thermostat, °C, and why; None leaves it as it is."""

    value_c: float | None
    why: str


def preferred_temperature(model: ComfyWear, inputs: Mapping[str, float], taught: Taught | None = None) -> Preferred:
    """What the people of a zone like, from the model, who is there, and what votes taught.

    Args:
        model: Fitted on votes.
        inputs: `Comfort.inputs` of an estimate: the air as it is, the mean clothing of those who are there, site, met.
        taught: What votes taught about the zone.

    Returns:
        Without a temperature and with a reason where the air, the humidity or the clothing is not known.
    """
    if absent := [name for name in ("air_temp_c", "humidity_pct", "clo") if not isfinite(inputs.get(name, np.nan))]:
        return Preferred(None, reason=Text("not known: {names}", names=", ".join(absent)))
    now = inputs["air_temp_c"]
    per_k = VOTES_PER_K * (model.cutpoints[5] - model.cutpoints[0]) / 5.0
    felt_k, felt_sd_k, weight = 0.0, 0.0, 0.0
    if taught is not None:
        weight = taught.learnt.weight
        felt_k = (1.0 - np.exp(-weight)) * taught.learnt.offset / per_k
        felt_sd_k = taught.learnt.offset_sd / per_k
    neutral = now - (model.eta(inputs) - 0.5 * (model.cutpoints[2] + model.cutpoints[3])) / per_k
    balanced = now - model.wish_above(inputs) / WISHES_PER_K
    liked = 0.5 * (neutral + balanced) - felt_k
    assumptions = []
    if abs(liked - now) > _FARTHEST_K:
        liked = now + np.copysign(_FARTHEST_K, liked - now)
        assumptions.append(f"it lies {_FARTHEST_K:g} K or more from the air as it is: how far is not known")
    temperatures = np.arange(liked - _AROUND_K, liked + _AROUND_K + _STEP_K / 2, _STEP_K)
    shares = _satisfied(model, inputs, temperatures, per_k, taught)
    low_80, high_80 = _band(temperatures, shares, 0.8)
    low_90, high_90 = _band(temperatures, shares, 0.9)
    best = float(shares.max())
    if low_80 is None:
        assumptions.append(f"no temperature satisfies 80 %: {best:.0%} at best")
    return Preferred(
        float(liked), sqrt(felt_sd_k**2 + MODEL_SD_K**2), low_80, high_80, low_90, high_90, best, weight,
        tuple(assumptions),
    )  # fmt: skip


def setpoint(
    liked: Preferred, rules: SetpointRules, *, people: bool | None, heating: bool, present_c: float | None
) -> Setpoint:
    """What to set a thermostat to.

    Args:
        liked: What the zone likes.
        rules: The limits.
        people: Whether somebody is there; None (nobody can say) counts as somebody.
        heating: Whether the plant heats in this season, else it cools.
        present_c: What the thermostat is set to; None where that is not known.

    Returns:
        A multiple of `round_k`, the nearest to what is liked within the limits and no farther from `present_c` than
        `most_k`.

    Raises:
        UsageError: Rules that leave nothing to set.
    """
    lowest, highest = _multiples(rules, rules.lowest_c, rules.highest_c)
    if people is False:
        goal, why = (rules.empty_heating_c if heating else rules.empty_cooling_c), Text("nobody is there")
    elif liked.preferred_c is None:
        return Setpoint(None, liked.reason or Text("what people like is not known"))
    else:
        goal = min(max(liked.preferred_c, rules.lowest_c), rules.highest_c)
        why = Text("{liked} °C would please most", liked=f"{liked.preferred_c:.1f}")
        if goal != liked.preferred_c:
            why = Text("{why}, and {limit} °C is the limit", why=why, limit=f"{goal:g}")
    value = round(goal / rules.round_k)
    if people is not False:
        value = min(max(value, lowest), highest)
    if present_c is not None and isfinite(present_c):
        slowest, fastest = _multiples(rules, present_c - rules.most_k, present_c + rules.most_k)
        value = min(max(value, slowest), fastest)
    return Setpoint(value * rules.round_k, why)


def neutral_temperature_c(
    humidity_pct: float, clo: float, met: float = MET, air_speed_m_s: float = AIR_SPEED_M_S
) -> float:
    """Air and wall temperature at which PMV is 0 (ISO 7730:2005), °C within 0…45."""
    speed = relative_air_speed(air_speed_m_s, met)
    votes = pmv_ppd(_NEUTRAL_GRID, _NEUTRAL_GRID, speed, humidity_pct, met, clo, limit=False).pmv
    return float(np.interp(0.0, votes, _NEUTRAL_GRID))


def _multiples(rules: SetpointRules, low_c: float, high_c: float) -> tuple[int, int]:
    """The first and the last multiple of `round_k` from `low_c` to `high_c`; UsageError where there is none."""
    if not all(map(isfinite, rules)):
        raise UsageError(f"a thermostat's rules are numbers of °C and K, not {tuple(rules)}")
    if not 0.0 < rules.round_k <= rules.most_k:
        raise UsageError(
            f"round_k {rules.round_k:g}, most_k {rules.most_k:g}: give a round_k above 0, and no smaller most_k"
        )
    first, last = ceil(low_c / rules.round_k - _ROUNDING), floor(high_c / rules.round_k + _ROUNDING)
    if first > last:
        raise UsageError(f"no multiple of {rules.round_k:g} K lies from {low_c:g} to {high_c:g} °C: widen the limits")
    return first, last


def _satisfied(
    model: ComfyWear, inputs: Mapping[str, float], temperatures: Array, per_k: float, taught: Taught | None
) -> Array:
    """`(N,)` share of votes −1, 0, +1 at each temperature."""
    eta = model.eta(inputs) + per_k * (temperatures - inputs["air_temp_c"])
    if taught is not None:
        shares: Array = taught.learnt.probabilities(eta)[:, 2:5].sum(axis=1)
        return shares
    cuts = np.asarray(model.cutpoints)[[1, 4]]
    below = 1.0 / (1.0 + np.exp(-np.clip(cuts - eta[:, None], -35.0, 35.0)))
    result: Array = below[:, 1] - below[:, 0]
    return result


def _band(temperatures: Array, shares: Array, least: float) -> tuple[float | None, float | None]:
    """The stretch around the best temperature where at least so many are satisfied."""
    best = int(shares.argmax())
    if shares[best] < least:
        return None, None
    under = np.flatnonzero(shares < least)
    low = int(under[under < best].max()) + 1 if (under < best).any() else 0
    high = int(under[under > best].min()) - 1 if (under > best).any() else len(shares) - 1
    return round(float(temperatures[low]), 1), round(float(temperatures[high]), 1)
