"""Which provider of ONNX Runtime runs a graph: the list of providers is faked at ONNX Runtime's boundary."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from tiny_onnx import write_onnx

from comfywear.errors import ModelError
from comfywear.vision.attributes import AttributeModel
from comfywear.vision.detectors.detector import Detector
from comfywear.vision.engines.onnx import OnnxEngine

CPU, CUDA, TRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"


XNNPACK = "XnnpackExecutionProvider"


class Board:
    """A machine whose ONNX Runtime offers `offered` and can start `working`; graphs run on the CPU all the same."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, offered: list[str], working: list[str]) -> None:
        self.asked: list[Any] = []
        real = onnxruntime.InferenceSession

        def session(path: str, options: Any, providers: Any) -> Any:
            self.asked.append(providers)
            made = real(path, options, providers=[CPU])
            names = [provider if isinstance(provider, str) else provider[0] for provider in providers]
            made.get_providers = lambda: [name for name in names if name in working]
            return made

        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: offered)
        monkeypatch.setattr(onnxruntime, "InferenceSession", session)


PICTURE = np.zeros((64, 64, 3), np.uint8)


def test_auto_takes_the_gpu_where_onnxruntime_offers_it(monkeypatch: pytest.MonkeyPatch) -> None:
    board = Board(monkeypatch, [TRT, CUDA, CPU], [TRT, CUDA, CPU])
    model = AttributeModel.load()
    assert (model.engine_name, model.fallback, model.precision) == ("cuda", None, "fp16")
    assert model.predict([PICTURE]).shape == (1, len(model.labels))
    assert model.file.engine == "onnxruntime"
    provider, options = board.asked[0][0]
    assert (provider, board.asked[0][1:]) == (CUDA, [CPU])
    assert options["arena_extend_strategy"] == "kSameAsRequested"


def test_auto_goes_on_with_the_cpu_when_the_gpu_cannot_be_started(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Board(monkeypatch, [CUDA, CPU], [CPU])
    detector = Detector.load()
    assert detector.engine_name == "onnxruntime"
    assert "CUDAExecutionProvider could not be started" in str(detector.fallback)
    assert "runs on onnxruntime, because cuda:" in caplog.text
    detector.detect(PICTURE)
    with pytest.raises(ModelError, match="could not be started"):
        Detector.load(engine="cuda")


@pytest.mark.parametrize("engine", ["cuda", "tensorrt"])
def test_a_gpu_that_this_build_does_not_have_is_refused_with_what_it_has(engine: str) -> None:
    with pytest.raises(ModelError, match=r"has no \w+ExecutionProvider \(it has: .*CPUExecutionProvider.*NVIDIA"):
        Detector.load(engine=engine)


def test_xnnpack_has_the_threads_and_leaves_the_rest_to_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    board = Board(monkeypatch, [XNNPACK, CPU], [XNNPACK, CPU])
    assert AttributeModel.load(engine="xnnpack", threads=3).engine_name == "xnnpack"
    assert board.asked == [[(XNNPACK, {"intra_op_num_threads": "3"}), CPU]]


def test_tensorrt_keeps_what_it_compiled_in_the_state_folder_and_goes_on_with_cuda_for_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    board = Board(monkeypatch, [TRT, CUDA, CPU], [TRT, CUDA, CPU])
    assert Detector.load(engine="tensorrt").engine_name == "tensorrt"
    (provider, options), *rest = board.asked[0]
    assert (provider, rest) == (TRT, [CUDA, CPU])
    assert options["trt_engine_cache_path"] == str(tmp_path / "tensorrt")
    assert (tmp_path / "tensorrt").is_dir()


def test_integers_are_left_to_the_cpu(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    Board(monkeypatch, [CUDA, CPU], [CUDA, CPU])
    assert AttributeModel.load(precision="int8").precision == "fp16"
    assert "cuda is slow on INT8 graphs" in caplog.text


def test_a_model_with_one_form_runs_in_it_whatever_precision_is_asked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import hashlib
    import json

    path = write_onnx(tmp_path / "m.onnx", ("float32", (1, 3, 32, 32)), {"o": np.zeros((1, 5, 21), "f4")})
    card = {
        "name": "m", "version": "1", "task": "detector", "layout": "yolov8", "labels": ["person"], "licence": "",
        "input": {"height": 32, "width": 32, "layout": "NCHW"},
        "files": [{"path": "m.onnx", "engine": "onnxruntime", "precision": "fp32", "bytes": 1,
                   "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}],
    }  # fmt: skip
    (tmp_path / "m.card.json").write_text(json.dumps(card))
    with caplog.at_level(logging.INFO):
        detector = Detector.load(tmp_path / "m.card.json", precision="int8")
    assert (detector.precision, detector.fallback) == ("fp32", None)
    assert "one form for onnxruntime: fp32" in caplog.text
    with pytest.raises(ModelError, match="no form litert int8; it has: onnxruntime fp32"):
        Detector.load(tmp_path / "m.card.json", engine="litert", precision="int8")


def test_a_graph_is_warm_when_it_is_handed_over_and_batches_of_any_size_have_their_own_memory(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "echo.onnx", ("float32", ("batch", 4, 4, 3)), {}, echo="same")
    engine = OnnxEngine(path, "fp32", (4, 4, 3), 1)
    assert engine.seconds == 0.0
    rng = np.random.default_rng(1)
    batches = [rng.integers(0, 256, (count, 4, 4, 3)).astype(np.uint8) for count in (1, 3, 1, 12, 3)]
    answers = [engine.run(batch)[0] for batch in batches]
    # An answer is not changed by later runs.
    for batch, answer in zip(batches, answers, strict=True):
        assert answer.dtype == np.float32
        np.testing.assert_array_equal(answer, batch)
    assert engine.seconds > 0
    floats = rng.normal(size=(2, 4, 4, 3)).astype(np.float32)
    np.testing.assert_array_equal(engine.run(floats)[0], floats)
