"""The health gate: a model is loaded and run in a process of its own before it may come into service.

A model that crashes its engine ends that process, one that hangs it is ended with it, and one that eats the memory is
the first to be ended by the kernel; the device goes on with the model that it has.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from comfywear.errors import ModelError
from comfywear.settings import VisionSettings
from comfywear.system.child import signal_name, try_in_child
from comfywear.texts import encode
from comfywear_models.release import SampleAnswers

__all__ = ["PATIENCE_S", "Passed", "Request", "try_model"]

PATIENCE_S = 180.0
_GPU_PATIENCE_S = 1200.0  # TensorRT compiles a model for minutes


class Request(msgspec.Struct, frozen=True):
    """What the process is to try.

    Attributes:
        card: The path of the new model's card, its files beside it.
        samples: What its forms answer to the built-in sample.
        present: What to compare its speed with: a model's name or its card's path; empty = nothing.
        slower_at_most: A picture may cost so many times what it costs with the present model.
        engine: As in the settings.
        precision: As in the settings.
        threads: As in the settings.
        patience_s: It ends itself a little later, should nobody be there any more to end it.
    """

    card: str
    samples: list[SampleAnswers]
    present: str
    slower_at_most: float
    engine: str
    precision: str
    threads: int
    patience_s: float = PATIENCE_S


class Passed(msgspec.Struct, frozen=True):
    """What was found of a model that may come into service.

    Attributes:
        engine: That runs it.
        precision: Of the form that runs.
        cost_ms: Of a picture inside the engine.
        present_ms: The same with the present model; None = there is none.
    """

    engine: str
    precision: str
    cost_ms: float
    present_ms: float | None


def try_model(
    card: Path,
    samples: Sequence[SampleAnswers],
    *,
    present: str,
    slower_at_most: float,
    vision: VisionSettings,
    patience_s: float | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Passed:
    """Try a model as the device would run it.

    Args:
        card: The path of its card.
        samples: What its release says that it answers.
        present: See `Request`.
        slower_at_most: See `Request`.
        vision: Engine, precision and threads.
        patience_s: For the whole trial; by the engine when left out.
        tick: Is called about ten times a second; may raise to end the trial.

    Raises:
        ModelError: With the reason why it may not come into service.
    """
    if patience_s is None:
        patience_s = _GPU_PATIENCE_S if vision.engine == "tensorrt" else PATIENCE_S
    request = Request(
        str(card), list(samples), present, slower_at_most, vision.engine, vision.precision, vision.threads, patience_s
    )

    def go_on(_: float) -> bool:
        tick()
        return True

    command = [sys.executable, "-m", "comfywear.releases.gate_child"]
    outcome = try_in_child(command, asked=encode(request), patience_s=patience_s, go_on=go_on)
    lines = _lines(outcome.said)
    doing = next((line["doing"] for line in reversed(lines) if "doing" in line), "starting")
    if outcome.end == "late":
        raise ModelError(f"no end within {patience_s:.0f} s while {doing}")
    if outcome.code < 0:
        raise ModelError(f"it crashed the engine while {doing} ({signal_name(-outcome.code)})")
    for line in lines:
        if "refused" in line:
            raise ModelError(line["refused"])
        if "passed" in line:
            return msgspec.convert(line["passed"], Passed)
    raise ModelError(f"the trial ended without a word while {doing} (exit code {outcome.code})")


def _lines(said: bytes) -> list[dict[str, str]]:
    """What the process itself said; engines print, too."""
    return [json.loads(line)["gate"] for line in said.splitlines() if line.startswith(b'{"gate": ')]
