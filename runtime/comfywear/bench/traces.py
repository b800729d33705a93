"""`comfywear bench traces`: what OpenTelemetry costs from a frame to its messages, off and on, side by side."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from comfywear.bench.pipeline import fixed_frame
from comfywear.device.telemetry.opentelemetry import MISSING, NO_TRACES, OpenTelemetry, Traces
from comfywear.system.arguments import whole
from comfywear.vision import AttributeModel, Detector

__all__ = ["add_parser", "measure", "run"]

_WARM = 20
_CALLS = 100_000
CAMERA, ZONE = "camera", "room"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the stage."""
    parser = commands.add_parser("traces", help="what OpenTelemetry costs a frame, off and on")
    parser.add_argument("--frames", type=whole(1), default=1000, help="frames a side (default 1000)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print; returns the exit code."""
    detector, attributes = Detector.load("detector", threads=1), AttributeModel.load("attributes", threads=1)
    result = measure(detector, attributes, args.frames)
    print(json.dumps(result, indent=2) if args.json else _table(result))
    return 0


def measure(detector: Detector, attributes: AttributeModel, frames: int) -> dict[str, Any]:
    """Microseconds of processor time a frame beside the engines', in turns: bare, off and on; and the ratios."""
    work = fixed_frame(detector, attributes)
    steps: dict[str, Callable[[], object]] = {"bare": work, "off": _traced(work, NO_TRACES)}
    on = _switched_on()
    if on is not None:
        steps["on"] = _traced(work, on)
    spent: dict[str, list[float]] = {name: [] for name in steps}
    for index in range(frames + _WARM):
        for name, step in steps.items():
            began = time.process_time()
            step()
            if index >= _WARM:
                spent[name].append(time.process_time() - began)
    micros = {name: 1e6 * statistics.median(times) for name, times in spent.items()}
    began = time.process_time()
    for _ in range(_CALLS):
        _nothing(NO_TRACES)
    calls_us = 1e6 * (time.process_time() - began) / _CALLS
    if on is not None:
        on.close()
    return {
        "frames": frames,
        "clock": "processor time, the middle of all frames",
        "us_a_frame": {name: round(each, 1) for name, each in micros.items()},
        "over_bare": {name: round(each / micros["bare"], 4) for name, each in micros.items()},
        "off_calls_us": round(calls_us, 3),
        "off_calls_over_bare": round(calls_us / micros["bare"], 6),
        "missing": None if on is not None else MISSING,
    }


def _traced(work: Callable[[], object], traces: Traces) -> Callable[[], object]:
    """`work`, said as the device says it: a frame, an estimate, three messages."""

    def step() -> object:
        with traces.frame(CAMERA):
            done = work()
        _rest(traces)
        return done

    return step


def _nothing(traces: Traces) -> None:
    with traces.frame(CAMERA):
        pass
    _rest(traces)


def _rest(traces: Traces) -> None:
    with traces.comfort(ZONE):
        pass
    for topic in ("people", "occupancy", "comfort"):
        with traces.message(ZONE, topic):
            pass


def _switched_on() -> OpenTelemetry | None:
    """The SDK as the device uses it, with an exporter that throws away; None where it is not installed."""
    try:
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    except ImportError:
        return None
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(InMemorySpanExporter()))
    return OpenTelemetry({CAMERA: (ZONE,)}, provider)


def _table(result: dict[str, Any]) -> str:
    lines = [f"from detections to encoded messages, {result['frames']} frames a side, {result['clock']}"]
    lines += [
        f"  {name:6}{micros:10.1f} µs a frame{result['over_bare'][name]:10.4f} × bare"
        for name, micros in result["us_a_frame"].items()
    ]
    lines.append(
        f"  its five calls alone, off: {result['off_calls_us']:.3f} µs, {result['off_calls_over_bare']:.4%} of bare"
    )
    if result["missing"]:
        lines.append(f"  on: not measured: {result['missing']}")
    return "\n".join(lines)
