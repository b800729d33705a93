"""What the reports of detectors and of attribute models share: how it was measured, and the forms of the model."""

from __future__ import annotations

import math
import os
import platform
import time
from collections.abc import Mapping, Sequence
from typing import Any

from comfywear_export.report.charts import bars
from comfywear_export.report.page import Block, Chart, Table, Text
from comfywear_models import Card

__all__ = ["about", "forms", "notes", "number"]


def number(value: float | None, digits: int = 3) -> str:
    """A figure as text; a dash where there is none."""
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def about(result: Mapping[str, Any], count: str) -> Text:
    """Which model, on what, where and when."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    model = f"{result['model']} {result['version']} on {result['engine']}, {result['precision']}"
    data = f"{count} of {result['data']}, split {result['split']}"
    return Text("", [f"{model}; {data}. Measured {when} on {machine}."])


def forms(rows: Sequence[Mapping[str, Any]] | str, card: Card, what: str) -> list[Block]:
    """Size, agreement and speed of every exported form; `rows` is text where they could not be compared."""
    heading = "Every form of the model"
    if isinstance(rows, str):
        return [Text(heading, [f"Not compared: {rows}"])]
    sizes = {f"{file.engine} {file.precision}": file.bytes / 1e6 for file in card.files}
    keys = [key for key in rows[0] if key != "form"]
    table = Table(
        heading,
        ["form", "MB", *keys],
        [[row["form"], f"{sizes[row['form']]:.2f}", *(_cell(row[key]) for key in keys)] for row in rows],
        "Answers are compared with those of the first form, on one thread. Times are the medians inside the engine, "
        "all forms in turns on every picture, on a machine that may have been busy: compare forms, not machines.",
    )
    times = {row["form"]: {key.partition(", ")[2]: row[key] for key in keys if key.startswith("ms a ")} for row in rows}
    words = "; ".join(
        f"{form} {', '.join(f'{ms:.1f} ms on {n}' for n, ms in own.items())}" for form, own in times.items()
    )
    return [table, Chart("Time of a picture", bars(times, f"ms a {what}"), words)]


def notes(card: Card, lines: Sequence[str] = ()) -> list[Block]:
    """How to read the page, and what the model's card says."""
    return [Text("Notes", [*lines, *card.notes])]


def _cell(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return f"{value:.4f}" if abs(value) < 1 else f"{value:.2f}"
