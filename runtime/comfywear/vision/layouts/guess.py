"""Guesses a graph's output layout from the shapes of its outputs and their values for a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.vision.layouts import efficientdet, ssd
from comfywear.vision.layouts.decoding import sigmoid

__all__ = ["Guess", "guess"]

_P5, _P6 = (8, 16, 32), (8, 16, 32, 64)
_BINS = (8, 11, 17)  # of NanoDet: reg_max 7 (most), 10 (NanoDet-g), 16
_USUAL = 80


@dataclass(frozen=True)
class Guess:
    """One way of reading the outputs.

    Attributes:
        layout: A name of `LAYOUTS`.
        classes: How many the outputs have; None where they do not show it.
        options: Details for the card's `output`.
        why: What speaks for it, in words.
    """

    layout: str
    classes: int | None
    why: str
    options: Mapping[str, Any] = field(default_factory=dict)


def guess(outputs: Sequence[NDArray[Any]], size: tuple[int, int], classes: int | None = None) -> list[Guess]:
    """What the outputs may mean, likeliest first; one entry means sure, none means unknown.

    Args:
        outputs: Of the graph for a picture; for flat grey the values settle less.
        size: Height and width of the input.
        classes: How many classes the model has, where that is known.
    """
    found = [*_one(outputs, size), *_several(outputs, size)]
    if classes is not None:
        return [g for g in found if g.classes in (classes, None)]
    usual = [g for g in found if g.classes in (_USUAL, 1, 90, 91, None)]
    return usual or found


def _count(size: tuple[int, int], strides: Sequence[int]) -> int:
    return sum(-(-size[0] // stride) * -(-size[1] // stride) for stride in strides)


def _one(outputs: Sequence[NDArray[Any]], size: tuple[int, int]) -> list[Guess]:
    """Layouts with one output of three axes."""
    if len(outputs) != 1 or outputs[0].ndim != 3 or outputs[0].shape[0] != 1:
        return []
    table = np.asarray(outputs[0][0], np.float32)
    rows, columns = table.shape
    cells, more_cells = _count(size, _P5), _count(size, _P6)
    if rows == 3 * cells and columns > 5:
        return [Guess("yolov5", columns - 5, f"three rows a cell ({rows})", _unit(table[:, :4], table[:, 4]))]
    if columns in (cells, more_cells) and 4 < rows < columns:
        return [Guess("yolov8", rows - 4, f"one column a cell ({columns})", _unit(table[:4].T, table[4:].max(0)))]
    if rows in (cells, more_cells) and columns > 4:
        return _row_a_cell(table, rows == more_cells)
    if columns == 6 and rows <= 1000:
        # A file of one class in a layout with objectness has as many columns, but a row a cell.
        return [Guess("rows", None, f"{rows} rows of six numbers", _unit(table[:, :4], table[:, 4]))]
    return []


def _row_a_cell(table: NDArray[np.float32], four_maps: bool) -> list[Guess]:
    """YOLOX, NanoDet, and YOLOv8 with its channels last have one row a cell; columns and values tell them apart."""
    rows, columns = table.shape
    why = f"one row a cell ({rows}), {columns} columns"
    strides = {"strides": list(_P6)} if four_maps else {}
    found = []
    for bins in _BINS:
        scores, rest = table[:, : columns - 4 * bins], table[:, columns - 4 * bins :]
        if columns > 4 * bins and _unit_scores(scores) and not _unit_scores(rest):
            maps: dict[str, Any] = {"strides": list(_P6 if four_maps else _P5), "offset": 0.0 if four_maps else 0.5}
            found.append(Guess("nanodet", columns - 4 * bins, f"{why}: {bins} bins a side", maps))
    if columns > 5 and _unit_scores(table[:, 4:]):
        decoded = bool(np.median(np.abs(table[:, :2])) > 8)
        plausible = decoded or bool(np.abs(table[:, :4]).max() < 30)
        # Boxes in pixels have sides above 0 in every row; logarithms of sides are mostly below 2.
        if plausible and (not decoded or bool((table[:, 2:4] > 0).all())):
            boxes: dict[str, Any] = {**strides, "decoded": True} if decoded else dict(strides)
            found.append(Guess("yolox", columns - 5, f"{why}: boxes {'in pixels' if decoded else 'by cell'}", boxes))
        options = {"transposed": True, **_unit(table[:, :4], table[:, 4:].max(1))}
        if decoded or (options.get("normalised") and bool((table[:, :4] >= 0).all())):
            found.append(Guess("yolov8", columns - 4, f"{why}: channels last", options))
    return found


def _several(outputs: Sequence[NDArray[Any]], size: tuple[int, int]) -> list[Guess]:
    """Layouts with more outputs."""
    shapes = [output.shape for output in outputs]
    if len(outputs) == 4 and any(len(s) == 3 and s[-1] == 4 for s in shapes) and any(np.prod(s) == 1 for s in shapes):
        order = ssd.find_order(outputs)
        options = {"order": list(order)} if order else {}
        return [Guess("ssd", None, "four outputs of TFLite's post-processing", options)]
    if len(outputs) == 2 and all(len(s) == 3 and s[0] == 1 for s in shapes):
        wanted = 9 * _count(size, efficientdet.STRIDES)
        scores = [o for o in outputs if o.shape[1] == wanted and o.shape[2] != 4]
        if len(scores) == 1 and (1, wanted, 4) in shapes:
            values = np.asarray(scores[0], np.float32)
            logits = bool(values.min() < 0 or values.max() > 1)
            return [Guess("efficientdet", values.shape[2], f"{wanted} anchors", {"logits": True} if logits else {})]
    if len(outputs) in (6, 8) and all(len(s) >= 2 for s in shapes):
        strides: tuple[int, ...] = _P5 if len(outputs) == 6 else _P6
        rows = sorted((s[-2], s[-1]) for s in shapes)
        wanted_rows = sorted(2 * [_count(size, [stride]) for stride in strides])
        widths = sorted({s[-1] for s in shapes})
        if [r for r, _ in rows] == wanted_rows and len(widths) == 2:
            scores_at, bins_at = _which(outputs, widths)
            if bins_at % 4 == 0:
                maps: dict[str, Any] = {"strides": list(strides), "offset": 0.5}
                return [Guess("nanodet", scores_at, f"{len(strides)} maps, {bins_at // 4} bins a side", maps)]
    return []


def _which(outputs: Sequence[NDArray[Any]], widths: list[int]) -> tuple[int, int]:
    """Columns of the class scores and of the bins: scores lie in 0…1."""
    first = all(_unit_scores(np.asarray(o, np.float32)) for o in outputs if o.shape[-1] == widths[0])
    second = all(_unit_scores(np.asarray(o, np.float32)) for o in outputs if o.shape[-1] == widths[1])
    return (widths[1], widths[0]) if second and not first else (widths[0], widths[1])


def _unit_scores(values: NDArray[np.float32]) -> bool:
    return bool(values.min() >= -1e-3 and values.max() <= 1 + 1e-3)


def _unit(boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> dict[str, Any]:
    """Whether the likeliest boxes are in parts of the input instead of pixels."""
    best = np.argsort(-(scores if _unit_scores(scores) else sigmoid(scores)))[:20]
    return {"normalised": True} if float(np.abs(boxes[best]).max()) <= 2.0 else {}
