"""A reward from pairs of situations that people rated differently, and advice in its order."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.comfort import ComfyWear, clothing_of_names
from comfywear_export.cli import main
from comfywear_export.comfort.pairs import pair_loss, pairs_within
from comfywear_export.comfort.reward import RewardModel, rank


@given(st.integers(0, 2**31), st.integers(1, 12), st.integers(1, 5))
def test_the_gradient_of_the_pair_loss_is_its_slope(seed: int, pairs: int, terms: int) -> None:
    rng = np.random.default_rng(seed)
    beta, differences = rng.normal(size=terms), rng.normal(size=(pairs, terms))
    weights = rng.random(pairs) + 0.1
    weights /= weights.sum()
    _, gradient = pair_loss(beta, differences, weights, 0.1)
    for term in range(terms):
        step = np.zeros(terms)
        step[term] = 1e-5
        ahead, _ = pair_loss(beta + step, differences, weights, 0.1)
        behind, _ = pair_loss(beta - step, differences, weights, 0.1)
        assert gradient[term] == pytest.approx((ahead - behind) / 2e-5, abs=1e-6)


def test_a_sure_order_costs_nothing_and_a_wrong_one_its_margin() -> None:
    one = np.ones((1, 1))
    assert pair_loss(np.array([800.0]), one, np.ones(1), 0.0)[0] == pytest.approx(0.0, abs=1e-9)
    assert pair_loss(np.array([-800.0]), one, np.ones(1), 0.0)[0] == pytest.approx(800.0)
    assert pair_loss(np.zeros(1), one, np.ones(1), 0.0)[0] == pytest.approx(np.log(2.0))


@given(st.integers(0, 2**31), st.integers(0, 150), st.integers(1, 4), st.integers(1, 30))
@settings(deadline=None)
def test_pairs_are_of_one_group_were_rated_differently_and_name_the_better_one_first(
    seed: int, rows: int, groups: int, most: int
) -> None:
    rng = np.random.default_rng(seed)
    group, quality = rng.integers(-1, groups, rows), rng.integers(0, 3, rows)
    pairs = pairs_within(group, quality, most, rng)
    better, worse = pairs.T
    assert (group[better] == group[worse]).all()
    assert (group[better] >= 0).all()
    assert (quality[better] > quality[worse]).all()
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    assert (np.bincount(group[better], minlength=1) <= most).all()


def write_votes(path: Path, rows: int = 480) -> Path:
    """Votes of twelve buildings, in which people want no change at 23 °C, wherever they are."""
    rng = np.random.default_rng(5)
    lines = [
        "building_id,study,contrib,subject_id,season,ta,rh,clo,thermal_sensation,thermal_preference,thermal_comfort"
    ]
    for number in range(rows):
        building = number % 12  # each collected by somebody else
        air = rng.uniform(17, 29)
        felt = int(np.clip(np.rint((air - 23) / 2 + rng.normal(0, 0.5)), -3, 3))
        wish = "no change" if abs(felt) < 1 else "cooler" if felt > 0 else "warmer"
        lines.append(
            f"{building},1,{building},{number % 40},summer,{air:.1f},{rng.uniform(30, 70):.0f},0.6,{felt},{wish},"
            f"{6 - abs(felt)}"
        )
    path.write_text("\n".join(lines))
    return path


def test_a_reward_learns_what_people_like_says_how_well_and_goes_on_where_it_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = write_votes(tmp_path / "votes.csv"), tmp_path / "run"
    words = ["tune", "preference", "--data", str(data), "--out", str(out), "--folds", "2", "--pairs", "60"]
    assert main([*words, "--splits", "1"]) == 0
    assert "split 0, fold 1: 2 of 2 done" in capsys.readouterr().out
    assert main([*words, "--splits", "2"]) == 0
    shown = capsys.readouterr().out
    assert "split 0" not in shown
    assert "split 1, fold 1: 4 of 4 done" in shown
    figures = json.loads((out / "figures.json").read_text())["building"]
    assert figures["right"]["reward"][1] > 0.85
    assert figures["right"]["constant"][0] == 0.5
    assert figures["reward_ahead_of"]["constant"][0] == pytest.approx(figures["right"]["reward"][0] - 0.5, abs=2e-4)
    assert 0 < (out / "preference.png").stat().st_size < 100_000
    model = RewardModel.load(out / "reward.json")
    cold, right, hot = model.reward({"air_temp_c": np.array([18.0, 23.0, 28.0]), "usual_temp_c": np.full(3, 23.0)})
    assert right > max(cold, hot)
    assert main([*words, "--splits", "2", "--rating", "vote"]) == 2
    assert "other rating" in capsys.readouterr().err


def test_advice_is_ranked_by_the_reward_and_a_reward_that_likes_warmth_advises_no_coolness(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adviser, wearing = ComfyWear(), clothing_of_names(["t-shirt", "trousers", "sweater"])
    now = adviser.estimate(28.0, 50.0, wearing)
    coefficients = np.zeros(77)
    coefficients[0] = 1.0  # the warmer the better
    model = RewardModel(
        coefficients, {"usual_temp_c": {"constant": 24.0}, "usual_temp_sd_k": {"constant": 2.0}}, "vote"
    )
    ranked = rank(model, adviser, now.inputs, wearing)
    assert {each.proposal for each in ranked} == set(adviser.proposals(now.inputs, wearing))
    assert all(each.reward < 0 for each in ranked)
    kelvins = [each.proposal.kelvin for each in ranked]
    assert kelvins == sorted(kelvins, reverse=True)
    path = model.save(tmp_path, {"name": "reward"})
    words = ["--air-temp", "28", "--humidity", "50", "--wearing", "t-shirt, trousers, sweater", "--json"]
    assert main(["tune", "advice", "--reward", str(path), *words]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [row["words"] for row in printed["proposals"]] == [each.proposal.words for each in ranked]
    path.write_text(path.read_text().replace("air_temp_c", "colour"))
    assert main(["tune", "advice", "--reward", str(path), *words]) == 2
    assert "not a reward model" in capsys.readouterr().err


@pytest.mark.slow
def test_on_real_votes_the_reward_beats_the_standard_and_not_the_comfort_model(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = shared_data / "comfort" / "ashrae_db2_dev.csv.gz"
    words = ["--data", str(data), "--out", str(tmp_path), "--rows", "12000", "--splits", "1", "--folds", "3"]
    assert main(["tune", "preference", *words, "--json"]) == 0
    ahead = json.loads(capsys.readouterr().out)["building"]["reward_ahead_of"]
    assert ahead["ppd"][1] > 0.0
    assert ahead["no_change"][1] < 0.02
