"""Adaptive comfort of a zone: as pythermalcomfort has it, and a reason where a standard does not hold."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.comfort.adaptive_comfort import adaptive_comfort

models = pytest.importorskip("pythermalcomfort.models", reason="the oracle pythermalcomfort is not installed")


@settings(max_examples=300, deadline=None)
@given(
    st.floats(15, 35), st.one_of(st.none(), st.floats(15, 35)), st.floats(10.5, 29.5), st.sampled_from([0.1, 0.7, 1.0])
)
def test_categories_and_acceptability_are_those_of_pythermalcomfort(
    air_c: float, radiant_c: float | None, mean_c: float, speed: float
) -> None:
    ours = adaptive_comfort(air_c, radiant_c, mean_c, air_speed_m_s=speed, met=1.1)
    walls_c = air_c if radiant_c is None else radiant_c
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        en = models.adaptive_en(air_c, walls_c, mean_c, speed)
        ashrae = models.adaptive_ashrae(air_c, walls_c, mean_c, speed)
    assert ours.reason is None
    # Within a rounding of theirs (to 0.1 °C) of a bound the answers may differ.
    edges = [en.tmp_cmf_cat_i_low, en.tmp_cmf_cat_i_up, en.tmp_cmf_cat_ii_low, en.tmp_cmf_cat_ii_up]
    edges += [en.tmp_cmf_cat_iii_low, en.tmp_cmf_cat_iii_up]
    if all(abs((ours.operative_c or 0.0) - edge) > 0.11 for edge in edges):
        theirs = next(
            (name for name, yes in (("I", en.acceptability_cat_i), ("II", en.acceptability_cat_ii),
                                    ("III", en.acceptability_cat_iii)) if yes),
            "outside",
        )  # fmt: skip
        assert ours.en_category == theirs
    assert ours.en_low_c == pytest.approx(en.tmp_cmf_cat_ii_low, abs=0.051)
    assert ours.ashrae_low_c == pytest.approx(ashrae.tmp_cmf_80_low, abs=0.051)
    assert ours.ashrae_high_c == pytest.approx(ashrae.tmp_cmf_80_up, abs=0.051)


@pytest.mark.parametrize(
    ("given_", "reason"),
    [
        ({"running_mean_c": None}, "not known yet"),
        ({"air_temp_c": None}, "no air temperature"),
        ({"running_mean_c": 4.2}, "10…30 °C outdoors"),
        ({"met": 2.0}, "2 met"),
        ({"met": 1.4}, "EN holds up to 1.3 met"),
        ({"running_mean_c": 32.0}, "the running mean is 32.0 °C"),
        ({"cooling": "air conditioned"}, "air conditioned"),
    ],
)
def test_where_a_standard_does_not_hold_the_reason_is_said(given_: dict[str, object], reason: str) -> None:
    known = {"air_temp_c": 24.0, "radiant_temp_c": None, "running_mean_c": 15.0, "air_speed_m_s": 0.1, "met": 1.1}
    found = adaptive_comfort(**(known | given_))  # type: ignore[arg-type]
    assert reason in (found.reason or "")
    assert found.en_category is None


def test_in_strong_sun_en_alone_holds() -> None:
    found = adaptive_comfort(29.0, 42.2, 16.0, air_speed_m_s=0.1, met=1.1)
    assert (found.en_category, found.ashrae_acceptability) == ("outside", None)
    assert "29.0 and 42.2 °C" in (found.reason or "")


def test_between_the_two_limits_of_activity_and_of_the_weather_ashrae_alone_holds() -> None:
    busy = adaptive_comfort(24.0, None, 15.0, air_speed_m_s=0.1, met=1.4)
    hot = adaptive_comfort(28.0, None, 32.0, air_speed_m_s=0.1, met=1.1)
    assert (busy.en_category, busy.ashrae_acceptability) == (None, "90 %")
    assert (hot.en_category, hot.ashrae_acceptability) == (None, "90 %")
