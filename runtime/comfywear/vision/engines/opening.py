"""From a model's name to a loaded graph: card, check of the file, choice of engine and precision."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from comfywear.errors import ModelError, UsageError
from comfywear.system.paths import find_model
from comfywear.vision.engines.engine import Engine, TensorInfo
from comfywear.vision.engines.litert import LiteRtEngine, find_interpreter, litert_input
from comfywear.vision.engines.onnx import CudaEngine, OnnxEngine, TensorRtEngine, XnnpackEngine, onnx_input
from comfywear_models import Card, CardError, ModelFile, verify

__all__ = ["AUTO", "ENGINES", "OpenModel", "open_model", "read_input"]

_log = logging.getLogger(__name__)

Opener = Callable[[Path, str, tuple[int, int, int], int], Engine]

ENGINES: dict[str, Opener] = {
    "onnxruntime": OnnxEngine,
    "litert": LiteRtEngine,
    "xnnpack": XnnpackEngine,
    "cuda": CudaEngine,
    "tensorrt": TensorRtEngine,
}
"""Everything that may be asked for by name."""

AUTO = ("onnxruntime", "litert")
"""In the order in which "auto" tries them; a GPU that ONNX Runtime offers is tried first."""

# Engines that run the files of another.
_FILES = dict.fromkeys(("xnnpack", "cuda", "tensorrt"), "onnxruntime")


@dataclass(frozen=True)
class OpenModel:
    """A card, its loaded graph with the file that it is from, and, if "auto" fell back, why."""

    card: Card
    engine: Engine
    file: ModelFile
    fallback: str | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the input in pixels."""
        return _sides(self.card)


def open_model(
    name_or_path: str | Path,
    *,
    task: str,
    layouts: tuple[str, ...],
    engine: str = "auto",
    precision: str = "fp16",
    threads: int = 1,
) -> OpenModel:
    """Load a model that is fit for `task` and whose outputs have one of `layouts`.

    Args:
        name_or_path: The name of a shipped model or of one that the user imported, or the path of a `*.card.json`.
        task: What it must be for, as its card says.
        layouts: How its outputs may be laid out, as its card says.
        engine: "onnxruntime", "litert", "xnnpack", "cuda", "tensorrt" or "auto": the first that works of cuda (where
            ONNX Runtime offers it), onnxruntime and litert.
        precision: "int8" or "fp16"; a model that has one form only for an engine runs in that.
        threads: That the engine may use.

    Raises:
        ModelError: The card or file is missing or altered, the layout is unknown, or no engine is installed.
        UsageError: An engine, precision or thread count that does not exist.
    """
    if engine != "auto" and engine not in ENGINES:
        raise UsageError(f"no engine {engine!r}; there are: auto, {', '.join(ENGINES)}")
    if threads < 1:
        raise UsageError(f"threads must be at least 1, not {threads}")
    try:
        card, folder = find_model(name_or_path)
    except CardError as error:
        raise ModelError(str(error)) from error
    if card.task != task:
        raise ModelError(f"model {card.name!r} is for {card.task!r}; a model for {task!r} is needed here")
    if card.layout not in layouts:
        known = ", ".join(repr(layout) for layout in layouts)
        raise ModelError(f"model {card.name!r} has the output layout {card.layout!r}; known here: {known}")
    if engine != "auto":
        return OpenModel(card, *_open(card, folder, engine, precision, threads))
    reasons = []
    for name in _candidates(card):
        try:
            opened = _open(card, folder, name, precision, threads)
        except ModelError as error:
            reasons.append(f"{name}: {error}")
            continue
        if reasons:
            _log.warning("model %s runs on %s, because %s", card.name, name, "; ".join(reasons))
        return OpenModel(card, *opened, "; ".join(reasons) or None)
    raise ModelError(f"model {card.name!r} runs on no engine. " + "; ".join(reasons))


def read_input(path: Path, engine: str) -> TensorInfo:
    """The input of a graph that has no card; ModelError when `engine` ("onnxruntime" or "litert") cannot load it."""
    return onnx_input(path) if engine == "onnxruntime" else litert_input(path)


def _candidates(card: Card) -> Iterator[str]:
    """The engines of "auto" in order, without those for which the model has no file at all."""
    there = {file.engine for file in card.files}
    if "onnxruntime" in there and _cuda_is_offered():
        yield "cuda"
    yield from (name for name in AUTO if name in there)


def _cuda_is_offered() -> bool:
    try:
        import onnxruntime
    except ImportError:
        return False
    return CudaEngine.provider in onnxruntime.get_available_providers()


def _open(card: Card, folder: Path, engine: str, precision: str, threads: int) -> tuple[Engine, ModelFile]:
    slow: dict[str, Callable[[], bool]] = {
        # It has no fast integer kernels: measured 24 times slower on INT8 graphs.
        "litert": lambda: find_interpreter()[0] == "tflite-runtime",
        # Neither provider runs graphs with unsigned activations in integers: nodes would go back to the CPU.
        "cuda": lambda: True,
        "tensorrt": lambda: True,
    }
    if precision == "int8" and engine in slow and _has(card, engine, "fp16") and slow[engine]():
        precision = "fp16"
        what = find_interpreter()[0] if engine == "litert" else engine
        _log.warning("%s is slow on INT8 graphs: the fp16 form of %s is used", what, card.name)
    file = _form(card, engine, precision)
    try:
        path = verify(file, folder)
    except CardError as error:
        raise ModelError(str(error)) from error
    return ENGINES[engine](path, file.precision, _shape(card), threads), file


def _has(card: Card, engine: str, precision: str) -> bool:
    return any((file.engine, file.precision) == (_FILES.get(engine, engine), precision) for file in card.files)


def _form(card: Card, engine: str, precision: str) -> ModelFile:
    own = [file for file in card.files if file.engine == _FILES.get(engine, engine)]
    for file in own:
        if file.precision == precision:
            return file
    if len(own) == 1:
        _log.info("model %s has one form for %s: %s", card.name, engine, own[0].precision)
        return own[0]
    forms = ", ".join(f"{file.engine} {file.precision}" for file in card.files) or "none"
    raise ModelError(f"model {card.name!r} has no form {engine} {precision}; it has: {forms}")


def _sides(card: Card) -> tuple[int, int]:
    try:
        return int(card.input["height"]), int(card.input["width"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the card of model {card.name!r} does not say the input's height and width") from error


def _shape(card: Card) -> tuple[int, int, int]:
    """Of one picture, as the graph takes it."""
    height, width = _sides(card)
    return (3, height, width) if card.input.get("layout", "NHWC") == "NCHW" else (height, width, 3)
