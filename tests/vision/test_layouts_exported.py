"""Detectors as people export them, with the names, shapes and numbers of their outputs: from the file to the person."""

from __future__ import annotations

import itertools
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import foreign_outputs as made
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_onnx import write_onnx
from tiny_tflite import write_tflite

from comfywear.cli import main
from comfywear.errors import ModelError
from comfywear.vision import Detector
from comfywear.vision.detectors.foreign import labels_inside
from comfywear.vision.layouts.decoding import Raw
from comfywear.vision.layouts.doubt import doubt_about
from comfywear.vision.layouts.guess import guess

SIDE = 320
THINGS: list[made.Thing] = [((30, 40, 110, 250), 0, 0.8), ((200, 200, 290, 300), 56, 0.7)]
PERSON = [THINGS[0]]
COCO_IDS: list[made.Thing] = [(THINGS[0][0], 1, 0.8), (THINGS[1][0], 62, 0.7)]  # COCO's own numbers: person is 1
PICTURE = ("float32", (1, 3, SIDE, SIDE))


@dataclass(frozen=True)
class Export:
    """A kind of file: its outputs by name, what its input is, what it says of itself, and how it is to be read."""

    layout: str
    outputs: Callable[[], Mapping[str, np.ndarray]]
    given: tuple[str, Sequence[int | str]] = PICTURE
    notes: Mapping[str, str] = field(default_factory=dict)
    words: Sequence[str] = ()
    more: Mapping[str, tuple[str, Sequence[int | str]]] = field(default_factory=dict)
    input: Mapping[str, object] = field(default_factory=dict)


