"""LiteRT (TensorFlow Lite): `ai-edge-litert`, or `tflite-runtime` where only that is installed."""

from __future__ import annotations

import importlib
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.vision.engines.engine import TensorInfo, check_input, check_shape

__all__ = ["LiteRtEngine", "find_interpreter", "litert_input"]


def find_interpreter() -> tuple[str, Any]:
    """The name ("litert" or "tflite-runtime") and interpreter class of what is installed; ModelError if nothing is."""
    try:
        return "litert", importlib.import_module("ai_edge_litert.interpreter").Interpreter
    except ImportError as first:
        if int(np.__version__.split(".")[0]) >= 2:
            # tflite-runtime 2.14 was built against numpy 1 and crashes the process with numpy 2.
            raise ModelError(f"LiteRT is not installed ({first}): pip install 'comfywear[tflite]'") from first
        try:
            return "tflite-runtime", importlib.import_module("tflite_runtime.interpreter").Interpreter
        except ImportError:
            raise ModelError(f"LiteRT is not installed ({first}): pip install 'comfywear[tflite]'") from first


class LiteRtEngine:
    """An interpreter, run once before its first picture; graphs of batch 1 are run once a picture.

    Where a graph keeps whole numbers at its edges (full INT8), floats are quantised on the way in, and on the way out
    everything is brought back to floats.
    """

    def __init__(self, path: Path, precision: str, size: tuple[int, int, int], threads: int) -> None:
        self.name, interpreter = find_interpreter()
        try:
            self._interpreter = interpreter(model_path=str(path), num_threads=threads)
            only = _only(self._interpreter.get_input_details(), path)
            check_shape([int(side) for side in only.get("shape_signature", only["shape"])], size, str(path))
            if tuple(only["shape"]) != (1, *size):
                self._interpreter.resize_tensor_input(only["index"], (1, *size))
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            if isinstance(error, ModelError):
                raise
            raise ModelError(f"{path}: LiteRT cannot load it: {str(error).splitlines()[0]}") from error
        self._in = self._interpreter.get_input_details()[0]
        self._out = _outputs(self._interpreter)
        self.input = _info(self._in)
        self.outputs = tuple(_info(detail) for detail in self._out)
        self._size, self.precision, self.seconds = size, precision, 0.0
        self.pictures = 0
        self.run(np.zeros((1, *size), np.uint8))
        self.seconds, self.pictures = 0.0, 0

    def run(self, images: NDArray[Any]) -> list[NDArray[Any]]:
        """See `Engine.run`."""
        check_input(images, self._size)
        began = time.perf_counter()
        rows = [self._one(image) for image in images]
        self.seconds += time.perf_counter() - began
        self.pictures += len(images)
        return [np.concatenate(parts) if len(parts) > 1 else parts[0] for parts in zip(*rows, strict=True)]

    def _one(self, image: NDArray[Any]) -> list[NDArray[Any]]:
        try:
            self._write(image)
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"LiteRT failed: {str(error).splitlines()[0]}") from error
        return [_floats(self._interpreter.get_tensor(detail["index"]), detail) for detail in self._out]

    def _write(self, image: NDArray[Any]) -> None:
        """Put a picture into the interpreter's own memory, without a copy in between."""
        scale, zero = self._in["quantization"]
        if image.dtype == np.float32 and scale and self._in["dtype"] != np.float32:
            limits = np.iinfo(self._in["dtype"])
            image = np.clip(np.rint(image / np.float32(scale)) + zero, limits.min, limits.max)
        memory = self._interpreter.tensor(self._in["index"])()
        np.copyto(memory[0], image, casting="unsafe")
        # The view must be gone before the graph runs, which may move its memory.
        del memory


def litert_input(path: Path) -> TensorInfo:
    """The only input of a graph; ModelError when it cannot be loaded or has several."""
    try:
        found = find_interpreter()[1](model_path=str(path)).get_input_details()
    except (ValueError, RuntimeError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{path}: LiteRT cannot load it: {str(error).splitlines()[0]}") from error
    return _info(_only(found, path))


def _only(inputs: list[dict[str, Any]], path: Path) -> dict[str, Any]:
    if len(inputs) != 1:
        raise ModelError(f"{path}: the graph has {len(inputs)} inputs, comfywear's models have one")
    return inputs[0]


def _outputs(interpreter: Any) -> list[dict[str, Any]]:
    """Outputs in a fixed order: by name (output_0, output_1, …) where the file has a signature, else as they stand."""
    try:
        details: dict[str, dict[str, Any]] = interpreter.get_signature_runner().get_output_details()
    except ValueError:
        plain: list[dict[str, Any]] = interpreter.get_output_details()
        return plain
    return [details[name] for name in sorted(details)]


def _floats(values: NDArray[Any], detail: dict[str, Any]) -> NDArray[Any]:
    scale, zero = detail["quantization"]
    if not scale or values.dtype.kind not in "iu":
        return values
    return np.asarray((values.astype(np.float32) - zero) * scale, np.float32)


def _info(detail: dict[str, Any]) -> TensorInfo:
    sides = detail.get("shape_signature", detail["shape"])
    return TensorInfo(detail["name"], tuple(int(s) if s > 0 else None for s in sides), np.dtype(detail["dtype"]).name)
