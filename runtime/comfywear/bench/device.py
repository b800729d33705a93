"""The whole device as a user runs it: frames a second, the engines' share, memory, import time, size on disk."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfywear import __version__
from comfywear import settings as settings_file
from comfywear.errors import ComfyWearError, DeviceNotRunningError
from comfywear.feedback import ask
from comfywear.system.arguments import whole
from comfywear.system.board import board, system
from comfywear.system.process import children_rss_mb, rss_mb
from comfywear.vision.engines.choice import fingerprint, kept

# By then every buffer has its size: what memory grows by later is a leak.
WARM_FRAMES = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `comfywear bench` without a stage, and of `comfywear bench device`."""
    parser.add_argument("--frames", type=whole(1), default=1000, metavar="N", help="frames to look at (default 1000)")
    parser.add_argument("--source", default="", metavar="URI", help="camera URI (default: a clip of the demo's photo)")
    parser.add_argument("--engine", choices=["auto", "onnxruntime", "litert"], default="auto")
    parser.add_argument("--precision", choices=["fp16", "int8"], default="fp16")
    parser.add_argument("--threads", type=whole(1), default=2)
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `bench device`."""
    parser = commands.add_parser("device", help="the whole device on a clip: speed, memory, size")
    add_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run a real device as a child process until it has looked at N frames; print what it took."""
    with tempfile.TemporaryDirectory(prefix="comfywear-bench-") as name:
        folder = Path(name)
        figures = _measure(args, folder)
    if args.json:
        print(json.dumps(figures))
        return 0
    print(table(figures))
    return 0


def table(figures: Mapping[str, Any]) -> str:
    """The figures as a Markdown table, to be pasted where somebody asks how a device does."""
    rows = [("what", "value"), *((name, str(value)) for name, value in figures.items())]
    wide, high = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [f"| {name:{wide}} | {value:{high}} |" for name, value in rows]
    return "\n".join([lines[0], f"|{'-' * (wide + 2)}|{'-' * (high + 2)}|", *lines[1:]])


def _measure(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    source = args.source or _clip(folder)
    config = folder / "device.toml"
    config.write_text(
        f"[device]\nid = 'bench'\nstate_dir = '{folder}'\n"
        f"[camera]\nsource = {json.dumps(source)}\nfps = 1000\nloop = true\n"
        f"[vision]\nengine = '{args.engine}'\nprecision = '{args.precision}'\nthreads = {args.threads}\n"
        "[[sensors]]\nuri = 'fake://'\n"
    )
    import_s = min(_import_time() for _ in range(3))
    device = subprocess.Popen([sys.executable, "-m", "comfywear.cli", "run", "--config", str(config)])
    try:
        first = _wait(device, folder, 1)
        warm = _wait(device, folder, min(WARM_FRAMES, args.frames))
        last = _wait(device, folder, args.frames)
        memory = {"rss_device_mb": _rounded(rss_mb(device.pid)), "rss_camera_mb": _rounded(children_rss_mb(device.pid))}
    finally:
        device.terminate()
        device.wait(20)
    seconds = last["uptime_s"] - first["uptime_s"]
    choice = kept(fingerprint(settings_file.load(config).vision))
    return {
        "comfywear": __version__,
        "machine": f"{board()}, {os.cpu_count()} processors",
        "system": f"{system()}, Python {platform.python_version()}",
        "engine": choice.engine if choice else args.engine,
        "precision": args.precision,
        "threads": args.threads,
        "frames": int(last["frames"]),
        "frames_per_s": round((last["frames"] - first["frames"]) / seconds, 1),
        "engine_share": round(last["engine_share"], 3),
        **memory,
        "rss_first_frame_mb": _rounded(first["rss_mb"]),
        "rss_warm_mb": _rounded(warm["rss_mb"]),
        "rss_warm_frames": int(warm["frames"]),
        "rss_growth_mb": _rounded(last["rss_mb"] - warm["rss_mb"]),
        "import_s": round(import_s, 3),
        "venv_mb": _rounded(_venv_mb()),
    }


def _clip(folder: Path) -> str:
    from comfywear.demo.scene import sample_photo
    from comfywear.vision.drawing.moving_clip import write_clip

    return str(write_clip(sample_photo(), folder / "clip.avi", frames=100))


def _wait(device: subprocess.Popen[bytes], folder: Path, frames: int) -> dict[str, Any]:
    """The device's metrics once it has looked at `frames` frames."""
    seen, since_s = -1, time.monotonic()
    while device.poll() is None:
        try:
            metrics: dict[str, Any] = ask(folder, {"verb": "status"})["metrics"]
        except DeviceNotRunningError:
            metrics = {"frames": -1}
        if (metrics["frames"] or 0) >= frames:
            return metrics
        if metrics["frames"] != seen:
            seen, since_s = metrics["frames"], time.monotonic()
        if time.monotonic() - since_s > 60:
            raise ComfyWearError("the device has looked at no frame for a minute; run it with --verbose to see why")
        time.sleep(0.05)
    raise ComfyWearError(f"the device ended by itself with exit code {device.returncode}")


def _import_time() -> float:
    began_s = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", "import comfywear.device.device, comfywear.vision.detectors.detector"], check=True
    )
    return time.perf_counter() - began_s


def _venv_mb() -> float | None:
    if sys.prefix == sys.base_prefix:
        return None
    return sum(path.lstat().st_size for path in Path(sys.prefix).rglob("*") if path.is_file()) / 1e6


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
