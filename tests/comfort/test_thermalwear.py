"""ThermalWear: modelled skin temperature, what moves it, and what it assumes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.comfort import Sunshine, ThermalWear, clothing_of_names, two_node
from comfywear.records import Clothing, ColourShare

OFFICE = clothing_of_names(["shirt", "trousers", "shoes"])
BLACK, WHITE = [ColourShare("black", 1.0, (0, 0, 0))], [ColourShare("white", 1.0, (255, 255, 255))]


def test_it_is_the_two_node_model() -> None:
    found = ThermalWear().estimate(24.0, 45.0, OFFICE, met=1.1, air_speed_m_s=0.15, radiant_temp_c=25.0)
    expected = two_node(24.0, 25.0, 0.15, 45.0, 1.1, OFFICE.clo, position="sitting")
    assert found.skin_temp_c == pytest.approx(expected.t_skin)
    assert found.core_temp_c == pytest.approx(expected.t_core)
    assert found.skin_wettedness == pytest.approx(expected.w)
    assert found.zone_c is not None
    assert found.zone_c[0] < found.zone_c[1]


def test_without_sun_colour_has_no_effect_and_it_says_so() -> None:
    black, white = (ThermalWear().estimate(24.0, 45.0, OFFICE, colours=colour) for colour in (BLACK, WHITE))
    assert black.skin_temp_c == white.skin_temp_c
    assert black.sensitivities["colour white to black"] == 0.0
    assert any("colour" in sentence for sentence in black.assumptions)


@pytest.mark.parametrize(("direct", "kelvin"), [(100.0, 0.084), (300.0, 0.250), (600.0, 0.459)])
def test_black_and_white_in_the_sun_differ_as_measured_before(direct: float, kelvin: float) -> None:
    # 26 °C, 50 %, 0.61 clo, seated; the sun from the side at 45°, no glass, half of the body in it.
    sun = Sunshine(direct, altitude_deg=45.0, angle_deg=90.0, transmittance=1.0, sky_view=0.2, body_exposed=0.5)
    found = ThermalWear().estimate(26.0, 50.0, Clothing(0.61, 0.05), colours=BLACK, solar=sun)
    pale = ThermalWear().estimate(26.0, 50.0, Clothing(0.61, 0.05), colours=WHITE, solar=sun)
    assert found.skin_temp_c is not None
    assert pale.skin_temp_c is not None
    assert found.skin_temp_c - pale.skin_temp_c == pytest.approx(kelvin, abs=0.002)
    assert found.sensitivities["colour white to black"] == pytest.approx(kelvin, abs=0.002)
    assert found.sensitivities["sunshine"] > kelvin


def test_what_was_not_measured_is_said() -> None:
    nothing = ThermalWear().estimate(24.0, 45.0, OFFICE)
    everything = ThermalWear().estimate(24.0, 45.0, OFFICE, met=1.2, air_speed_m_s=0.1, radiant_temp_c=24.0)
    for word in ("met", "air", "walls"):
        assert any(word in sentence for sentence in nothing.assumptions)
    assert len(everything.assumptions) == len(nothing.assumptions) - 3


def test_sensitivities_are_differences_of_the_same_model() -> None:
    found = ThermalWear().estimate(24.0, 45.0, OFFICE)
    warmer = ThermalWear().estimate(25.0, 45.0, OFFICE)
    assert found.skin_temp_c is not None
    assert warmer.skin_temp_c is not None
    assert found.sensitivities["air_temp +1 K"] == pytest.approx(warmer.skin_temp_c - found.skin_temp_c)
    humid = ThermalWear().estimate(24.0, 96.0, OFFICE).sensitivities["humidity +10 %"]
    assert 0.0 < humid < 0.2


@pytest.mark.parametrize(
    ("air", "humidity", "word"),
    [(None, 50.0, "air temperature"), (24.0, None, "humidity"), (80.0, 50.0, "air temperature"),
     (24.0, 120.0, "humidity"), (math.nan, 50.0, "air temperature"), (24.0, math.inf, "humidity")],
)  # fmt: skip
def test_outside_its_range_there_is_a_reason_and_no_value(air: float | None, humidity: float | None, word: str) -> None:
    found = ThermalWear().estimate(air, humidity, OFFICE)
    assert found.skin_temp_c is None
    assert found.reason is not None
    assert word in found.reason


def test_impossible_sunshine_has_a_reason() -> None:
    found = ThermalWear().estimate(24.0, 50.0, OFFICE, solar=Sunshine(500.0, altitude_deg=120.0))
    assert found.skin_temp_c is None
    assert "sunshine" in (found.reason or "")


@settings(deadline=None)
@given(
    air=st.floats(allow_nan=True), humidity=st.floats(allow_nan=True), clo=st.floats(0, 5), met=st.floats(0, 6),
    speed=st.floats(-1, 6),
)  # fmt: skip
def test_there_is_always_a_finite_value_or_a_reason(
    air: float, humidity: float, clo: float, met: float, speed: float
) -> None:
    found = ThermalWear().estimate(air, humidity, Clothing(clo, 0.1), met=met, air_speed_m_s=speed)
    if found.reason is None:
        assert found.skin_temp_c is not None
        assert 10.0 < found.skin_temp_c < 45.0
        assert all(math.isfinite(change) for change in found.sensitivities.values())
    else:
        assert found.skin_temp_c is None
