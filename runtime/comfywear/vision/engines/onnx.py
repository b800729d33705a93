"""ONNX Runtime on the CPU."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.vision.engines.engine import check_input, check_shape

__all__ = ["OnnxEngine"]

# Wheels of this version stop with "illegal instruction" on Arm boards (microsoft/onnxruntime, release notes of 1.21.1).
REFUSED_VERSION = "1.21.0"


class OnnxEngine:
    """A session with a fixed number of threads that sleep when idle."""

    name = "onnxruntime"

    def __init__(self, path: Path, precision: str, size: tuple[int, int, int], threads: int) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ModelError(
                f"ONNX Runtime is not installed ({error}): pip install 'onnxruntime>=1.22', or choose the engine litert"
            ) from error
        refuse_version(onnxruntime.__version__)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        # Idle threads would otherwise spin and take the core from the camera.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the binding raises a class of its own for each kind of refusal
            raise ModelError(f"{path}: ONNX Runtime cannot load it: {_first_line(error)}") from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise ModelError(f"{path}: the graph has {len(inputs)} inputs, comfywear's models have one")
        check_shape(inputs[0].shape, size, str(path))
        self._input, self._size = inputs[0].name, size
        self.precision, self.seconds = precision, 0.0

    def run(self, images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """See `Engine.run`."""
        check_input(images, self._size)
        began = time.perf_counter()
        try:
            outputs: list[NDArray[np.float32]] = self._session.run(None, {self._input: images})
        except Exception as error:
            raise ModelError(f"ONNX Runtime failed: {_first_line(error)}") from error
        self.seconds += time.perf_counter() - began
        return outputs


def refuse_version(version: str) -> None:
    """ModelError for a version that is known not to work."""
    if version == REFUSED_VERSION:
        raise ModelError(
            f"ONNX Runtime {version} crashes on Arm boards (illegal instruction): pip install 'onnxruntime>=1.22'"
        )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
