"""Letterbox, non-maximum suppression and decoding, without a model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.errors import ModelError
from comfywear.vision.detectors.letterbox import GREY, letterbox
from comfywear.vision.layouts.comfywear_1 import decode
from comfywear.vision.layouts.nms import box_iou, nms, nms_by_label

SIDES = st.integers(1, 900)


@settings(deadline=None)
@given(SIDES, SIDES)
def test_a_frame_of_any_shape_fits_in_the_square_and_its_boxes_come_back(height: int, width: int) -> None:
    frame = np.full((height, width, 3), 7, np.uint8)
    square, place = letterbox(frame, 320)
    assert square.shape == (320, 320, 3)
    whole = np.array([[0, 0, width, height]], np.float32)
    inside = place.to_square(whole)
    assert (inside >= 0).all()
    assert (inside <= 320 + 1e-3).all()
    np.testing.assert_allclose(place.to_frame(inside), whole, atol=1e-2 * max(height, width))
    x1, y1, x2, y2 = inside[0].round().astype(int)
    assert (square[y1:y2, x1:x2] == 7).all()
    assert int((square == GREY).all(2).sum()) == 320 * 320 - (y2 - y1) * (x2 - x1)


def test_boxes_in_the_grey_bars_are_cut_at_the_frame() -> None:
    _, place = letterbox(np.zeros((240, 320, 3), np.uint8), 320)
    cut = place.to_frame(np.array([[-20, 0, 400, 320]], np.float32))
    np.testing.assert_allclose(cut, [[0, 0, 320, 240]])


BOX = st.tuples(*[st.floats(0, 100, width=32)] * 4).map(
    lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))
)


@settings(deadline=None)
@given(st.lists(st.tuples(BOX, st.floats(0, 1, width=32)), max_size=25), st.floats(0.1, 0.9))
def test_what_stays_does_not_overlap_and_what_goes_had_a_better_neighbour(
    finds: list[tuple[tuple[float, ...], float]], limit: float
) -> None:
    boxes = np.array([box for box, _ in finds], np.float32).reshape(-1, 4)
    scores = np.array([score for _, score in finds], np.float32)
    kept = nms(boxes, scores, limit)
    assert list(scores[kept]) == sorted(scores[kept], reverse=True)
    overlaps = box_iou(boxes[kept], boxes[kept])
    assert (overlaps[~np.eye(len(kept), dtype=bool)] <= limit).all()
    for gone in set(range(len(finds))) - set(kept.tolist()):
        better = [k for k in kept if scores[k] >= scores[gone]]
        assert box_iou(boxes[[gone]], boxes[better]).max() > limit


LABELLED = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(1, 60), st.integers(1, 60), st.integers(0, 2))


@settings(deadline=None)
@given(st.lists(st.tuples(LABELLED, st.floats(0, 1, width=32)), max_size=40), st.sampled_from([0.313, 0.607, 0.811]))
def test_labels_do_not_suppress_each_other_and_each_is_as_if_alone(
    finds: list[tuple[tuple[int, ...], float]], limit: float
) -> None:
    boxes = np.array([(x, y, x + w, y + h) for (x, y, w, h, _), _ in finds], np.float32).reshape(-1, 4)
    labels = np.array([label for (*_, label), _ in finds], np.intp)
    scores = np.array([score for _, score in finds], np.float32)
    alone = []
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        alone += own[nms(boxes[own], scores[own], limit)].tolist()
    assert nms_by_label(boxes, scores, labels, limit).tolist() == alone


def test_iou_of_known_boxes() -> None:
    a = np.array([[0, 0, 2, 2]], np.float32)
    b = np.array([[1, 1, 3, 3], [0, 0, 2, 2], [5, 5, 6, 6], [1, 1, 1, 1]], np.float32)
    np.testing.assert_allclose(box_iou(a, b), [[1 / 7, 1, 0, 0]], rtol=1e-6)


def _raw(side: int = 64, labels: int = 3) -> list[np.ndarray]:
    cells = sum((side // stride) ** 2 for stride in (8, 16, 32))
    return [np.full((1, cells, labels), -20, np.float32), np.zeros((1, cells, 8), np.float32)]


def _softplus_inverse(y: float) -> float:
    return float(np.log(np.expm1(y)))


def test_a_cell_of_each_stride_gives_its_person_box_or_its_garment_box() -> None:
    outputs = _raw()
    thresholds = np.full(3, 0.5, np.float32)
    # Cell (row 1, column 2) of stride 16 has its centre at (40, 24); person, 0.5 strides to each side.
    cell = 64 + 1 * 4 + 2
    outputs[0][0, cell, 0] = 3.0
    outputs[1][0, cell, :4] = _softplus_inverse(0.5)
    # The first cell of stride 32 (centre 16, 16) shows garment 2, a quarter stride to each side.
    outputs[0][0, 64 + 16, 2] = 2.0
    outputs[1][0, 64 + 16, 4:] = _softplus_inverse(0.25)
    boxes, scores, labels = decode(outputs, 64, thresholds, 0.6)
    assert labels.tolist() == [0, 2]
    np.testing.assert_allclose(boxes, [[32, 16, 48, 32], [8, 8, 24, 24]], atol=1e-4)
    np.testing.assert_allclose(scores, 1 / (1 + np.exp([-3.0, -2.0])), rtol=1e-5)


def test_the_threshold_is_that_of_the_label() -> None:
    outputs = _raw()
    outputs[0][0, 0] = 0.0  # a score of one half for every label
    _, _, labels = decode(outputs, 64, np.array([0.6, 0.4, 0.5], np.float32), 0.6)
    assert labels.tolist() == [1, 2]


def test_outputs_of_another_layout_are_refused_with_both_shapes() -> None:
    outputs = _raw()
    with pytest.raises(ModelError, match=r"layout comfywear-1 means"):
        decode(outputs[::-1], 64, np.full(3, 0.5, np.float32), 0.6)
    with pytest.raises(ModelError, match=r"8400"):
        decode([np.zeros((1, 84, 8400), np.float32)], 64, np.full(3, 0.5, np.float32), 0.6)
