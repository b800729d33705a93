"""When opening a window would help: on the side that people wish for, for fresh air, and never for humid air."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.comfort.window import SENTENCES, WindowSituation, window_advice
from comfywear.records import WindowAdvice

WARM = WindowSituation(27.0, 45.0, 600.0, 21.0, 50.0, "cooler", 1.2, 24.0)
COLD = WindowSituation(18.0, 45.0, 600.0, 23.0, 50.0, "warmer", -1.2, 23.0)
STALE_AIR = WindowSituation(23.0, 45.0, 1400.0, 8.0, 70.0, "no change", 0.1, 24.0)


@pytest.mark.parametrize(
    ("now", "why"), [(WARM, "cooler"), (COLD, "warmer"), (STALE_AIR, "fresher")], ids=["warm", "cold", "stale air"]
)
def test_it_helps_on_the_side_that_is_wished_for_or_for_fresh_air(now: WindowSituation, why: str) -> None:
    assert window_advice(now) == WindowAdvice(True, why)  # type: ignore[arg-type]
    assert why in SENTENCES


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (WARM._replace(outdoor_temp_c=25.5), "nothing outdoors is better"),
        (WARM._replace(outdoor_temp_c=31.0, outdoor_humidity_pct=20.0), "nothing outdoors is better"),
        (WARM._replace(outdoor_temp_c=12.0), "too cold"),
        (WARM._replace(decision="no change", expected_vote=0.2), "nothing outdoors is better"),
        (WARM._replace(outdoor_temp_c=24.0, outdoor_humidity_pct=90.0), "humid: 16.9 g/kg"),
        (COLD._replace(outdoor_temp_c=30.0, outdoor_humidity_pct=20.0), "too hot"),
        (COLD._replace(outdoor_temp_c=5.0), "nothing outdoors is better"),
        (STALE_AIR._replace(outdoor_temp_c=-8.0), "too cold"),
        (STALE_AIR._replace(outdoor_temp_c=33.0, outdoor_humidity_pct=20.0), "too hot"),
        (STALE_AIR._replace(co2_ppm=900.0), "nothing outdoors is better"),
    ],
)
def test_it_does_not_help_where_outdoors_is_no_better_too_cold_too_hot_or_humid(
    now: WindowSituation, reason: str
) -> None:
    said = window_advice(now)
    assert (said.helps, said.why) == (False, None)
    assert reason in (said.reason or "")


def test_humid_air_does_not_matter_where_it_is_drier_than_indoors() -> None:
    assert window_advice(WARM._replace(humidity_pct=70.0, outdoor_temp_c=22.0, outdoor_humidity_pct=80.0)).helps


def test_without_the_humidity_outdoors_only_the_temperatures_count() -> None:
    assert window_advice(WARM._replace(outdoor_humidity_pct=None)).helps


@pytest.mark.parametrize("gone", ["outdoor_temp_c", "air_temp_c", "neutral_c"])
def test_what_is_not_known_gives_no_answer_also_after_one(gone: str) -> None:
    said = window_advice(WARM._replace(**{gone: None}), WindowAdvice(True, "cooler"))
    assert (said.helps, said.why) == (None, None)
    assert "not known" in (said.reason or "")


def test_what_has_begun_lasts_until_it_is_clearly_over() -> None:
    begun = window_advice(WARM)
    assert not window_advice(WARM._replace(outdoor_temp_c=25.6)).helps
    assert window_advice(WARM._replace(outdoor_temp_c=25.6), begun).helps
    assert not window_advice(WARM._replace(outdoor_temp_c=26.2), begun).helps
    assert window_advice(WARM._replace(decision="no change", expected_vote=0.3), begun).helps
    assert not window_advice(WARM._replace(decision="no change", expected_vote=-0.1), begun).helps
    fresher = window_advice(STALE_AIR)
    assert window_advice(STALE_AIR._replace(co2_ppm=850.0), fresher).helps
    assert not window_advice(STALE_AIR._replace(co2_ppm=790.0), fresher).helps


@given(st.floats(-30, 45), st.floats(-0.5, 0.5), st.sampled_from([WARM, COLD, STALE_AIR]))
def test_noise_of_half_a_kelvin_does_not_make_it_open_and_close(
    outdoors_c: float, noise_k: float, now: WindowSituation
) -> None:
    first = window_advice(now._replace(outdoor_temp_c=outdoors_c))
    second = window_advice(now._replace(outdoor_temp_c=outdoors_c + noise_k), first)
    third = window_advice(now._replace(outdoor_temp_c=outdoors_c), second)
    changes = (first.helps != second.helps) + (second.helps != third.helps)
    assert changes <= 1, (first, second, third)


@given(st.floats(15, 32), st.floats(-30, 45), st.sampled_from(["cooler", "no change", "warmer"]), st.floats(400, 2500))
def test_nobody_is_told_to_let_the_wrong_temperature_in(
    indoors_c: float, outdoors_c: float, decision: str, ppm: float
) -> None:
    vote = {"cooler": 1.0, "no change": 0.0, "warmer": -1.0}[decision]
    said = window_advice(WindowSituation(indoors_c, 40.0, ppm, outdoors_c, None, decision, vote, 24.0))
    if said.why == "cooler":
        assert 14.0 <= outdoors_c <= indoors_c - 2.0
    if said.why == "warmer":
        assert indoors_c + 2.0 <= outdoors_c <= 29.0
    if said.why == "fresher":
        assert ppm >= 1000.0
        assert 0.0 <= outdoors_c <= 29.0
