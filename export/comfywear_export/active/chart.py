"""The chart of a cycle: score against labelled photos and against labelled boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from comfywear.errors import UsageError
from comfywear_export.measure.interval import over_seeds

__all__ = ["draw"]

Rows = Sequence[Mapping[str, Any]]
_COLOURS = (
    "#8a8f98",
    "#0b6e99",
    "#d1495b",
    "#edae49",
    "#3b7a57",
    "#7b5ea7",
    "#00a5a8",
    "#b5651d",
    "#e377c2",
    "#556b2f",
)


def draw(arms: Mapping[tuple[str, int], Rows], full: Mapping[str, float], share: float, path: Path) -> None:
    """Write a PNG (or what the name's end says): means over the seeds; random's 95 % interval as a band.

    Raises:
        UsageError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise UsageError(f"charts need matplotlib ({error}); pip install 'comfywear[evaluate]'") from error
    figure = Figure(figsize=(10, 4.2), dpi=80, layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    names = list(dict.fromkeys(name for name, _ in arms))
    for panel, kind in zip(panels, ("photos", "boxes"), strict=True):
        for name, colour in zip(names, _COLOURS * len(names), strict=False):
            runs = [rows for (own, _), rows in arms.items() if own == name]
            at = np.mean([[row[kind] for row in rows] for rows in runs], axis=0) / full[kind] * 100
            scores = np.array([[row["score"] for row in rows] for rows in runs])
            thick = 2.2 if name == "random" else 1.2
            panel.plot(at, scores.mean(0), label=name, color=colour, linewidth=thick)
            if name == "random" and len(runs) > 1:
                band = [over_seeds(column.tolist()) for column in scores.T]
                panel.fill_between(at, [b[1] for b in band], [b[2] for b in band], color=colour, alpha=0.2)
        panel.axhline(full["score"], color="black", linewidth=0.8)
        panel.axhline(share * full["score"], color="black", linewidth=0.8, linestyle="--")
        panel.set_xlabel(f"labelled {kind}, % of {full[kind]:.0f}")
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("mean AP of the labels")
    panels[1].legend(
        fontsize=8, loc="lower right", title=f"black: all labels; dashed: {share:.0%} of it", title_fontsize=8
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
