"""What the gate lets in and what a zone's climate is."""

from __future__ import annotations

import math
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear_sensors import Calibration, ClimateFilter, Limits, Reading, no_room
from comfywear_sensors.air import absolute_humidity_g_m3, dew_point_c, saturation_pressure_hpa
from comfywear_sensors.gate import DEFAULT_LIMITS, Gate


def reading(t: float | None, h: float | None, at: float, source: str = "a://", **more: object) -> Reading:
    return Reading(t, h, at, source, **more)  # type: ignore[arg-type]  # fields of Reading


def fed(pairs: list[tuple[float, float]], every_s: float = 1.0, **settings: object) -> ClimateFilter:
    climate = ClimateFilter("desk", **settings)  # type: ignore[arg-type]  # settings of ClimateFilter
    for index, (t, h) in enumerate(pairs):
        climate.add(reading(t, h, index * every_s))
    return climate


def test_nothing_heard_is_missing_with_a_reason() -> None:
    state = ClimateFilter("desk").climate(0.0)
    assert (state.state, state.air_temp_c, state.age_s) == ("missing", None, None)
    assert state.reason == "no sensor of desk has said anything yet"


def test_a_reading_is_fresh_then_stale_then_fresh_again() -> None:
    climate = fed([(23.1, 45.2)], stale_after_s=60.0)
    fresh = climate.climate(60.0)
    assert (fresh.state, fresh.air_temp_c, fresh.humidity_pct, fresh.age_s) == ("fresh", 23.1, 45.2, 60.0)
    assert (fresh.reason, fresh.sources, fresh.simulated) == (None, ("a://",), False)
    stale = climate.climate(61.0)
    assert (stale.state, stale.air_temp_c, stale.humidity_pct, stale.age_s) == ("stale", None, None, 61.0)
    assert stale.reason == "a://: no good reading for 61 s (stale after 60 s)"
    climate.add(reading(25.0, 40.0, 100.0))
    assert climate.climate(100.0).air_temp_c == 25.0  # nothing of the old value is smoothed in


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (reading(85.0, None, 0.0), "power-up value"),
        (reading(-40.0, 45.0, 0.0), "power-up value"),
        (reading(-45.0, 45.0, 0.0), "power-up value"),
        (reading(23.0, 45.0, 0.0, flags=("power-up",)), "power-up value"),
        (reading(0.0, 0.0, 0.0), "all zero"),
        (reading(61.0, 45.0, 0.0), "air_temp_c out of range"),
        (reading(math.nan, 45.0, 0.0), "air_temp_c out of range"),
        (reading(math.inf, 45.0, 0.0), "air_temp_c out of range"),
        (reading(None, 101.0, 0.0), "humidity_pct out of range"),
        (reading(None, 0.0, 0.0), "humidity of 0 %"),
        (reading(23.0, 45.0, math.nan), "its time is before the last one's"),
    ],
)
def test_what_cannot_be_is_refused_and_counted(bad: Reading, reason: str) -> None:
    climate = ClimateFilter("desk")
    climate.add(bad)
    state = climate.climate(0.0)
    assert (state.state, state.air_temp_c, state.humidity_pct) == ("missing", None, None)
    assert (state.rejected, dict(state.rejections)) == (1, {reason: 1})
    assert f"was refused ({reason}" in str(state.reason)


def test_a_dead_humidity_element_leaves_the_temperature() -> None:
    state = fed([(23.1, 0.0)]).climate(0.0)
    assert (state.state, state.air_temp_c, state.humidity_pct) == ("fresh", 23.1, None)
    assert "no sensor of desk says the humidity now" in state.faults
    assert (state.dew_point_c, state.absolute_humidity_g_m3) == (None, None)


def test_one_leap_is_refused_but_a_real_step_is_believed_at_the_third() -> None:
    gate = Gate()
    leaps = [gate.admit(reading(t, None, float(i))) for i, t in enumerate([20.0, 30.0, 20.1, 30.0, 30.1, 30.2, 30.3])]
    assert leaps == [{"air_temp_c": 20.0}, {}, {"air_temp_c": 20.1}, {}, {}, {"air_temp_c": 30.2}, {"air_temp_c": 30.3}]
    assert gate.rejected == {"air_temp_c changed too fast": 3}


