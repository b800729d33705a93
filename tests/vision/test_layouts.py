"""Decoders of other families: boxes go in through each family's formulas and come out as they were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import foreign_outputs as made
import numpy as np
import pytest

from comfywear.errors import ModelError
from comfywear.vision.layouts import LAYOUTS, pick
from comfywear.vision.layouts.coco import COCO_80, COCO_90
from comfywear.vision.layouts.efficientdet import anchors
from comfywear.vision.layouts.guess import guess

SIDE = 320
# A person, another one, and a chair (which the decoders keep and the detector leaves out).
THINGS: list[made.Thing] = [
    ((30, 40, 110, 250), 0, 0.8),
    ((150.5, 60, 210, 180), 0, 0.6),
    ((200, 200, 290, 300), 56, 0.7),
]

Case = tuple[str, Callable[[], list[np.ndarray]], dict[str, Any], int]

CASES: dict[str, Case] = {
    "YOLOv5": ("yolov5", lambda: made.yolov5(THINGS, SIDE, 80), {}, 80),
    "YOLOv5 TFLite": ("yolov5", lambda: made.yolov5(THINGS, SIDE, 80, normalised=True), {"normalised": True}, 80),
    "YOLOv8": ("yolov8", lambda: made.yolov8(THINGS, SIDE, 80), {}, 80),
    "YOLO11 TFLite": ("yolov8", lambda: made.yolov8(THINGS, SIDE, 80, normalised=True), {"normalised": True}, 80),
    "YOLOv8 last": ("yolov8", lambda: made.yolov8(THINGS, SIDE, 80, last=True), {"transposed": True}, 80),
    "YOLOX": ("yolox", lambda: made.yolox(THINGS, SIDE, 80), {}, 80),
    "YOLOX decoded": ("yolox", lambda: made.yolox(THINGS, SIDE, 80, decoded=True), {"decoded": True}, 80),
    "NanoDet": ("nanodet", lambda: made.nanodet(THINGS, SIDE, 80), {"strides": [8, 16, 32], "offset": 0.5}, 80),
    "NanoDet-g, outputs apart": (
        "nanodet",
        lambda: made.nanodet(THINGS, SIDE, 80, bins=11, apart=True),
        {"strides": [8, 16, 32], "offset": 0.5},
        80,
    ),
    "NanoDet-Plus": (
        "nanodet",
        lambda: made.nanodet(THINGS, SIDE, 80, plus=True),
        {"strides": [8, 16, 32, 64], "offset": 0.0},
        80,
    ),
    "SSD": ("ssd", lambda: made.ssd(THINGS, SIDE, ("boxes", "classes", "scores", "count")), {}, 90),
    "SSD of TensorFlow 2": (
        "ssd",
        lambda: made.ssd(THINGS, SIDE, ("scores", "boxes", "count", "classes")),
        {"order": ["scores", "boxes", "count", "classes"]},
        90,
    ),
    "EfficientDet-Lite": ("efficientdet", lambda: made.efficientdet(THINGS, SIDE, 90), {}, 90),
    "EfficientDet-Lite logits": (
        "efficientdet",
        lambda: made.efficientdet(THINGS, SIDE, 90, logits=True),
        {"logits": True},
        90,
    ),
    "YOLOv10": ("rows", lambda: made.finished(THINGS, SIDE), {}, 80),
    "rows in parts": ("rows", lambda: made.finished(THINGS, SIDE, normalised=True), {"normalised": True}, 80),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_boxes_come_back_from_every_family(case: Case) -> None:
    layout, outputs, options, classes = case
    raw = LAYOUTS[layout].decode(outputs(), (SIDE, SIDE), classes, options)
    boxes, scores, labels = pick(raw, [0, 56], np.array([0.3, 0.3], np.float32), 0.6)
    assert labels.tolist() == [0, 0, 1]
    np.testing.assert_allclose(boxes, [box for box, _, _ in THINGS], atol=0.05)
    np.testing.assert_allclose(scores, [score for _, _, score in THINGS], atol=1e-4)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_layout_and_its_details_are_guessed_from_shapes_and_values(case: Case) -> None:
    layout, outputs, options, classes = case
    shown = outputs()
    (only,) = guess(shown, (SIDE, SIDE))
    assert only.layout == layout
    assert only.classes in (classes, None)
    # What is guessed and not needed must be what is usual.
    found = LAYOUTS[layout].decode(shown, (SIDE, SIDE), classes, only.options)
    wanted = LAYOUTS[layout].decode(shown, (SIDE, SIDE), classes, options)
    np.testing.assert_allclose(found.boxes, wanted.boxes)
    np.testing.assert_allclose(found.scores, wanted.scores)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_outputs_of_another_family_are_refused_with_their_shapes(case: Case) -> None:
    layout, _, options, classes = case
    for wrong in ([np.zeros((1, 7, 3), np.float32)], [np.zeros((4, 4), np.float32)] * 5):
        with pytest.raises(ModelError, match=r"the graph's outputs are .*; ?layout"):
            LAYOUTS[layout].decode(wrong, (SIDE, SIDE), classes, options)


def test_pictures_that_are_no_squares_have_their_own_cells() -> None:
    height, width = 256, 416
    rows = sum((height // s) * (width // s) for s in (8, 16, 32))
    out = np.zeros((1, 84, rows), np.float32)
    out[0, :4, 5], out[0, 4, 5] = (200, 100, 40, 80), 0.9
    raw = LAYOUTS["yolov8"].decode([out], (height, width), 80, {})
    boxes, _, _ = pick(raw, [0], np.array([0.5], np.float32), 0.6)
    np.testing.assert_allclose(boxes, [[180, 60, 220, 140]])
    (only,) = guess([out], (height, width))
    assert only.layout == "yolov8"


def test_the_number_of_classes_settles_what_the_columns_leave_open() -> None:
    # 85 columns are YOLOX with 80 classes or a transposed YOLOv8 with 81.
    outputs = made.yolox(THINGS, SIDE, 80, decoded=True)
    assert [g.layout for g in guess(outputs, (SIDE, SIDE), 80)] == ["yolox"]
    assert [g.layout for g in guess(outputs, (SIDE, SIDE), 81)] == ["yolov8"]
    assert guess(outputs, (SIDE, SIDE), 20) == []


def test_a_model_of_one_class_is_guessed_too() -> None:
    things = [(THINGS[0][0], 0, 0.8)]
    assert [g.layout for g in guess(made.yolov5(things, SIDE, 1), (SIDE, SIDE))] == ["yolov5"]
    assert [g.layout for g in guess(made.yolov8(things, SIDE, 1), (SIDE, SIDE))] == ["yolov8"]
    assert "yolox" in [g.layout for g in guess(made.yolox(things, SIDE, 1), (SIDE, SIDE))]


def test_what_is_no_detector_is_not_guessed() -> None:
    for outputs in (
        [np.zeros((1, 1000), np.float32)],
        [np.zeros((1, 64, 80, 80), np.float32)],
        [np.zeros((1, 100, 7), np.float32)],
        [],
    ):
        assert guess(outputs, (SIDE, SIDE)) == []


def test_the_anchors_are_as_many_as_the_published_graph_has_rows() -> None:
    centres, sides = anchors(320, 320, 3.0)
    assert len(centres) == 19206
    # First cell, first size: stride 8 times 3, a square.
    np.testing.assert_allclose(centres[0], [4, 4])
    np.testing.assert_allclose(sides[0], [24, 24])
    np.testing.assert_allclose(sides[1], [24 * 1.4, 24 * 0.7])


def test_cocos_names_with_gaps_and_without() -> None:
    assert (len(COCO_80), len(COCO_90)) == (80, 90)
    assert COCO_90[0] == COCO_80[0] == "person"
    assert (COCO_90[12 - 1], COCO_90[13 - 1], COCO_90[90 - 1]) == ("-", "stop sign", "toothbrush")
    assert tuple(name for name in COCO_90 if name != "-") == COCO_80
