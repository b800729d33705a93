"""Which engine looks: tried once on this machine, chosen by a stated rule, and kept with the reason.

It is tried again when what it rests on changes: the machine, a package's version, a model's file, the settings.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from comfywear.errors import ModelError
from comfywear.settings import VisionSettings
from comfywear.system.board import board
from comfywear.system.files import replace_file
from comfywear.system.paths import find_model, state_home
from comfywear.vision.engines.probe import Order, Trial
from comfywear_models import CardError, verify

__all__ = ["Choice", "candidates", "choose", "fingerprint", "forget", "kept", "order_of", "settle"]

_log = logging.getLogger(__name__)

FIRST = "onnxruntime"
"""Takes precedence: another engine must be clearly faster."""

FASTER = 0.75
"""Clearly: it takes this part of the time at most. Timings of one run on a busy machine scatter by a fifth."""

PATIENCE_S = {"tensorrt": 1200.0}  # it compiles the models, minutes on a small board
_PATIENCE_S = 180.0
PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "xnnpack": "XnnpackExecutionProvider",
}
_PACKAGES = ("onnxruntime", "onnxruntime-gpu", "ai-edge-litert", "tflite-runtime", "numpy", "opencv-python-headless")
_MOST_KEPT = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine that looks, why, and what was tried; `basis` is what it rests on."""

    engine: str
    reason: str
    trials: tuple[Trial, ...]
    basis: str

    def told(self) -> dict[str, Any]:
        """As the device's status says it: the engine, the reason, and which engines crash."""
        return {
            "engine": self.engine,
            "reason": self.reason,
            "crashed": [each.engine for each in self.trials if each.crashed],
        }


def choose(trials: tuple[Trial, ...], basis: str = "") -> Choice | None:
    """The engine to use; None when none works.

    ONNX Runtime on the processor is first, since it is what the models were proven on; another that works is chosen
    when it is clearly faster, or when the first does not work.
    """
    working = {each.engine: each.ms for each in trials if each.ms is not None}
    if not working:
        return None
    best = min(working, key=lambda name: (working[name], name))
    first = working.get(FIRST)
    chosen = FIRST if first is not None and working[best] > FASTER * first else best
    said = [f"{each.engine} {_words(each)}" for each in trials if each.engine != chosen]
    reason = f"{working[chosen]:.3g} ms a picture" + (f" ({'; '.join(said)})" if said else "")
    if working[best] < working[chosen]:
        reason += f"; {best} is not clearly faster: it must take {FASTER:.0%} of the time or less"
    return Choice(chosen, reason, trials, basis)


def _words(trial: Trial) -> str:
    return f"{trial.ms:.3g} ms" if trial.ms is not None else f"does not work: {trial.said}"


def candidates(offers: tuple[str, ...], wanted: str = "auto") -> Iterator[str]:
    """What there is to try, after ONNX Runtime said what its build offers; the first engine itself is left out."""
    if wanted != "auto":
        return
    yield from (name for name, provider in PROVIDERS.items() if provider in offers)
    if any(importlib.util.find_spec(name) for name in ("ai_edge_litert", "tflite_runtime")):
        yield "litert"


def settle(
    vision: VisionSettings,
    attempt: Callable[[Order, float], Trial],
    file: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> str:
    """The engine to load the models with: the kept choice, or one that is made and kept now.

    Args:
        vision: The settings; an engine that they name is tried alone, so that one that crashes is refused.
        attempt: Tries an engine with so much patience in seconds: `try_engine`.
        file: Where choices are kept.
        say: Told what is being tried.

    Returns:
        The engine; that of the settings where none was found that runs all models: `open_model` then says what is
        wrong with which model, or finds an engine for each.

    Raises:
        ModelError: When an engine crashes and none is left that works.
    """
    file = file or _file()
    basis = fingerprint(vision)
    found = kept(basis, file)
    if found is not None or not _models_are_sound(vision):
        return found.engine if found else vision.engine
    first = FIRST if vision.engine == "auto" else vision.engine
    trials: list[Trial] = []
    names = [first]
    while names:
        name = names.pop(0)
        say(f"the engine {name} is being tried")
        trials.append(attempt(order_of(vision, name), PATIENCE_S.get(name, _PATIENCE_S)))
        if name == first:
            names += candidates(trials[0].offers, vision.engine)
    crashed = [f"the engine {each.engine} crashes on this machine: {each.said}" for each in trials if each.crashed]
    for said in crashed:
        _log.error("%s; it is not loaded", said)
    choice = choose(tuple(trials), basis)
    if choice is None:
        if crashed:
            raise ModelError(f"{'; '.join(crashed)}; install another version of its package")
        return vision.engine
    _log.info("the engine %s looks: %s", choice.engine, choice.reason)
    _keep(choice, file)
    return choice.engine


def order_of(vision: VisionSettings, engine: str) -> Order:
    """What to try for these settings."""
    return Order(engine, vision.detector, vision.garments, vision.attributes, vision.precision, vision.threads)


def fingerprint(vision: VisionSettings) -> str:
    """What a choice rests on, as a short hash: machine, versions of packages, models with their files, settings."""
    versions = {}
    for name in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    models = []
    for name in (vision.detector, vision.garments, vision.attributes):
        with suppress(CardError):
            models.append([file.sha256 for file in find_model(name)[0].files] if name else [])
    rests = [board(), os.cpu_count(), versions, models, vision.engine, vision.precision, vision.threads]
    return hashlib.sha256(json.dumps(rests, sort_keys=True).encode()).hexdigest()[:16]


def _models_are_sound(vision: VisionSettings) -> bool:
    """Whether every model is there and as its card says: else it is the models that must be looked at."""
    try:
        for name in filter(None, (vision.detector, vision.garments, vision.attributes)):
            card, folder = find_model(name)
            for file in card.files:
                verify(file, folder)
    except CardError:
        return False
    return True


def kept(basis: str, file: Path | None = None) -> Choice | None:
    """The choice that was made on this basis; None where none was, or its file cannot be read."""
    found = _read(file or _file()).get(basis)
    try:
        trials = tuple(Trial(**{**each, "offers": tuple(each["offers"])}) for each in found["trials"]) if found else ()
        return Choice(str(found["engine"]), str(found["reason"]), trials, basis) if found else None
    except (KeyError, TypeError):
        return None


def forget(basis: str, file: Path | None = None) -> None:
    """Have the engines tried again at the next start: what was chosen did not work after all."""
    choices = _read(file := file or _file())
    if choices.pop(basis, None) is not None:
        _write(choices, file)


def _keep(choice: Choice, file: Path) -> None:
    choices = _read(file)
    choices.pop(choice.basis, None)
    choices[choice.basis] = {
        "engine": choice.engine,
        "reason": choice.reason,
        "trials": list(map(asdict, choice.trials)),
    }
    _write(dict(list(choices.items())[-_MOST_KEPT:]), file)


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(choices: dict[str, Any], file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, (json.dumps(choices, indent=1, ensure_ascii=False) + "\n").encode(), durable=False)
    except OSError as error:
        _log.warning("the choice of the engine cannot be kept, it is made again at the next start: %s", error)


def _file() -> Path:
    """Beside what TensorRT compiled: both belong to the machine."""
    return state_home() / "engines.json"
