"""Tries an engine with the models of the settings, in a process of its own.

A package that this processor cannot run ends the process that imports it, and so does a broken driver: that must be the
probe's process and never the device's. `python -m comfywear.engine_probe ORDER` is the process; it answers in JSON.
"""

from __future__ import annotations

import json
import logging
import selectors
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import IO, Any

__all__ = ["Order", "Trial", "try_engine"]

# So many, or as many as a slow board looks at in so long, and one at least.
PICTURES, LOOKING_S = 7, 20.0
_POLL_S = 0.2
_PARTING_S = 10.0


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
    began_s = time.monotonic()
    command = [python, "-m", "comfywear.engine_probe", json.dumps(asdict(order))]
    said = b""
    with (
        tempfile.TemporaryFile() as chatter,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=chatter) as child,
    ):
        assert child.stdout is not None
        try:
            while (part := _read(child.stdout)) != b"":
                said += part or b""
                passed_s = time.monotonic() - began_s
                if not go_on(passed_s):
                    return Trial(order.engine, None, "the trial was ended")
                if passed_s > patience_s:
                    return Trial(order.engine, None, f"no answer in {patience_s:.0f} s", crashed=True)
            with suppress(subprocess.TimeoutExpired):  # what hangs at its end has answered before
                child.wait(_PARTING_S)
        finally:
            child.kill()
            code = child.wait()
        chatter.seek(0)
        last = chatter.read()[-300:].decode("utf-8", "replace").strip().splitlines()[-1:]
    found = _answer(order.engine, said)  # a driver may well crash when its process ends: what counts was said before
    if found is not None:
        return found
    if code < 0:
        return Trial(order.engine, None, f"its process was ended by {_signal(code)}", crashed=True)
    return Trial(order.engine, None, "".join(last) or f"its process ended with {code} and said nothing of use")


def _read(pipe: IO[bytes]) -> bytes | None:
    """What the child said; None when it says nothing for a moment, b"" when it is done."""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        return pipe.read1(65_536) if selector.select(_POLL_S) else None  # type: ignore[attr-defined]  # buffered


def _answer(engine: str, said: bytes) -> Trial | None:
    """What the process answered; None where that is no answer."""
    try:
        found: dict[str, Any] = json.loads(said.splitlines()[-1])
        ms, words, offers = found["ms"], str(found["said"]), tuple(map(str, found["offers"]))
        return Trial(engine, None if ms is None else float(ms), words, offers=offers)
    except (IndexError, KeyError, ValueError, TypeError):
        return None


def _signal(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def main(arguments: list[str]) -> int:
    """The process: load the models with the engine, look at a picture a few times, say how long it took."""
    import numpy as np

    from comfywear.errors import ComfyWearError
    from comfywear.vision import AttributeModel, open_detector

    logging.disable()
    order = Order(**json.loads(arguments[0]))
    chosen: dict[str, Any] = {"engine": order.engine, "precision": order.precision, "threads": order.threads}
    picture = np.zeros((480, 640, 3), np.uint8)
    try:
        detector = open_detector(order.detector, garments=order.garments, **chosen)
        attributes = AttributeModel.load(order.attributes, **chosen) if order.attributes else None
        times: list[float] = []
        while not times or (len(times) < PICTURES and sum(times) < 1e3 * LOOKING_S):
            began = time.perf_counter()
            detector.detect(picture)
            if attributes:
                attributes.predict([picture])
            times.append(1e3 * (time.perf_counter() - began))
    except ComfyWearError as error:
        _say(None, str(error))
        return 0
    precision = detector.parts[0][1].precision
    _say(round(statistics.median(times), 2), f"{precision}, {order.threads} threads")
    return 0


def _say(ms: float | None, said: str) -> None:
    offers: list[str] = []
    if "onnxruntime" in sys.modules:
        offers = sys.modules["onnxruntime"].get_available_providers()
    sys.stdout.write(json.dumps({"ms": ms, "said": said, "offers": offers}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
