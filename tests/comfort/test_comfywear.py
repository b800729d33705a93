"""ComfyWear: probabilities of votes, decisions, advice, and a model file that can be trusted."""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.comfort import (
    COUNTRIES,
    SCALE,
    ComfyWear,
    Site,
    ThermalWear,
    climate_of,
    clothing_of_names,
    level_of,
    pmv_ppd,
)
from comfywear.comfort.votes.ordinal import ComfortFile, decide, load_model
from comfywear.errors import ModelError, UsageError
from comfywear.records import Clothing
from comfywear_models import find

OFFICE = clothing_of_names(["shirt", "trousers", "shoes"])
SUIT = clothing_of_names(["shirt", "suit jacket", "trousers", "shoes"])
VOTES = np.arange(-3, 4)
sites = st.builds(
    Site,
    season=st.sampled_from([None, "warm", "cool"]),
    cooling=st.sampled_from([None, "air conditioned", "mixed mode", "naturally ventilated"]),
    climate=st.sampled_from([None, "tropical", "arid", "other"]),
    country=st.sampled_from([None, "India", "Japan"]),
    outdoor_temp_c=st.none() | st.floats(-25, 40),
    usual_temp_c=st.none() | st.floats(14, 36),
    usual_temp_sd_k=st.none() | st.floats(0, 5),
)
optional_speed = st.none() | st.floats(0, 3)


@settings(deadline=None)
@given(
    air=st.floats(0, 49), humidity=st.floats(0, 100), clo=st.floats(0, 2.5), site=sites, speed=optional_speed,
    met=st.none() | st.floats(0.8, 3), radiant=st.none() | st.floats(10, 45), step=st.floats(0.1, 5),
)  # fmt: skip
def test_probabilities_sum_to_one_and_warmer_air_is_never_felt_cooler(
    air: float, humidity: float, clo: float, site: Site, speed: float | None, met: float | None,
    radiant: float | None, step: float,
) -> None:  # fmt: skip
    extra = {"site": site, "air_speed_m_s": speed, "met": met, "radiant_temp_c": radiant}
    model, clothing = ComfyWear(), Clothing(clo, 0.1)
    cool = model.estimate(air, humidity, clothing, **extra)  # type: ignore[arg-type] # a mixed mapping
    warm = model.estimate(min(air + step, 50.0), humidity, clothing, **extra)  # type: ignore[arg-type] # likewise
    for found in (cool, warm):
        assert sum(found.probabilities) == pytest.approx(1.0)
        assert min(found.probabilities) >= 0.0
        assert sum(found.preference.values()) == pytest.approx(1.0)
        assert found.level in SCALE.words
    assert cool.expected_vote is not None
    assert warm.expected_vote is not None
    assert warm.expected_vote >= cool.expected_vote - 1e-9
    assert warm.preference["cooler"] >= cool.preference["cooler"] - 1e-9


@settings(deadline=None)
@given(st.floats(), st.floats(), st.floats(), st.floats())
def test_there_is_always_an_answer_or_a_reason(air: float, humidity: float, clo: float, met: float) -> None:
    found = ComfyWear().estimate(air, humidity, Clothing(clo, 0.1), met=met)
    if found.reason is None:
        assert found.expected_vote is not None
        assert math.isfinite(found.expected_vote)
        assert (found.pmv is None) == any("no PMV" in sentence for sentence in found.assumptions)
    else:
        assert found.probabilities == ()
        assert found.expected_vote is None


def test_the_record_says_what_went_in_and_what_was_assumed() -> None:
    site = Site(season="warm", outdoor_temp_c=18.0, usual_temp_c=23.5)
    found = ComfyWear().estimate(24.0, 45.0, OFFICE, site=site)
    assert found.inputs == {"air_temp_c": 24.0, "humidity_pct": 45.0, "clo": OFFICE.clo, "warm_season": 1.0,
                            "outdoor_temp_c": 18.0, "usual_temp_c": 23.5}  # fmt: skip
    assert found.model == "comfort-1.0"
    assert any("met" in sentence for sentence in found.assumptions)
    assert not any("usual" in sentence for sentence in found.assumptions)
    plain = ComfyWear().estimate(24.0, 45.0, OFFICE, met=1.1, air_speed_m_s=0.1, radiant_temp_c=24.0)
    assert any("usual" in sentence for sentence in plain.assumptions)
    assert plain.pmv == pytest.approx(pmv_ppd(24.0, 24.0, 0.13, 45.0, 1.1, OFFICE.clo).pmv)


