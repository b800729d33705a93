"""From a model's name to a loaded graph: card, check of the file, choice of engine and precision."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from comfywear.errors import ModelError, UsageError
from comfywear.vision.engines.engine import Engine
from comfywear.vision.engines.litert import LiteRtEngine, find_interpreter
from comfywear.vision.engines.onnx import OnnxEngine
from comfywear_models import Card, CardError, ModelFile, find, verify

__all__ = ["ENGINES", "OpenModel", "open_model"]

_log = logging.getLogger(__name__)

Opener = Callable[[Path, str, tuple[int, int, int], int], Engine]

ENGINES: dict[str, Opener] = {"onnxruntime": OnnxEngine, "litert": LiteRtEngine}
"""In the order in which "auto" tries them."""


@dataclass(frozen=True)
class OpenModel:
    """A card, its loaded graph, and, if "auto" did not take the first engine, why not."""

    card: Card
    engine: Engine
    fallback: str | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the input in pixels."""
        return _size(self.card)[:2]


def open_model(
    name_or_path: str | Path, *, task: str, layout: str, engine: str = "auto", precision: str = "fp16", threads: int = 1
) -> OpenModel:
    """Load a model that is fit for `task` and whose outputs have `layout`.

    Args:
        name_or_path: A shipped model's name, or the path of a `*.card.json`.
        task: What it must be for, as its card says.
        layout: How its outputs must be laid out, as its card says.
        engine: "onnxruntime", "litert" or "auto": the first of these that works.
        precision: "int8" or "fp16".
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
        card, folder = find(name_or_path)
    except CardError as error:
        raise ModelError(str(error)) from error
    if card.task != task:
        raise ModelError(f"model {card.name!r} is for {card.task!r}; a model for {task!r} is needed here")
    if card.layout != layout:
        raise ModelError(f"model {card.name!r} has the output layout {card.layout!r}; known here: {layout!r}")
    if engine != "auto":
        return OpenModel(card, _open(card, folder, engine, precision, threads))
    reasons = []
    for name in ENGINES:
        try:
            opened = _open(card, folder, name, precision, threads)
        except ModelError as error:
            reasons.append(f"{name}: {error}")
            continue
        if reasons:
            _log.warning("model %s runs on %s, because %s", card.name, name, "; ".join(reasons))
        return OpenModel(card, opened, "; ".join(reasons) or None)
    raise ModelError(f"model {card.name!r} runs on no engine. " + "; ".join(reasons))


def _open(card: Card, folder: Path, engine: str, precision: str, threads: int) -> Engine:
    if engine == "litert" and precision == "int8" and find_interpreter()[0] == "tflite-runtime":
        # It has no fast integer kernels: measured 24 times slower on INT8 graphs.
        other = any((file.engine, file.precision) == ("litert", "fp16") for file in card.files)
        precision = "fp16" if other else precision
        _log.warning("tflite-runtime is slow on INT8 graphs: the %s form of %s is used", precision, card.name)
    file = _form(card, engine, precision)
    try:
        path = verify(file, folder)
    except CardError as error:
        raise ModelError(str(error)) from error
    return ENGINES[engine](path, precision, _size(card), threads)


def _form(card: Card, engine: str, precision: str) -> ModelFile:
    for file in card.files:
        if (file.engine, file.precision) == (engine, precision):
            return file
    forms = ", ".join(f"{file.engine} {file.precision}" for file in card.files) or "none"
    raise ModelError(f"model {card.name!r} has no form {engine} {precision}; it has: {forms}")


def _size(card: Card) -> tuple[int, int, int]:
    try:
        return int(card.input["height"]), int(card.input["width"]), 3
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the card of model {card.name!r} does not say the input's height and width") from error
