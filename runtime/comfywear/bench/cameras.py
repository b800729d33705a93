"""`comfywear bench cameras`: one camera and several on one device: frames a second of each, their shares, memory."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from comfywear.demo.scene import sample_photo
from comfywear.device.device import Device
from comfywear.device.sight.camera_sight import CameraSight
from comfywear.errors import ComfyWearError, UsageError
from comfywear.settings import Settings
from comfywear.system.arguments import number
from comfywear.system.process import children_rss_mb, rss_mb

__all__ = ["add_parser", "measure", "run"]

_START_S = 180.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the stage."""
    parser = commands.add_parser("cameras", help="several cameras on one device: frames a second of each, memory")
    parser.add_argument(
        "--seconds", type=number(1, 3600), default=30.0, metavar="S", help="of each measurement (default 30)"
    )
    parser.add_argument(
        "--fps",
        type=number(0.1, 60),
        action="append",
        metavar="N",
        help="of one camera; once for each (default: 30 and 30)",
    )
    parser.add_argument(
        "--cpu-share", type=number(0, 64, above=True), default=1.0, metavar="N", help="as budget.cpu_share (default 1)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure the first camera alone, then all of them; returns 0."""
    rates = args.fps or [30.0, 30.0]
    if len(rates) < 2:
        raise UsageError("--fps is given twice or more: once for each camera")
    figures = []
    for some in (rates[:1], rates):  # each in a process of its own: what the first leaves behind is not the second's
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            figures.append(process.submit(measure, some, args.seconds, args.cpu_share).result())
    more_mb, own_mb = (
        (figures[1][what] - figures[0][what]) / (len(rates) - 1) for what in ("memory_mb", "proportional_mb")
    )
    if args.json:
        for each in figures:
            print(json.dumps(each))
        return 0
    for each in figures:
        print(f"{len(each['cameras'])} camera(s), {each['processors']} processors, load {each['load']:.1f}:")
        for name, camera in each["cameras"].items():
            print(
                f"  {name}: {camera['frames_per_s']:.2f} frames a second of {camera['given_per_s']:.1f} that it gave, "
                f"{100 * camera['share']:.0f} % of the time that looking took"
            )
        print(f"  looking was busy for {100 * each['busy']:.0f} % of the time; {each['memory_mb']:.0f} MB in all")
    print(f"each further camera: {more_mb:.0f} MB more, {own_mb:.0f} MB where shared pages count once")
    return 0


def measure(rates: Sequence[float], seconds: float, cpu_share: float = 1.0) -> dict[str, Any]:
    """A device with a camera for each of the rates, all of the demo's photo, looked at for so long.

    Returns:
        By camera its frames a second, those that it gave, and its part of the time that looking took; the part of the
        time that looking was busy; memory of all processes, MB: resident, in which pages that they share count in each,
        and proportional (PSS), in which they count once.

    Raises:
        ComfyWearError: Nothing is looked at.
    """
    photo = str(sample_photo())
    names = [f"camera{number}" for number in range(1, len(rates) + 1)]
    tables = [{"name": name, "source": photo, "loop": True, "fps": fps} for name, fps in zip(names, rates, strict=True)]
    with tempfile.TemporaryDirectory(prefix="comfywear-bench-") as folder:
        settings = msgspec.convert(
            {
                "device": {"state_dir": str(Path(folder) / "state")},
                "cameras": tables,
                "zones": [{"name": f"zone-{name}", "camera": name} for name in names],
                "budget": {"cpu_share": cpu_share},
                "web": {"enabled": False},
            },
            Settings,
        )
        with Device(settings) as device:
            vision = device.vision
            assert vision is not None
            patient_until_s = time.monotonic() + _START_S
            while min(camera.frames for camera in vision.cameras.values()) < 10:
                if time.monotonic() > patient_until_s:
                    raise ComfyWearError(f"nothing is looked at: {vision.sight().missing}")
                time.sleep(0.1)
            before = {name: (camera.frames, camera.looked_s, _index(camera)) for name, camera in vision.cameras.items()}
            began_s = time.monotonic()
            time.sleep(seconds)
            passed_s = time.monotonic() - began_s
            frames = {name: camera.frames - before[name][0] for name, camera in vision.cameras.items()}
            looked_s = {name: camera.looked_s - before[name][1] for name, camera in vision.cameras.items()}
            given = {name: _index(camera) - before[name][2] for name, camera in vision.cameras.items()}
            memory_mb, proportional_mb = (rss_mb() or 0.0) + children_rss_mb("self"), _proportional_mb()
    return {
        "cameras": {
            name: {
                "fps": fps,
                "frames_per_s": frames[name] / passed_s,
                "given_per_s": given[name] / passed_s,
                "share": looked_s[name] / max(sum(looked_s.values()), 1e-9),
            }
            for name, fps in zip(names, rates, strict=True)
        },
        "busy": sum(looked_s.values()) / passed_s,
        "memory_mb": memory_mb,
        "proportional_mb": proportional_mb,
        "processors": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
    }


def _index(camera: CameraSight) -> int:
    """The number of the newest frame that was looked at, of all that its camera gave."""
    picture = camera.picture()
    return picture[0].index if picture else 0


def _proportional_mb() -> float:
    """Memory of this process and its children in which a page counts by how many share it, MB."""
    children = [int(pid) for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()]
    found = [Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii") for pid in ("self", *children)]
    return sum(int(line.split()[1]) for text in found for line in text.splitlines() if line.startswith("Pss:")) / 1e3
