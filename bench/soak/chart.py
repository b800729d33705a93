"""Draws what a soak noted: memory, open files and threads over time, with the moments at which something was wrong.

.venv/bin/python bench/soak/chart.py runs/soak/samples.csv docs/soak.png
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

COLOURS = {
    "camera": "#c8553d",
    "broker": "#588157",
    "sensor": "#e0a458",
    "clock": "#7d5ba6",
    "disk": "#33658a",
    "names": "#6b705c",
}


def main(arguments: list[str]) -> int:
    """Read the samples, write the picture."""
    if len(arguments) != 2:
        sys.stderr.write("usage: chart.py SAMPLES.csv PICTURE\n")
        return 2
    with Path(arguments[0]).open(newline="") as file:
        rows = list(csv.DictReader(file))
    minutes = [float(row["minute"]) for row in rows]
    figure, (memory, counts, faults) = plt.subplots(
        3, 1, figsize=(8, 4.6), sharex=True, height_ratios=[3, 2, 1.6], layout="constrained"
    )
    memory.plot(minutes, [float(row["rss_mb"]) for row in rows], color="#222222", label="device")
    memory.plot(minutes, [float(row["camera_rss_mb"]) for row in rows], color="#999999", label="its camera process")
    memory.set_ylabel("MB resident")
    memory.set_ylim(bottom=0)
    memory.legend(loc="center right", fontsize=8)
    counts.plot(minutes, [int(row["files"]) for row in rows], color="#33658a", label="open files")
    counts.plot(minutes, [int(row["threads"]) for row in rows], color="#c8553d", label="threads")
    counts.set_ylim(bottom=0)
    counts.legend(loc="center right", fontsize=8)
    for height, (part, colour) in enumerate(COLOURS.items()):
        wrong = [minute for minute, row in zip(minutes, rows, strict=True) if part in row["faults"]]
        faults.plot(wrong, [height] * len(wrong), "|", color=colour, markersize=9)
    faults.set_yticks(range(len(COLOURS)), [f"{part} wrong" for part in COLOURS], fontsize=8)
    faults.set_ylim(-0.7, len(COLOURS) - 0.3)
    faults.set_xlabel("minutes")
    figure.savefig(arguments[1], dpi=90)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