def named(names: str, outputs: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    return dict(zip(names.split(), outputs, strict=True))


V7 = ("batch", "x1", "y1", "x2", "y2", "class", "score")
NAS = ("batch", "x1", "y1", "x2", "y2", "score", "class")
CAFFE = ("batch", "class", "score", "x1", "y1", "x2", "y2")
PADDLE = ("class", "score", "x1", "y1", "x2", "y2")
IMAGENET = {"mean": [123.675, 116.28, 103.53], "resize": "stretch"}
PERSON_ONLY = {"names": "{0: 'person'}", "task": "pose"}

EXPORTS: dict[str, Export] = {
    "YOLOv7, TensorRT's suppression": Export(
        "nms", lambda: named("num_dets det_boxes det_scores det_classes", made.efficient_nms(THINGS, SIDE))
    ),
    "the same in parts of the picture": Export(
        "nms",
        lambda: named("num_dets det_boxes det_scores det_classes", made.efficient_nms(THINGS, SIDE, normalised=True)),
    ),
    "the same with floats for numbers": Export(
        "nms",
        lambda: named("num_dets det_boxes det_scores det_classes", made.efficient_nms(THINGS, SIDE, whole=False)),
    ),
    "another order and other names": Export(
        "nms",
        lambda: named("a b c d", [made.efficient_nms(THINGS, SIDE)[i] for i in (1, 3, 2, 0)]),
    ),
    "YOLO-NAS in batch format, bytes": Export(
        "nms",
        lambda: named("num_predictions pred_boxes pred_scores pred_classes", made.efficient_nms(THINGS, SIDE)),
        ("uint8", (1, 3, SIDE, SIDE)),
        input={"channels": "BGR"},
    ),
    "YOLO-NAS in flat format, bytes": Export(
        "rows",
        lambda: {"graph2_flat_predictions": made.in_columns(THINGS, SIDE, NAS)[0]},
        ("uint8", (1, 3, SIDE, SIDE)),
        input={"channels": "BGR"},
    ),
    "YOLO-NAS without suppression": Export(
        "yolonas", lambda: named("913 904", made.yolonas(THINGS, SIDE, 80)), input={"channels": "RGB"}
    ),
    "YOLO-NAS, scores first": Export("yolonas", lambda: named("s b", made.yolonas(THINGS, SIDE, 80)[::-1])),
    "YOLOv7, ONNX Runtime's suppression": Export(
        "rows", lambda: {"output": made.in_columns(THINGS, SIDE, V7)[0]}, ("float32", ("batch", 3, SIDE, SIDE))
    ),
    "OpenVINO's DetectionOutput": Export(
        "rows", lambda: {"detection_out": made.in_columns(THINGS, SIDE, CAFFE, normalised=True)[0][None, None]}
    ),
    "PaddleDetection": Export("rows", lambda: {"boxes": made.in_columns(THINGS, SIDE, PADDLE)[0]}),
    "mmdeploy": Export(
        "nms",
        lambda: {
            "dets": np.concatenate(
                [made.efficient_nms(THINGS, SIDE)[1], made.efficient_nms(THINGS, SIDE)[2][..., None]], 2
            ),
            "labels": made.efficient_nms(THINGS, SIDE)[3].astype(np.int64),
        },
    ),
    "torchvision": Export(
        "nms",
        lambda: {
            "boxes": made.efficient_nms(COCO_IDS, SIDE, 2)[1][0],
            "labels": made.efficient_nms(COCO_IDS, SIDE, 2)[3][0].astype(np.int64),
            "scores": made.efficient_nms(COCO_IDS, SIDE, 2)[2][0],
        },
    ),
    "torchvision with one person in the sample": Export(
        "nms",
        lambda: {
            "boxes": made.efficient_nms(COCO_IDS[:1], SIDE, 1)[1][0],
            "labels": made.efficient_nms(COCO_IDS[:1], SIDE, 1)[3][0].astype(np.int64),
            "scores": made.efficient_nms(COCO_IDS[:1], SIDE, 1)[2][0],
        },
    ),
    "SSD of TensorFlow through tf2onnx": Export(
        "ssd",
        lambda: named(
            "detection_boxes detection_classes detection_scores num_detections",
            made.ssd(COCO_IDS, SIDE, ("boxes", "classes", "scores", "count"), slots=100),
        ),
        ("uint8", (1, SIDE, SIDE, 3)),
    ),
    "RT-DETR, D-FINE, DEIM with post-processing": Export(
        "nms",
        lambda: {
            "labels": made.efficient_nms(THINGS, SIDE, 300)[3].astype(np.int64),
            "boxes": made.efficient_nms(THINGS, SIDE, 300)[1],
            "scores": made.efficient_nms(THINGS, SIDE, 300)[2],
        },
        more={"orig_target_sizes": ("int64", ("N", 2))},
        input={"resize": "stretch", "mean": [0, 0, 0]},
    ),
    "D-FINE, DEIM": Export(
        "detr", lambda: named("pred_boxes logits", made.detr(THINGS, SIDE, 80)), input={"mean": [0, 0, 0]}
    ),
    "RT-DETR of transformers, logits first": Export(
        "detr", lambda: named("logits pred_boxes", made.detr(THINGS, SIDE, 80)[::-1]), input={"resize": "stretch"}
    ),
    "RT-DETR of Ultralytics": Export(
        "detr", lambda: {"output0": np.concatenate(made.detr(THINGS, SIDE, 80, "scores"), 2)}
    ),
    "RF-DETR": Export("detr", lambda: named("dets labels", made.detr(COCO_IDS, SIDE, 91)), input=IMAGENET),
    "RF-DETR that segments": Export(
        "detr",
        lambda: named("dets labels masks", [*made.detr(COCO_IDS, SIDE, 91), np.zeros((1, 300, 78, 78), np.float32)]),
        input=IMAGENET,
    ),
    "RF-DETR of three classes, as wide as boxes": Export(
        "detr",
        lambda: named("dets labels", made.detr(PERSON, SIDE, 4)),
        words=("--labels", "person,bag,hat"),
        input=IMAGENET,
    ),
    "DETR": Export(
        "detr", lambda: named("logits pred_boxes", made.detr(COCO_IDS, SIDE, 92, "softmax")[::-1]), input=IMAGENET
    ),
    "YOLOv8 that segments": Export(
        "yolov8", lambda: named("output0 output1", made.with_masks(made.yolov8(THINGS, SIDE, 80), 1, SIDE))
    ),
    "YOLOv5 that segments": Export(
        "yolov5", lambda: named("output0 output1", made.with_masks(made.yolov5(THINGS, SIDE, 80), 2, SIDE))
    ),
    "YOLO11 for poses": Export(
        "yolov8", lambda: named("output0", made.with_pose(made.yolov8(PERSON, SIDE, 1), 1, SIDE)), notes=PERSON_ONLY
    ),
    "YOLO11 for poses that says nothing": Export(
        "yolov8", lambda: named("output0", made.with_pose(made.yolov8(PERSON, SIDE, 1), 1, SIDE))
    ),
    "YOLO26 that segments": Export(
        "rows", lambda: named("output0 output1", made.with_masks(made.finished(THINGS, SIDE), 2, SIDE))
    ),
    "YOLO26 for poses": Export("rows", lambda: named("output0", made.with_pose(made.finished(PERSON, SIDE), 2, SIDE))),
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COMFYWEAR_MODELS", str(tmp_path / "models"))
    cv2.imwrite(str(tmp_path / "sample.png"), np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3)).astype("u1"))
    return tmp_path


