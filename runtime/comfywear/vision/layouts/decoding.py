"""What the decoders of all families share: the form of their answers, cells of feature maps, and suppression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.vision.layouts.nms import nms

__all__ = ["Options", "Raw", "cells", "from_centres", "in_pixels", "most_likely", "one_output", "pick", "sigmoid"]

Floats32 = NDArray[np.float32]

Options = Mapping[str, Any]
"""What a card says under `output` about the details of its family, such as {"strides": [8, 16, 32]}."""

_MOST = 300  # candidates a label that go into suppression


@dataclass(frozen=True, eq=False)
class Raw:
    """All boxes of one picture before any threshold.

    Attributes:
        boxes: `(N, 4) float32` x1 y1 x2 y2 in pixels of the graph's input.
        scores: `(N, L) float32` in 0…1, a column a class of the model.
    """

    boxes: Floats32
    scores: Floats32


def pick(
    raw: Raw, columns: Sequence[int], thresholds: Floats32, overlap: float
) -> tuple[Floats32, Floats32, NDArray[np.intp]]:
    """The boxes of some classes that reach their threshold, without doubles.

    Args:
        raw: What a decoder gave.
        columns: Of `raw.scores`: the classes wanted.
        thresholds: `(len(columns),)`: smallest score of each.
        overlap: Largest IoU of two boxes of the same class.

    Returns:
        boxes `(K, 4)`, scores `(K,)` and indices into `columns` `(K,)`, class by class, best first.
    """
    boxes, scores, labels = [], [], []
    for index, (column, threshold) in enumerate(zip(columns, thresholds, strict=True)):
        own = np.flatnonzero(raw.scores[:, column] >= threshold)
        own = own[np.argsort(-raw.scores[own, column], kind="stable")[:_MOST]]
        own = own[nms(raw.boxes[own], raw.scores[own, column], overlap)]
        boxes.append(raw.boxes[own])
        scores.append(raw.scores[own, column])
        labels.append(np.full(len(own), index, np.intp))
    return np.concatenate(boxes), np.concatenate(scores), np.concatenate(labels)


def most_likely(boxes: Floats32, classes: NDArray[Any], scores: Floats32, count: int) -> Raw:
    """Boxes that have one class each as a `Raw` with `count` columns; classes outside of it are left out."""
    known = (classes >= 0) & (classes < count)
    table = np.zeros((int(known.sum()), count), np.float32)
    table[np.arange(len(table)), classes[known].astype(np.intp)] = scores[known]
    return Raw(boxes[known], table)


def one_output(outputs: Sequence[NDArray[Any]], family: str, shape: tuple[int | None, int | None]) -> Floats32:
    """The first output of three axes as `(rows, columns) float32`; ModelError unless it is `(1, *shape)` (None: any).

    Others (the masks of a segmenting model) are left out.
    """
    found = next((output for output in outputs if output.ndim == 3), outputs[0])
    if (
        found.ndim != 3
        or found.shape[0] != 1
        or any(b not in (a, None) for a, b in zip(found.shape[1:], shape, strict=True))
    ):
        wanted = " x ".join("any" if side is None else str(side) for side in (1, *shape))
        raise ModelError(f"the graph's outputs are {[o.shape for o in outputs]}; layout {family} means {wanted}")
    return np.asarray(found[0], np.float32)


@lru_cache(maxsize=8)
def cells(height: int, width: int, strides: tuple[int, ...], offset: float) -> tuple[Floats32, Floats32]:
    """Points `(N, 2)` x y in pixels and strides `(N,)` of the cells of all maps, the finest first, row by row.

    A map has ⌈side / stride⌉ cells a side; `offset` is where in its cell a point lies, in parts of the cell.
    """
    points, steps = [], []
    for stride in strides:
        y_axis = (np.arange(-(-height // stride), dtype=np.float32) + offset) * stride
        x_axis = (np.arange(-(-width // stride), dtype=np.float32) + offset) * stride
        y, x = np.meshgrid(y_axis, x_axis, indexing="ij")
        points.append(np.stack([x.ravel(), y.ravel()], 1))
        steps.append(np.full(y.size, stride, np.float32))
    return np.concatenate(points), np.concatenate(steps)


def from_centres(rows: Floats32) -> Floats32:
    """Boxes cx cy w h → x1 y1 x2 y2."""
    half = rows[:, 2:4] / 2
    return np.concatenate([rows[:, :2] - half, rows[:, :2] + half], 1)


def in_pixels(boxes: Floats32, size: tuple[int, int], options: Options) -> Floats32:
    """`boxes` x1 y1 x2 y2 themselves, or times the input's sides where the options say that they are "normalised"."""
    if not options.get("normalised"):
        return boxes
    return boxes * np.array([size[1], size[0], size[1], size[0]], np.float32)


def sigmoid(x: Floats32) -> Floats32:
    """1 / (1 + e⁻ˣ), without overflow for any x."""
    return np.asarray(np.exp(-np.logaddexp(0, -x)), np.float32)
