"""`comfywear bench comfort`: the comfort models beside pythermalcomfort, in one run on this machine."""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from comfywear.comfort import ComfyWear, ThermalWear, clothing_of_names, pmv_ppd, two_node
from comfywear.system.arguments import whole

ROWS = 100_000
RIVAL = "pythermalcomfort"
# A fresh process until its first answers: what a device waits for after a start.
START_OURS = (
    "from comfywear.comfort import ComfyWear, ThermalWear, clothing_of_names as c; w = c(['t-shirt', 'trousers']); "
    "ThermalWear().estimate(26.0, 50.0, w); ComfyWear().estimate(26.0, 50.0, w)"
)
START_OURS_SKIN = (
    "from comfywear.comfort import ThermalWear, clothing_of_names as c; "
    "ThermalWear().estimate(26.0, 50.0, c(['t-shirt', 'trousers']))"
)
START_RIVAL = (
    "from pythermalcomfort.models import pmv_ppd_iso, two_nodes_gagge; "
    "two_nodes_gagge(26.0, 26.0, 0.1, 50.0, 1.1, 0.5); pmv_ppd_iso(26.0, 26.0, 0.13, 50.0, 1.1, 0.5)"
)
START_RIVAL_SKIN = (
    "from pythermalcomfort.models import two_nodes_gagge; two_nodes_gagge(26.0, 26.0, 0.1, 50.0, 1.1, 0.5)"
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("comfort", help="the comfort models beside pythermalcomfort")
    parser.add_argument(
        "--repeats", type=whole(1), default=5, metavar="N", help="repeats of the long parts (default 5)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure CPU time side by side and print it; exit code 0 also where the rival is not installed."""
    figures = measure(max(args.repeats, 1))
    print(json.dumps(figures, ensure_ascii=False) if args.json else _table(figures))
    return 0


def measure(repeats: int) -> dict[str, Any]:
    """Median CPU seconds by part for ours and the rival's, and the ratio rival / ours (above 1: ours is faster)."""
    try:
        rival: str | None = f"{RIVAL} {version(RIVAL)}"
    except PackageNotFoundError:
        rival = None
    ours, theirs = _ours(), _theirs() if rival else {}
    parts: dict[str, dict[str, float | None]] = {}
    starts = {
        "start_to_first_estimate": (START_OURS, START_RIVAL),
        "start_to_skin": (START_OURS_SKIN, START_RIVAL_SKIN),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, codes in starts.items():
            jobs = [_process(code, folder) for code in codes[: 2 if rival else 1]]
            parts[name] = _pair(*_by_turns(jobs, repeats, 1))
    for name, job in ours.items():
        pair = [job, theirs[name]] if name in theirs else [job]
        long = name.endswith("_1e5")
        parts[name] = _pair(*_by_turns(pair, repeats if long else 7, 1 if long else 200))
    return {
        "rival": rival,
        "missing": None if rival else f"{RIVAL} is not installed: nothing to compare with",
        "clock": "CPU seconds of one call (processes: user + system), medians, taken by turns",
        "rows": ROWS,
        "parts": parts,
    }


def _ours() -> dict[str, Callable[[], object]]:
    columns, wearing = _columns(), clothing_of_names(["t-shirt", "trousers", "sneakers"])
    skin, votes = ThermalWear(), ComfyWear()

    def estimate() -> object:
        return skin.estimate(26.0, 50.0, wearing), votes.estimate(26.0, 50.0, wearing)

    return {
        "estimate": estimate,
        "pmv_one": lambda: pmv_ppd(26.0, 26.0, 0.13, 50.0, 1.1, 0.5),
        "two_node_one": lambda: two_node(26.0, 26.0, 0.1, 50.0, 1.1, 0.5),
        "pmv_1e5": lambda: pmv_ppd(*columns),
        "two_node_1e5": lambda: two_node(*columns),
    }


def _theirs() -> dict[str, Callable[[], object]]:
    from pythermalcomfort.models import pmv_ppd_iso, two_nodes_gagge

    columns = _columns()
    warnings.filterwarnings("ignore", module=RIVAL)
    return {
        "pmv_one": lambda: pmv_ppd_iso(26.0, 26.0, 0.13, 50.0, 1.1, 0.5, round_output=False),
        "two_node_one": lambda: two_nodes_gagge(26.0, 26.0, 0.1, 50.0, 1.1, 0.5, round_output=False),
        "pmv_1e5": lambda: pmv_ppd_iso(*columns, round_output=False),
        "two_node_1e5": lambda: two_nodes_gagge(*columns, round_output=False),
    }


def _columns() -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    """Air, radiant temperature, air speed, humidity, met, clo inside the range of ISO 7730, from a fixed seed."""
    random = np.random.default_rng(7730)
    ranges = ((18.0, 28.0), (18.0, 28.0), (0.05, 0.5), (20.0, 60.0), (1.0, 1.6), (0.3, 1.2))
    return [random.uniform(low, high, ROWS) for low, high in ranges]


def _process(code: str, folder: str) -> Callable[[], float]:
    """A process that keeps its compiled bytecode in `folder`, as an installed package has it, whatever the settings."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = folder

    def start() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return start


def _by_turns(jobs: list[Callable[[], Any]], repeats: int, calls: int) -> list[float]:
    """Median CPU seconds of one call of every job; a job that returns a float has measured itself."""
    for job in jobs:
        job()  # compiles, loads, warms up
    taken: list[list[float]] = [[] for _ in jobs]
    gc.disable()
    try:
        for _ in range(repeats):
            for job, times in zip(jobs, taken, strict=True):
                begin = time.process_time()
                for _ in range(calls):
                    result = job()
                spent = (time.process_time() - begin) / calls
                times.append(result if isinstance(result, float) else spent)
    finally:
        gc.enable()
    return [statistics.median(times) for times in taken]


def _pair(ours: float, theirs: float | None = None) -> dict[str, float | None]:
    return {"ours_s": ours, "rival_s": theirs, "ratio": None if theirs is None else theirs / ours}


def _table(figures: dict[str, Any]) -> str:
    lines = [f"beside {figures['rival']}" if figures["rival"] else figures["missing"], figures["clock"]]
    for name, part in figures["parts"].items():
        rival = "–" if part["rival_s"] is None else f"{part['rival_s'] * 1e3:12.3f} ms  {part['ratio']:6.1f} ×"
        lines.append(f"{name.replace('_', ' '):26}{part['ours_s'] * 1e3:12.3f} ms  {rival}")
    return "\n".join(lines)
