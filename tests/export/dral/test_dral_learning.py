"""Metric, triplet refresh, Q-learning and the figures, on persons made up so that the answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from comfywear_export.dral.embedding import Answered, Projection, refreshed, triplets, whitened, within
from comfywear_export.dral.graph import squared_distances
from comfywear_export.dral.policies import Judge, fit_judge, greedy, nearest_first, random_item, uncertain
from comfywear_export.dral.qlearning import learn, learnt
from comfywear_export.dral.rounds import FEATURES
from comfywear_export.dral.scores import average_precision, interval
from comfywear_export.dral.simulate import Asking, Crowd, collect, curves, start_of

Floats = NDArray[np.float64]


def persons(n: int, views: int, seed: int, noise: float = 0.4) -> Floats:
    """Two directions tell persons apart, and six loud ones say nothing of them."""
    rng = np.random.default_rng(seed)
    who = rng.normal(size=(n, 1, 2)) + noise * rng.normal(size=(n, views, 2)) * 0.3
    return np.concatenate([who, 3.0 * noise * rng.normal(size=(n, views, 6))], axis=2)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 12), st.integers(1, 6), st.floats(0.01, 1.0))
def test_the_start_is_the_mahalanobis_distance_of_the_shrunk_covariance(
    seed: int, n: int, width: int, shrink: float
) -> None:
    x = np.random.default_rng(seed).normal(size=(n, width)) * np.arange(1, width + 1)
    placed = whitened(x, shrink)(x)
    centred = x - x.mean(axis=0)
    covariance = centred.T @ centred / n
    level = np.trace(covariance) / width
    inverse = np.linalg.inv((1 - shrink) * covariance + shrink * level * np.eye(width))
    wanted = np.array([[(a - b) @ inverse @ (a - b) for b in x] for a in x])
    found = squared_distances(placed, placed)
    assert found / found.max() == pytest.approx(wanted / wanted.max(), abs=1e-6)


def test_clothes_that_were_not_seen_count_as_usual_ones() -> None:
    x = persons(10, 1, 0)[:, 0]
    projection = whitened(x)
    gap = x[:1].copy()
    gap[0, 3] = np.nan
    usual = x[:1].copy()
    usual[0, 3] = projection.mean[3]
    assert projection(gap) == pytest.approx(projection(usual))
    assert np.isfinite(whitened(np.full((3, 2), np.nan))(np.full((1, 2), np.nan))).all()


def test_answers_make_an_embedding_that_knows_other_persons_better() -> None:
    asked, held = persons(40, 4, 1), persons(40, 4, 2)
    start = whitened(asked.reshape(-1, 8))
    answered = collect(Crowd(asked, start), range(0, 160, 2), nearest_first, Asking(), np.random.default_rng(0))
    rows = triplets(answered)
    person = np.repeat(np.arange(40), 4)
    assert (person[rows[:, 0]] == person[rows[:, 1]]).all()
    assert (person[rows[:, 0]] != person[rows[:, 2]]).all()
    flat = asked.reshape(-1, 8)
    everybody = np.arange(160).reshape(40, 4).tolist()
    scores = {
        name: np.mean([crowd.scores(q, crowd.gallery(q)) for q in range(160)], axis=0)[1]
        for name, crowd in (
            ("start", Crowd(held, start)),
            ("triplets", Crowd(held, refreshed(start, flat, rows))),
            ("supervised", Crowd(held, within(flat, everybody, start))),
        )
    }
    assert scores["triplets"] > scores["start"] + 0.03
    assert scores["supervised"] > scores["start"] + 0.1


def test_without_answers_the_embedding_stays() -> None:
    start = Projection(np.zeros(2), np.eye(2))
    assert triplets([Answered([0], [1]), Answered([2, 3], [])]).shape == (0, 3)
    assert refreshed(start, np.eye(2), triplets([])) is start
    assert within(np.eye(2), [[0], [1]], start) is start


def test_q_learning_finds_the_policy_that_the_reward_pays_for() -> None:
    crowd = Crowd(persons(12, 4, 3), whitened(persons(12, 4, 3).reshape(-1, 8)))
    how, rng = Asking(pool=12, most=4, k=4), np.random.default_rng(0)
    judge = Judge(np.zeros(len(FEATURES) + 1))

    def begin(draw: np.random.Generator) -> object:
        now, is_same, _ = start_of(crowd, how)(draw)
        return now, is_same, lambda item, _: 1.0 if item == int(now.by_distance()[-1]) else 0.0

    net, gained = learn(begin, judge, 150, rng, discount=0.5)  # type: ignore[arg-type]
    assert np.mean(gained[:30]) < np.mean(gained[-30:])
    now, _, _ = start_of(crowd, how)(rng)
    assert learnt(net)(now, rng) in now.by_distance()[-2:], "the furthest is what pays"


def test_a_judge_learns_who_is_the_same_and_policies_use_it() -> None:
    knows = Projection(np.zeros(8), np.diag([1.0, 1.0, *[0.0] * 6]))
    crowd, how, rng = Crowd(persons(20, 4, 5), knows), Asking(), np.random.default_rng(0)
    features, same = [], []
    for query in range(0, 80, 4):
        now, rows = crowd.begin(query, how)
        items = now.graph.open()
        features.append(now.features(items))
        same += [crowd.same(query, int(rows[item])) for item in items]
    judge = fit_judge(np.concatenate(features), same)
    chances = judge(np.concatenate(features))
    assert chances[np.array(same)].mean() > chances[~np.array(same)].mean() + 0.2
    now, _ = crowd.begin(0, how)
    items = now.graph.open()
    odds = judge(now.features(items))
    assert uncertain(judge)(now, rng) == items[np.argmin(np.abs(odds - 0.5))]
    assert greedy(judge)(now, rng) in items


def test_questions_help_and_the_curves_begin_where_nobody_was_asked() -> None:
    crowd = Crowd(persons(25, 4, 7), whitened(persons(25, 4, 7).reshape(-1, 8)))
    how, rng = Asking(pool=20, most=6, k=5), np.random.default_rng(0)
    near = curves(crowd, range(0, 100, 4), nearest_first, how, rng)
    chance = curves(crowd, range(0, 100, 4), random_item, how, rng)
    assert near.shape == chance.shape == (25, 2, 7)
    assert np.array_equal(near[:, :, 0], chance[:, :, 0])
    assert near[:, 1, -1].mean() > near[:, 1, 0].mean() + 0.05
    assert near[:, 1, 3].mean() > chance[:, 1, 3].mean()


def test_average_precision_and_its_interval() -> None:
    assert average_precision(np.array([True, False, True, False])) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(np.zeros(3, bool)) == 0.0
    values = np.random.default_rng(0).normal(0.5, 0.1, (5, 100))
    low, high = interval(values)
    assert low < values.mean() < high
    assert 0.02 < high - low < 0.12
