"""Tries an engine with the models of the settings, in a process of its own.

A package that this processor cannot run ends the process that imports it, and so does a broken driver: that must be the
probe's process and never the device's: `comfywear.vision.probe_child`, which answers JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from comfywear.system.child import signal_name, try_in_child

__all__ = ["Order", "Trial", "try_engine"]


@dataclass(frozen=True, slots=True)
class Order:
    """What to try: an engine by name, with the models as in `[vision]`."""

    engine: str
    detector: str = "detector"
    garments: str = ""
    attributes: str = ""
    precision: str = "fp16"
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of it.

    Attributes:
        engine: What was tried.
        ms: Milliseconds a picture, detection and one person's attributes together, median; None = it does not work.
        said: Why it does not work, or what ran.
        crashed: True when its process was ended by a signal, or had to be: the device must never load it.
        offers: Providers that this build of ONNX Runtime has, where it was tried.
    """

    engine: str
    ms: float | None
    said: str
    crashed: bool = False
    offers: tuple[str, ...] = ()


def try_engine(
    order: Order, *, patience_s: float, go_on: Callable[[float], bool] = lambda _: True, python: str = sys.executable
) -> Trial:
    """Try an engine.

    Args:
        order: The engine and the models.
        patience_s: After so long it is ended, and counts as one that crashes.
        go_on: Called several times a second with the seconds so far; False ends the trial.
        python: The interpreter.
    """
    command = [python, "-m", "comfywear.vision.probe_child", json.dumps(asdict(order))]
    outcome = try_in_child(command, patience_s=patience_s, go_on=go_on)
    if outcome.end == "called off":
        return Trial(order.engine, None, "the trial was ended")
    if outcome.end == "late":
        return Trial(order.engine, None, f"no answer in {patience_s:.0f} s", crashed=True)
    # A driver may well crash when its process ends: what counts was said before.
    found = _answer(order.engine, outcome.said)
    if found is not None:
        return found
    if outcome.code < 0:
        return Trial(order.engine, None, f"its process was ended by {signal_name(-outcome.code)}", crashed=True)
    said = outcome.last_words or f"its process ended with {outcome.code} and said nothing of use"
    return Trial(order.engine, None, said)


def _answer(engine: str, said: bytes) -> Trial | None:
    """What the process answered; None where that is no answer."""
    try:
        found: dict[str, Any] = json.loads(said.splitlines()[-1])
        ms, words, offers = found["ms"], str(found["said"]), tuple(map(str, found["offers"]))
        return Trial(engine, None if ms is None else float(ms), words, offers=offers)
    except (IndexError, KeyError, ValueError, TypeError):
        return None