def test_after_a_long_pause_more_change_is_believed() -> None:
    assert Gate().admit(reading(20.0, None, 0.0))
    gate = Gate()
    gate.admit(reading(20.0, None, 0.0))
    assert gate.admit(reading(26.0, None, 60.0)) == {"air_temp_c": 26.0}


def test_limits_can_be_set() -> None:
    state = fed([(12.0, 45.0)], limits={"air_temp_c": Limits(15.0, 30.0)}).climate(0.0)
    assert state.state == "missing"


def test_a_single_spike_within_the_gate_does_not_pass_the_median() -> None:
    climate = fed([(20.0, 40.0), (20.0, 40.0), (21.4, 45.0), (20.0, 40.0)], time_constant_s=0.0)
    assert (climate.climate(3.0).air_temp_c, climate.climate(3.0).humidity_pct) == (20.0, 40.0)


def test_the_time_constant_is_what_it_says() -> None:
    climate = fed([(20.0, 40.0)] * 3, time_constant_s=60.0, limits={"air_temp_c": Limits(0.0, 50.0)})
    for second in range(61):
        climate.add(reading(30.0, 40.0, 3.0 + second))
    # The median follows one sample later; after one time constant 1 − 1/e of the step is there.
    assert climate.climate(63.0).air_temp_c == pytest.approx(20.0 + 10.0 * (1.0 - math.exp(-1.0)), abs=0.15)


def test_calibration_applies_to_its_own_sensor() -> None:
    calibration = {"a://": Calibration(air_temp_offset_k=-0.5, air_temp_gain=1.02, humidity_offset_pct=60.0)}
    state = fed([(20.0, 45.0)], calibration=calibration).climate(0.0)
    assert (state.air_temp_c, state.humidity_pct) == (pytest.approx(19.9), 100.0)
    other = fed([(20.0, 45.0)], calibration={"b://": Calibration(air_temp_offset_k=-5.0)}).climate(0.0)
    assert other.air_temp_c == 20.0


def test_two_sensors_are_averaged_and_three_take_the_middle() -> None:
    climate = ClimateFilter("desk")
    for source, t in (("a://", 20.0), ("b://", 21.0)):
        climate.add(reading(t, 40.0, 0.0, source))
    assert climate.climate(0.0).air_temp_c == 20.5
    climate.add(reading(30.0, 40.0, 0.0, "c://"))
    state = climate.climate(0.0)
    assert (state.air_temp_c, state.sources) == (21.0, ("a://", "b://", "c://"))


def test_two_sensors_that_disagree_are_reported() -> None:
    climate = ClimateFilter("desk", disagree_air_temp_k=2.0, disagree_humidity_pct=10.0)
    climate.add(reading(20.0, 40.0, 0.0, "a://"))
    climate.add(reading(22.0, 50.0, 0.0, "b://"))
    assert climate.climate(0.0).disagreement is None
    climate = ClimateFilter("desk")
    climate.add(reading(20.0, 40.0, 0.0, "a://"))
    climate.add(reading(23.5, 40.0, 0.0, "b://"))
    said = climate.climate(0.0).disagreement
    assert said == "a:// says 20.0 °C, b:// says 23.5 °C: 3.5 K apart (allowed: 2)"


def test_a_sensor_that_falls_silent_leaves_the_other_and_is_named() -> None:
    climate = ClimateFilter("desk", stale_after_s=60.0)
    climate.add(reading(20.0, 40.0, 0.0, "a://"))
    climate.add(reading(24.0, 40.0, 50.0, "b://", simulated=True))
    state = climate.climate(100.0)
    assert (state.state, state.air_temp_c, state.sources, state.simulated) == ("fresh", 24.0, ("b://",), True)
    assert state.faults == ("a://: no good reading for 100 s (stale after 60 s)",)


