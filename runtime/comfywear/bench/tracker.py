"""`comfywear bench tracker`: what an update costs, beside its floor and beside other trackers, in one run."""

from __future__ import annotations

import argparse
import importlib
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.system.arguments import whole
from comfywear.vision.tracking.association import Association
from comfywear.vision.tracking.tracker import ByteTracker

__all__ = ["add_parser", "crossing", "lacking", "measure", "run"]

Frames = list[tuple[NDArray[np.float32], NDArray[np.float32]]]

OBJECTS = (5, 20, 50, 100, 200)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("tracker", help="CPU time of an update, its floor, and other trackers where installed")
    parser.add_argument("--frames", type=whole(1), default=200, help="frames a scene (default 200)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print; returns the exit code."""
    result = measure(max(args.frames, 10))
    if args.json:
        print(json.dumps(result, indent=2))
        return 0
    names = list(next(iter(result["us_per_update"].values())))
    print("median CPU time of one update in µs (one thread, crossing objects, 3 % of detections missed)")
    print(f"{'objects':>8}" + "".join(f"{name:>14}" for name in names))
    for count, row in result["us_per_update"].items():
        print(f"{count:>8}" + "".join(f"{row[name]:>14.0f}" for name in names))
    print("times the floor: " + ", ".join(f"{n} objects {r:.1f}" for n, r in result["times_floor"].items()))
    for name, ratios in result["faster_than"].items():
        print(f"faster than {name}: " + ", ".join(f"{n} objects {r:.1f} ×" for n, r in ratios.items()))
    for name, reason in result["missing"].items():
        print(f"not measured: {name} ({reason})")
    return 0


def crossing(objects: int, frames: int, seed: int = 0) -> Frames:
    """Boxes and scores of objects that cross a 1920 × 1080 picture and bounce off its edges; 3 % are missed."""
    rng = np.random.default_rng(seed)
    place = rng.uniform((0, 0), (1920, 1080), (objects, 2))
    speed = rng.uniform(-6, 6, (objects, 2))
    size = rng.uniform((40, 100), (90, 220), (objects, 2))
    out = []
    for _ in range(frames):
        place += speed
        speed[(place < 0) | (place > (1920, 1080))] *= -1
        boxes = np.hstack([place - size / 2, place + size / 2]) + rng.normal(0, 1.5, (objects, 4))
        seen = rng.random(objects) > 0.03
        out.append((boxes[seen].astype(np.float32), rng.uniform(0.72, 0.95, seen.sum()).astype(np.float32)))
    return out


def measure(frames: int) -> dict[str, Any]:
    """Medians of thread CPU time a call: `us_per_update`, `times_floor`, `faster_than` and what is `missing`."""
    rivals, missing = _rivals()
    table: dict[str, dict[str, float]] = {}
    for objects in OBJECTS:
        scene = crossing(objects, frames)
        steps = {"floor": _floor(scene), "comfywear": _ours(scene)}
        steps |= {name: make(scene) for name, make in rivals.items()}
        table[str(objects)] = _medians_us(steps, frames)
    return {
        "us_per_update": table,
        "times_floor": {n: round(row["comfywear"] / row["floor"], 2) for n, row in table.items()},
        "faster_than": {
            name: {n: round(row[name] / row["comfywear"], 2) for n, row in table.items()} for name in rivals
        },
        "missing": missing,
    }


def _medians_us(steps: dict[str, Callable[[int], object]], frames: int) -> dict[str, float]:
    """Median of each step, frame by frame in turn, so that a busy machine is busy for all of them."""
    times: dict[str, list[int]] = {name: [] for name in steps}
    for index in range(frames):
        for name, step in steps.items():
            began = time.thread_time_ns()
            step(index)
            times[name].append(time.thread_time_ns() - began)
    return {name: round(float(np.median(found[frames // 10 :])) / 1e3, 1) for name, found in times.items()}


def _ours(scene: Frames) -> Callable[[int], object]:
    tracker = ByteTracker()
    return lambda index: tracker.update(*scene[index])


def _floor(scene: Frames) -> Callable[[int], object]:
    """What no tracker can do without: one float32 IoU of two frames in kept buffers, and one assignment."""
    association = Association()

    def step(index: int) -> object:
        before, now = scene[max(index - 1, 0)][0], scene[index][0]
        iou = association.iou(before.T, now.T)
        np.subtract(1.0, iou, out=iou)
        return association.assign(iou, 0.9)

    return step


def _rivals() -> tuple[dict[str, Callable[[Frames], Callable[[int], object]]], dict[str, str]]:
    found: dict[str, Callable[[Frames], Callable[[int], object]]] = {}
    missing: dict[str, str] = {}
    wanted = {"supervision": ("ByteTrack", _supervision), "trackers": ("ByteTrackTracker", _trackers)}
    for name, (tracker, make) in wanted.items():
        lack = lacking(name, tracker) or lacking("supervision", "Detections")
        if lack is None:
            found[name] = make
        else:
            missing[name] = lack
    return found, missing


def lacking(library: str, wanted: str) -> str | None:
    """What keeps `wanted` of a library that is measured against from being used, in words; None where it is there."""
    try:
        module = importlib.import_module(library)
    except ImportError as error:
        return f"{error}; install it in an environment beside comfywear"
    if hasattr(module, wanted):
        return None
    version = getattr(module, "__version__", "as installed")
    hint = "; since 0.30 it is in the package trackers: pip install 'supervision<0.30' measures the earlier one"
    return f"{library} {version} has no {wanted}{hint if (library, wanted) == ('supervision', 'ByteTrack') else ''}"


def _given(scene: Frames) -> list[Any]:
    detections = importlib.import_module("supervision").Detections
    return [detections(xyxy=b, confidence=s, class_id=np.zeros(len(b), int)) for b, s in scene]


def _supervision(scene: Frames) -> Callable[[int], object]:
    tracker, given = importlib.import_module("supervision").ByteTrack(), _given(scene)
    return lambda index: tracker.update_with_detections(given[index])


def _trackers(scene: Frames) -> Callable[[int], object]:
    tracker, given = importlib.import_module("trackers").ByteTrackTracker(), _given(scene)
    return lambda index: tracker.update(given[index])
