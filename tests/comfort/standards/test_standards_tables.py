"""Every standard against its validation table: all rows are within the tolerance that the table states."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from validation_tables import rows

from comfywear.comfort import (
    DISCOMFORT_WORDS,
    HUMIDEX_WORDS,
    adaptive_ashrae,
    adaptive_en,
    ankle_draft_pct,
    apparent_temperature_c,
    athb_pmv,
    cooling_effect,
    discomfort_index_c,
    heat_index_c,
    humidex,
    likely_clo,
    net_effective_temperature_c,
    pmv_adaptive,
    pmv_expectancy,
    two_node,
    utci_c,
    vertical_gradient_pct,
    wbgt_c,
    wind_chill_c,
)
from comfywear.comfort.standards.maths import Bands

Row = dict[str, Any]
PMV = ("tdb", "tr", "vr", "rh", "met", "clo")


def pmv_inputs(row: Row) -> list[Any]:
    return [row[name] for name in PMV]


# Table, its rows, the output that is compared, tolerance, and ours from a row's inputs.
TABLES: list[tuple[str, int, str, float, Callable[[Row], Any]]] = [
    ("a_pmv", 3, "a_pmv", 0.01, lambda row: pmv_adaptive(*pmv_inputs(row), row["a_coefficient"])),
    ("e_pmv", 3, "e_pmv", 0.01, lambda row: pmv_expectancy(*pmv_inputs(row), row["e_coefficient"])),
    (
        "athb", 5, "athb_pmv", 0.01,
        lambda row: athb_pmv(*[row[name] for name in (*PMV[:5], "t_running_mean")]),
    ),
    ("ankle_draft", 2, "ppd_ad", 0.1, lambda row: ankle_draft_pct(*pmv_inputs(row), row["v_ankle"])),
    (
        "vertical_tmp_grad_ppd", 2, "ppd_vg", 1.0,
        lambda row: vertical_gradient_pct(*pmv_inputs(row), row["vertical_tmp_grad"]),
    ),
    ("at", 3, "at", 0.1, lambda row: apparent_temperature_c(row["tdb"], row["rh"], row["v"], row.get("q"))),
    ("clo_tout", 13, "clo_tout", 0.01, lambda row: likely_clo(row["tout"])),
    ("cooling_effect", 54, "ce", 0.1, lambda row: cooling_effect(*pmv_inputs(row))),
    ("discomfort_index", 10, "di", 0.1, lambda row: discomfort_index_c(row["tdb"], row["rh"])),
    ("heat_index", 2, "hi", 0.1, lambda row: heat_index_c(row["tdb"], row["rh"], limit=False)),
    ("humidex", 19, "humidex", 1.0, lambda row: humidex(row["tdb"], row["rh"])),
    ("net", 6, "net", 0.1, lambda row: net_effective_temperature_c(row["tdb"], row["rh"], row["v"])),
    ("utci", 13, "utci", 0.1, lambda row: utci_c(row["tdb"], row["tr"], row["v"], row["rh"])),
    (
        "wbgt", 10, "wbgt", 0.1,
        lambda row: wbgt_c(row["twb"], row["tg"], row.get("tdb"), sunshine=row.get("with_solar_load", False)),
    ),
    ("wind_chill_temperature", 9, "wct", 0.1, lambda row: wind_chill_c(row["tdb"], row["v"])),
]  # fmt: skip


@pytest.mark.parametrize(("name", "count", "output", "tolerance", "ours"), TABLES, ids=[table[0] for table in TABLES])
def test_every_row_is_within_the_tables_tolerance(
    shared_data: Path, name: str, count: int, output: str, tolerance: float, ours: Callable[[Row], Any]
) -> None:
    table = rows(shared_data, name)
    assert len(table) == count
    for inputs, expected in table:
        np.testing.assert_allclose(ours(inputs), expected[output], atol=tolerance + 1e-9, err_msg=str(inputs))


def test_adaptive_ashrae(shared_data: Path) -> None:
    table = rows(shared_data, "adaptive_ashrae")
    assert len(table) == 11
    names = {"tmp_cmf": "neutral_c", "tmp_cmf_80_low": "low_80_c", "tmp_cmf_80_up": "high_80_c",
             "tmp_cmf_90_low": "low_90_c", "tmp_cmf_90_up": "high_90_c"}  # fmt: skip
    for inputs, expected in table:
        found = adaptive_ashrae(*[inputs[name] for name in ("tdb", "tr", "t_running_mean", "v")])
        for theirs, ours in names.items():
            if theirs in expected:
                np.testing.assert_allclose(getattr(found, ours), expected[theirs], atol=0.1, err_msg=str(inputs))
        for share in ("80", "90"):
            if f"acceptability_{share}" in expected:
                np.testing.assert_array_equal(getattr(found, f"within_{share}"), expected[f"acceptability_{share}"])


def test_adaptive_en(shared_data: Path) -> None:
    table = rows(shared_data, "adaptive_en")
    assert len(table) == 4
    for inputs, expected in table:
        found = adaptive_en(*[inputs[name] for name in ("tdb", "tr", "t_running_mean", "v")])
        np.testing.assert_allclose(found.neutral_c, expected["tmp_cmf"], atol=0.1)
        for number, roman in enumerate(("i", "ii", "iii"), 1):
            for ours, theirs in (("low", "low"), ("high", "up")):
                bound = getattr(found, f"{ours}_{number}_c")
                np.testing.assert_allclose(bound, expected[f"tmp_cmf_cat_{roman}_{theirs}"], atol=0.1)
            held = np.asarray(found.category) <= number  # NaN holds nothing
            np.testing.assert_array_equal(held, expected[f"acceptability_cat_{roman}"])


@pytest.mark.parametrize(
    ("name", "index", "key", "bands"),
    [
        # The table's words are those of the humidex as printed.
        ("humidex", lambda t, rh: np.round(humidex(t, rh), 1), "discomfort", HUMIDEX_WORDS),
        ("discomfort_index", discomfort_index_c, "discomfort_condition", DISCOMFORT_WORDS),
    ],
)
def test_the_words_change_where_those_of_the_table_do(
    shared_data: Path, name: str, index: Callable[..., Any], key: str, bands: Bands
) -> None:
    pairs = set()
    for inputs, expected in rows(shared_data, name):
        values = np.atleast_1d(index(inputs["tdb"], inputs["rh"]))
        words = np.atleast_1d(np.asarray(expected[key], dtype=object))
        pairs |= {(bands.word(float(value)), word) for value, word in zip(values, words, strict=True)}
    assert len({ours for ours, _ in pairs}) == len({theirs for _, theirs in pairs}) == len(pairs) >= 5


def test_heat_strain_with_a_fan(shared_data: Path) -> None:
    tolerances = {"e_skin": 2.0, "q_skin": 0.1, "t_core": 0.1, "t_skin": 0.1, "e_rsw": 2.0, "m_rsw": 1.0, "w": 0.02}
    compared = 0
    for inputs, expected in rows(shared_data, "use_fans_heatwaves"):
        # The table's rows are rounded to a tenth, also w; its function holds for 20…50 °C.
        position = inputs.pop("position", "standing")
        found = two_node(**inputs, position=position, max_skin_blood_flow=80.0, wettedness_cap="ashrae55")
        outside = (np.asarray(inputs["tdb"]) < 20.0) | (np.asarray(inputs["tdb"]) > 50.0)
        for name, tolerance in tolerances.items():
            if name in expected:
                ours = np.where(outside, np.nan, np.round(getattr(found, name), 1))
                np.testing.assert_allclose(ours, expected[name], atol=tolerance + 1e-9, err_msg=str(inputs))
                compared += 1
    assert compared == 12


def test_what_is_not_known_is_in_no_category() -> None:
    assert np.isnan(adaptive_en(float("nan"), 22.0, 15.0).category)
    assert np.isnan(adaptive_en(np.array([np.nan, 22.0]), 22.0, 15.0).category).tolist() == [True, False]
    assert adaptive_en(40.0, 40.0, 15.0).category == 4.0
