"""The two-node model and SET against their tables, pythermalcomfort and people in a climate chamber."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.comfort import set_tmp, two_node
from comfywear.comfort.standards.twonode import skin_temperature

NAMES = ("tdb", "tr", "v", "rh", "met", "clo")
POINT = {"tdb": 26.0, "tr": 26.0, "v": 0.1, "rh": 50.0, "met": 1.1, "clo": 0.6}
TOLERANCES = {"t_core": 0.1, "t_skin": 0.1, "e_skin": 4, "e_rsw": 2, "m_rsw": 6, "pmv_set": 0.1, "pmv_gagge": 0.1,
              "w": 0.02, "disc": 0.1}  # fmt: skip
# Rows of the table in which sweat is at its limit: only the rule of the standard's printed code gives their numbers.
CAPPED_ROWS = {5, 6, 7, 9}


def table(data: Path, name: str) -> list[dict[str, Any]]:
    return json.loads((data / "comfort" / "validation" / name).read_text())["data"]


def arguments(inputs: dict[str, Any]) -> dict[str, Any]:
    optional = ("max_skin_blood_flow", "max_sweating")
    row = {key: inputs[key] for key in (*NAMES, *(key for key in optional if key in inputs))}
    return row | ({"w_max": inputs["w_max"]} if inputs.get("w_max") else {})


def misses(row: dict[str, Any], **options: Any) -> list[str]:
    found = two_node(**arguments(row["inputs"]), **options)
    return [
        key
        for key, expected in row["outputs"].items()
        if abs(getattr(found, key) - expected) > TOLERANCES[key] + 10.0 ** -len(str(expected).split(".")[1]) / 2
    ]


def random_inputs(count: int, seed: int, hottest: float = 40.0) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed).uniform
    ranges = ((5, hottest), (5, hottest), (0, 1.5), (5, 95), (0.8, 3), (0, 1.8))
    return {name: draw(low, high, count) for name, (low, high) in zip(NAMES, ranges, strict=True)}


def test_every_row_of_the_table_is_met_by_the_standards_rule(shared_data: Path) -> None:
    rows = table(shared_data, "ts_two_nodes_gagge.json")
    assert len(rows) == 10
    for number, row in enumerate(rows):
        assert misses(row, wettedness_cap="ashrae55") == [], number


def test_the_papers_rule_misses_exactly_the_rows_at_the_sweat_limit(shared_data: Path) -> None:
    rows = table(shared_data, "ts_two_nodes_gagge.json")
    assert {number for number, row in enumerate(rows) if misses(row)} == CAPPED_ROWS


def test_agrees_with_pythermalcomfort_below_40_degrees() -> None:
    pytest.importorskip("pythermalcomfort", minversion="4.8")  # older ones differ; Python 3.10 has 4.6
    models = pytest.importorskip("pythermalcomfort.models")
    inputs = random_inputs(10_000, seed=4)
    ours, theirs = two_node(**inputs), models.two_nodes_gagge(**inputs, round_output=False)
    for name in ("t_skin", "t_core", "set", "et", "w", "pmv_gagge", "pmv_set", "t_sens", "disc"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-2, err_msg=name)


def test_one_row_and_many_rows_are_the_same_model() -> None:
    inputs = random_inputs(300, seed=5, hottest=45.0)
    many = two_node(**inputs)
    for i in range(0, 300, 3):
        one = two_node(**{name: float(column[i]) for name, column in inputs.items()})
        np.testing.assert_allclose(one, [column[i] for column in many], rtol=1e-9, atol=1e-9)
    assert many.t_skin.shape == (300,)


def test_the_short_cut_to_the_skin_is_the_same_number() -> None:
    assert skin_temperature(*POINT.values()) == two_node(**POINT).t_skin


def test_set_is_within_its_table(shared_data: Path) -> None:
    rows = table(shared_data, "ts_set.json")
    assert len(rows) == 52
    for row in rows:
        inputs = {key: row["inputs"][key] for key in NAMES}
        for cap in ("gagge1986", "ashrae55"):
            still = bool(row["inputs"].get("calculate_ce"))
            found = set_tmp(**inputs, still_air=still, limit=False, wettedness_cap=cap)  # type: ignore[arg-type] # literals
            # To the tenth of a degree that the table has.
            assert abs(round(found, 1) - row["outputs"]["set"]) <= 0.5 + 1e-9, (row, cap)


def test_set_outside_the_standard_is_nan() -> None:
    assert math.isnan(set_tmp(**{**POINT, "tdb": 45.0}))
    assert math.isnan(set_tmp(**{**POINT, "met": 0.8}))
    assert set_tmp(**POINT) == pytest.approx(two_node(**POINT).set)


def test_nude_people_in_a_climate_chamber_are_met_to_a_kelvin(shared_data: Path) -> None:
    people = json.loads((shared_data / "comfort" / "validation" / "skin_werner1980.json").read_text())
    to = np.array([row["To"] for row in people], float)
    measured = np.array([row["Mean skin"] for row in people])
    modelled = two_node(to, to, 0.2, 40.0, 1.0, 0.0).t_skin
    assert np.sqrt(np.mean((modelled - measured) ** 2)) < 1.0


@settings(deadline=None)
@given(
    tdb=st.floats(12, 30), rh=st.floats(10, 80), clo=st.floats(0.1, 1.5), step=st.sampled_from(["tdb", "clo", "met"])
)
def test_skin_gets_warmer_with_air_clothing_and_colder_never(tdb: float, rh: float, clo: float, step: str) -> None:
    base = {"tdb": tdb, "tr": tdb, "v": 0.1, "rh": rh, "met": 1.0, "clo": clo}
    more = dict(base)
    more[step] += {"tdb": 1.0, "clo": 0.2, "met": 0.3}[step]
    assert two_node(**more).t_core >= two_node(**base).t_core - 0.02
    if step != "met":  # more work sweats more, so that the skin may cool
        assert two_node(**more).t_skin > two_node(**base).t_skin


@settings(deadline=None)
@given(st.lists(st.floats(), min_size=6, max_size=6))
def test_any_floats_are_answered_the_same_way_alone_and_in_an_array(values: list[float]) -> None:
    with np.errstate(all="ignore"):
        many = two_node(*[np.array([value]) for value in values])
        try:
            one = two_node(*values)
        except (OverflowError, ZeroDivisionError):  # pragma: no cover - would be the defect
            pytest.fail(f"{values} raised")
    usable = all(math.isfinite(value) for value in values) and values[3] >= 0 and values[4] >= 0 and values[5] >= 0
    if not usable:
        assert math.isnan(one.t_skin)
        assert math.isnan(many.t_skin[0])


@pytest.mark.parametrize("field", NAMES)
def test_a_missing_input_is_nan_in_its_row_alone(field: str) -> None:
    columns = {name: np.array([value, value]) for name, value in POINT.items()}
    columns[field][0] = np.nan
    found = two_node(**columns)
    assert all(np.isnan(value[0]) for value in found)
    assert not any(np.isnan(value[1]) for value in found)


def test_wrong_words_are_refused() -> None:
    with pytest.raises(ValueError, match="flying"):
        two_node(**POINT, position="flying")  # type: ignore[arg-type] # the wrong word is the test
    with pytest.raises(ValueError, match="none"):
        two_node(**POINT, wettedness_cap="none")  # type: ignore[arg-type] # the wrong word is the test
