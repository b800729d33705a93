"""PMV and PPD against the validation tables, pythermalcomfort and what must hold everywhere."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from comfywear.comfort import cooling_effect, outside_standard, pmv_ppd, relative_air_speed
from comfywear.comfort.standards.pmv import ppd_of

POINT = {"tdb": 25.0, "tr": 25.0, "vr": 0.1, "rh": 50.0, "met": 1.2, "clo": 0.6}


def rows(data: Path, name: str) -> list[dict[str, Any]]:
    return json.loads((data / "comfort" / "validation" / name).read_text())["data"]


def random_inputs(count: int, seed: int) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed).uniform
    return {
        "tdb": draw(10, 40, count),
        "tr": draw(10, 40, count),
        "vr": draw(0, 1, count),
        "rh": draw(0, 100, count),
        "met": draw(0.8, 4, count),
        "clo": draw(0, 2, count),
    }


def metric(inputs: dict[str, Any]) -> dict[str, Any]:
    """The row's inputs in SI units and our words."""
    row = {key: np.asarray(inputs[key], float) for key in ("tdb", "tr", "vr", "rh", "met", "clo")}
    if inputs.get("units") == "ip":
        row |= {key: (row[key] - 32) / 1.8 for key in ("tdb", "tr")} | {"vr": row["vr"] / 3.281}
    row["standard"] = inputs.get("standard", "ISO").lower()
    row["limit"] = inputs.get("limit_inputs", True)
    row["airspeed_control"] = inputs.get("airspeed_control", True)
    return row


def test_every_row_of_the_table_is_within_its_tolerance(shared_data: Path) -> None:
    table = rows(shared_data, "ts_pmv_ppd.json")
    assert len(table) == 35
    for row in table:
        found = pmv_ppd(**metric(row["inputs"]))
        for key, tolerance in (("pmv", 0.1), ("ppd", 1.0)):
            expected = np.array(row["outputs"][key], dtype=float)  # None becomes NaN: outside the standard
            np.testing.assert_allclose(getattr(found, key), expected, atol=tolerance, err_msg=str(row))


def test_iso_rows_of_the_table_agree_to_what_is_printed(shared_data: Path) -> None:
    table = [row for row in rows(shared_data, "ts_pmv_ppd.json") if row.get("source") == "ISO 7730 2005"]
    assert len(table) == 12
    for row in table:
        assert abs(pmv_ppd(**metric(row["inputs"])).pmv - row["outputs"]["pmv"]) <= 0.1


def test_cooling_effect_is_within_its_table(shared_data: Path) -> None:
    for row in rows(shared_data, "ts_cooling_effect.json"):
        inputs = row["inputs"]
        if inputs.get("units", "SI").upper() == "IP":
            continue
        columns = [np.asarray(inputs[key], float) for key in ("tdb", "tr", "vr", "rh", "met", "clo")]
        np.testing.assert_allclose(cooling_effect(*columns), np.asarray(row["outputs"]["ce"], float), atol=0.1)


