"""LiteRT (TensorFlow Lite): `ai-edge-litert`, or `tflite-runtime` where only that is installed."""

from __future__ import annotations

import importlib
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.vision.engines.engine import check_input, check_shape

__all__ = ["LiteRtEngine", "find_interpreter"]


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
    """An interpreter; graphs of batch 1 are run once a picture."""

    def __init__(self, path: Path, precision: str, size: tuple[int, int, int], threads: int) -> None:
        self.name, interpreter = find_interpreter()
        try:
            self._interpreter = interpreter(model_path=str(path), num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{path}: LiteRT cannot load it: {str(error).splitlines()[0]}") from error
        inputs = self._interpreter.get_input_details()
        if len(inputs) != 1:
            raise ModelError(f"{path}: the graph has {len(inputs)} inputs, comfywear's models have one")
        check_shape([int(side) for side in inputs[0]["shape"]], size, str(path))
        self._input = inputs[0]["index"]
        # Outputs have no fixed order; their names (output_0, output_1, …) do.
        details = self._interpreter.get_signature_runner().get_output_details()
        self._outputs = [details[name]["index"] for name in sorted(details)]
        self._size, self.precision, self.seconds = size, precision, 0.0

    def run(self, images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """See `Engine.run`."""
        check_input(images, self._size)
        began = time.perf_counter()
        rows = [self._one(image[None]) for image in images]
        self.seconds += time.perf_counter() - began
        return [np.concatenate(parts) if len(parts) > 1 else parts[0] for parts in zip(*rows, strict=True)]

    def _one(self, image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        try:
            self._interpreter.set_tensor(self._input, image)
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"LiteRT failed: {str(error).splitlines()[0]}") from error
        return [self._interpreter.get_tensor(index) for index in self._outputs]
