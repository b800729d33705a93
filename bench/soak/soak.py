"""Drives a real device for hours while things go wrong at random, and shows whether it still works and what it grew.

    .venv/bin/python bench/soak/soak.py --minutes 120 --out runs/soak

A real `comfywear run` (the shipped INT8 models, one thread) looks at a clip through its camera process, reads a serial
sensor on a pseudo-terminal, keeps its state on a file system of 48 MB, and sends to a real mosquitto, from which the
real collector confirms what it stored. Meanwhile camera, broker, sensor, clock, disk and name server fail
(`faults.py`), and somebody votes. It runs as root where a full disk is wanted (it mounts a tmpfs), and needs a C
compiler for the clock, the slow or read-only disk and the name server.

`samples.csv` grows by a line every ten seconds and `figures.json` is written anew every minute, so that a run that is
cut short still tells. It ends with 1 when something that must hold does not.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import random
import statistics
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from faults import Faults
from stage import Stage

from comfywear.system.arguments import number, seconds, whole
from comfywear.system.process import children_rss_mb, rss_mb

TICK_S, SAMPLE_S, SAVE_S = 0.5, 10.0, 60.0
SENSOR_S, VOTE_S = 2.0, 20.0
# What memory is until every buffer has its size does not count as growth.
WARM_SHARE = 0.1
MOST_GROWTH_MB, MOST_MORE = 10.0, 4
SETTLING_S = 240.0
COLUMNS = (
    "minute", "rss_mb", "camera_rss_mb", "files", "threads", "frames", "spool_rows", "restarts", "comfort_age_s",
    "troubles", "faults",
)  # fmt: skip


def main() -> int:
    """Run it and say what came of it."""
    parser = argparse.ArgumentParser(description="a device for hours while things go wrong")
    parser.add_argument("--minutes", type=number(0.0, 1e6), default=120.0)
    parser.add_argument("--out", type=Path, default=Path("runs/soak"))
    parser.add_argument("--seed", type=whole(0, 2**32 - 1), default=1)
    parser.add_argument("--fps", type=number(0.0, 1000.0, above=True), default=1.0)
    parser.add_argument("--pause", type=seconds, default=20.0, metavar="S", help="between two faults, about")
    parser.add_argument("--longest", type=seconds, default=60.0, metavar="S", help="that a fault lasts")
    parser.add_argument(
        "--only", nargs="+", metavar="PART", help="camera, broker, sensor, clock, disk, names; none = no faults"
    )
    parser.add_argument(
        "--votes-first", type=whole(0), default=0, metavar="N", help="pressed before: 1000 teach at most"
    )
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    stage = Stage(args.out, fps=args.fps)
    try:
        figures = _soak(args, stage)
    finally:
        stage.close()
    log = (args.out / "device.log").read_text(errors="replace")
    figures["log"] = _of_log(log)
    _save(args.out, figures)
    failed = [name for name, holds in _verdict(figures).items() if not holds]
    print(json.dumps(figures, indent=1))
    print("all held" if not failed else f"did not hold: {', '.join(failed)}")
    return 1 if failed else 0


def _soak(args: argparse.Namespace, stage: Stage) -> dict[str, Any]:
    faults = Faults(stage, args.seed, pause_s=args.pause, longest_s=args.longest, only=args.only)
    draw = random.Random(args.seed)
    while args.votes_first and not stage.status() and stage.device.poll() is None:
        time.sleep(TICK_S)
    for _ in range(args.votes_first):
        stage.vote(draw.randint(1, 5))
    began_s = now_s = time.monotonic()
    until_s = began_s + 60 * args.minutes
    due = dict.fromkeys(("sensor", "vote", "sample", "save"), began_s + 5)
    rows: list[dict[str, Any]] = []
    figures: dict[str, Any] = {}
    with (args.out / "samples.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        while now_s < until_s and stage.device.poll() is None:
            now_s = time.monotonic()
            faults.tick(now_s)
            if now_s >= due["sensor"]:
                due["sensor"] = now_s + SENSOR_S
                if faults.sensor_speaks:
                    stage.sensor.step()
            if now_s >= due["vote"]:
                due["vote"] = now_s + draw.uniform(0.5, 1.5) * VOTE_S
                stage.vote(draw.randint(1, 5))
            if now_s >= due["sample"]:
                due["sample"] = now_s + SAMPLE_S
                rows.append(_sample(stage, faults, (now_s - began_s) / 60))
                table.writerow(rows[-1])
                file.flush()
            if now_s >= due["save"] and rows:
                due["save"] = now_s + SAVE_S
                figures = _figures(args, stage, faults, rows, (now_s - began_s) / 60)
                _save(args.out, figures)
            time.sleep(TICK_S)
    faults.stop()
    settled = _settle(stage)
    rows.append(_sample(stage, faults, (time.monotonic() - began_s) / 60))
    return {**_figures(args, stage, faults, rows, (now_s - began_s) / 60), **settled}


def _sample(stage: Stage, faults: Faults, minute: float) -> dict[str, Any]:
    pid, status = stage.device.pid, stage.status()
    metrics = status.get("metrics", {})
    return {
        "minute": round(minute, 2),
        "rss_mb": round(rss_mb(pid) or 0.0, 1),
        "camera_rss_mb": round(children_rss_mb(pid), 1),
        "files": len(os.listdir(f"/proc/{pid}/fd")),  # noqa: PTH208 - names are enough
        "threads": len(os.listdir(f"/proc/{pid}/task")),  # noqa: PTH208
        "frames": metrics.get("frames"),
        "spool_rows": metrics.get("spool_rows"),
        "restarts": metrics.get("restarts"),
        "comfort_age_s": round(time.monotonic() - stage.comfort_s, 1),
        "troubles": " ".join(sorted({each["name"] for each in status.get("troubles", ())})),
        "faults": "+".join(faults.active()),
    }


def _settle(stage: Stage) -> dict[str, Any]:
    """What holds once nothing is wrong any more: given up on after a while."""
    deadline_s = time.monotonic() + SETTLING_S
    missing: set[str] = set(stage.votes)
    standing: set[str] = set(stage.undone)
    status: dict[str, Any] = {}
    turn = 0
    while time.monotonic() < deadline_s:
        turn += 1
        if turn % 2:
            stage.sensor.step()
        status = stage.status()
        arrived = stage.arrived()
        missing = set(stage.votes) - set(arrived)
        standing = {vote for vote in stage.undone if not arrived.get(vote)}
        if (
            not missing
            and not standing
            and status
            and not status["troubles"]
            and time.monotonic() - stage.comfort_s < 6
        ):
            break
        time.sleep(1.0)
    return {
        "end": {
            "alive": stage.device.poll() is None,
            "troubles": [each["name"] for each in status.get("troubles", ())],
            "comfort_age_s": round(time.monotonic() - stage.comfort_s, 1),
            "votes_missing": len(missing),
            "undone_but_standing": len(standing),
        }
    }


def _figures(
    args: argparse.Namespace, stage: Stage, faults: Faults, rows: list[dict[str, Any]], minutes: float
) -> dict[str, Any]:
    """All figures so far; `first` and `last` are medians of the tenth after the warm tenth, and of the last."""
    warm = [row for row in rows if row["minute"] >= WARM_SHARE * minutes] or rows
    tenth = max(len(warm) // 10, 1)
    names = ("rss_mb", "camera_rss_mb", "files", "threads")
    newest = next((row for row in reversed(rows) if row["frames"] is not None), rows[-1])
    return {
        "minutes": round(minutes, 1),
        "seed": args.seed,
        "votes_first": args.votes_first,
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}",
        "disk": stage.disk is not None,
        "wrong": stage.wrong.possible,
        "faults": dict(sorted(faults.counts.items())),
        "first": {name: statistics.median(row[name] for row in warm[:tenth]) for name in names},
        "last": {name: statistics.median(row[name] for row in warm[-tenth:]) for name in names},
        "most": {name: max(row[name] for row in warm) for name in names},
        "rss_mb_per_hour": round(_slope([row["minute"] / 60 for row in warm], [row["rss_mb"] for row in warm]), 2),
        "frames": newest["frames"],
        "restarts": newest["restarts"],
        "votes_accepted": len(stage.votes),
        "votes_refused": dict(stage.refused),
        "votes_undone": len(stage.undone),
        "live_messages": dict(sorted(stage.heard.items())),
        "longest_without_comfort_s": max(row["comfort_age_s"] for row in rows),
    }


def _slope(x: list[float], y: list[float]) -> float:
    return statistics.linear_regression(x, y).slope if len(set(x)) > 1 else 0.0


def _of_log(text: str) -> dict[str, Any]:
    lines = text.splitlines()
    began = Counter(line.split("trouble: ")[1].split(":")[0].split(" ")[0] for line in lines if "trouble: " in line)
    return {"lines": len(lines), "troubles": dict(sorted(began.items())), "tracebacks": text.count("Traceback")}


def _verdict(figures: dict[str, Any]) -> dict[str, bool]:
    end, first, last = figures["end"], figures["first"], figures["last"]
    return {
        "the device runs": end["alive"],
        "it publishes": end["comfort_age_s"] < 10,
        "nothing is wrong any more": not end["troubles"],
        "every accepted vote arrived": figures["votes_accepted"] > 0 and end["votes_missing"] == 0,
        "what was undone is said so": end["undone_but_standing"] == 0,
        "memory is flat": last["rss_mb"] - first["rss_mb"] < MOST_GROWTH_MB,
        "files are flat": last["files"] - first["files"] <= MOST_MORE,
        "threads are flat": last["threads"] - first["threads"] <= MOST_MORE,
        "no traceback": figures["log"]["tracebacks"] == 0,
    }


def _save(out: Path, figures: dict[str, Any]) -> None:
    fresh = out / "figures.json.new"
    fresh.write_text(json.dumps(figures, indent=1) + "\n")
    fresh.replace(out / "figures.json")


if __name__ == "__main__":
    sys.exit(main())