def test_agrees_with_pythermalcomfort() -> None:
    pytest.importorskip("pythermalcomfort", minversion="4.8")  # older ones differ; Python 3.10 has 4.6
    models = pytest.importorskip("pythermalcomfort.models")
    inputs = random_inputs(10_000, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        free = models.pmv_ppd_iso(**inputs, limit_inputs=False, round_output=False)
        limited = models.pmv_ppd_iso(**inputs, round_output=False)
    ours = pmv_ppd(**inputs, limit=False)
    np.testing.assert_allclose(ours.pmv, free.pmv, atol=1e-3)
    np.testing.assert_allclose(ours.ppd, free.ppd, atol=1e-2)
    np.testing.assert_array_equal(np.isnan(pmv_ppd(**inputs).pmv), np.isnan(limited.pmv))


@pytest.mark.parametrize("control", [True, False])
def test_ashrae_with_moving_air_agrees_with_pythermalcomfort(control: bool) -> None:
    pytest.importorskip("pythermalcomfort", minversion="4.8")  # older ones differ; Python 3.10 has 4.6
    models = pytest.importorskip("pythermalcomfort.models")
    inputs = random_inputs(150, seed=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = models.pmv_ppd_ashrae(**inputs, round_output=False, airspeed_control=control)
    # Theirs rounds the cooling effect to 0.01 K.
    ours = pmv_ppd(**inputs, standard="ashrae", airspeed_control=control)
    np.testing.assert_allclose(ours.pmv, theirs.pmv, atol=5e-3)


def test_a_scalar_and_an_array_give_the_same() -> None:
    inputs = random_inputs(300, seed=3)
    together = pmv_ppd(**inputs, limit=False).pmv
    one_by_one = [pmv_ppd(*(float(c[i]) for c in inputs.values()), limit=False).pmv for i in range(300)]
    np.testing.assert_allclose(one_by_one, together, rtol=0, atol=1e-12)
    assert isinstance(one_by_one[0], float)
    assert pmv_ppd(**{**POINT, "tdb": np.array([[20.0, 22.0], [24.0, 26.0]])}).pmv.shape == (2, 2)


@settings(deadline=None)
@given(
    tdb=st.floats(10, 29),
    rh=st.floats(0, 100),
    clo=st.floats(0, 1.9),
    met=st.floats(0.9, 1.6),
    vr=st.floats(0, 1),
    step=st.sampled_from(["tdb", "clo", "met"]),
)
def test_pmv_rises_with_temperature_clo_and_met(
    tdb: float, rh: float, clo: float, met: float, vr: float, step: str
) -> None:
    # Up to 29 °C: clothing warms only while the body is warmer than the air. Where it is hot (from PMV 1.817 on
    # in a search of twelve million points), Fanger's factor falls faster with the activity than the heat load rises.
    base = {"tdb": tdb, "tr": tdb, "vr": vr, "rh": rh, "met": met, "clo": clo}
    more = dict(base)
    more[step] += {"tdb": 1.0, "clo": 0.1, "met": 0.1}[step]
    if step == "tdb":
        more["tr"] = more["tdb"]
    before = pmv_ppd(**base, limit=False).pmv
    assume(step != "met" or before < 1.8)
    assert pmv_ppd(**more, limit=False).pmv > before


@settings(deadline=None)
@given(st.floats(-3, 3))
def test_dissatisfied_are_between_5_and_100_percent_and_symmetrical(vote: float) -> None:
    assert 5.0 <= ppd_of(vote) <= 100.0
    assert math.isclose(ppd_of(vote), ppd_of(-vote))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"tdb": 35.0}, "air temperature"),
        ({"tr": 45.0}, "radiant"),
        ({"vr": 1.5}, "air speed"),
        ({"met": 0.5}, "metabolic"),
        ({"clo": 2.5}, "clothing"),
        ({"rh": 101.0}, "humidity"),
        ({"tdb": 29.0, "rh": 95.0}, "vapour"),
        ({"tdb": 10.0, "tr": 10.0, "clo": 0.2}, "PMV"),
        ({"rh": math.nan}, "humidity"),
        ({"tdb": math.nan}, "air temperature"),
    ],
)
def test_outside_the_standard_is_nan_with_a_reason(change: dict[str, float], word: str) -> None:
    inputs = POINT | change
    assert math.isnan(pmv_ppd(**inputs).pmv)
    assert math.isnan(pmv_ppd(**inputs).ppd)
    assert math.isnan(float(pmv_ppd(**{key: np.array([value]) for key, value in inputs.items()}).pmv[0]))
    reason = outside_standard(**inputs)
    assert reason is not None
    assert word in reason


def test_inside_the_standard_there_is_no_reason() -> None:
    assert outside_standard(**POINT) is None
    assert outside_standard(**{**POINT, "tdb": 33.0, "tr": 33.0}, standard="ashrae") is None


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=6, max_size=6))
def test_any_floats_give_a_value_or_nan_and_never_an_exception(values: list[float]) -> None:
    result = pmv_ppd(*values)
    assert math.isnan(result.pmv) == math.isnan(result.ppd)
    assert math.isnan(result.pmv) == (outside_standard(*values) is not None)


def test_an_unknown_standard_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="din"):
        pmv_ppd(**POINT, standard="din")  # type: ignore[arg-type] # the wrong word is the test


def test_names_and_the_standards_symbols_are_the_same_call() -> None:
    named = {"air_temp_c": 25.0, "radiant_temp_c": 25.0, "air_speed_m_s": 0.1, "humidity_pct": 50.0}
    assert pmv_ppd(**named, met=1.2, clo=0.6) == pmv_ppd(**POINT) == pmv_ppd(*POINT.values())
    with pytest.raises(TypeError, match="humidity"):
        pmv_ppd(**POINT, humidity=50.0)


def test_relative_air_speed_adds_the_movement_of_the_body() -> None:
    assert relative_air_speed(0.1, 1.0) == pytest.approx(0.1)
    assert relative_air_speed(0.1, 2.0) == pytest.approx(0.4)
