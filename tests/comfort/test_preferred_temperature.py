"""The preferred temperature, its bands, and what a thermostat is set to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.comfort import ComfyWear, Site, pmv_ppd
from comfywear.comfort.setpoint import (
    Preferred,
    SetpointRules,
    neutral_temperature_c,
    preferred_temperature,
    setpoint,
)
from comfywear.comfort.votes.levels import Taught, learn_levels
from comfywear.comfort.votes.personal import Evidence, learn
from comfywear.comfort.votes.populations import load_populations
from comfywear.errors import UsageError

MODEL = ComfyWear()
RULES = SetpointRules()
LIKED = Preferred(21.8, 1.0, 20.9, 22.9)


def inputs(air: float = 23.0, clo: float = 0.65, site: Site | None = None) -> dict[str, float]:
    return dict(MODEL.estimate(air, 45.0, clo, site=site).inputs)


def taught(level: int, count: int, air: float) -> Taught:
    """A zone that pressed one level again and again in such air."""
    known = load_populations()
    eta = np.full(count, MODEL.eta(inputs(air)))
    evidence = Evidence(eta, np.full(count, level - 1), np.ones(count))
    return learn_levels(known.zones, np.asarray(MODEL.cutpoints), evidence, known.levels)


def test_a_zone_without_votes_has_a_temperature_with_its_bands_around_the_best() -> None:
    found = preferred_temperature(MODEL, inputs())
    assert found.preferred_c is not None
    assert found.low_80_c is not None
    assert found.high_80_c is not None
    assert 20.0 < found.preferred_c < 26.0
    assert found.low_80_c < found.high_80_c
    assert found.sd_k is not None
    assert found.sd_k > 1.0
    assert found.satisfied is not None
    assert 0.75 < found.satisfied < 0.95


def test_people_who_are_uncomfortable_in_warm_air_like_it_cooler() -> None:
    plain = preferred_temperature(MODEL, inputs(27.0))
    learnt = preferred_temperature(MODEL, inputs(27.0), taught(1, 30, 27.0))
    assert plain.preferred_c is not None
    assert learnt.preferred_c is not None
    assert learnt.preferred_c < plain.preferred_c - 0.2
    assert learnt.votes > 0.0
    content = preferred_temperature(MODEL, inputs(27.0), taught(5, 30, 27.0))
    assert content.preferred_c is not None
    assert content.preferred_c > learnt.preferred_c


def test_votes_make_it_surer() -> None:
    sd = [preferred_temperature(MODEL, inputs(25.0), taught(5, count, 25.0)).sd_k for count in (1, 40)]
    assert sd[0] is not None
    assert sd[1] is not None
    assert sd[1] < sd[0]


def test_following_it_ends_where_nothing_is_wanted() -> None:
    site = Site(usual_temp_c=23.0, usual_temp_sd_k=1.5)
    air = 29.0
    for _ in range(30):
        found = preferred_temperature(MODEL, inputs(air, site=site)).preferred_c
        assert found is not None
        air = 0.5 * (air + found)
    assert abs(air - (preferred_temperature(MODEL, inputs(air, site=site)).preferred_c or 0.0)) < 0.1


def test_what_is_not_known_is_a_reason() -> None:
    found = preferred_temperature(MODEL, {"air_temp_c": 22.0, "clo": 0.6})
    assert found.preferred_c is None
    assert found.reason == "not known: humidity_pct"
    assert setpoint(found, RULES, people=True, heating=True, present_c=21.0).value_c is None


def test_a_band_that_nothing_reaches_is_none_and_said() -> None:
    found = preferred_temperature(MODEL, inputs())
    assert found.low_90_c is None
    at_odds = Evidence(np.full(40, MODEL.eta(inputs())), np.tile([0, 6], 20), np.ones(40))
    learnt = learn(load_populations().persons, np.asarray(MODEL.cutpoints), at_odds)
    divided = preferred_temperature(MODEL, inputs(), Taught(learnt, load_populations().levels))
    assert divided.low_80_c is None
    assert any("no temperature satisfies 80 %" in sentence for sentence in divided.assumptions)


@given(st.floats(0, 50), st.floats(0, 100), st.floats(0, 3))
def test_there_is_always_an_answer_and_its_band_is_in_order(air: float, humidity: float, clo: float) -> None:
    found = preferred_temperature(MODEL, MODEL.estimate(air, humidity, clo).inputs)
    assert found.preferred_c is not None
    assert abs(found.preferred_c - air) <= 10.0 + 1e-9
    if found.low_80_c is not None and found.high_80_c is not None:
        assert found.low_80_c <= found.high_80_c


@st.composite
def possible_rules(draw: st.DrawFn) -> SetpointRules:
    """Rules of any thermostat that can be set to something within its limits."""
    round_k = draw(st.sampled_from([0.1, 0.5, 5 / 9, 1.0]))
    lowest = draw(st.floats(15, 25))
    return SetpointRules(
        lowest, lowest + draw(st.floats(1, 8)), most_k=round_k * draw(st.floats(1, 5)), round_k=round_k
    )


@given(
    liked=st.floats(5, 40),
    present=st.none() | st.floats(5, 35),
    people=st.none() | st.booleans(),
    heating=st.booleans(),
    rules=possible_rules(),
)
def test_a_setpoint_keeps_its_limits_and_its_pace(
    liked: float, present: float | None, people: bool | None, heating: bool, rules: SetpointRules
) -> None:
    found = setpoint(Preferred(liked, 1.0), rules, people=people, heating=heating, present_c=present).value_c
    assert found is not None
    assert found / rules.round_k == pytest.approx(round(found / rules.round_k), abs=1e-6)
    if present is not None:
        assert abs(found - present) <= rules.most_k + 1e-5
    if people is not False and (present is None or rules.lowest_c <= present <= rules.highest_c):
        assert rules.lowest_c - 1e-5 <= found <= rules.highest_c + 1e-5


@pytest.mark.parametrize(
    ("liked", "present", "set_to"),
    [
        (25.0, 20.3, 21.0),  # 21.5 is nearer to 21.3, and more than a kelvin away
        (15.0, 20.7, 20.0),
        (15.0, None, 19.5),  # the lowest multiple that is not below 19.2
        (30.0, None, 26.5),
        (23.2, 15.0, 16.0),  # from below the limits it comes back at its pace
        (22.3, 22.0, 22.5),
    ],
)
def test_it_is_rounded_towards_where_it_may_go(liked: float, present: float | None, set_to: float) -> None:
    rules = SetpointRules(19.2, 26.9)
    assert setpoint(Preferred(liked), rules, people=True, heating=True, present_c=present).value_c == set_to


def test_the_smallest_step_is_made_whatever_floating_point_makes_of_it() -> None:
    rules = SetpointRules(most_k=0.1, round_k=0.1)
    found = setpoint(LIKED, rules, people=True, heating=True, present_c=20.3)
    assert found.value_c == pytest.approx(20.4)


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        (SetpointRules(round_k=0.0), "round_k 0"),
        (SetpointRules(round_k=-0.5), "round_k -0.5"),
        (SetpointRules(most_k=0.4), "most_k 0.4"),
        (SetpointRules(most_k=float("nan")), "numbers of"),
        (SetpointRules(highest_c=float("inf")), "numbers of"),
        (SetpointRules(20.1, 20.4), "from 20.1 to 20.4"),
        (SetpointRules(24.0, 20.0), "from 24 to 20"),
    ],
)
def test_rules_that_leave_nothing_to_set_are_refused(rules: SetpointRules, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        setpoint(LIKED, rules, people=True, heating=True, present_c=21.0)


def test_nobody_there_is_a_setback_by_season() -> None:
    assert setpoint(LIKED, RULES, people=False, heating=True, present_c=None).value_c == 17.0
    assert setpoint(LIKED, RULES, people=False, heating=False, present_c=None).value_c == 28.0
    assert setpoint(LIKED, RULES, people=None, heating=True, present_c=None).value_c == 22.0
    assert "nobody" in setpoint(LIKED, RULES, people=False, heating=True, present_c=None).why


def test_a_limit_is_said() -> None:
    found = setpoint(Preferred(30.0, 1.0), RULES, people=True, heating=False, present_c=None)
    assert found.value_c == 27.0
    assert "limit" in found.why


@pytest.mark.parametrize("clo", [0.4, 0.7, 1.1])
def test_neutral_is_where_pmv_is_zero(clo: float) -> None:
    neutral = neutral_temperature_c(45.0, clo)
    assert pmv_ppd(neutral, neutral, 0.13, 45.0, 1.1, clo, limit=False).pmv == pytest.approx(0.0, abs=0.01)
