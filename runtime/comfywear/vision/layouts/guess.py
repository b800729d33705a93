"""Guesses a graph's output layout from the names and shapes of its outputs and their values for a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.vision.layouts import efficientdet
from comfywear.vision.layouts.decoding import Floats32
from comfywear.vision.layouts.guess_finished import (
    COCO_91,
    DETR_92,
    USUAL,
    guess_apart,
    guess_beside,
    guess_one_table,
    guess_rows,
)
from comfywear.vision.layouts.reading import P5, P6, Guess, are_scores, count_cells, parts_or_pixels

__all__ = ["Guess", "guess"]

_BINS = (8, 11, 17)  # of NanoDet: reg_max 7 (most), 10 (NanoDet-g), 16
_LARGEST_POSE = 3 * 17


def guess(
    outputs: Sequence[NDArray[Any]], size: tuple[int, int], classes: int | None = None, names: Sequence[str] = ()
) -> list[Guess]:
    """What the outputs may mean, likeliest first; one entry means that nothing else fits, none means unknown.

    Args:
        outputs: Of the graph for a picture; for flat grey the values settle less.
        size: Height and width of the input.
        classes: How many classes the model has, where that is known.
        names: Of the outputs, where they are known.
    """
    extra = _mask_numbers(outputs)
    flat = [output for output in outputs if output.ndim < 4 or extra is None]
    found = [*_one(flat, size, extra or 0, classes), *guess_rows(outputs, flat, names), *_several(flat, size, names)]
    if classes is not None:
        return [g for g in found if g.classes in (classes, None) or (g.layout == "detr" and g.classes == classes + 1)]
    usual = [g for g in found if g.classes in (USUAL, 1, 90, COCO_91, DETR_92, None)]
    return usual or found


def _mask_numbers(outputs: Sequence[NDArray[Any]]) -> int | None:
    """How many numbers a mask has, of a model that segments (it has an output of masks); None of others."""
    masks = [output for output in outputs if output.ndim == 4 and min(output.shape[2:]) > 1]
    return min(masks[0].shape[1:]) if len(masks) == 1 and len(outputs) > 1 else None


def _one(outputs: Sequence[NDArray[Any]], size: tuple[int, int], extra: int, classes: int | None) -> list[Guess]:
    """Layouts with one output of three axes, and a row or column a cell."""
    if len(outputs) != 1 or outputs[0].ndim != 3 or outputs[0].shape[0] != 1:
        return []
    table = np.asarray(outputs[0][0], np.float32)
    rows, columns = table.shape
    cells, more_cells = count_cells(size, P5), count_cells(size, P6)
    if rows == 3 * cells and columns > 5 + extra:
        options = {**_extra(extra), **parts_or_pixels(table[:, :4], table[:, 4])}
        return [Guess("yolov5", columns - 5 - extra, f"three rows a cell ({rows})", options)]
    if columns in (cells, more_cells) and 4 < rows < columns:
        behind = extra or _points_of_a_pose(table[4:].T, classes)
        options = {**_extra(behind), **parts_or_pixels(table[:4].T, table[4 : rows - behind].max(0))}
        return [Guess("yolov8", rows - 4 - behind, f"one column a cell ({columns})", options)]
    if rows in (cells, more_cells) and columns > 4:
        return _row_a_cell(table, rows == more_cells, extra, classes)
    return guess_one_table(table)


def _row_a_cell(table: Floats32, four_maps: bool, extra: int, classes: int | None) -> list[Guess]:
    """YOLOX, NanoDet, and YOLOv8 with its channels last have one row a cell; columns and values tell them apart."""
    rows, columns = table.shape
    why = f"one row a cell ({rows}), {columns} columns"
    strides = {"strides": list(P6)} if four_maps else {}
    found = []
    for bins in _BINS:
        scores, rest = table[:, : columns - 4 * bins], table[:, columns - 4 * bins :]
        if columns > 4 * bins and are_scores(scores) and not are_scores(rest):
            maps: dict[str, Any] = {"strides": list(P6 if four_maps else P5), "offset": 0.0 if four_maps else 0.5}
            found.append(Guess("nanodet", columns - 4 * bins, f"{why}: {bins} bins a side", maps))
    behind = extra or (0 if found else _points_of_a_pose(table[:, 4:], classes))
    scores = table[:, 4 : columns - behind]
    if scores.shape[1] and are_scores(scores):
        decoded = bool(np.median(np.abs(table[:, :2])) > 8)
        plausible = decoded or bool(np.abs(table[:, :4]).max() < 30)
        # Boxes in pixels have sides above 0 in every row; logarithms of sides are mostly below 2.
        if columns > 5 and not behind and plausible and (not decoded or bool((table[:, 2:4] > 0).all())):
            boxes: dict[str, Any] = {**strides, "decoded": True} if decoded else dict(strides)
            found.append(Guess("yolox", columns - 5, f"{why}: boxes {'in pixels' if decoded else 'by cell'}", boxes))
        options = {"transposed": True, **_extra(behind), **parts_or_pixels(table[:, :4], scores.max(1))}
        if columns > 5 and (decoded or (options.get("normalised") and bool((table[:, :4] >= 0).all()))):
            found.append(Guess("yolov8", columns - 4 - behind, f"{why}: channels last", options))
    return found


def _points_of_a_pose(behind_box: NDArray[np.float32], classes: int | None) -> int:
    """How many columns behind the classes belong to points: threes of x, y in pixels and a score; 0 for none."""
    columns = int(behind_box.shape[1])
    counts: Sequence[int] = range(1, columns) if classes is None else [classes]
    for count in counts:
        rest = columns - count
        if 0 < rest <= _LARGEST_POSE and rest % 3 == 0 and are_scores(behind_box[:, :count]):
            if classes == 1:
                return rest  # one class is known: whatever stands behind is no class
            x, sure = behind_box[:, count::3], behind_box[:, count + 2 :: 3]
            if are_scores(sure) and not are_scores(x):
                return rest
    return 0


def _several(outputs: Sequence[NDArray[Any]], size: tuple[int, int], names: Sequence[str]) -> list[Guess]:
    """Layouts with more outputs."""
    shapes = [output.shape for output in outputs]
    if len(outputs) in (2, 3, 4):
        apart = guess_apart(outputs, names)
        if apart:
            return apart
    if len(outputs) == 2 and all(len(s) == 3 and s[0] == 1 for s in shapes):
        wanted = 9 * count_cells(size, efficientdet.STRIDES)
        scores = [o for o in outputs if o.shape[1] == wanted and o.shape[2] != 4]
        if len(scores) == 1 and (1, wanted, 4) in shapes:
            values = np.asarray(scores[0], np.float32)
            logits = not are_scores(values)
            return [Guess("efficientdet", values.shape[2], f"{wanted} anchors", {"logits": True} if logits else {})]
        return guess_beside(outputs, size, names)
    if len(outputs) in (6, 8) and all(len(s) >= 2 for s in shapes):
        strides: tuple[int, ...] = P5 if len(outputs) == 6 else P6
        rows = sorted((s[-2], s[-1]) for s in shapes)
        wanted_rows = sorted(2 * [count_cells(size, [stride]) for stride in strides])
        widths = sorted({s[-1] for s in shapes})
        if [r for r, _ in rows] == wanted_rows and len(widths) == 2:
            scores_at, bins_at = _which(outputs, widths)
            if bins_at % 4 == 0:
                maps: dict[str, Any] = {"strides": list(strides), "offset": 0.5}
                return [Guess("nanodet", scores_at, f"{len(strides)} maps, {bins_at // 4} bins a side", maps)]
    return []


def _which(outputs: Sequence[NDArray[Any]], widths: list[int]) -> tuple[int, int]:
    """Columns of the class scores and of the bins: scores lie in 0…1."""
    first = all(are_scores(np.asarray(o, np.float32)) for o in outputs if o.shape[-1] == widths[0])
    second = all(are_scores(np.asarray(o, np.float32)) for o in outputs if o.shape[-1] == widths[1])
    return (widths[1], widths[0]) if second and not first else (widths[0], widths[1])


def _extra(count: int) -> dict[str, Any]:
    return {"extra": count} if count else {}
