"""The stated model of a room."""

from __future__ import annotations

import pytest
from hand_clock import HandClock

from comfywear_sensors import BadSensorURI, ClimateFilter, open_reader
from comfywear_sensors.air import absolute_humidity_g_m3


def test_it_is_always_marked_as_simulated_up_to_the_climate(clock: HandClock) -> None:
    reader = open_reader("fake://office", clock=clock)
    reading = reader.read()
    assert reading.simulated
    climate = ClimateFilter("desk")
    climate.add(reading)
    assert climate.climate(clock.monotonic()).simulated


def test_without_noise_it_is_the_stated_sine_with_constant_water_vapour(clock: HandClock) -> None:
    reader = open_reader("fake://office?air_temp=22&humidity=45&swing=3&period=400&noise=0", clock=clock)
    said = []
    for _ in range(4):
        reading = reader.read()
        said.append(reading.air_temp_c)
        assert reading.air_temp_c is not None
        assert reading.humidity_pct is not None
        water = absolute_humidity_g_m3(reading.air_temp_c, reading.humidity_pct)
        assert water == pytest.approx(absolute_humidity_g_m3(22.0, 45.0), rel=0.015)
        clock.sleep(100.0)
    assert said == pytest.approx([22.0, 25.0, 22.0, 19.0], abs=0.011)


def test_the_same_seed_gives_the_same_room(clock: HandClock) -> None:
    def first(seed: int) -> list[float | None]:
        reader = open_reader(f"fake://?seed={seed}&noise=1", clock=clock)
        return [reader.read().air_temp_c for _ in range(5)]

    assert first(1) == first(1) != first(2)


def test_a_room_that_cannot_be_is_refused() -> None:
    with pytest.raises(BadSensorURI, match="air_temp=99 should be a number from -20 to 50"):
        open_reader("fake://?air_temp=99")
