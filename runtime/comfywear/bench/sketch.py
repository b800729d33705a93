"""`comfywear bench sketch`: what the views of a 640 × 480 frame cost, on one thread."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.bench.colour import find_photos
from comfywear.system.arguments import whole
from comfywear.vision import read_photo
from comfywear.vision.drawing.plate import SETTLE_S
from comfywear.vision.drawing.room_view import RoomView
from comfywear.vision.drawing.sketch import sketch
from comfywear.vision.motion import MotionMap

__all__ = ["add_parser", "measure", "run"]

WIDTH, HEIGHT = 640, 480


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the stage."""
    parser = commands.add_parser("sketch", help="the views of a 640 × 480 frame, one thread")
    parser.add_argument(
        "--data", type=Path, help="the folder of data sets, which holds ccp (default: $COMFYWEAR_DATA, ../shared/data)"
    )
    parser.add_argument("--repeats", type=whole(1, 100), default=10, metavar="N", help="default 10")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    source, paths = find_photos(args.data)
    frames = [np.asarray(cv2.resize(read_photo(str(path)), (WIDTH, HEIGHT)), dtype=np.uint8) for path in paths]
    result = {"photos": source, **measure(frames, args.repeats)}
    if args.json:
        print(json.dumps(result))
    else:
        print(
            f"CPU time at {WIDTH} × {HEIGHT}, one thread, {result['frames']} photos ({source}): "
            f"a sketch, median {result['median_ms']:.1f} ms, slowest {result['worst_ms']:.1f} ms; "
            f"a frame for the plate {result['plate_ms']:.1f} ms; "
            f"the room drawn {result['room_ms']:.1f} ms, slowest {result['room_worst_ms']:.1f} ms"
        )
    return 0


def measure(frames: list[NDArray[np.uint8]], repeats: int) -> dict[str, Any]:
    """Milliseconds of CPU time a frame: the median over photos of each photo's median, and the slowest photo's."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        sketch(frames[0])
        times = [_median_ms(partial(sketch, frame), repeats) for frame in frames]
        plate, room = zip(*(_of_the_room(frame, repeats) for frame in frames), strict=True)
    finally:
        cv2.setNumThreads(threads)
    return {
        "frames": len(frames),
        "median_ms": round(statistics.median(times), 2),
        "worst_ms": round(max(times), 2),
        "plate_ms": round(statistics.median(plate), 2),
        "room_ms": round(statistics.median(room), 2),
        "room_worst_ms": round(max(room), 2),
    }


def _of_the_room(frame: NDArray[np.uint8], repeats: int) -> tuple[float, float]:
    """What a frame costs that the plate looks at, and the view when all of the room is known."""
    view, motion, now_s = RoomView(), MotionMap(), 0.0
    while now_s <= SETTLE_S + 1:
        motion.add(frame, now_s)
        view.add(frame, now_s, (), motion)
        now_s += 1.0

    def look() -> None:
        nonlocal now_s
        now_s += 1.0
        view.add(frame, now_s, (), motion)

    def draw() -> None:
        nonlocal now_s
        now_s += 60.0  # so that the room itself is drawn anew
        view.add(frame, now_s, (), motion)
        view.draw(())

    return _median_ms(look, repeats), _median_ms(draw, repeats)


def _median_ms(work: Callable[[], object], repeats: int) -> float:
    taken = []
    for _ in range(repeats):
        began = time.thread_time()
        work()
        taken.append(1000 * (time.thread_time() - began))
    return statistics.median(taken)
