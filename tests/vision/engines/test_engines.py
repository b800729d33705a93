"""Engines, driven by the shipped models on photographs that installed packages carry."""

from __future__ import annotations

import json
import shutil
import sys
import types
from pathlib import Path

import cv2
import numpy as np
import pytest

from comfywear.errors import ModelError, UsageError
from comfywear.vision.attributes import AttributeModel
from comfywear.vision.detectors.detector import Detector
from comfywear.vision.engines import opening
from comfywear.vision.engines.litert import find_interpreter
from comfywear.vision.engines.onnx import OnnxEngine, refuse_version
from comfywear_models.registry import FOLDER

FORMS = [(engine, precision) for engine in ("onnxruntime", "litert") for precision in ("fp16", "int8")]


def grace_hopper() -> np.ndarray:
    cbook = pytest.importorskip("matplotlib.cbook")
    return cv2.imread(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))


def astronaut() -> np.ndarray:
    data = pytest.importorskip("skimage.data")
    return cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)


@pytest.fixture(params=[grace_hopper, astronaut], ids=["grace_hopper", "astronaut"])
def photo(request: pytest.FixtureRequest) -> np.ndarray:
    return request.param()


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A copy of the shipped models that a test may damage."""
    folder = tmp_path / "files"
    shutil.copytree(FOLDER, folder)
    return folder


def outline(detector: Detector, image: np.ndarray) -> list[str]:
    return sorted(found.label for found in detector.detect(image))


def test_every_form_sees_the_person_where_the_others_do(photo: np.ndarray) -> None:
    boxes = []
    for engine, precision in FORMS:
        found = Detector.load(engine=engine, precision=precision).detect(photo)
        persons = [find for find in found if find.label == "person"]
        assert persons, f"{engine} {precision} sees nobody"
        boxes.append(persons[0].box)
    spread = np.ptp(np.array(boxes), axis=0)
    assert (spread < 0.1 * max(photo.shape)).all(), boxes


def test_both_engines_name_the_same_things(photo: np.ndarray) -> None:
    seen = [outline(Detector.load(engine=e, precision="fp16"), photo) for e in ("onnxruntime", "litert")]
    assert seen[0] == seen[1]


def best_scores(detector: Detector, image: np.ndarray) -> np.ndarray:
    """The best score of each label, `(labels,)`, 0 where even .02 is not reached."""
    best = dict.fromkeys(detector.labels, 0.0)
    for find in detector.detect(image, threshold=0.02):
        best[find.label] = max(best[find.label], find.score)
    return np.array([best[label] for label in detector.labels])


def test_every_form_scores_every_label_nearly_alike_and_decides_alike_where_it_is_clear(photo: np.ndarray) -> None:
    """INT8 moves a score by less than .1, so labels further than that from their threshold are decided alike."""
    detectors = [Detector.load(engine=e, precision=p) for e, p in FORMS]
    exact, *others = (best_scores(detector, photo) for detector in detectors)
    limits = np.array([detectors[0].thresholds[label] for label in detectors[0].labels])
    clear = np.abs(exact - limits) > 0.1
    assert clear.sum() >= 4
    for (engine, precision), scores in zip(FORMS[1:], others, strict=True):
        assert np.abs(scores - exact).max() < (0.1 if precision == "int8" else 0.005), (engine, precision)
        assert ((scores > limits) == (exact > limits))[clear].all(), (engine, precision)


def test_both_engines_and_precisions_give_nearly_the_same_attributes(photo: np.ndarray) -> None:
    exact, *others = (AttributeModel.load(engine=e, precision=p).predict([photo])[0] for e, p in FORMS)
    assert exact.shape == (len(AttributeModel.load().labels),)
    for other in others:
        assert np.abs(other - exact).max() < 0.25
        assert np.abs(other - exact).mean() < 0.03


@pytest.mark.parametrize("engine", ["onnxruntime", "litert"])
def test_a_batch_gives_what_its_crops_give_alone(photo: np.ndarray, engine: str) -> None:
    model = AttributeModel.load(engine=engine)
    crops = [photo, photo[: photo.shape[0] // 2], photo[:, ::-1]] * 4
    together = model.predict(crops)
    alone = np.concatenate([model.predict([crop]) for crop in crops])
    np.testing.assert_allclose(together, alone, atol=1e-4)
    assert model.predict([]).shape == (0, len(model.labels))
    assert model.engine_s > 0


@pytest.mark.parametrize("name", ["detector", "attributes"])
@pytest.mark.parametrize("ending", ["onnx", "tflite"])
def test_a_model_with_one_byte_changed_is_refused(models: Path, name: str, ending: str) -> None:
    path = models / f"{name}.int8.{ending}"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    load = Detector.load if name == "detector" else AttributeModel.load
    engine = "onnxruntime" if ending == "onnx" else "litert"
    with pytest.raises(ModelError, match="altered or damaged"):
        load(models / f"{name}.card.json", engine=engine, precision="int8")


def test_a_missing_file_is_refused_with_its_path(models: Path) -> None:
    (models / "detector.int8.onnx").unlink()
    with pytest.raises(ModelError, match=r"detector\.int8\.onnx"):
        Detector.load(models / "detector.card.json", engine="onnxruntime", precision="int8")


def test_auto_falls_back_to_litert_and_says_why(
    models: Path, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    detector = Detector.load(models / "detector.card.json")
    assert detector.engine_name == "litert"
    assert "ONNX Runtime is not installed" in str(detector.fallback)
    assert "ONNX Runtime is not installed" in caplog.text
    assert detector.detect(photo)
    with pytest.raises(ModelError, match=r"onnxruntime>=1\.22"):
        Detector.load(engine="onnxruntime")


def test_without_any_engine_the_message_names_both_and_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("onnxruntime", "ai_edge_litert.interpreter", "tflite_runtime.interpreter"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModelError, match=r"runs on no engine.*onnxruntime.*comfywear\[tflite\]"):
        Detector.load()


def test_tflite_runtime_takes_the_form_without_integers(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, interpreter = find_interpreter()
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(ModelError, match="not installed"):
        Detector.load(engine="litert")  # numpy 2 is here, with which tflite-runtime crashes
    monkeypatch.setattr(np, "__version__", "1.26.4")
    old = types.ModuleType("tflite_runtime.interpreter")
    old.Interpreter = interpreter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tflite_runtime", types.ModuleType("tflite_runtime"))
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", old)
    detector = Detector.load(engine="litert", precision="int8")
    assert (detector.engine_name, detector.precision) == ("tflite-runtime", "fp16")
    assert "slow on INT8" in caplog.text


def test_the_onnxruntime_that_crashes_on_arm_is_refused_with_the_reason() -> None:
    with pytest.raises(ModelError, match=r"1\.21\.0 crashes on Arm"):
        refuse_version("1.21.0")
    refuse_version("1.22.0")


def test_a_picture_of_another_size_is_refused_with_both_sizes() -> None:
    engine = OnnxEngine(FOLDER / "detector.int8.onnx", "int8", (320, 320, 3), 1)
    with pytest.raises(ModelError, match=r"N x 320 x 320 x 3.*1 x 256 x 320 x 3"):
        engine.run(np.zeros((1, 256, 320, 3), np.float32))
    with pytest.raises(ModelError, match="float64"):
        engine.run(np.zeros((1, 320, 320, 3)))  # type: ignore[arg-type]  # the mistake under test
    assert engine.seconds == 0.0


def edited(models: Path, name: str, **changes: object) -> Path:
    path = models / f"{name}.card.json"
    card = json.loads(path.read_text())
    card.update(changes)
    path.write_text(json.dumps(card))
    return path


def test_a_card_that_differs_from_its_graph_is_refused(models: Path) -> None:
    card = json.loads((models / "detector.card.json").read_text())
    path = edited(models, "detector", input={**card["input"], "height": 416, "width": 416})
    for engine in ("onnxruntime", "litert"):
        with pytest.raises(ModelError, match="416"):
            Detector.load(path, engine=engine)
    path = edited(models, "detector", input={})
    with pytest.raises(ModelError, match="height and width"):
        Detector.load(path)


def test_labels_that_the_graph_does_not_have_are_refused(models: Path, photo: np.ndarray) -> None:
    detector = Detector.load(edited(models, "detector", labels=["person", "cat"]))
    with pytest.raises(ModelError, match="layout comfywear-1"):
        detector.detect(photo)
    attributes = AttributeModel.load(edited(models, "attributes", labels=["group/top"], layout="logits"))
    with pytest.raises(ModelError, match="1 labels"):
        attributes.predict([photo])


def test_an_unknown_layout_task_name_engine_or_precision_is_refused(models: Path) -> None:
    with pytest.raises(ModelError, match="layout 'yolo'; known here: 'comfywear-1'"):
        Detector.load(edited(models, "detector", layout="yolo"))
    with pytest.raises(ModelError, match="is for 'attributes'"):
        Detector.load("attributes")
    with pytest.raises(ModelError, match=r"no model named 'nothing'; known: .*detector"):
        Detector.load("nothing")
    with pytest.raises(UsageError, match="there are: auto, onnxruntime, litert, xnnpack, cuda, tensorrt"):
        Detector.load(engine="openvino")
    with pytest.raises(ModelError, match="no form onnxruntime fp8"):
        Detector.load(engine="onnxruntime", precision="fp8")
    with pytest.raises(UsageError, match="at least 1"):
        Detector.load(threads=0)


@pytest.mark.parametrize("name", ["detector.int8.onnx", "detector.int8.tflite"])
def test_a_file_that_is_no_graph_is_refused_by_the_engine_with_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"not a graph " * 100)
    engine = opening.ENGINES["onnxruntime" if name.endswith("onnx") else "litert"]
    with pytest.raises(ModelError, match="cannot load it") as caught:
        engine(path, "int8", (320, 320, 3), 1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "bad", ["photo.jpg", np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3)), np.zeros((0, 8, 3), np.uint8)]
)
def test_what_is_no_picture_is_refused(bad: object) -> None:
    with pytest.raises(UsageError, match="picture"):
        Detector.load().detect(bad)  # type: ignore[arg-type]  # the mistake under test
    with pytest.raises(UsageError, match="picture"):
        AttributeModel.load().predict([bad])  # type: ignore[list-item]  # the mistake under test


def test_the_smallest_and_the_most_slender_frames_are_looked_at() -> None:
    detector = Detector.load()
    for shape in ((1, 1, 3), (1, 2000, 3), (2000, 1, 3)):
        for found in detector.detect(np.zeros(shape, np.uint8), threshold=0.01):
            x1, y1, x2, y2 = found.box
            assert 0 <= x1 < x2 <= shape[1]
            assert 0 <= y1 < y2 <= shape[0]


def test_a_threshold_outside_of_0_to_1_is_refused(photo: np.ndarray) -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        Detector.load().detect(photo, threshold=1.5)
