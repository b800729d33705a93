"""The simulated room, the masked moves, and a policy that is learnt in it, kept, killed and asked."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from children import Child
from comfywear_export.cli import main
from comfywear_export.setpoint.controllers import Fixed, Schedule, best_schedule
from comfywear_export.setpoint.qlearning import (
    ACTIONS,
    COOLEST,
    STATES,
    WARMEST,
    Learner,
    Policy,
    allowed,
    best_moves,
    states_of,
)
from comfywear_export.setpoint.room import Climate, Outside, Room
from comfywear_export.setpoint.simulate import Prices, hours, live
from comfywear_export.setpoint.weather import HOURS, clothing_clo, make_year, saturation_ratio


@given(st.integers(0, 2**31), st.integers(1, 40))
@settings(deadline=None)
def test_a_forbidden_move_is_never_taken_whatever_its_value(seed: int, rooms: int) -> None:
    rng = np.random.default_rng(seed)
    setpoint = rng.integers(COOLEST, WARMEST + 1, rooms).astype(float)
    pmv, people = rng.uniform(-3, 3, rooms), rng.integers(0, 4, rooms).astype(float)
    may = allowed(setpoint, pmv, people)
    values = rng.normal(size=(rooms, 3)) + np.where(may, 0.0, 1e6)  # the forbidden ones look best
    moves = best_moves(values, may)
    assert may[np.arange(rooms), moves].all()
    after = setpoint + moves - 1
    assert ((after >= COOLEST) & (after <= WARMEST)).all()
    occupied = people > 0
    assert not (occupied & (pmv < -0.4) & (after < setpoint)).any()
    assert not (occupied & (pmv > 0.4) & (after > setpoint)).any()
    allowed_best = np.where(may, values, -np.inf).max(axis=1)
    assert (values[np.arange(rooms), moves] == allowed_best).all()


def test_of_equal_moves_nothing_is_changed_and_every_situation_has_a_state_of_its_own() -> None:
    assert best_moves(np.zeros((1, 3)), np.ones((1, 3), bool)).tolist() == [1]
    grid = np.array(np.meshgrid(np.arange(20, 28), [-2, -0.6, -0.3, 0, 0.3, 0.6, 2], [0, 1, 4], [0, 5, 10, 20]))
    states = states_of(*grid.reshape(4, -1).astype(float))
    assert sorted(states) == list(range(STATES))
    assert states_of(np.array([99.0]), np.array([np.nan]), np.array([99.0]), np.array([99.0])) < STATES


@given(st.integers(0, 2**31))
@settings(deadline=None, max_examples=3)
def test_a_policy_of_any_table_keeps_to_its_bounds_and_is_off_at_night(seed: int) -> None:
    policy = Policy(np.random.default_rng(seed).normal(size=(STATES, 3)))
    for passed in hours([make_year(seed % 1000)], policy.setpoint, Prices(), days=6):
        if passed.view.hours_to_work[0] > 4:
            assert passed.setpoint_c[0] in (18, 28)
        else:
            assert COOLEST <= passed.setpoint_c[0] <= WARMEST


def test_a_year_is_that_of_its_seed_and_is_like_a_year() -> None:
    year, again, other = make_year(1), make_year(1), make_year(2)
    for field in fields(year):
        np.testing.assert_array_equal(getattr(year, field.name), getattr(again, field.name))
        assert getattr(year, field.name).shape == (HOURS,)
    assert not np.array_equal(year.outdoor_c, other.outdoor_c)
    assert year.outdoor_c[:744].mean() < 5 < 18 < year.outdoor_c[4344:5088].mean()  # January, July
    assert year.people[(year.hours_to_work > 0)].max() == 0
    assert (year.moisture <= saturation_ratio(year.outdoor_c) + 1e-12).all()
    assert year.sun_w[::24].max() == 0.0  # midnight
    # Points of the published line: above and below it, and where its two middle parts begin.
    np.testing.assert_allclose(clothing_clo(np.array([-10.0, 0.0, 5.0, 30.0])), [1.0, 0.818, 0.636, 0.46], atol=1e-3)


def room_after(
    setpoint: float, outdoor: float, heating: bool, count: int = 200, people: float = 0.0
) -> tuple[Climate, float]:
    one = np.ones(1)
    now, kwh = Climate(20 * one, 20 * one, 0.006 * one), 0.0
    outside = Outside(outdoor * one, 0.004 * one, 0 * one, people * one, np.array([heating]))
    for _ in range(count):
        now, use = Room().hour(now, outside, setpoint * one)
        kwh += float((use.heating + use.cooling)[0])
    return now, kwh


def test_the_room_is_heated_to_its_setpoint_cooled_to_it_or_left_to_the_weather() -> None:
    heated, kwh = room_after(22.0, 0.0, True)
    assert heated.air_c[0] == pytest.approx(21.5, abs=0.01)
    # Steady state: what heats it is what it loses through air, window and wall, by a heat pump of 3.
    room = Room()
    loss = (room.air_changes_h / 3600 * room.volume_m3 * 1.2 * 1006 + room.window_w_k) * 21.5
    loss += room.wall_w_k * heated.mass_c[0]
    _, day = room_after(22.0, 0.0, True, count=224)
    assert day - kwh == pytest.approx(24 * loss / 3 / 1000, rel=0.01)
    cooled, _ = room_after(22.0, 35.0, False, people=4)
    assert cooled.air_c[0] == pytest.approx(22.5, abs=0.01)
    assert cooled.humidity_pct[0] <= 60.1
    left, nothing = room_after(28.0, 10.0, False)
    assert left.air_c[0] == pytest.approx(10.0, abs=1.0)
    assert nothing == 0.0
    assert room_after(24.0, 0.0, True)[1] > kwh


def test_warmer_rooms_cost_more_heat_and_the_best_schedule_costs_least_of_its_grid() -> None:
    years = [make_year(5)]
    cool, warm = (live(years, Fixed(value), Prices(), days=8)[0] for value in (21.0, 24.0))
    assert warm.heating_kwh > cool.heating_kwh
    assert warm.comfort_hours > cool.comfort_hours
    assert (
        cool.comfort_hours + cool.cold_hours + cool.warm_hours == warm.comfort_hours + warm.cold_hours + warm.warm_hours
    )
    best = best_schedule(years, Prices(), days=2)
    for other in (Schedule(22.0, 25.0, 2.0), Schedule(24.0, 24.0, 4.0)):
        assert live(years, best, Prices(), days=2)[0].cost <= live(years, other, Prices(), days=2)[0].cost + 1e-9


def test_a_learner_goes_on_exactly_where_it_was_kept() -> None:
    years = [[make_year(n) for n in range(2)]]
    whole, half = Learner(2), Learner(2)
    whole.learn(years, days=3)
    half.learn(years, days=3)
    other = Learner(2)
    other.go_on_from(json.loads(json.dumps(half.as_json())))
    assert whole.learn(years, days=3) == other.learn(years, days=3)
    np.testing.assert_array_equal(whole.values, other.values)
    assert whole.epsilon == 0.02
    assert Learner(2).epsilon == 1.0


SMOKE = ["--seeds", "1", "--rooms", "2", "--test-years", "1", "--days", "2"]


def test_a_policy_is_written_with_its_card_can_be_asked_and_is_refused_when_altered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["tune", "setpoint", "--out", str(tmp_path), "--sweeps", "1", *SMOKE]
    assert main(words) == 0
    assert "sweep 1 of 1" in capsys.readouterr().out
    for chart in ("learning.png", "controllers.png"):
        assert 0 < (tmp_path / chart).stat().st_size < 100_000
    policy = tmp_path / "setpoint.json"
    ask = ["tune", "setpoint-advice", "--policy", str(policy), "--setpoint", "27", "--outdoor-temp", "5"]
    assert main([*ask, "--pmv", "0.9"]) == 0
    assert capsys.readouterr().out.partition(":")[0] in ACTIONS[:2]  # people are warm, and 27 °C is the most
    assert main([*ask, "--pmv", "0", "--hours-to-work", "9"]) == 0
    assert capsys.readouterr().out.startswith("off")
    policy.write_text(policy.read_text() + " ")
    assert main([*ask, "--pmv", "0"]) == 2
    assert "altered" in capsys.readouterr().err
    policy.write_text("{}")
    assert main([*ask, "--pmv", "0"]) == 2


@pytest.mark.slow
def test_a_run_that_is_killed_ends_as_one_that_was_not(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "comfywear_export.cli", "tune", "setpoint", *SMOKE, "--sweeps", "4", "--out"]
    subprocess.run([*words, str(tmp_path / "whole")], check=True, capture_output=True)
    with Child([*words, str(tmp_path / "killed")], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while "sweep 2 of 4" not in process.stdout.readline():
            pass
        process.kill()
    done = subprocess.run([*words, str(tmp_path / "killed")], check=True, capture_output=True, text=True).stdout
    assert "of 4 sweeps done before" in done
    assert "sweep 1 of 4" not in done
    for name in ("setpoint.json", "figures.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
