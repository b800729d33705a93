"""`comfywear models import` on graphs of other families, from the file to the detector that runs it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import foreign_outputs as made
import numpy as np
import pytest
from tiny_onnx import write_onnx
from tiny_tflite import write_tflite

from comfywear.cli import main
from comfywear.errors import ModelError
from comfywear.vision import Detector, open_detector
from comfywear.vision.detectors.composed import ComposedDetector
from comfywear.vision.detectors.foreign import labels_inside
from comfywear.vision.detectors.preparing import preparation_of
from comfywear.vision.engines.litert import LiteRtEngine
from comfywear.vision.engines.onnx import OnnxEngine

SIDE = 320
THINGS: list[made.Thing] = [((30, 40, 110, 250), 0, 0.8), ((200, 200, 290, 300), 56, 0.7)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty models folder of the user."""
    monkeypatch.setenv("COMFYWEAR_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "sample.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (320, 320, 3)).astype(np.uint8))
    return path


def graph(
    path: Path, outputs: Sequence[np.ndarray], shape: Sequence[int | str] = (1, 3, SIDE, SIDE), dtype: str = "float32"
) -> Path:
    return write_onnx(path, (dtype, shape), {f"out{i}": o for i, o in enumerate(outputs)})


def files(tmp_path: Path) -> dict[str, Path]:
    order = ("boxes", "classes", "scores", "count")
    return {
        "yolov5": graph(tmp_path / "yolov5.onnx", made.yolov5(THINGS, SIDE, 80)),
        "yolov8": graph(tmp_path / "yolov8.onnx", made.yolov8(THINGS, SIDE, 80)),
        "yolox": graph(tmp_path / "yolox.onnx", made.yolox(THINGS, SIDE, 80)),
        "nanodet": graph(tmp_path / "nanodet.onnx", made.nanodet(THINGS, SIDE, 80)),
        "ssd": graph(tmp_path / "ssd.onnx", made.ssd(THINGS, SIDE, order), (1, SIDE, SIDE, 3), "uint8"),
        "efficientdet": graph(tmp_path / "efficientdet.onnx", made.efficientdet(THINGS, SIDE, 90), (1, SIDE, SIDE, 3)),
        "rows": graph(tmp_path / "rows.onnx", made.finished(THINGS, SIDE)),
    }


