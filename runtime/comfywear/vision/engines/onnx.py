"""ONNX Runtime: on the CPU, or on an NVIDIA GPU where its build can."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.vision.engines.engine import TensorInfo, check_input, check_shape

__all__ = ["CudaEngine", "OnnxEngine", "TensorRtEngine", "XnnpackEngine", "onnx_input"]

# Wheels of this version stop with "illegal instruction" on Arm boards (microsoft/onnxruntime, release notes of 1.21.1).
REFUSED_VERSION = "1.21.0"
_CPU = "CPUExecutionProvider"
_DTYPES = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(uint8)": "uint8", "tensor(int8)": "int8"}
_SIZES = "orig_target_sizes"
_MOST_KEPT = 8  # batch sizes whose input memory is kept


class OnnxEngine:
    """A session with a fixed number of threads that sleep when idle, run once before its first picture."""

    name = "onnxruntime"
    provider = _CPU

    def __init__(self, path: Path, precision: str, size: tuple[int, int, int], threads: int) -> None:
        onnxruntime = _import()
        if self.provider not in onnxruntime.get_available_providers():
            there = ", ".join(onnxruntime.get_available_providers())
            raise ModelError(
                f"this build of ONNX Runtime has no {self.provider} (it has: {there}); "
                "install the one of your board (for Jetson: NVIDIA's wheel of onnxruntime-gpu)"
            )
        options = _options(onnxruntime, self._session_threads(threads))
        try:
            providers = self._providers(threads)
            self._session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        except Exception as error:  # the binding raises a class of its own for each kind of refusal
            raise ModelError(f"{path}: ONNX Runtime cannot load it: {_first_line(error)}") from error
        if self.provider not in self._session.get_providers():
            # ONNX Runtime itself only prints a warning and goes on with the CPU.
            raise ModelError(f"{self.provider} could not be started here (missing or other CUDA libraries?)")
        only = _only(self._session.get_inputs(), path)
        self._more = [given.name for given in self._session.get_inputs()[1:]]
        check_shape(only.shape, size, str(path))
        self.input = _info(only)
        if self.input.dtype not in ("float32", "float16", "uint8"):
            raise ModelError(f"{path}: the graph wants {self.input.dtype}; float32, float16 and uint8 can be given")
        self.outputs = tuple(_info(output) for output in self._session.get_outputs())
        self._size, self._dtype = size, np.dtype(self.input.dtype)
        self._bound: dict[int, tuple[Any, NDArray[Any]]] = {}
        self.precision, self.seconds = precision, 0.0
        self.pictures = 0
        first = self.input.shape[0]
        self.run(np.zeros((first if isinstance(first, int) else 1, *size), np.uint8))
        self.seconds, self.pictures = 0.0, 0

    def run(self, images: NDArray[Any]) -> list[NDArray[Any]]:
        """See `Engine.run`."""
        check_input(images, self._size)
        if self._dtype.kind != "f" and images.dtype != self._dtype:
            raise ModelError(f"the graph wants {self._dtype}, it was given {images.dtype}")
        began = time.perf_counter()
        try:
            binding, memory = self._memory(len(images))
            np.copyto(memory, images, casting="unsafe")
            self._session.run_with_iobinding(binding)
            outputs: list[NDArray[Any]] = binding.copy_outputs_to_cpu()
        except Exception as error:
            raise ModelError(f"ONNX Runtime failed: {_first_line(error)}") from error
        self.seconds += time.perf_counter() - began
        self.pictures += len(images)
        return outputs

    def _providers(self, threads: int) -> Sequence[Any]:  # noqa: ARG002
        """Providers in order, with their options."""
        return [self.provider]

    @staticmethod
    def _session_threads(threads: int) -> int:
        """How many of them the session itself keeps."""
        return threads

    def _memory(self, count: int) -> tuple[Any, NDArray[Any]]:
        """The input's memory for a batch, which the session reads in place, and what binds it."""
        if count not in self._bound:
            if len(self._bound) >= _MOST_KEPT:
                self._bound.clear()
            memory = np.empty((count, *self._size), self._dtype)
            binding = self._session.io_binding()
            binding.bind_input(self.input.name, "cpu", 0, self._dtype, memory.shape, memory.ctypes.data)
            sides = self._size[:0:-1] if self._size[0] == 3 else self._size[1::-1]  # width, height
            for name in self._more:
                binding.bind_cpu_input(name, np.tile(np.array(sides, np.int64), (count, 1)))
            for output in self.outputs:
                binding.bind_output(output.name, "cpu")
            self._bound[count] = binding, memory
        return self._bound[count]


