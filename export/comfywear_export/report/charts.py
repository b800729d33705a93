"""The charts of reports, as SVG text: matplotlib without a display, the same bytes for the same numbers."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import StoreError, UsageError
from comfywear_export.measure.curves import Bin, Curve
from comfywear_export.measure.false_persons import Tradeoff

__all__ = ["Panel", "Trade", "bars", "calibration", "heat_map", "panels", "trades", "write_trades"]

_TICKS = (0, 0.5, 1)  # of recall and precision
# Okabe and Ito's colours, which colour-blind people can tell apart.
_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#777777"
_LEAST, _SHARES = 0.002, (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)  # of the axis of shares
_SERIES = (_BLUE, _ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


@dataclass(frozen=True, eq=False)
class Panel:
    """One precision-recall curve.

    Attributes:
        curve: Of the model.
        threshold: Of the label, marked on the curve; None for none.
        constant: Recall and precision of an answer that never looks, or None.
        level: Precision of a constant answer at every recall, or None.
        note: In small letters, such as the AP.
    """

    curve: Curve
    threshold: float | None = None
    constant: tuple[float, float] | None = None
    level: float | None = None
    note: str = ""


@dataclass(frozen=True, eq=False)
class Trade:
    """False persons over recall, of one model.

    Attributes:
        name: Of the model.
        curve: Of the model.
        threshold: That it is shipped with, marked on the curve.
    """

    name: str
    curve: Tradeoff
    threshold: float


def trades(found: Sequence[Trade], most: float | None = None) -> str:
    """Share of empty photos with a person over the share of persons found, a line a model; `most` is drawn across."""
    return _svg(_trades(found, most))


def write_trades(path: Path, found: Sequence[Trade], most: float | None = None) -> None:
    """The same as a file: `.svg`, or `.png` for pages that do not show the former.

    Raises:
        StoreError: It cannot be written.
    """
    try:
        if path.suffix == ".svg":
            path.write_text(trades(found, most), encoding="utf-8")
        else:
            _trades(found, most).savefig(path, dpi=150, metadata={"Software": None})
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from error


def _trades(found: Sequence[Trade], most: float | None) -> Any:
    figure, axes = _figure(6.4, 4.4, 1, 1)
    axis = axes[0, 0]
    for number, trade in enumerate(found):
        colour = _SERIES[number % len(_SERIES)]
        curve = trade.curve
        way = np.cumsum(np.abs(np.diff(curve.recall, prepend=0.0)) + np.abs(np.diff(curve.share, prepend=0.0)))
        at = np.unique(np.searchsorted(way, np.linspace(0, way[-1], 400)).clip(max=len(way) - 1))
        axis.plot(curve.recall[at], curve.share[at].clip(_LEAST), color=colour, linewidth=1.6, label=trade.name)
        recall, share = curve.at(trade.threshold)
        axis.plot(recall, max(share, _LEAST), "o", color=colour, markersize=6)
    if most:
        axis.axhline(most, color=_GREY, linestyle="--", linewidth=1)
        axis.text(0.01, most * 1.08, f"{most:.2g}", fontsize=8, color=_GREY)
    axis.set(xlim=(0, 1), ylim=(_LEAST, 1), yscale="log")
    axis.set_yticks(_SHARES, [f"{share:g}" for share in _SHARES])
    axis.minorticks_off()
    axis.set_xlabel("persons found (mean over the sets, IoU .5)", fontsize=9)
    axis.set_ylabel("photos of nobody with a person", fontsize=9)
    axis.legend(fontsize=8, frameon=False, loc="upper left")
    return figure


def panels(found: Mapping[str, Panel], columns: int = 4) -> str:
    """Precision over recall, a small panel a label."""
    columns = max(min(columns, len(found)), 1)
    rows = max(math.ceil(len(found) / columns), 1)
    side = 2.4 if columns > 2 else 3.6
    figure, axes = _figure(columns * side, rows * (side - 0.1) + 0.3, rows, columns)
    for axis, (label, panel) in zip(axes.flat, found.items(), strict=False):
        recall, precision = _thin(panel.curve)
        axis.plot(recall, precision, color=_BLUE, linewidth=1.6)
        if panel.level is not None:
            axis.axhline(panel.level, color=_GREY, linestyle="--", linewidth=1)
        if panel.constant is not None:
            axis.plot(*panel.constant, "x", color=_GREY, markersize=6)
        if panel.threshold is not None:
            axis.plot(*panel.curve.at(panel.threshold), "o", color=_ORANGE, markersize=5)
        axis.set_title(f"{label}\n{panel.note}" if panel.note else label, fontsize=9)
        axis.set(xlim=(0, 1.02), ylim=(0, 1.05), xticks=_TICKS, yticks=_TICKS)
    for axis in axes.flat[len(found) :]:
        axis.set_visible(False)
    figure.supxlabel("recall", fontsize=9)
    figure.supylabel("precision", fontsize=9)
    return _svg(figure)


def calibration(series: Mapping[str, Sequence[Bin]], said: str) -> str:
    """How often answers are right beside how sure the model is, and how many there are; `said` names the sureness."""
    figure, axes = _figure(3.6 * len(series), 4.2, 2, len(series), heights=[3, 1])
    for column, (name, bins) in enumerate(series.items()):
        upper, lower = axes[0, column], axes[1, column]
        upper.plot([0, 1], [0, 1], color=_GREY, linestyle="--", linewidth=1)
        upper.plot([b.said for b in bins], [b.seen for b in bins], "o-", color=_BLUE, markersize=4)
        upper.set(xlim=(0, 1), ylim=(0, 1), title=name)
        upper.title.set_fontsize(9)
        lower.bar([b.said for b in bins], [b.n for b in bins], width=0.07, color=_BLUE)
        lower.set(xlim=(0, 1), yscale="log", ylim=(0.8, None))
        lower.minorticks_off()
        lower.set_xlabel(said, fontsize=9)
    axes[0, 0].set_ylabel("share that is right", fontsize=9)
    axes[1, 0].set_ylabel("answers", fontsize=9)
    return _svg(figure)


def heat_map(table: NDArray[np.int64], rows: Sequence[str], columns: Sequence[str], across: str, down: str) -> str:
    """A table of counts, coloured by the share of each row."""
    figure, axes = _figure(0.62 * len(columns) + 1.8, 0.42 * len(rows) + 1.4, 1, 1)
    axis = axes[0, 0]
    share = table / np.maximum(table.sum(1, keepdims=True), 1)
    axis.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), number in np.ndenumerate(table):
        if number:
            colour = "white" if share[row, column] > 0.55 else "black"
            axis.text(column, row, str(number), ha="center", va="center", fontsize=8, color=colour)
    axis.set_xticks(range(len(columns)), columns, rotation=45, ha="right")
    axis.set_yticks(range(len(rows)), rows)
    axis.set_xlabel(across, fontsize=9)
    axis.set_ylabel(down, fontsize=9)
    axis.grid(False)
    return _svg(figure)


def bars(values: Mapping[str, Mapping[str, float]], unit: str, digits: int = 1) -> str:
    """Horizontal bars: a group a name, a bar a series, each with its number."""
    names = list(values)
    series = list(dict.fromkeys(key for own in values.values() for key in own))
    figure, axes = _figure(6.4, 0.2 * len(names) * (len(series) + 1) + 1.0, 1, 1)
    axis, height = axes[0, 0], 0.8 / max(len(series), 1)
    for number, key in enumerate(series):
        places = [i + number * height for i in range(len(names))]
        lengths = [values[name].get(key, 0.0) for name in names]
        axis.barh(places, lengths, height * 0.9, color=(_BLUE, _ORANGE, _GREY)[number % 3], label=key)
        for place, length in zip(places, lengths, strict=True):
            axis.text(length, place, f" {length:.{digits}f}", va="center", fontsize=8)
    axis.set_yticks([i + height * (len(series) - 1) / 2 for i in range(len(names))], names)
    axis.invert_yaxis()
    axis.margins(x=0.12)
    axis.set_xlabel(unit, fontsize=9)
    axis.legend(fontsize=8, frameon=False)
    axis.grid(axis="y", visible=False)
    return _svg(figure)


def _thin(curve: Curve, most: int = 200) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The curve with at most so many points: those before and after a right answer, evenly over the recall."""
    if not len(curve.recall):
        return np.zeros(1), np.zeros(1)
    right = np.flatnonzero(np.diff(curve.recall, prepend=0.0) > 0)
    at = np.unique([0, *(right - 1).clip(0), *right, len(curve.recall) - 1])
    if len(at) > most:
        nearest = np.searchsorted(curve.recall[at], np.linspace(0, curve.recall[-1], most - 1))
        at = at[np.unique([0, *nearest.clip(max=len(at) - 1), len(at) - 1])]
    return curve.recall[at], curve.precision[at]


def _figure(width: float, height: float, rows: int, columns: int, heights: Sequence[float] | None = None) -> Any:
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise UsageError("reports need matplotlib: pip install 'comfywear[evaluate]'") from error
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, gridspec_kw={"height_ratios": heights} if heights else None)
    for axis in axes.flat:
        axis.grid(color="#e6e6e6", linewidth=0.8)
        axis.set_axisbelow(True)
        axis.tick_params(labelsize=8, length=0)
        for side in axis.spines.values():
            side.set_color("#cccccc")
    return figure, axes


def _svg(figure: Any) -> str:
    import matplotlib as mpl

    stream = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "comfywear", "svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue()
    return text[text.index("<svg ") :].replace("'DejaVu Sans'", "sans-serif")