def test_quantities_of_different_sensors_come_together() -> None:
    climate = ClimateFilter("desk")
    climate.add(reading(22.0, None, 0.0, "w1://"))
    climate.add(reading(None, 40.0, 0.0, "mqtt://", air_speed_m_s=0.2, co2_ppm=600.0))
    state = climate.climate(1.0)
    assert (state.air_temp_c, state.humidity_pct, state.air_speed_m_s, state.co2_ppm) == (22.0, 40.0, 0.2, 600.0)
    assert state.sources == ("w1://",)


def test_a_sensor_stuck_for_an_hour_is_not_used() -> None:
    pairs = [(23.4, 45.2)] * 361
    assert fed(pairs[:-1], every_s=10.0).climate(3590.0).state == "fresh"
    state = fed(pairs, every_s=10.0).climate(3600.0)
    assert (state.state, state.air_temp_c) == ("stale", None)
    assert state.reason == "a://: has said exactly 23.4 °C and 45.2 % for 3600 s; it may be stuck"
    assert fed(pairs, every_s=10.0, stuck_after_s=0.0).climate(3600.0).state == "fresh"


def test_a_sensor_of_whole_degrees_may_stay_the_same() -> None:
    assert fed([(23.0, 45.0)] * 400, every_s=10.0).climate(3990.0).state == "fresh"


@pytest.mark.parametrize("value", [21.5, 22.0, 21.11111])
def test_a_coarse_thermometer_in_a_quiet_room_stays_in_use(value: float) -> None:
    """Half degrees, whole ones, and 70 °F."""
    climate = ClimateFilter("desk")
    for second in range(0, 4 * 3600, 2):
        climate.add(reading(value, None, float(second)))
    assert climate.climate(4 * 3600.0).state == "fresh"


def test_the_resolution_is_learnt_from_the_steps() -> None:
    fine = fed([(21.43, 45.0), *[(21.5, 45.0)] * 361], every_s=10.0)
    assert fine.climate(3610.0).state == "fresh"  # whole percents still excuse it
    fine = ClimateFilter("desk")
    coarse = ClimateFilter("desk")
    for index in range(362):
        fine.add(reading(21.43 if index == 0 else 21.5, None, index * 10.0))
        coarse.add(reading(21.0 if index == 0 else 21.5, None, index * 10.0))
    assert "may be stuck" in str(fine.climate(3610.0).reason)
    assert coarse.climate(3610.0).state == "fresh"


def test_an_hourly_sensor_is_not_stuck_by_a_few_equal_readings_and_does_not_lag() -> None:
    climate = ClimateFilter("desk", stale_after_s=3 * 3600.0)
    for hour in range(12):
        climate.add(reading(21.3, 45.2, hour * 3600.0))
    assert climate.climate(11 * 3600.0).state == "fresh"
    climate.add(reading(23.3, 50.2, 12 * 3600.0))
    state = climate.climate(12 * 3600.0)
    assert (state.air_temp_c, state.humidity_pct) == (pytest.approx(23.3), pytest.approx(50.2))


@pytest.mark.parametrize("name", ["radiant_temp_c", "air_speed_m_s", "illuminance_lx", "irradiance_w_m2", "co2_ppm"])
def test_what_is_measured_beside_the_air_goes_stale_with_its_sensor_and_alone(name: str) -> None:
    value = {"co2_ppm": 600.0}.get(name, 0.5)
    climate = ClimateFilter("desk", stale_after_s=60.0)
    climate.add(reading(23.1, 45.2, 0.0, **{name: value}))
    assert getattr(climate.climate(60.0), name) == pytest.approx(value)
    assert getattr(climate.climate(61.0), name) is None
    climate.add(reading(23.2, 45.3, 61.0))
    alone = climate.climate(61.0)
    assert (alone.state, getattr(alone, name)) == ("fresh", None)


def test_a_quantity_that_stopped_coming_goes_stale_by_itself() -> None:
    climate = ClimateFilter("desk", stale_after_s=60.0)
    climate.add(reading(23.1, 45.2, 0.0))
    for second in range(1, 100):
        climate.add(reading(23.1 + second % 3 * 0.1, None, float(second)))
    state = climate.climate(99.0)
    assert (state.state, state.humidity_pct) == ("fresh", None)
    assert state.faults == ("no sensor of desk says the humidity now",)


