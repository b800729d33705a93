"""Average precision against cases that were worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear_export.measure.answers import measure_answers
from comfywear_export.measure.average_precision import (
    Found,
    average_precision,
    boxes_precision,
    matched,
)
from comfywear_export.measure.thresholds import best_threshold

NONE = np.zeros((0, 4), np.float32)


def found(boxes: list[list[float]], scores: list[float], truth: list[list[float]], ignored: object = None) -> Found:
    def array(rows: object) -> np.ndarray:
        return np.array(rows, np.float32).reshape(-1, 4)

    return Found(array(boxes), np.array(scores, np.float32), array(truth), array(ignored or []))


A, B, C = [0, 0, 10, 10], [20, 0, 30, 10], [50, 50, 60, 60]


def test_right_wrong_right_of_two_truths_is_worked_out_by_hand() -> None:
    # Precision 1 up to recall .5 (51 of the 101 levels), then 2/3 for the other 50.
    ap, recall = boxes_precision([found([A, C, B], [0.9, 0.8, 0.7], [A, B])], 0.5)
    assert ap == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert recall == 1.0


def test_a_second_find_of_the_same_truth_is_wrong() -> None:
    ((scores, hits),) = matched([found([A, A], [0.6, 0.9], [A])], 0.5)
    assert scores.tolist() == pytest.approx([0.9, 0.6])
    assert hits.tolist() == [True, False]


def test_a_missed_truth_caps_the_figure_and_an_empty_photo_counts_its_false_find() -> None:
    photos = [found([A], [0.9], [A]), found([C], [0.95], []), found([], [], [B])]
    ap, recall = boxes_precision(photos, 0.5)
    # The false find comes first: precision 1/2 up to recall 1/2, nothing beyond.
    assert ap == pytest.approx(51 * 0.5 / 101)
    assert recall == 0.5


def test_the_overlap_must_reach_the_level() -> None:
    shifted = [2.5, 0, 12.5, 10]  # IoU with A: 7.5 / 12.5 = .6
    assert boxes_precision([found([shifted], [1.0], [A])], 0.55)[0] == pytest.approx(1.0)
    assert boxes_precision([found([shifted], [1.0], [A])], 0.65)[0] == 0.0


def test_finds_in_ignored_regions_count_neither_way() -> None:
    plain = found([A, C], [0.5, 0.9], [A])
    assert boxes_precision([plain], 0.5)[0] == pytest.approx(0.5)
    assert boxes_precision([found([A, C], [0.5, 0.9], [A], [[45, 45, 70, 70]])], 0.5)[0] == pytest.approx(1.0)


def test_a_find_counts_neither_way_when_as_large_a_share_of_it_is_ignored_as_the_level_asks() -> None:
    half = [found([A, C], [0.5, 0.9], [A], [[50, 50, 60, 56]])]  # .6 of the wrong find
    assert boxes_precision(half, 0.55)[0] == pytest.approx(1.0)
    assert boxes_precision(half, 0.65)[0] == pytest.approx(0.5)


def test_a_find_outside_what_is_labelled_is_not_there() -> None:
    photo = replace(found([A, C], [0.5, 0.9], [A]), labelled=np.array([A], np.float32))
    ((scores, hits),) = matched([photo], 0.5)
    assert (scores.tolist(), hits.tolist()) == ([0.5], [True])


def test_matches_come_photo_by_photo_also_where_there_is_nothing() -> None:
    parts = matched([found([], [], []), found([A], [0.25], [A]), found([], [], [B])], 0.5)
    assert [hits.tolist() for _, hits in parts] == [[], [True], []]
    assert matched([], 0.5) == []


def test_finds_of_one_score_have_no_order_whichever_photo_comes_first() -> None:
    photos = [found([A], [1.0], [A]), found([A], [1.0], [A]), found([C], [1.0], []), found([C, B], [1.0, 1.0], [])]
    for order in (photos, photos[::-1]):
        assert boxes_precision(order, 0.5) == (pytest.approx(2 / 5), 1.0)


def test_without_truth_there_is_no_figure() -> None:
    assert all(math.isnan(value) for value in boxes_precision([found([A], [0.9], [])], 0.5))
    assert math.isnan(average_precision(np.ones(3, np.float32), np.zeros(3, bool)))


def test_a_constant_answer_scores_the_prevalence() -> None:
    assert average_precision(np.full(10, 0.3, np.float32), np.arange(10) < 4) == pytest.approx(0.4)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 99).map(lambda n: n / 100), st.booleans()),
        min_size=1,
        max_size=30,
        unique_by=lambda row: row[0],
    )
)
def test_no_threshold_gives_a_better_f1_than_the_chosen_one(rows: list[tuple[float, bool]]) -> None:
    scores = np.array([score for score, _ in rows], np.float32)
    yes = np.array([y for _, y in rows])
    threshold, f1 = best_threshold(scores, yes, int(yes.sum()), 0.0, 1.0)
    if not yes.any():
        assert math.isnan(f1)
        return

    def at(limit: float) -> float:
        said = scores >= limit
        return 2 * int((said & yes).sum()) / (int(said.sum()) + int(yes.sum()))

    assert f1 == pytest.approx(at(threshold))
    assert f1 == pytest.approx(max(at(limit) for limit in scores))


def test_answers_leave_out_what_is_not_known() -> None:
    probabilities = np.array([[0.9, 0.2], [0.1, 0.8], [0.7, 0.6]], np.float32)
    truth = np.array([[1, 0], [0, np.nan], [np.nan, 1]], np.float32)
    result = measure_answers(
        probabilities, truth, ["group/top", "garment/shirt"], {"group/top": 0.5, "garment/shirt": 0.5}
    )
    assert result["labels"]["group/top"]["n"] == 2
    assert result["map_groups"] == 1.0
    assert result["decisions"] == {"right": 1.0, "n": 2}
    assert result["prevalence"]["labels"] == 0.5
    assert result["calibration_error"] == pytest.approx(0.1)
