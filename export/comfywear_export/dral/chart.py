"""The chart of `evaluate dral`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from comfywear.errors import StoreError
from comfywear_export.dral.experiment import POLICIES, REFRESHING

__all__ = ["draw"]

# Okabe and Ito's palette, told apart by people who confuse red and green; and a dash each.
_STYLE = {
    "dral": ("#0072b2", "-"),
    "dral-gain": ("#56b4e9", "-"),
    "greedy": ("#d55e00", "--"),
    "nearest now": ("#009e73", "-"),
    "nearest first": ("#000000", "--"),
    "uncertainty": ("#cc79a7", "-."),
    "random": ("#888888", ":"),
}


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Rank-1 and mAP against questions a query, and mAP of others against questions that refreshed the embedding.

    Bands are 95 % intervals of two of the policies; their differences are paired and narrower, see the table.

    Raises:
        StoreError: The file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.2), dpi=72, layout="constrained")
    for axes, key, name in zip(figure.subplots(1, 3)[:2], ("rank1", "map"), ("rank-1", "mAP"), strict=True):
        for policy in POLICIES:
            at = result["rounds"][policy][key]
            _line(axes, range(len(at)), at, policy)
        axes.set(xlabel="questions asked about the query", ylabel=f"{name} (%)", title=f"{name} of who was asked about")
    last = figure.axes[2]
    for policy in REFRESHING:
        points = result["refresh"][policy]["points"]
        at = [result["start"]["map"], *(point["triplets"]["map"] for point in points)]
        _line(last, [0, *(point["questions"] for point in points)], at, policy, band=False)
    whole = 100 * result["refresh"]["supervised on all"]["map"]["mean"]
    last.axhline(whole, color="#444444", linewidth=1)
    last.annotate("plain metric, all labels", (0, whole), xytext=(2, 3), textcoords="offset points", fontsize=9)
    last.set(xlabel="questions asked about other persons", ylabel="mAP (%)", title="mAP of who was never asked about")
    figure.axes[0].legend(frameon=False, fontsize=9)
    for axes in figure.axes:
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    try:
        figure.savefig(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror})") from error


def _line(axes: Any, at: Any, figures: Any, policy: str, *, band: bool = True) -> None:
    colour, dash = _STYLE[policy]
    values = 100 * np.array([[each[name] for name in ("mean", "low", "high")] for each in figures])
    axes.plot(list(at), values[:, 0], dash, color=colour, label=policy, linewidth=1.8)
    if band and policy in ("dral", "nearest first"):
        axes.fill_between(list(at), values[:, 1], values[:, 2], color=colour, alpha=0.12, linewidth=0)