def test_a_temperature_that_no_room_has_names_fahrenheit_where_it_may_be_that() -> None:
    assert no_room(reading(72.1, 45.0, 0.0, "serial:///dev/x")) == "72.1 °C is no room; if it is °F add ?unit=F"
    assert "add &unit=F" in str(no_room(reading(72.0, None, 0.0, "modbus:///dev/x?preset=xy-md02")))
    assert "°F" not in str(no_room(reading(500.0, None, 0.0)))
    assert no_room(reading(23.0, None, 0.0)) is None
    assert no_room(reading(None, 45.0, 0.0)) is None
    climate = fed([(72.0 + index / 10, 45.0) for index in range(3)])
    first = climate.climate(3.0).reason
    climate.add(reading(73.0, 45.0, 4.0))
    assert climate.climate(4.0).reason == first  # the same words, or each reading would be a message
    assert "if it is °F add" in str(first)


def test_a_stuck_sensor_that_moves_again_is_used_again() -> None:
    climate = fed([(23.4, 45.2)] * 361, every_s=10.0)
    climate.add(reading(23.5, 45.2, 3610.0))
    assert climate.climate(3610.0).state == "fresh"


def test_wall_clocks_that_jump_change_nothing_and_late_readings_are_refused() -> None:
    climate = ClimateFilter("desk")
    climate.add(reading(20.0, 40.0, 100.0, wall_time_s=2e9))
    climate.add(reading(20.1, 40.0, 101.0, wall_time_s=0.0))
    assert climate.climate(102.0).age_s == 1.0
    climate.add(reading(25.0, 40.0, 50.0))
    state = climate.climate(102.0)
    assert state.age_s == 1.0
    assert state.rejections == {"its time is before the last one's": 1}
    assert climate.climate(90.0).age_s == 0.0  # asked with an older time: never a negative age


def test_dew_point_and_absolute_humidity_are_those_of_the_tables() -> None:
    assert saturation_pressure_hpa(20.0) == pytest.approx(23.39, rel=0.004)  # steam tables: 2.339 kPa
    assert dew_point_c(25.0, 50.0) == pytest.approx(13.85, abs=0.05)
    assert absolute_humidity_g_m3(20.0, 100.0) == pytest.approx(17.3, rel=0.004)
    assert dew_point_c(20.0, 0.0) is None


@given(st.floats(-30, 60), st.floats(0.1, 100))
def test_the_dew_point_is_where_the_air_is_saturated(t: float, rh: float) -> None:
    dew = dew_point_c(t, rh)
    assert dew is not None
    assert dew <= t + 1e-9
    assert saturation_pressure_hpa(dew) == pytest.approx(saturation_pressure_hpa(t) * rh / 100.0, rel=1e-9)


_anything = st.none() | st.floats() | st.sampled_from([85.0, -40.0, 0.0, 20.0, 20.5, 45.0])


@given(
    st.lists(st.tuples(_anything, _anything, st.floats() | st.floats(0, 1000), st.sampled_from("ab")), max_size=30),
    st.floats(0, 2000),
)
def test_whatever_comes_the_climate_is_possible(rows: list[tuple[float, float, float, str]], now_s: float) -> None:
    climate = ClimateFilter("desk")
    for t, h, at, source in rows:
        climate.add(reading(t, h, at, source))
    state = climate.climate(now_s)
    assert (state.state == "fresh") == (state.air_temp_c is not None) == (state.reason is None)
    limits = DEFAULT_LIMITS["air_temp_c"]
    assert state.air_temp_c is None or limits.low <= state.air_temp_c <= limits.high
    assert state.humidity_pct is None or 0.0 < state.humidity_pct <= 100.0
    assert state.age_s is None or state.age_s >= 0.0


def test_workers_of_several_sensors_share_a_filter() -> None:
    climate = ClimateFilter("desk")
    faults: list[Exception] = []

    def work(first: int) -> None:
        try:
            for index in range(60):
                climate.add(reading(20.0 + index % 2, 40.0, float(index), f"{first}-{index}://"))
                climate.climate(float(index))
        except RuntimeError as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(climate.climate(60.0).sources) == 180
