"""`comfywear bench sketch`: what a sketch of a 640 × 480 frame costs, on one thread."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.bench.colour import find_photos
from comfywear.vision import read_photo
from comfywear.vision.sketch import sketch

__all__ = ["add_parser", "measure", "run"]

WIDTH, HEIGHT = 640, 480


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the stage."""
    parser = commands.add_parser("sketch", help="a sketch of a 640 × 480 frame, one thread")
    parser.add_argument(
        "--data", type=Path, help="the folder of data sets, which holds ccp (default: $COMFYWEAR_DATA, ../shared/data)"
    )
    parser.add_argument("--repeats", type=int, default=10, choices=range(1, 101), metavar="N", help="default 10")
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
            f"CPU time of a sketch at {WIDTH} × {HEIGHT}, one thread: median of {result['frames']} photos "
            f"{result['median_ms']:.1f} ms, slowest {result['worst_ms']:.1f} ms ({source})"
        )
    return 0


def measure(frames: list[NDArray[np.uint8]], repeats: int) -> dict[str, Any]:
    """Milliseconds of CPU time a frame: the median over photos of each photo's median, and the slowest photo's."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        sketch(frames[0])
        times = [_median_ms(frame, repeats) for frame in frames]
    finally:
        cv2.setNumThreads(threads)
    return {
        "frames": len(frames),
        "median_ms": round(statistics.median(times), 2),
        "worst_ms": round(max(times), 2),
    }


def _median_ms(frame: NDArray[np.uint8], repeats: int) -> float:
    taken = []
    for _ in range(repeats):
        began = time.thread_time()
        sketch(frame)
        taken.append(1000 * (time.thread_time() - began))
    return statistics.median(taken)
