"""ByteTracker on made sequences with known truth, and against anything that a detector may hand it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from comfywear.errors import UsageError
from comfywear.vision import ByteTracker


def box(x: float, y: float = 100, width: float = 60, height: float = 160) -> list[float]:
    return [x, y, x + width, y + height]


def follow(tracker: ByteTracker, frames: list[list[list[float]]], score: float = 0.9, **kwargs: Any) -> list[list[int]]:
    """For each frame the id of each detection, 0 for one without a track."""
    out = []
    for boxes in frames:
        ids, _, indices = tracker.update(np.array(boxes).reshape(-1, 4), np.full(len(boxes), score), **kwargs)
        row = [0] * len(boxes)
        for track_id, index in zip(ids.tolist(), indices.tolist(), strict=True):
            row[index] = track_id
        out.append(row)
    return out


def test_shapes_and_types_are_those_of_the_contract() -> None:
    ids, boxes, indices = ByteTracker().update(np.array([box(10), box(300)], np.float32), np.array([0.9, 0.8]))
    assert (ids.dtype, ids.tolist()) == (np.int64, [1, 2])
    assert (boxes.dtype, boxes.shape) == (np.float32, (2, 4))
    assert (indices.dtype, indices.tolist()) == (np.int64, [0, 1])
    assert np.allclose(boxes, [box(10), box(300)], atol=1e-3)


def test_a_track_follows_its_person_and_smooths_the_boxes() -> None:
    rng = np.random.default_rng(0)
    tracker = ByteTracker()
    errors, raw = [], []
    for i in range(80):
        truth = np.array(box(100 + 3 * i))
        noisy = truth + rng.normal(0, 4, 4)
        ids, boxes, _ = tracker.update(noisy[None], [0.9])
        assert ids.tolist() == [1]
        if i > 20:
            errors.append(np.abs(boxes[0] - truth).mean())
            raw.append(np.abs(noisy - truth).mean())
    assert np.mean(errors) < 0.8 * np.mean(raw)


def test_a_new_track_is_shown_on_its_second_frame_unless_it_is_the_first() -> None:
    tracker = ByteTracker()
    ids = follow(tracker, [[box(10)], [box(11), box(400)], [box(12), box(401)]])
    assert ids == [[1], [1, 0], [1, 2]]
    flicker = follow(tracker, [[box(13), box(402), box(700)], [box(14), box(403)]])
    assert flicker == [[1, 2, 0], [1, 2]]
    assert len(tracker) == 2


def test_two_people_who_cross_keep_their_ids() -> None:
    frames = []
    for i in range(60):
        a, b = box(10 + 8 * i), box(500 - 8 * i, 112)
        frames.append([a] if abs(a[0] - b[0]) < 20 else [a, b])  # the one behind is hidden
    ids = follow(ByteTracker(), frames)
    assert ids[0] == ids[-1] == [1, 2]
    assert all(row[0] == 1 for row in ids)


def test_a_gap_is_bridged_within_the_buffer_and_not_beyond_it() -> None:
    walk = [[box(10 + 4 * i)] for i in range(80)]
    short = walk[:30] + [[] for _ in range(20)] + walk[50:]
    assert follow(ByteTracker(lost_buffer=30), short)[-1] == [1]
    assert follow(ByteTracker(lost_buffer=10), short)[-1] == [2]


def test_a_person_who_sits_down_behind_a_desk_keeps_the_id() -> None:
    frames = []
    for i in range(60):
        low = min(max(i - 20, 0) * 3, 60)  # sits down: the head sinks, the desk hides what is below 230
        frames.append([[200, 100 + low, 260, 260 if i < 20 else 230]])
    assert {row[0] for row in follow(ByteTracker(), frames)} == {1}


def test_a_weak_detection_continues_a_track_but_never_begins_one() -> None:
    tracker = ByteTracker()
    follow(tracker, [[box(10)], [box(12)]])
    assert follow(tracker, [[box(14), box(400)], [box(16), box(400)]], score=0.3) == [[1, 0], [1, 0]]
    assert follow(tracker, [[box(18)]], score=0.05) == [[0]]


def test_dropped_frames_do_not_break_the_motion() -> None:
    steady = [[box(10 + 12 * i, width=30)] for i in range(60)]
    assert {row[0] for row in follow(ByteTracker(frame_rate=30), steady, dt=1 / 30)} == {1}

    def gap(dt: float) -> list[int]:
        tracker = ByteTracker(frame_rate=30)
        follow(tracker, steady[:40], dt=1 / 30)
        return follow(tracker, [steady[45]], dt=dt)[0]

    assert gap(6 / 30) == [1]
    assert gap(1 / 30) == [0]  # a tracker that believes in one frame looks in the wrong place


def test_ids_are_a_trackers_own_and_begin_again_after_reset() -> None:
    a, b = ByteTracker(), ByteTracker()
    follow(a, [[box(10), box(300)]])
    assert follow(b, [[box(10)]]) == [[1]]
    a.reset()
    assert len(a) == 0
    assert follow(a, [[box(500)]]) == [[1]]


def test_the_order_of_the_detections_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    plain, shuffled = ByteTracker(), ByteTracker()
    start = rng.uniform([0, 0], [1500, 700], (12, 2))
    speed = rng.uniform(-4, 4, (12, 2))
    mapping: dict[int, int] = {}
    for i in range(40):
        corner = start + i * speed
        boxes = np.hstack([corner, np.add(corner, [50, 120])])
        scores = np.where(rng.random(12) < 0.2, 0.3, 0.9) if i else np.full(12, 0.9)
        order = rng.permutation(12)
        ids, found, indices = plain.update(boxes, scores)
        other_ids, other_found, other_indices = shuffled.update(boxes[order], scores[order])
        one = {int(n): (int(k), tuple(f)) for n, k, f in zip(indices, ids, found.round(2).tolist(), strict=True)}
        two = {
            int(order[n]): (int(k), tuple(f))
            for n, k, f in zip(other_indices, other_ids, other_found.round(2).tolist(), strict=True)
        }
        assert one.keys() == two.keys()
        for index, (track_id, where) in one.items():
            assert mapping.setdefault(track_id, two[index][0]) == two[index][0]
            assert where == two[index][1]


def test_boxes_that_are_none_are_ignored_and_the_indices_are_those_of_the_caller() -> None:
    nan, inf = float("nan"), float("inf")
    bad = [[nan, 0, 10, 10], [5, 5, 5, 50], [50, 50, 40, 60], [0, 0, inf, 10], [-inf, 0, inf, 10]]
    ids, _, indices = ByteTracker().update([*bad, box(10), box(300)], [0.9] * 5 + [0.9, nan])
    assert (ids.tolist(), indices.tolist()) == ([1], [5])


@pytest.mark.parametrize("boxes", [[], np.empty((0, 4)), np.empty((0, 4), np.float32)])
def test_no_detections_is_a_frame_like_any_other(boxes: Any) -> None:
    ids, found, indices = ByteTracker().update(boxes, [])
    assert (ids.shape, found.shape, indices.shape) == ((0,), (0, 4), (0,))


@pytest.mark.parametrize(
    ("boxes", "scores", "dt", "message"),
    [
        ([[1, 2, 3]], [0.9], None, r"\(N, 4\)"),
        ([box(1)], [0.9, 0.8], None, r"\(N, 4\)"),
        ([box(1)], [[0.9]], None, r"\(N, 4\)"),
        ([box(1)], [42.0], None, "one is 42"),
        ([box(1)], [0.9], 0.0, "dt must be"),
        ([box(1)], [0.9], float("nan"), "dt must be"),
        ([box(1)], [0.9], -1.0, "dt must be"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(boxes: Any, scores: Any, dt: Any, message: str) -> None:
    tracker = ByteTracker()
    with pytest.raises(UsageError, match=message):
        tracker.update(boxes, scores, dt)
    assert follow(tracker, [[box(10)]]) == [[1]]


@pytest.mark.parametrize(
    "arguments", [{"high": 0.8}, {"low": -0.1}, {"match": 0}, {"lost_buffer": -1}, {"frame_rate": 0}, {"new": 1.5}]
)
def test_settings_that_cannot_be_are_refused(arguments: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        ByteTracker(**arguments)


frame = st.integers(0, 6).flatmap(
    lambda n: st.tuples(
        hnp.arrays(np.float64, (n, 4), elements=st.floats(-1e4, 1e4) | st.just(float("nan"))),
        hnp.arrays(np.float64, (n,), elements=st.floats(0, 1)),
    )
)


SLIVER = (np.array([[-1e-277, 0.0, 0.0, 1.0]]), np.array([1.0]))


@example([(np.array([[0.0, 0.0, 1e-96, 1.0]]), np.array([1.0]))], None)
@settings(max_examples=60, deadline=None)
@given(st.lists(frame, max_size=12), st.sampled_from([None, 0.01, 0.5, 30.0]))
@example([SLIVER], None)
def test_whatever_comes_ids_are_unique_boxes_finite_and_indices_right(frames: list[Any], dt: float | None) -> None:
    tracker = ByteTracker()
    for boxes, scores in frames:
        ids, found, indices = tracker.update(boxes, scores, dt)
        assert len(set(ids.tolist())) == len(ids) == len(found) == len(set(indices.tolist()))
        assert np.isfinite(found).all()
        assert (found[:, 2:] > found[:, :2]).all()
        assert (scores[indices] > tracker.low).all()


def test_memory_and_tracks_stay_bounded_under_churn() -> None:
    rng = np.random.default_rng(5)
    tracker = ByteTracker(lost_buffer=10)
    held = []
    for _ in range(600):
        corner = rng.uniform(0, 1500, (8, 2))
        tracker.update(np.hstack([corner, np.add(corner, [40, 90])]), np.full(8, 0.9))
        held.append(len(tracker))
    assert max(held) <= 8 * 12
    assert max(held[300:]) <= max(held[:300]) + 8


def test_tracks_are_carried_over_frames_without_detections() -> None:
    tracker = ByteTracker(frame_rate=10)
    follow(tracker, [[box(10 + 6 * i), box(600)] for i in range(20)])
    carried = [tracker.carry() for _ in range(3)]
    assert [found.ids.tolist() for found in carried] == [[1, 2]] * 3
    assert carried[0].indices.tolist() == [-1, -1]
    assert carried[2].boxes[0, 0] == pytest.approx(10 + 6 * 22, abs=3)
    assert follow(tracker, [[box(10 + 6 * 23), box(600)]]) == [[1, 2]]


def test_carrying_asks_for_real_time_and_neither_shows_nor_forgets_who_is_lost() -> None:
    tracker = ByteTracker(frame_rate=10, lost_buffer=30)
    follow(tracker, [[box(10), box(600)]] * 5 + [[box(10)]])
    assert tracker.carry(2.0).ids.tolist() == [1]
    assert follow(tracker, [[box(10), box(600)]]) == [[1, 2]]
    follow(tracker, [[box(10)]])
    tracker.carry(4.0)
    assert follow(tracker, [[box(10)], [box(10), box(600)], [box(10), box(600)]])[-1] == [1, 3]
    with pytest.raises(UsageError, match="positive"):
        tracker.carry(0.0)


def test_a_tracker_that_saw_nobody_yet_carries_nobody_and_shows_the_first_at_once() -> None:
    tracker = ByteTracker()
    assert tracker.carry().ids.tolist() == []
    assert follow(tracker, [[box(10)]]) == [[1]]


@pytest.mark.parametrize("carried", [0, 2])
def test_somebody_who_stood_and_walks_off_between_two_slow_looks_keeps_the_number(carried: int) -> None:
    """Half a second is a step or two: their box does not overlap the one before. Frames without a look count."""
    tracker = ByteTracker(frame_rate=2.0 * (carried + 1), lost_buffer=30.0)
    shown = []
    for look, x in enumerate((100, 100, 100, 100, 155, 215, 275)):
        for _ in range(carried if look else 0):
            tracker.carry()
        shown.append(tracker.update([[x, 100, x + 50, 250]], [0.9]).ids.tolist())
    assert shown == [[1]] * 7


def test_at_the_rate_of_video_nobody_is_widened_into_a_neighbour() -> None:
    tracker = ByteTracker(frame_rate=30.0)
    tracker.update([[100, 100, 150, 250]], [0.9])
    assert tracker.update([[155, 100, 205, 250]], [0.9]).ids.tolist() == []
    slow = ByteTracker(frame_rate=2.0)
    slow.update([[100, 100, 150, 250]], [0.9])
    assert slow.update([[155, 100, 205, 250]], [0.9]).ids.tolist() == [1]
