"""The validation tables of comfort models, in our units; IP rows are converted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

TEMPERATURES = ("tdb", "tr", "t_running_mean", "tg", "twb", "tout")
SPEEDS = ("v", "vr", "v_ankle")


def rows(data: Path, name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(inputs, outputs) of every row of `ts_NAME.json`."""
    table = json.loads((data / "comfort" / "validation" / f"ts_{name}.json").read_text())["data"]
    return [(metric(row["inputs"]), outputs(row)) for row in table]


def metric(inputs: dict[str, Any]) -> dict[str, Any]:
    """Numbers as floats or arrays, °F and ft/s as °C and m/s; words as they are."""
    found: dict[str, Any] = {}
    imperial = str(inputs.get("units", "SI")).upper() == "IP"
    for name, value in inputs.items():
        if name == "units":
            continue
        if isinstance(value, str | bool):
            found[name] = value
            continue
        number = np.asarray(value, float)
        if imperial and name in TEMPERATURES:
            number = (number - 32.0) / 1.8
        if imperial and name in SPEEDS:
            number = number / 3.281
        found[name] = float(number) if number.ndim == 0 else number
    return found


def outputs(row: dict[str, Any]) -> dict[str, Any]:
    """What the table prints; temperatures of IP rows in °C and K, None as NaN."""
    imperial = str(row["inputs"].get("units", "SI")).upper() == "IP"
    found: dict[str, Any] = {}
    for name, value in row["outputs"].items():
        number = np.array(value, dtype=object)
        if any(isinstance(item, str | bool) for item in number.ravel()):
            found[name] = value
            continue
        number = np.array(value, dtype=float)
        if imperial and (name.startswith("tmp") or name == "utci"):
            number = (number - 32.0) / 1.8
        found[name] = number / 1.8 if imperial and name == "ce" else number
    return found