class XnnpackEngine(OnnxEngine):
    """The same session with XNNPACK's kernels, where the build has them; what they cannot do stays with the CPU's."""

    name = "xnnpack"
    provider = "XnnpackExecutionProvider"

    def _providers(self, threads: int) -> Sequence[Any]:
        # Its threads are its own: the session keeps one (onnxruntime.ai, "XNNPACK Execution Provider").
        return [(self.provider, {"intra_op_num_threads": str(threads)}), _CPU]

    @staticmethod
    def _session_threads(threads: int) -> int:
        return min(threads, 1)


class CudaEngine(OnnxEngine):
    """The same session on an NVIDIA GPU."""

    name = "cuda"
    provider = "CUDAExecutionProvider"

    def _providers(self, threads: int) -> Sequence[Any]:  # noqa: ARG002
        # Small graphs: search no convolution algorithm for minutes, and take memory as it is needed.
        options = {"cudnn_conv_algo_search": "HEURISTIC", "arena_extend_strategy": "kSameAsRequested"}
        return [(self.provider, options), _CPU]


class TensorRtEngine(OnnxEngine):
    """The same session compiled by TensorRT; the first start takes minutes, later ones read what it compiled."""

    name = "tensorrt"
    provider = "TensorrtExecutionProvider"

    def _providers(self, threads: int) -> Sequence[Any]:  # noqa: ARG002
        options = {
            "trt_fp16_enable": True,
            "trt_engine_cache_enable": True,
            "trt_engine_cache_path": str(_cache_folder()),
            "trt_timing_cache_enable": True,
        }
        return [(self.provider, options), "CUDAExecutionProvider", _CPU]


def onnx_input(path: Path) -> TensorInfo:
    """The only input of a graph; ModelError when it cannot be loaded or has several."""
    onnxruntime = _import()
    try:
        session = onnxruntime.InferenceSession(str(path), _options(onnxruntime, 1), providers=[_CPU])
    except Exception as error:
        raise ModelError(f"{path}: ONNX Runtime cannot load it: {_first_line(error)}") from error
    return _info(_only(session.get_inputs(), path))


def refuse_version(version: str) -> None:
    """ModelError for a version that is known not to work."""
    if version == REFUSED_VERSION:
        raise ModelError(
            f"ONNX Runtime {version} crashes on Arm boards (illegal instruction): pip install 'onnxruntime>=1.22'"
        )


def _import() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError(
            f"ONNX Runtime is not installed ({error}): pip install 'onnxruntime>=1.22', or choose the engine litert"
        ) from error
    refuse_version(onnxruntime.__version__)
    return onnxruntime


def _options(onnxruntime: Any, threads: int) -> Any:
    """What `comfywear bench engines` found best on a shared machine: see docs/models.md."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    # Idle threads would otherwise spin and take the core from the camera.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _cache_folder() -> Path:
    """Where compiled engines are kept."""
    from comfywear.system.paths import state_home

    folder = state_home() / "tensorrt"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _only(inputs: Sequence[Any], path: Path) -> Any:
    """The picture's input. RT-DETR, D-FINE and DEIM have a second one, for the size that boxes are to be given in."""
    if len(inputs) != 1 and [given.name for given in inputs[1:]] != [_SIZES]:
        raise ModelError(f"{path}: the graph has {len(inputs)} inputs, comfywear's models have one")
    return inputs[0]


def _info(value: Any) -> TensorInfo:
    shape = tuple(side if isinstance(side, int) else None for side in value.shape)
    return TensorInfo(value.name, shape, _DTYPES.get(value.type, value.type))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
