"""The process of the health gate: loads a model, asks it the built-in sample, times it in turns with the present one.

It reads a `Request` from standard input and says, a line of JSON each, what it does, and at the end whether the model
passed or why it is refused.
"""

from __future__ import annotations

import json
import signal
import sys
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from comfywear.errors import ComfyWearError, ModelError
from comfywear.releases.gate import Passed, Request
from comfywear.texts import builtins
from comfywear.vision import AttributeModel, Detector
from comfywear.vision.engines import OpenModel
from comfywear.vision.sample import check_sample, open_form, sample_batch, sample_picture
from comfywear_models import CardError, load_card

_TURNS = 9
# Below this a difference is the machine's, not the model's.
_GRACE_MS = 1.0


def _say(**what: Any) -> None:
    sys.stdout.write(json.dumps({"gate": what}) + "\n")
    sys.stdout.flush()


def try_here(request: Request) -> Passed:
    """Try a model in this process; ModelError says why it may not come into service."""
    card = load_card(Path(request.card))
    options = {"engine": request.engine, "precision": request.precision, "threads": request.threads}
    _say(doing="loading it")
    model = open_form(request.card, card, **options)  # type: ignore[arg-type]
    if model.fallback:
        raise ModelError(f"it runs on {model.engine.name} only: {model.fallback}")
    _say(doing="running it on the built-in sample")
    check_sample(model, request.samples)
    _look(model)
    present = None
    if request.present:
        _say(doing="loading the present model")
        with suppress(ComfyWearError):  # one that cannot be loaded has no speed to compare with
            present = open_form(request.present, card, **options)  # type: ignore[arg-type]
    _say(doing="timing it")
    cost_ms, present_ms = _times(model, present)
    if present_ms is not None and cost_ms > request.slower_at_most * present_ms + _GRACE_MS:
        raise ModelError(
            f"too slow: {cost_ms:.3g} ms a picture, {present_ms:.3g} ms with the present model "
            f"(at most {request.slower_at_most:g} times that)"
        )
    return Passed(model.engine.name, model.engine.precision, cost_ms, present_ms)


def _look(model: OpenModel) -> None:
    """Use it as the device does: outputs that its labels do not fit are noticed here."""
    picture = sample_picture(480, 640)
    if model.card.task == "attributes":
        AttributeModel(model).predict([picture])
        return
    detector = Detector(model)
    if "person" not in detector.labels:
        raise ModelError("it does not find persons: it has no label 'person'")
    detector.detect(picture)


def _times(model: OpenModel, present: OpenModel | None) -> tuple[float, float | None]:
    """Median milliseconds of a picture inside each engine, taken in turns."""
    costs: dict[int, list[float]] = {0: [], 1: []}
    both = [(0, model)] + ([(1, present)] if present else [])
    batches = {which: sample_batch(one.card) for which, one in both}
    for _ in range(_TURNS):
        for which, one in both:
            before = one.engine.seconds
            one.engine.run(batches[which])
            costs[which].append(1e3 * (one.engine.seconds - before))
    return median(costs[0]), median(costs[1]) if present else None


def main() -> int:
    """Try what standard input asks for; 0 when it passed."""
    with suppress(OSError):  # where memory runs short, this process is ended before the device
        Path("/proc/self/oom_score_adj").write_text("1000")
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    signal.alarm(int(request.patience_s) + 10)
    try:
        _say(passed=builtins(try_here(request)))
    except (ComfyWearError, CardError) as error:
        _say(refused=str(error))
        return 1
    except Exception as error:  # whatever a model brings about is a reason
        _say(refused=f"{type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