@pytest.mark.parametrize("layout", ["yolov5", "yolov8", "yolox", "nanodet", "ssd", "efficientdet", "rows"])
def test_a_graph_of_every_family_becomes_a_detector_of_persons(
    tmp_path: Path, home: Path, sample: Path, layout: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = files(tmp_path)[layout]
    picture = tmp_path / "seen.png"
    words = ["models", "import", str(path), "--sample", str(sample), "--picture", str(picture), "--licence", "MIT"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert f"1. {layout}" in shown
    assert "person 0.80 at 30, 40, 110, 250" in shown
    assert f'detector = "{layout}"' in shown
    assert cv2.imread(str(picture)) is not None
    detector = Detector.load(layout)
    # The chair is left out: nobody wears it.
    (found,) = detector.detect(np.zeros((640, 640, 3), np.uint8))
    assert found.label == "person"
    np.testing.assert_allclose(found.box, [60, 80, 220, 500], atol=0.1)
    card = json.loads((home / f"{layout}.card.json").read_text())
    assert (card["layout"], card["licence"], card["made_with"]["file"]) == (layout, "MIT", path.name)
    assert main(["models", "verify"]) == 0
    assert main(["models", "list"]) == 0
    assert f"imported, layout {layout}" in capsys.readouterr().out


def test_a_detector_without_garments_gets_those_of_the_shipped_one(tmp_path: Path, home: Path, sample: Path) -> None:
    assert main(["models", "import", str(files(tmp_path)["yolov8"]), "--sample", str(sample)]) == 0
    both = open_detector("yolov8", garments="detector")
    assert isinstance(both, ComposedDetector)
    assert [role for role, _ in both.parts] == ["detector", "garments"]
    assert {"person", "trousers", "bag"} <= set(both.labels)
    assert both.thresholds["person"] == 0.3
    alone = open_detector("yolov8")
    assert isinstance(alone, Detector)
    assert isinstance(open_detector("detector", garments="detector"), Detector)


def test_names_inside_the_file_are_used_and_the_one_for_persons_may_be_another(
    tmp_path: Path, home: Path, sample: Path
) -> None:
    things = [(THINGS[0][0], 1, 0.8)]
    path = write_onnx(
        tmp_path / "mine.onnx",
        ("float32", (1, 3, SIDE, SIDE)),
        {"out": made.yolov8(things, SIDE, 3)[0]},
        notes={"names": "{0: 'bag', 1: 'Worker', 2: 'helmet'}"},
    )
    words = ["models", "import", str(path), "--sample", str(sample)]
    assert main(words) == 2  # nobody is called a person
    assert main([*words, "--person", "worker", "--threshold", "0.5"]) == 0
    detector = Detector.load("mine")
    assert detector.card.labels == ["bag", "person", "helmet"]
    assert detector.labels == ("bag", "person")
    assert detector.thresholds["person"] == 0.5
    assert [found.label for found in detector.detect(np.zeros((99, 99, 3), np.uint8))] == ["person"]


@pytest.mark.parametrize("key", ["9" * 5000, "1", "x"])
def test_names_that_are_not_numbered_from_nought_are_none(tmp_path: Path, key: str) -> None:
    made_of = made.yolov8([THINGS[0]], SIDE, 1)[0]
    notes = {"names": json.dumps({key: "person"})}
    path = write_onnx(tmp_path / "mine.onnx", ("float32", (1, 3, SIDE, SIDE)), {"out": made_of}, notes=notes)
    assert labels_inside(path) is None


def test_labels_come_from_a_list_or_a_file(
    tmp_path: Path, home: Path, sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = graph(tmp_path / "two.onnx", made.yolov8([THINGS[0]], SIDE, 2))
    words = ["models", "import", str(path), "--sample", str(sample)]
    assert main(words) == 2
    assert "2 classes and does not say which; give them with --labels" in capsys.readouterr().err
    assert main([*words, "--labels", "person, dog"]) == 0
    names = tmp_path / "names.txt"
    names.write_text("People\ndog\n")
    assert main([*words, "--labels", str(names), "--replace"]) == 0
    assert Detector.load("two").card.labels == ["person", "dog"]
    assert main([*words, "--labels", "none.txt", "--replace"]) == 2
    assert "no such file of labels" in capsys.readouterr().err


def test_an_unsure_guess_is_asked_about_on_a_terminal_only(
    tmp_path: Path,
    home: Path,
    sample: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # 25 columns in pixels, boxes of positive sides: YOLOX with 20 classes, or YOLOv8 turned round with 21.
    outputs = made.yolox([(THINGS[0][0], 0, 0.8)], SIDE, 20, decoded=True)
    words = ["models", "import", str(graph(tmp_path / "unsure.onnx", outputs)), "--sample", str(sample)]
    twenty = ",".join(["person", *"bcdefghijklmnopqrst"])
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    assert main(words) == 2
    assert "it may be any of yolox, yolov8; say which with --layout" in capsys.readouterr().err
    assert main([*words, "--layout", "yolox"]) == 2
    assert "20 classes and does not say which" in capsys.readouterr().err
    assert not home.exists()
    asked = []

    def answer(question: str, answers: list[str] = ["7", "x", "1", twenty]) -> str:  # noqa: B006  # used up on purpose
        asked.append(question)
        return answers.pop(0)

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", answer)
    assert main(words) == 0
    assert (len(asked), Detector.load("unsure").card.layout) == (4, "yolox")
    # What is known need not be asked: only the first reading has twenty classes.
    assert main([*words, "--labels", twenty, "--replace"]) == 0
    assert len(asked) == 4
    assert main([*words, "--labels", "person,dog", "--replace", "--layout", "yolox"]) == 1
    assert "layout yolox means" in capsys.readouterr().err


def test_a_size_that_the_graph_leaves_open_must_be_given(
    tmp_path: Path, home: Path, sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = graph(tmp_path / "open.onnx", made.yolov8(THINGS, SIDE, 80), ("batch", 3, "height", "width"))
    words = ["models", "import", str(path), "--sample", str(sample)]
    assert main(words) == 2
    assert "give the one it was trained at with --size" in capsys.readouterr().err
    assert main([*words, "--size", "wide"]) == 2
    assert main([*words, "--size", "320"]) == 0
    assert len(Detector.load("open").detect(np.zeros((64, 64, 3), np.uint8))) == 1
    fixed = graph(tmp_path / "fixed.onnx", made.yolov8(THINGS, SIDE, 80))
    assert main(["models", "import", str(fixed), "--sample", str(sample), "--size", "416x320"]) == 2
    assert "its input is 320 x 320, not 416 x 320" in capsys.readouterr().err


def test_files_that_cannot_be_imported_are_refused_with_the_reason(
    tmp_path: Path, home: Path, sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refusal(path: Path, *more: str) -> str:
        assert main(["models", "import", str(path), "--sample", str(sample), *more]) in (1, 2)
        return capsys.readouterr().err

    (tmp_path / "model.pt").write_bytes(b"x")
    assert "ends in .onnx or .tflite" in refusal(tmp_path / "model.pt")
    assert "no such file" in refusal(tmp_path / "none.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"not a graph")
    assert "ONNX Runtime cannot load it" in refusal(tmp_path / "broken.onnx")
    (tmp_path / "broken.tflite").write_bytes(b"not a graph")
    assert "LiteRT cannot load it" in refusal(tmp_path / "broken.tflite")
    sound = write_onnx(tmp_path / "sound.onnx", ("float32", (1, 16000)), {"out": np.zeros((1, 2), np.float32)})
    assert "no picture of three channels" in refusal(sound)
    two = write_onnx(tmp_path / "two.onnx", ("float32", (1, 3, 32, 32)), {"o": np.zeros((1, 2), "f4")}, inputs=2)
    assert "2 inputs" in refusal(two)
    classifier = graph(tmp_path / "classifier.onnx", [np.zeros((1, 1000), np.float32)])
    assert "have no known layout" in refusal(classifier)
    good = graph(tmp_path / "detector.onnx", made.yolov8(THINGS, SIDE, 80))
    assert "a shipped model has the name 'detector'" in refusal(good)
    assert "small letters" in refusal(good, "--name", "My Model")
    # A layout that was said and does not fit leaves nothing behind.
    assert "layout ssd means" in refusal(good, "--name", "mine", "--layout", "ssd", "--labels", "coco80")
    assert not list(home.glob("*"))
    assert main(["models", "import", str(good), "--name", "mine", "--sample", str(sample)]) == 0
    assert "has a model named 'mine'" in refusal(good, "--name", "mine")
    (tmp_path / "file").write_text("")
    assert "cannot be written" in refusal(good, "--out", str(tmp_path / "file" / "folder"), "--name", "x")


def test_a_model_that_sees_nobody_in_the_sample_is_kept_but_said(
    tmp_path: Path, home: Path, sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = graph(tmp_path / "blind.onnx", made.yolov8([], SIDE, 80))
    out = tmp_path / "elsewhere"
    assert main(["models", "import", str(path), "--sample", str(sample), "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "no person above 0.30 in the sample" in shown
    assert str(out / "blind.card.json") in shown
    assert Detector.load(out / "blind.card.json").detect(np.zeros((8, 8, 3), np.uint8)) == []


@pytest.mark.parametrize("resize", ["letterbox", "letterbox to the corner", "stretch"])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_what_reaches_the_graph_is_what_the_card_says(tmp_path: Path, resize: str, layout: str) -> None:
    image = np.zeros((40, 80, 3), np.uint8)
    image[:, :, 0], image[:, 40:, 2] = 200, 100  # blue, and red on the right
    prepare = preparation_of(
        {"height": 64, "width": 64, "layout": layout, "channels": "RGB", "resize": resize, "grey": 7}
        | {"mean": [10, 20, 30], "std": [2, 4, 5]}
    )
    batch, place = prepare(image)
    shape = (3, 64, 64) if layout == "NCHW" else (64, 64, 3)
    path = write_onnx(tmp_path / "echo.onnx", ("float32", (1, *shape)), {}, echo="same")
    (seen,) = OnnxEngine(path, "fp32", shape, 1).run(batch)
    pixels = seen[0].transpose(1, 2, 0) if layout == "NCHW" else seen[0]
    np.testing.assert_allclose(pixels[30, 60], [(100 - 10) / 2, (0 - 20) / 4, (200 - 30) / 5])
    bottom = {"letterbox": 7, "letterbox to the corner": 7, "stretch": 200}[resize]
    assert pixels[63, 5, 2] == pytest.approx((bottom - 30) / 5)
    top = {"letterbox": 7, "letterbox to the corner": 200, "stretch": 200}[resize]
    assert pixels[2, 5, 2] == pytest.approx((top - 30) / 5)
    corners = place.to_frame(place.to_square(np.array([[0, 0, 80, 40]], np.float32)))
    np.testing.assert_allclose(corners, [[0, 0, 80, 40]], atol=1e-3)


def test_bytes_go_into_graphs_of_bytes_as_they_are(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "echo.onnx", ("uint8", (1, 8, 8, 3)), {}, echo="same")
    engine = OnnxEngine(path, "int8", (8, 8, 3), 1)
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    batch, _ = preparation_of({"height": 8, "width": 8, "dtype": "uint8", "mean": [1, 1, 1], "std": [2, 2, 2]})(image)
    np.testing.assert_array_equal(engine.run(batch)[0][0], image[:, :, ::-1])
    with pytest.raises(ModelError, match="wants uint8"):
        engine.run(batch.astype(np.float32))


@pytest.mark.parametrize(
    "said",
    [{"channels": "YUV"}, {"resize": "crop"}, {"mean": [1], "std": [1]}, {"mean": [1, 2, 3]}, {"dtype": "int4"}],
)
def test_an_input_that_is_not_understood_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="input is not understood"):
        preparation_of({"height": 8, "width": 8, **said})


def test_a_tflite_file_with_post_processing_and_bytes_is_imported(
    tmp_path: Path, home: Path, sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order = ("scores", "boxes", "count", "classes")
    outputs = dict(zip(("a", "b", "c", "d"), made.ssd(THINGS, SIDE, order), strict=True))
    path = write_tflite(tmp_path / "lite.tflite", ("uint8", (1, SIDE, SIDE, 3)), outputs, quantised=(1 / 128, 127))
    assert main(["models", "import", str(path), "--sample", str(sample)]) == 0
    assert "person 0.80 at 30, 40, 110, 250" in capsys.readouterr().out
    detector = Detector.load("lite")
    assert (detector.engine_name, detector.precision, detector.card.input["dtype"]) == ("litert", "int8", "uint8")
    # The frame is stretched: boxes come back in its own proportions.
    (found,) = detector.detect(np.zeros((160, 640, 3), np.uint8))
    np.testing.assert_allclose(found.box, [60, 20, 220, 125], atol=0.1)


@pytest.mark.parametrize(("dtype", "zero"), [("int8", -1), ("uint8", 127)])
def test_floats_are_quantised_for_graphs_of_whole_numbers_and_answers_are_floats(
    tmp_path: Path, dtype: str, zero: int
) -> None:
    path = write_tflite(tmp_path / "q.tflite", (dtype, (1, 8, 8, 3)), {}, quantised=(1 / 128, zero), echo=True)
    engine = LiteRtEngine(path, "int8", (8, 8, 3), 1)
    values = np.random.default_rng(3).uniform(-0.9, 0.9, (2, 8, 8, 3)).astype(np.float32)
    (seen,) = engine.run(values)
    assert seen.dtype == np.float32
    np.testing.assert_allclose(seen, values, atol=0.51 / 128)
    # What cannot be said in eight bits is the nearest that can.
    (clipped,) = engine.run(np.full((1, 8, 8, 3), 9.0, np.float32))
    top = {"int8": 127, "uint8": 255}[dtype]
    np.testing.assert_allclose(clipped, (top - zero) / 128)
