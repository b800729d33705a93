"""The standards against pythermalcomfort on 10⁴ random inputs, and numbers against arrays."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear import comfort

COUNT = 10_000
Columns = dict[str, Any]

RANGES = {
    "tdb": (5.0, 45.0), "tr": (5.0, 45.0), "v": (0.0, 1.9), "rh": (1.0, 99.0), "met": (1.0, 1.9), "clo": (0.1, 1.4),
    "t_running_mean": (5.0, 35.0), "v_ankle": (0.0, 0.8), "vertical_tmp_grad": (0.0, 10.0), "wind": (0.2, 18.0),
}  # fmt: skip


def columns(count: int = COUNT, **other: tuple[float, float]) -> Columns:
    draw = np.random.default_rng(8).uniform
    return {name: draw(low, high, count) for name, (low, high) in (RANGES | other).items()}


@pytest.fixture(scope="module")
def theirs() -> Any:
    pytest.importorskip("pythermalcomfort", minversion="4.8")
    return pytest.importorskip("pythermalcomfort.models")


def quiet(call: Callable[[], Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call()


def test_adaptive_ashrae_agrees(theirs: Any) -> None:
    x = columns()
    inputs = (x["tdb"], x["tr"], x["t_running_mean"], x["v"])
    ours, other = comfort.adaptive_ashrae(*inputs), quiet(lambda: theirs.adaptive_ashrae(*inputs, round_output=False))
    pairs = {"neutral_c": "tmp_cmf", "low_80_c": "tmp_cmf_80_low", "high_80_c": "tmp_cmf_80_up",
             "low_90_c": "tmp_cmf_90_low", "high_90_c": "tmp_cmf_90_up"}  # fmt: skip
    for name, key in pairs.items():
        np.testing.assert_allclose(getattr(ours, name), getattr(other, key), atol=1e-9)
    for share in ("80", "90"):
        accepted = np.nan_to_num(np.asarray(getattr(other, f"acceptability_{share}"), float)) > 0.5
        np.testing.assert_array_equal(getattr(ours, f"within_{share}"), accepted)


def test_adaptive_en_agrees(theirs: Any) -> None:
    x = columns()
    inputs = (x["tdb"], x["tr"], x["t_running_mean"], x["v"])
    ours, other = comfort.adaptive_en(*inputs), quiet(lambda: theirs.adaptive_en(*inputs, round_output=False))
    np.testing.assert_allclose(ours.neutral_c, other.tmp_cmf, atol=1e-9)
    for number, roman in enumerate(("i", "ii", "iii"), 1):
        for side, key in (("low", "low"), ("high", "up")):
            bound = getattr(other, f"tmp_cmf_cat_{roman}_{key}")
            np.testing.assert_allclose(getattr(ours, f"{side}_{number}_c"), bound, atol=1e-9)
        held = np.nan_to_num(np.asarray(getattr(other, f"acceptability_cat_{roman}"), float)) > 0.5
        np.testing.assert_array_equal(ours.category <= number, held)


def test_running_mean_agrees() -> None:
    environment = pytest.importorskip("pythermalcomfort.environment")
    days = np.random.default_rng(3).uniform(-5, 25, 40).tolist()
    theirs = environment.running_mean_outdoor_temperature(days, alpha=0.8)
    assert comfort.running_mean(days) == pytest.approx(theirs, abs=0.051)  # theirs is rounded
    step = comfort.next_running_mean(comfort.running_mean(days[1:]), days[0])
    assert step == pytest.approx(comfort.running_mean(days), abs=0.01)
    assert math.isnan(comfort.running_mean([]))


@pytest.mark.parametrize(("count", "speed"), [(COUNT, (0.0, 0.1)), (150, (0.1, 0.2))])
def test_local_discomfort_agrees(theirs: Any, count: int, speed: tuple[float, float]) -> None:
    # Theirs rounds PMV and, above 0.1 m/s, the cooling effect to a hundredth; the search for that is slow.
    x = columns(count, tdb=(12, 38), tr=(12, 38), v=speed)
    inputs = [x[name] for name in ("tdb", "tr", "v", "rh", "met", "clo")]
    other = quiet(lambda: theirs.ankle_draft(*inputs, x["v_ankle"])).ppd_ad
    np.testing.assert_allclose(comfort.ankle_draft_pct(*inputs, x["v_ankle"]), other, atol=0.3)
    gradient = x["vertical_tmp_grad"]
    other = quiet(lambda: theirs.vertical_tmp_grad_ppd(*inputs, gradient, round_output=False)).ppd_vg
    np.testing.assert_allclose(comfort.vertical_gradient_pct(*inputs, gradient), other, atol=0.3)


def test_moist_air_agrees(theirs: Any) -> None:
    psychrometrics = pytest.importorskip("pythermalcomfort.psychrometrics")
    x = columns(tdb=(-15.0, 48.0), rh=(5.0, 99.0))
    other = psychrometrics.psy_ta_rh(x["tdb"], x["rh"])
    t, rh = x["tdb"], x["rh"]
    np.testing.assert_allclose(comfort.saturation_pa(t), other.p_sat, rtol=1e-6)
    np.testing.assert_allclose(comfort.vapour_pressure_pa(t, rh), other.p_vap, rtol=1e-6)
    np.testing.assert_allclose(comfort.dew_point_c(t, rh), other.dew_point_tmp, atol=1e-9)
    np.testing.assert_allclose(comfort.wet_bulb_stull_c(t, rh), other.wet_bulb_tmp, atol=1e-9)
    np.testing.assert_allclose(comfort.humidity_ratio_g_kg(t, rh), 1000 * other.hr, rtol=1e-3)
    # Theirs takes other heat capacities (1.004 and 1.805 kJ/(kg K)).
    np.testing.assert_allclose(comfort.enthalpy_kj_kg(t, rh), other.h / 1000, rtol=5e-3, atol=0.15)


def test_hot_and_outdoor_indices_agree(theirs: Any) -> None:
    x = columns()
    t, rh, v, wind = x["tdb"], x["rh"], x["v"], x["wind"]
    np.testing.assert_allclose(
        comfort.heat_index_c(t, rh), quiet(lambda: theirs.heat_index_rothfusz(t, rh, round_output=False)).hi, atol=1e-9
    )
    np.testing.assert_allclose(comfort.humidex(t, rh), theirs.humidex(t, rh, round_output=False).humidex, atol=1e-9)
    np.testing.assert_allclose(comfort.discomfort_index_c(t, rh), theirs.discomfort_index(t, rh).di, atol=0.0501)
    np.testing.assert_allclose(
        comfort.apparent_temperature_c(t, rh, wind), theirs.at(t, rh, wind, round_output=False).at, atol=1e-6
    )
    np.testing.assert_allclose(
        comfort.apparent_temperature_c(t, rh, wind, 80.0),
        theirs.at(t, rh, wind, 80.0, round_output=False).at,
        atol=1e-6,
    )
    net = theirs.net(t, rh, v, round_output=False).net
    np.testing.assert_allclose(comfort.net_effective_temperature_c(t, rh, v), net, atol=1e-9)
    np.testing.assert_allclose(
        comfort.wbgt_c(t - 5, t, t - 1, sunshine=True),
        theirs.wbgt(t - 5, t, t - 1, with_solar_load=True, round_output=False).wbgt,
        atol=1e-9,
    )
    cold = t - 35.0
    chill = quiet(lambda: theirs.wind_chill_temperature(cold, wind, round_output=False)).wct
    np.testing.assert_allclose(comfort.wind_chill_c(cold, wind), np.where(cold <= 10, chill, np.nan), atol=1e-9)
    np.testing.assert_allclose(comfort.likely_clo(cold), theirs.clo_tout(cold).clo_tout, atol=0.0051)


@pytest.mark.parametrize("limit", [True, False])
def test_utci_agrees(theirs: Any, limit: bool) -> None:
    x = columns(tdb=(-55.0, 55.0), wind=(0.2, 18.0))
    tr = x["tdb"] + np.random.default_rng(1).uniform(-35, 75, COUNT)
    other = quiet(lambda: theirs.utci(x["tdb"], tr, x["wind"], x["rh"], limit_inputs=limit, round_output=False)).utci
    np.testing.assert_allclose(comfort.utci_c(x["tdb"], tr, x["wind"], x["rh"], limit=limit), other, atol=1e-6)


def test_adapted_votes_agree(theirs: Any) -> None:
    x = columns(tdb=(16.0, 30.0), tr=(16.0, 30.0), v=(0.0, 0.5), t_running_mean=(0.0, 30.0))
    inputs = [x[name] for name in ("tdb", "tr", "v", "rh", "met", "clo")]
    # Theirs bends a PMV that was rounded to a hundredth.
    for ours, name, factor in ((comfort.pmv_adaptive, "pmv_a", 0.2), (comfort.pmv_expectancy, "pmv_e", 0.7)):
        other = np.asarray(next(iter(vars(quiet(lambda n=name, f=factor: getattr(theirs, n)(*inputs, f))).values())))
        np.testing.assert_allclose(ours(*inputs, factor), other, atol=0.03)
    other = quiet(lambda: theirs.pmv_athb(*inputs[:5], x["t_running_mean"])).athb_pmv
    np.testing.assert_allclose(comfort.athb_pmv(*inputs[:5], x["t_running_mean"]), other, atol=2e-3)


def test_wet_bulb_is_that_of_the_handbook_and_near_stulls() -> None:
    # ASHRAE Handbook, Fundamentals, chapter 1: air of 40 °C, wet bulb 20 °C, has 6.5 g/kg and a dew point of 7 °C.
    assert comfort.wet_bulb_c(40.0, comfort.humidity_at(7.0, 100.0, 40.0)) == pytest.approx(20.0, abs=0.2)
    assert comfort.humidity_ratio_g_kg(7.0, 100.0) == pytest.approx(6.5, abs=0.4)
    x = columns(tdb=(0.0, 45.0), rh=(10.0, 99.0))
    difference = comfort.wet_bulb_stull_c(x["tdb"], x["rh"]) - comfort.wet_bulb_c(x["tdb"], x["rh"])
    assert np.abs(difference).max() < 1.1
    assert np.abs(difference).mean() < 0.35
    np.testing.assert_allclose(comfort.wet_bulb_c(x["tdb"], np.full(COUNT, 100.0)), x["tdb"], atol=1e-5)


def test_sensors_and_standards_have_the_same_dew_point_and_water() -> None:
    from comfywear_sensors import air

    for t, rh in ((21.5, 47.0), (-8.0, 80.0), (33.0, 12.0)):
        assert comfort.dew_point_c(t, rh) == pytest.approx(air.dew_point_c(t, rh), abs=1e-9)
    for t, rh in ((21.5, 47.0), (5.0, 80.0), (33.0, 12.0)):
        assert comfort.absolute_humidity_g_m3(t, rh) == pytest.approx(air.absolute_humidity_g_m3(t, rh), rel=4e-3)


def test_mould_on_a_cold_corner() -> None:
    corner = comfort.surface_temperature_c(20.0, -5.0, 0.7)
    assert corner == pytest.approx(12.5)
    # DIN 4108-2 is made so that air of 20 °C and 50 % just has 80 % there.
    found = comfort.mould(20.0, 50.0, corner)
    assert found.surface_humidity_pct == pytest.approx(80.0, abs=1.0)
    old = comfort.mould(20.0, 60.0, comfort.surface_temperature_c(20.0, -5.0, 0.5))
    assert old.above_criterion
    assert old.condenses
    assert not comfort.mould(20.0, 35.0, corner).can_grow
    assert comfort.critical_humidity_pct(20.0) == pytest.approx(80.0, abs=0.1)
    assert comfort.critical_humidity_pct(0.0) == pytest.approx(100.0)
    assert math.isnan(comfort.surface_temperature_c(20.0, 0.0, 1.2))


def test_wbgt_of_a_room_lies_between_its_wet_bulb_and_its_air() -> None:
    x = columns(tdb=(20.0, 45.0), rh=(10.0, 100.0))
    found = comfort.wbgt_indoors_c(x["tdb"], x["rh"], x["v"])
    assert (found <= x["tdb"] + 1e-6).all()
    assert (found >= comfort.wet_bulb_c(x["tdb"], x["rh"]) - 1e-6).all()
    with pytest.raises(ValueError, match="air_temp_c"):
        comfort.wbgt_c(25.0, 30.0, sunshine=True)


# One argument each that is inside, so that hypothesis finds what is not.
CALLS: dict[str, tuple[Callable[..., Any], int]] = {
    "adaptive_ashrae": (lambda *x: comfort.adaptive_ashrae(*x).high_80_c, 4),
    "adaptive_en": (lambda *x: comfort.adaptive_en(*x).category, 4),
    "ankle_draft": (lambda *x: comfort.ankle_draft_pct(*x), 7),
    "vertical_gradient": (lambda *x: comfort.vertical_gradient_pct(*x), 7),
    "dew_point": (comfort.dew_point_c, 2),
    "wet_bulb": (comfort.wet_bulb_c, 2),
    "wet_bulb_stull": (comfort.wet_bulb_stull_c, 2),
    "absolute_humidity": (comfort.absolute_humidity_g_m3, 2),
    "humidity_ratio": (comfort.humidity_ratio_g_kg, 3),
    "enthalpy": (comfort.enthalpy_kj_kg, 2),
    "mould": (lambda *x: comfort.mould(*x).surface_humidity_pct, 3),
    "critical_humidity": (comfort.critical_humidity_pct, 1),
    "heat_index": (comfort.heat_index_c, 2),
    "humidex": (comfort.humidex, 2),
    "discomfort_index": (comfort.discomfort_index_c, 2),
    "wbgt_indoors": (comfort.wbgt_indoors_c, 3),
    "apparent_temperature": (comfort.apparent_temperature_c, 3),
    "net_effective_temperature": (comfort.net_effective_temperature_c, 3),
    "wind_chill": (comfort.wind_chill_c, 2),
    "likely_clo": (comfort.likely_clo, 1),
    "utci": (comfort.utci_c, 4),
    "pmv_adaptive": (comfort.pmv_adaptive, 7),
    "pmv_expectancy": (comfort.pmv_expectancy, 7),
}
USUAL = (25.0, 26.0, 0.15, 45.0, 1.2, 0.6, 0.3)


@pytest.mark.parametrize("name", CALLS)
@given(values=st.lists(st.floats(-1e4, 1e4) | st.floats(0, 50) | st.just(math.nan), min_size=7, max_size=7))
def test_any_numbers_give_a_value_or_nan_and_the_same_in_an_array(name: str, values: list[float]) -> None:
    function, count = CALLS[name]
    one = function(*values[:count])
    with np.errstate(all="ignore"):
        many = function(*[np.array([value, usual]) for value, usual in zip(values, USUAL[:count], strict=False)])
    assert isinstance(one, float)
    np.testing.assert_allclose(many[0], one, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", CALLS)
def test_an_array_keeps_its_shape(name: str) -> None:
    function, count = CALLS[name]
    assert np.shape(function(np.full((2, 3), USUAL[0]), *USUAL[1:count])) == (2, 3)