def test_nothing_measured_is_a_reason_and_no_value() -> None:
    assert ComfyWear().estimate(None, 45.0, OFFICE).reason == "no air temperature"
    assert ComfyWear().estimate(24.0, None, OFFICE).reason == "no humidity"
    assert "70" in (ComfyWear().estimate(70.0, 45.0, OFFICE).reason or "")


def test_people_who_are_used_to_warmth_feel_less_warm() -> None:
    tropics = Site(season="warm", climate="tropical", outdoor_temp_c=28.0, usual_temp_c=28.5, usual_temp_sd_k=1.5)
    office = Site(season="cool", climate="other", outdoor_temp_c=5.0, usual_temp_c=22.5, usual_temp_sd_k=1.0)
    there, here = (ComfyWear().estimate(28.0, 50.0, OFFICE, site=site).expected_vote for site in (tropics, office))
    assert there is not None
    assert here is not None
    assert there < here - 0.3


def test_a_country_moves_the_votes_by_any_of_its_names() -> None:
    votes = {name: ComfyWear().estimate(26.0, 50.0, OFFICE, site=Site(country=name)).expected_vote
             for name in (None, "Japan", " japan", "UK", "United  Kingdom")}  # fmt: skip
    assert votes["Japan"] == votes[" japan"]
    assert votes["Japan"] != votes[None]
    assert votes["UK"] == votes["United  Kingdom"]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"season": "summer"}, ["'summer'", '"warm"', '"cool"']),
        ({"cooling": "ac"}, ["'ac'", '"air conditioned"']),
        ({"climate": "temperate"}, ["'temperate'", '"other"']),
        ({"country": "Atlantis"}, ["'Atlantis'", "australia", "usa"]),
        ({"country": ""}, ["leave it out"]),
    ],
)
def test_facts_that_the_model_does_not_know_are_refused_with_those_it_does(
    facts: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        Site(**facts)
    assert all(word in str(caught.value) for word in words)


def test_every_country_of_the_list_is_one_of_the_shipped_model() -> None:
    inputs = {factor[0] for term in load_model().votes.terms for factor in term.factors}
    assert {name for name in inputs if name.startswith("country:")} == {f"country:{name}" for name in COUNTRIES}


def test_clothing_may_be_a_number_of_clo() -> None:
    found = ComfyWear().estimate(26, 50, 0.5)
    assert found.inputs["clo"] == 0.5
    assert found.expected_vote == ComfyWear().estimate(26.0, 50.0, Clothing(0.5, 0.0)).expected_vote
    assert ThermalWear().estimate(26, 50, 0.5).skin_temp_c == pytest.approx(33.9, abs=0.5)
    for wrong in ("shirt", None, [0.5], True):
        with pytest.raises(UsageError, match="number of clo"):
            ComfyWear().estimate(26.0, 50.0, wrong)  # type: ignore[arg-type] # the wrong type is the test


@pytest.mark.parametrize("method", ["PMV", "adaptive", None])
def test_an_unknown_method_is_refused(method: Any) -> None:
    with pytest.raises(UsageError, match=r'"ordinal".*"pmv"'):
        ComfyWear(method=method)


def test_pmv_can_take_the_models_place() -> None:
    found = ComfyWear(method="pmv").estimate(24.0, 45.0, OFFICE)
    assert found.model == "pmv-iso-7730"
    assert found.pmv is not None
    assert found.expected_vote == pytest.approx(found.pmv, abs=0.05)
    assert sum(found.probabilities) == pytest.approx(1.0)
    assert ComfyWear(method="pmv").estimate(36.0, 45.0, OFFICE).reason is not None


def test_a_hot_person_in_a_jacket_is_told_to_take_it_off() -> None:
    found = ComfyWear().estimate(28.0, 50.0, SUIT)
    assert found.decision == "cooler"
    assert any("take the suit jacket off" in sentence for sentence in found.advice)
    assert all("would want no change" in sentence for sentence in found.advice)
    cold = ComfyWear().estimate(17.0, 40.0, OFFICE)
    assert cold.decision == "warmer"
    assert any("warmer" in sentence for sentence in cold.advice)
    assert not any("fan" in sentence for sentence in cold.advice)


def test_advice_comes_with_the_best_first() -> None:
    shares = [int(sentence.split(": ")[1].split("%")[0]) for sentence in ComfyWear().estimate(29.0, 50.0, SUIT).advice]
    assert len(shares) == 3
    assert shares == sorted(shares, reverse=True)


def test_decisions_do_not_always_say_neutral() -> None:
    decided = {ComfyWear().estimate(float(air), 50.0, OFFICE).sensation for air in range(16, 34)}
    assert decided == {"cool", "neutral", "warm"}
    assert decide(np.eye(7), 0.4).tolist() == [0, 0, 0, 1, 2, 2, 2]


def test_levels_and_words_of_the_button() -> None:
    assert [level_of(vote) for vote in (0.0, 0.4, -0.6, 1.0, -2.0)] == [5, 4, 3, 2, 1]
    assert list(SCALE.words) == [1, 2, 3, 4, 5]
    assert SCALE.id == "comfywear-5-comfort"


def test_one_row_and_many_rows_are_the_same_model() -> None:
    model = load_model()
    draw = np.random.default_rng(7).uniform
    inputs = {"air_temp_c": draw(12, 36, 50), "humidity_pct": draw(10, 90, 50), "clo": draw(0.2, 1.5, 50),
              "usual_temp_c": draw(18, 30, 50), "outdoor_temp_c": draw(-10, 35, 50), "met": draw(1, 2, 50)}  # fmt: skip
    inputs["usual_temp_c"][::3] = np.nan
    inputs["met"][::4] = np.nan
    votes, wishes = model.predict(inputs)
    for i in range(50):
        one = {name: float(column[i]) for name, column in inputs.items()}
        alone = model.predict_one(one)
        np.testing.assert_allclose(alone[0], votes[i], atol=1e-12)
        np.testing.assert_allclose(alone[1], wishes[i], atol=1e-12)


def test_the_shipped_file_is_small_and_readable() -> None:
    model: ComfortFile = load_model()
    card, folder = find("comfort")
    assert card.task == "comfort"
    assert len(model.votes.terms) + len(model.votes.cutpoints) < 50
    assert len(model.preference.terms) + len(model.preference.cutpoints) < 30
    assert json.loads((folder / card.files[0].path).read_text())["id"] == model.id


def copy_of_the_model(folder: Path, change: dict[str, Any]) -> str:
    card, source = find("comfort")
    data = json.loads((source / card.files[0].path).read_text()) | change
    text = json.dumps(data)
    (folder / "comfort.json").write_text(text)
    described = json.loads((source / "comfort.card.json").read_text())
    described["files"][0] |= {"sha256": hashlib.sha256(text.encode()).hexdigest(), "bytes": len(text)}
    path = folder / "comfort.card.json"
    path.write_text(json.dumps(described))
    return str(path)


def test_a_model_by_path_is_used_and_an_altered_one_refused(tmp_path: Path) -> None:
    path = copy_of_the_model(tmp_path, {})
    assert ComfyWear(path).estimate(24.0, 50.0, OFFICE) == ComfyWear().estimate(24.0, 50.0, OFFICE)
    load_model.cache_clear()
    (tmp_path / "comfort.json").write_text((tmp_path / "comfort.json").read_text() + " ")
    with pytest.raises(ModelError, match="altered or damaged"):
        ComfyWear(path)


@pytest.mark.parametrize(
    "change", [{"votes": None}, {"votes": {"cutpoints": [1, 0], "terms": []}}, {"decision": {}}, {"when_unknown": 3}]
)
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path = copy_of_the_model(tmp_path, change)
    with pytest.raises(ModelError, match="cannot be used"):
        ComfyWear(path)


@pytest.mark.parametrize(
    ("words", "group"),
    [("tropical wet savanna", "tropical"), ("Humid subtropical", "other"), ("hot semi-arid", "arid"),
     ("hot desert", "arid"), ("wet equatorial", "tropical"), ("temperate oceanic", "other"), ("", None)],
)  # fmt: skip
def test_climates_in_words(words: str, group: str | None) -> None:
    assert climate_of(words) == group


def test_the_package_is_light_and_pure() -> None:
    code = (
        "import sys, comfywear.comfort; "
        "heavy = {'cv2', 'onnxruntime', 'scipy', 'sklearn', 'torch', 'numba'} & set(sys.modules); "
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