@pytest.mark.parametrize("export", EXPORTS.values(), ids=EXPORTS)
def test_an_export_is_known_and_finds_the_person(
    home: Path, export: Export, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_onnx(home / "mine.onnx", export.given, export.outputs(), notes=export.notes, more=export.more)
    words = ["models", "import", str(path), "--sample", str(home / "sample.png"), *export.words]
    assert main(words) == 0, capsys.readouterr().err
    shown = capsys.readouterr().out
    assert f"1. {export.layout} (" in shown
    assert "in doubt" not in shown
    assert "person 0.80 at 30, 40, 110, 250" in shown
    detector = Detector.load("mine")
    assert export.input.items() <= {k: v for k, v in detector.card.input.items() if k in export.input}.items()
    (found,) = detector.detect(np.zeros((SIDE, SIDE, 3), np.uint8))
    np.testing.assert_allclose(found.box, THINGS[0][0], atol=0.2)


def test_four_outputs_of_tflite_are_still_read_as_such(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order = ("boxes", "classes", "scores", "count")
    outputs = dict(zip(("a", "b", "c", "d"), made.ssd(THINGS, SIDE, order), strict=True))
    path = write_onnx(home / "lite.onnx", ("float32", (1, SIDE, SIDE, 3)), outputs)
    assert main(["models", "import", str(path), "--sample", str(home / "sample.png")]) == 0
    assert "1. ssd (" in capsys.readouterr().out


def test_a_reading_whose_boxes_make_no_sense_is_shown_with_the_doubt_and_written_only_if_wanted(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Boxes of another input's size: far outside of this one.
    outputs = made.yolov8([((900, 900, 1200, 1500), 0, 0.8)], SIDE, 80)
    path = write_onnx(home / "wrong.onnx", PICTURE, {"output0": outputs[0]})
    words = ["models", "import", str(path), "--sample", str(home / "sample.png")]
    assert main(words) == 2
    shown = capsys.readouterr()
    assert "in doubt: 1 of 1 likely boxes lie outside of the picture or have no area" in shown.out
    assert "no card was written" in shown.err
    assert main([*words, "--layout", "yolov8"]) == 2
    assert not (home / "models").exists()
    assert main([*words, "--yes"]) == 0
    assert (home / "models" / "wrong.card.json").exists()


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        (
            "metadata.json",
            json.dumps({"task": "detect", "names": {"1": "person", "0": "helmet"}}),
            ("helmet", "person"),
        ),
        ("temp_meta.txt", "{'imgsz': [320, 320], 'names': {0: 'helmet', 1: 'person'}}", ("helmet", "person")),
        ("labelmap.txt", "helmet\nperson\n", ("helmet", "person")),
        ("metadata.json", '\ufeff{"names": ["helmet", "person"]}', ("helmet", "person")),
        ("metadata.json", '{"names": {"1": "person"}}', None),
        ("metadata.json", '{"names": 5}', None),
        ("metadata.json", "[" * 100_000, None),
    ],
)
def test_names_come_from_what_is_appended_to_a_tflite_file(
    tmp_path: Path, name: str, text: str, names: tuple[str, ...] | None
) -> None:
    things = [(THINGS[0][0], 1, 0.8)]
    outputs = {"Identity": made.yolov8(things, SIDE, 2, normalised=True)[0]}
    path = write_tflite(tmp_path / "mine.tflite", ("float32", (1, SIDE, SIDE, 3)), outputs)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, text)
    assert labels_inside(path) == names


def test_whichever_byte_of_the_appended_names_is_wrong_they_are_read_or_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "mine.tflite"
    model = b"\0" * 64
    path.write_bytes(model)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", json.dumps({"names": ["helmet", "person", "helmet of a person"]}))
    data = path.read_bytes()
    refused = 0
    for at, flip in itertools.product(range(len(model), len(data)), (0x01, 0x55, 0xFF)):
        path.write_bytes(data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :])
        try:
            names = labels_inside(path)
        except ModelError as error:
            refused += "the label list in it is damaged" in str(error)
        else:
            assert names in (None, ("helmet", "person", "helmet of a person"))
    assert refused > 50


def test_a_tflite_file_with_its_names_becomes_a_detector(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = {"Identity": made.yolov8([(THINGS[0][0], 1, 0.8)], SIDE, 2, normalised=True)[0]}
    path = write_tflite(home / "mine.tflite", ("float32", (1, SIDE, SIDE, 3)), outputs)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("metadata.json", json.dumps({"names": {"0": "helmet", "1": "person"}}))
    assert main(["models", "import", str(path), "--sample", str(home / "sample.png")]) == 0
    assert "person 0.80 at 30, 40, 110, 250" in capsys.readouterr().out
    assert Detector.load("mine").card.labels == ["helmet", "person"]


boxes_of_sense = st.tuples(st.floats(0, 200), st.floats(0, 200), st.floats(2, 100), st.floats(2, 100))


@given(st.lists(boxes_of_sense, min_size=1, max_size=20))
def test_boxes_within_the_picture_are_not_doubted_and_shifted_ones_are(
    corners: list[tuple[float, float, float, float]],
) -> None:
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in corners], np.float32)
    scores = np.full((len(boxes), 1), 0.9, np.float32)
    assert doubt_about(Raw(boxes, scores), (SIDE, SIDE)) is None
    assert "outside" in (doubt_about(Raw(boxes + 500, scores), (SIDE, SIDE)) or "")
    assert "no area" in (doubt_about(Raw((boxes / SIDE).astype(np.float32), scores), (SIDE, SIDE)) or "")
    assert "scores" in (doubt_about(Raw(boxes, scores * 3), (SIDE, SIDE)) or "")
    assert "finite" in (doubt_about(Raw(np.full_like(boxes, np.nan), scores), (SIDE, SIDE)) or "")


@given(
    st.lists(
        st.lists(st.integers(1, 7), min_size=0, max_size=4).map(lambda sides: np.zeros(sides, np.float32)), max_size=5
    )
)
def test_any_outputs_are_guessed_or_unknown(outputs: list[np.ndarray]) -> None:
    for found in guess(outputs, (SIDE, SIDE)):
        assert found.why
