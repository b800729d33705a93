"""What is remembered of each sensor for calibrating, and that its board's warmth is taken from what it says."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear import settings as settings_file
from comfywear.device.air.climate_worker import Sensors, calibration_of
from comfywear.device.air.reading_log import RECENT, ReadingLog
from comfywear_sensors import Calibration, ClimateFilter, Reading
from comfywear_sensors.air import absolute_humidity_g_m3


def said(t: float | None, h: float | None, at: float, source: str = "a://") -> Reading:
    return Reading(t, h, at, source)


def test_readings_are_kept_with_the_board_and_as_means_of_minutes() -> None:
    board = iter([50.0, 60.0, None, *[55.0] * 100])
    log = ReadingLog(lambda: next(board))
    assert [log.add(said(20.0 + at / 100, None, float(at))) for at in (0, 4, 6, 12)] == [50.0, 50.0, 60.0, None]
    log.add(said(20.7, 40.0, 70.0))
    assert [each.at_s for each in log.recent("a://")] == [0.0, 4.0, 6.0, 12.0, 70.0]
    (minute,) = log.minutes("a://")
    assert minute.air_temp_c == pytest.approx(20.055)
    assert minute.board_temp_c == pytest.approx((50 + 50 + 60) / 3)
    assert math.isnan(minute.humidity_pct)
    assert log.recent("b://") == log.minutes("b://") == []


def test_what_no_room_can_have_is_left_out_and_memory_is_bounded() -> None:
    log = ReadingLog(lambda: None)
    log.add(said(85.0, None, 0.0))
    assert log.recent("a://") == []
    for step in range(RECENT + 50):
        log.add(said(20.0 + 0.01 * (step % 3), 40.0, 2.0 * step))
    assert len(log.recent("a://")) == RECENT
    assert log.resolution("a://", "air_temp_c") == pytest.approx(0.01)


@given(st.floats(0.0, 0.5), st.floats(10, 35), st.floats(5, 95), st.floats(10, 90), st.floats(0, 5))
def test_the_warmth_of_the_board_is_taken_away_bounded_and_the_water_in_the_air_stays(
    gain: float, air: float, humidity: float, board: float, most: float
) -> None:
    calibration = Calibration(self_heating_gain=gain, self_heating_most_k=most)
    found = calibration.cooled({"air_temp_c": air, "humidity_pct": humidity}, board)
    taken = air - found["air_temp_c"]
    assert -1e-9 <= taken <= most + 1e-9
    assert taken == pytest.approx(min(max(gain * (board - air), 0.0), most), abs=1e-9)
    water = absolute_humidity_g_m3(found["air_temp_c"], found["humidity_pct"])
    assert water * (found["air_temp_c"] + 273.15) == pytest.approx(
        absolute_humidity_g_m3(air, humidity) * (air + 273.15)
    )


def test_it_is_off_by_default_and_without_the_boards_temperature() -> None:
    values = {"air_temp_c": 25.0, "humidity_pct": 40.0}
    assert Calibration().cooled(values, 70.0) == values
    assert Calibration(self_heating_gain=0.1).cooled(values, None) == values
    assert Calibration(self_heating_gain=0.1).cooled({"humidity_pct": 40.0}, 70.0) == {"humidity_pct": 40.0}


def test_a_zones_climate_is_what_the_settings_make_of_its_sensor(tmp_path: Path) -> None:
    path = tmp_path / "device.toml"
    path.write_text(
        "[[sensors]]\nuri = 'fake://'\ntemp_offset_k = 0.5\n[sensors.self_heating]\ngain = 0.1\nmost_k = 2\n"
    )
    settings = settings_file.load(path)
    climate = ClimateFilter("room", time_constant_s=0, calibration={"a://": calibration_of(settings.sensors[0])})
    climate.add(said(25.0, 40.0, 0.0), 35.0)
    assert climate.climate(0.0).air_temp_c == pytest.approx(25.0 - 1.0 + 0.5)
    climate.add(said(25.0, 40.0, 500.0), 85.0)
    assert climate.climate(500.0).air_temp_c == pytest.approx(25.0 - 2.0 + 0.5)
    sensors = Sensors(settings, lambda: 35.0)
    assert sensors.log.board_temp_c(0.0) == 35.0
    sensors.close()
