"""Where the sun stands, and what of the radiation is its beam."""

from __future__ import annotations

from datetime import datetime, timezone
from math import radians, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.comfort import solar_gain
from comfywear.comfort.standards.sun import beam_of, sun_position


def test_it_stands_where_the_reference_algorithm_has_it() -> None:
    # Reda and Andreas, NREL/TP-560-34302, appendix A.5: Golden, Colorado, 1830 m; theirs has refraction (0.02°).
    moment = datetime(2003, 10, 17, 19, 30, 30, tzinfo=timezone.utc).timestamp()
    found = sun_position(moment, 39.742476, -105.1786)
    assert found.altitude_deg == pytest.approx(90.0 - 50.11162, abs=0.03)
    assert found.azimuth_deg == pytest.approx(194.34024, abs=0.02)


@pytest.mark.parametrize(
    ("when", "latitude", "longitude", "altitude", "azimuth"),
    [
        (datetime(2026, 3, 20, 12, 7, tzinfo=timezone.utc), 0.0, 0.0, 90.0, None),  # equinox on the equator
        (datetime(2026, 6, 21, 12, 2, tzinfo=timezone.utc), 51.48, 0.0, 90.0 - 51.48 + 23.44, 180.0),
        (datetime(2026, 12, 21, 1, 53, tzinfo=timezone.utc), -33.87, 151.21, 90.0 - 33.87 + 23.44, 0.0),  # Sydney
        (datetime(2026, 12, 21, 10, 42, tzinfo=timezone.utc), 69.65, 18.96, -3.1, None),  # Tromsø: it does not rise
    ],
)
def test_seasons_hemispheres_and_the_polar_night(
    when: datetime, latitude: float, longitude: float, altitude: float, azimuth: float | None
) -> None:
    found = sun_position(when.timestamp(), latitude, longitude)
    assert found.altitude_deg == pytest.approx(altitude, abs=0.3)
    if azimuth is not None:
        assert abs((found.azimuth_deg - azimuth + 180.0) % 360.0 - 180.0) < 6.0


def test_in_the_morning_it_is_in_the_east_and_in_the_evening_in_the_west() -> None:
    morning, evening = (
        sun_position(datetime(2026, 9, 23, hour, tzinfo=timezone.utc).timestamp(), 50.0, 8.0) for hour in (6, 17)
    )
    assert 80.0 < morning.azimuth_deg < 120.0
    assert 250.0 < evening.azimuth_deg < 280.0


@given(st.floats(0.0, 4e9), st.floats(-90, 90), st.floats(-180, 180))
def test_there_is_a_place_for_every_moment(unix_s: float, latitude: float, longitude: float) -> None:
    found = sun_position(unix_s, latitude, longitude)
    assert -90.0 <= found.altitude_deg <= 90.0
    assert 0.0 <= found.azimuth_deg <= 360.0


@given(st.floats(1.0, 1400.0), st.floats(3.0, 90.0))
def test_beam_and_sky_together_are_what_was_measured(global_w_m2: float, altitude: float) -> None:
    beam = beam_of(global_w_m2, altitude)
    assert 0.0 <= beam.diffuse_w_m2 <= global_w_m2
    assert 0.0 <= beam.direct_w_m2 <= 1361.0
    together = beam.direct_w_m2 * sin(radians(altitude)) + beam.diffuse_w_m2
    assert together <= global_w_m2 + 1e-6
    if beam.direct_w_m2 < 1361.0:
        assert together == pytest.approx(global_w_m2)


def test_under_clouds_all_is_diffuse_under_a_clear_sky_little_is_and_at_night_nothing() -> None:
    grey, clear = beam_of(100.0, 45.0), beam_of(750.0, 45.0)
    assert grey.direct_w_m2 < 5.0
    assert clear.diffuse_w_m2 < 0.2 * 750.0
    assert beam_of(500.0, -1.0) == beam_of(-3.0, 40.0) == beam_of(float("nan"), 40.0) == (0.0, 0.0)
    assert beam_of(20.0, 1.0) == (0.0, 20.0)


def test_the_diffuse_part_that_the_standard_assumes_is_its_default() -> None:
    given_ = {"sol_altitude": 40.0, "sharp": 90.0, "sol_radiation_dir": 600.0, "sol_transmittance": 0.6}
    given_ |= {"f_svv": 0.2, "f_bes": 0.5}
    assert solar_gain(**given_, sol_radiation_diffuse=120.0) == solar_gain(**given_)
    assert solar_gain(**given_, sol_radiation_diffuse=0.0).erf < solar_gain(**given_).erf
    assert solar_gain(**given_, sol_radiation_diffuse=-1.0).erf != solar_gain(**given_, sol_radiation_diffuse=-1.0).erf
