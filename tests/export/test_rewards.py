"""REINFORCE's slopes are right where all can be gone through, the goals are what they say, and a run resumes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from comfywear_export.cli import main
from comfywear_export.rewards.cached import REGIONS, Cached, load_or_make
from comfywear_export.rewards.goals import all_sets, best_sets, expected_f1, photo_f1, photo_iou
from comfywear_export.rewards.head import Head
from comfywear_export.rewards.reinforce import (
    Baseline,
    draw_choices,
    draw_sets,
    kl_slope_choices,
    kl_slope_sets,
    reinforce,
    sigmoid,
    softmax,
)
from comfywear_export.rewards.tasks import Regions
from comfywear_export.rewards.trial import divide

LABELS = 3
logits_of_one = st.lists(st.floats(-3, 3), min_size=LABELS, max_size=LABELS).map(lambda z: np.array([z]))
worn_of_one = st.integers(0, 2**LABELS - 1).map(lambda n: all_sets(LABELS)[[n]])


def estimates(p: NDArray[np.float64], worn: NDArray[np.bool_], samples: int, baseline: Baseline) -> tuple[float, ...]:
    """Mean of the estimator over everything that can be drawn, by likelihood, and its variance."""
    sets = all_sets(LABELS)
    likelihood = np.where(sets, p, 1 - p).prod(axis=1)
    mean, square = np.zeros(LABELS), 0.0
    for drawn in itertools.product(range(len(sets)), repeat=samples):
        answers = iter(drawn)
        found = reinforce(
            lambda: sets[[next(answers)]],  # noqa: B023 # used up before the next round
            lambda said: photo_f1(said, worn),
            lambda said: said - p,
            samples,
            baseline,
        )[0]
        weight = likelihood[list(drawn)].prod()
        mean += weight * found
        square += weight * float(found @ found)
    return (*mean, square - float(mean @ mean))


@given(logits_of_one, worn_of_one)
@settings(deadline=None, max_examples=6)
def test_every_estimate_is_right_on_average_and_a_baseline_makes_it_vary_less(
    z: NDArray[np.float64], worn: NDArray[np.bool_]
) -> None:
    p = sigmoid(z)
    exact = expected_f1(p, worn)[1][0]
    schemes: list[tuple[int, Baseline]] = [(1, "none"), (2, "none"), (2, "other"), (2, "rest"), (3, "rest")]
    varying = {}
    for samples, baseline in schemes:
        *mean, varying[samples, baseline] = estimates(p, worn, samples, baseline)
        np.testing.assert_allclose(mean, exact, atol=1e-9)
    assert varying[2, "rest"] <= varying[2, "other"] + 1e-9  # both answers teach, not one alone
    assert varying[3, "rest"] <= varying[2, "rest"] + 1e-9
    assert varying[2, "none"] == pytest.approx(varying[1, "none"] / 2)


def slope_of(value: Callable[[NDArray[np.float64]], float], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """By central differences."""
    found = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[place] = 1e-5
        found[place] = (value(at + step) - value(at - step)) / 2e-5
    return found


@given(logits_of_one, logits_of_one, worn_of_one)
@settings(deadline=None, max_examples=30)
def test_exact_slopes_are_slopes(z: NDArray[np.float64], first: NDArray[np.float64], worn: NDArray[np.bool_]) -> None:
    mean, by_logit = expected_f1(sigmoid(z), worn)
    likelihood = np.where(all_sets(LABELS), sigmoid(z), 1 - sigmoid(z)).prod(axis=1)
    assert mean[0] == pytest.approx(likelihood @ photo_f1(all_sets(LABELS), np.repeat(worn, 2**LABELS, axis=0)))
    np.testing.assert_allclose(by_logit, slope_of(lambda x: expected_f1(sigmoid(x), worn)[0][0], z), atol=1e-6)

    def apart(x: NDArray[np.float64]) -> float:
        p, q = sigmoid(x), sigmoid(first)
        return float((p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).sum())

    def apart_choices(x: NDArray[np.float64]) -> float:
        p, q = softmax(x), softmax(first)
        return float((p * np.log(p / q)).sum())

    np.testing.assert_allclose(kl_slope_sets(z, first), slope_of(apart, z), atol=1e-6)
    np.testing.assert_allclose(kl_slope_choices(z, first), slope_of(apart_choices, z), atol=1e-6)


def cached_photos(count: int) -> Cached:
    """Photos whose features say, with noise, what is worn and which region each cell shows."""
    rng = np.random.default_rng(2)
    worn = rng.random((count, 12)) < 0.3
    regions = rng.integers(0, len(REGIONS) + 1, (count, 200))
    cells = (regions[..., None] == np.arange(8)) + rng.normal(0, 0.3, (count, 200, 8))
    photo = np.concatenate([worn + rng.normal(0, 0.4, worn.shape), rng.normal(size=(count, 8))], 1).astype(np.float32)
    group = np.arange(count) - (np.arange(count) % 10 == 1)  # every tenth has a near-duplicate
    return Cached(photo, photo.copy(), cells.astype(np.float16), worn, regions.astype(np.int8), group)


def test_the_soft_overlap_of_regions_falls_along_its_slope() -> None:
    cached = cached_photos(6)
    task, rows = Regions(cached, np.arange(6)), np.array([3])
    truth = cached.regions[rows].astype(int)[..., None] == np.arange(7)
    z = np.random.default_rng(0).normal(size=(1, 200, 7))

    def overlap(x: NDArray[np.float64]) -> float:
        p = softmax(x)
        both, either = (p * truth).sum(axis=1), (p + truth - p * truth).sum(axis=1)
        return float((both / either)[:, 1:].mean())  # all six regions are in 200 random cells

    found = task.smooth(z, rows)
    for place in [(0, 0, 0), (0, 7, 3), (0, 199, 6)]:
        step = np.zeros_like(z)
        step[place] = 1e-4
        assert found[place] == pytest.approx((overlap(z + step) - overlap(z - step)) / 2e-4, abs=1e-7)


@given(st.integers(0, 2**31))
@settings(deadline=None, max_examples=30)
def test_goals_are_those_of_sets_counted_by_hand(seed: int) -> None:
    rng = np.random.default_rng(seed)
    said, worn = rng.random((2, 5, 4)) < 0.4
    by_hand = []
    for one, other in zip(said, worn, strict=True):
        a, b = set(np.flatnonzero(one)), set(np.flatnonzero(other))
        by_hand.append(2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0)
    np.testing.assert_allclose(photo_f1(said, worn), by_hand)
    cells, truth = rng.integers(0, 3, (2, 5, 6))
    by_hand = []
    for one, other in zip(cells, truth, strict=True):
        shares = []
        for region in (1, 2):
            a, b = set(np.flatnonzero(one == region)), set(np.flatnonzero(other == region))
            shares += [len(a & b) / len(a | b)] if a | b else []
        by_hand.append(np.mean(shares) if shares else 1.0)
    np.testing.assert_allclose(photo_iou(cells, truth, 3), by_hand)
    p = rng.random((2, 4))
    values = [[float(expected_f1(p[[row]], one[None])[0][0]) for one in all_sets(4)] for row in range(2)]
    for row, best in enumerate(best_sets(p)):
        # F1 is the same whichever of the two sets is drawn and which is fixed.
        place = int((best * 2 ** np.arange(4)).sum())
        assert values[row][place] == pytest.approx(max(values[row]), abs=1e-6)


def test_what_is_drawn_has_the_probabilities_asked_for() -> None:
    rng = np.random.default_rng(3)
    p = np.array([[0.1, 0.5, 0.95]])
    drawn = np.mean([draw_sets(p, rng) for _ in range(4000)], axis=0)
    np.testing.assert_allclose(drawn, p, atol=0.03)
    q = np.broadcast_to(np.array([0.2, 0.7, 0.1]), (1, 4000, 3))
    counts = np.bincount(draw_choices(q, rng)[0], minlength=3) / 4000
    np.testing.assert_allclose(counts, q[0, 0], atol=0.03)


def test_a_head_learns_what_no_line_can_tell_apart_and_a_copy_stays_what_it_was() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 2)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0)[:, None]
    head = Head(2, 32, 1, seed=1)
    before = head.copy()
    for _ in range(400):
        head.learn(x, lambda z: (sigmoid(z) - y) / len(y), 1e-2)
    assert ((head.logits(x) > 0) == y).mean() > 0.95
    assert ((before.logits(x) > 0) == y).mean() < 0.75


def test_photos_kept_apart_have_no_near_duplicate_among_the_others() -> None:
    cached = cached_photos(100)
    for seed in range(3):
        parts = divide(cached.group, seed)
        assert sorted(np.concatenate(parts).tolist()) == list(range(100))
        owners = [set(cached.group[part].tolist()) for part in parts]
        assert not owners[0] & owners[1]
        assert not (owners[0] | owners[1]) & owners[2]
        assert [len(part) for part in parts] == pytest.approx([64, 16, 20], abs=3)


def test_a_run_says_what_each_way_reached_and_goes_on_with_the_seeds_that_are_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    features = tmp_path / "f.npz"
    np.savez(features, **vars(cached_photos(80)))
    words = ["tune", "rewards", "--data", str(tmp_path), "--out", str(tmp_path / "run"), "--features", str(features)]
    assert main([*words, "--epochs", "12", "--seeds", "1"]) == 0
    assert "sets, seed 0: REINFORCE, 2 samples" in capsys.readouterr().out
    assert main([*words, "--epochs", "12", "--seeds", "2"]) == 0
    shown = capsys.readouterr().out
    assert "sets, seed 0" not in shown
    assert "sets, seed 1" in shown
    figures = json.loads((tmp_path / "run" / "sets.json").read_text())
    assert figures["reached"]["smooth"][0] > figures["reached"]["first"][0] + 0.05
    assert all(0 <= mean <= 1 for mean, _, _ in figures["reached"].values())
    assert figures["tuning"]["supervised"]["cpu_s"] >= figures["tuning"]["other_2"]["cpu_s"] * 0.99
    noise = {name: dict(rows) for name, rows in figures["noise"].items()}
    assert noise["rest"][8] < noise["other"][8] < noise["none"][8]
    assert 0 < (tmp_path / "run" / "sets.png").stat().st_size < 100_000
    assert main([*words, "--epochs", "13"]) == 2
    assert "other epochs" in capsys.readouterr().err
    features.write_bytes(b"PK\x03\x04 no features")
    assert main([*words, "--epochs", "12", "--seeds", "3"]) == 2
    assert "not the cached features" in capsys.readouterr().err


def test_without_torch_and_features_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["tune", "rewards", "--data", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert "scripts/setup --export" in capsys.readouterr().err


@pytest.mark.export
def test_features_of_real_photos_are_made_once_and_both_goals_are_tuned(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    words = ["tune", "rewards", "--data", str(shared_data / "ccp"), "--out", str(tmp_path), "--limit", "30"]
    for goal in ("sets", "regions"):
        assert main([*words, "--goal", goal, "--epochs", "1", "--seeds", "1"]) == 0
    assert capsys.readouterr().out.count("features: 30 of 30 photos") == 1
    cached = load_or_make(tmp_path / "features.npz", shared_data / "ccp", 30, print)
    assert cached.cells.shape == (30, 200, 304)
    assert set(np.unique(cached.regions)) == set(range(7))
