"""Reads the detector's raw outputs: the layout "comfywear-1"."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.vision.layouts.nms import nms_by_label

__all__ = ["LAYOUT", "STRIDES", "decode"]

LAYOUT = "comfywear-1"
STRIDES = (8, 16, 32)
_MOST = 300  # candidates a label that go into NMS


def decode(
    outputs: list[NDArray[np.float32]], side: int, thresholds: NDArray[np.float32], overlap: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.intp]]:
    """Raw outputs of one picture → boxes in its square.

    The layout: one row a cell of the maps at strides 8, 16, 32, finest first, row by row. The first output holds a
    logit a label. The second holds eight numbers d: `softplus(d) · stride` are the distances from the cell's centre to
    left, top, right and bottom, first of the person box (label 0), then of the garment box (all other labels).

    Args:
        outputs: `(1, A, L)` logits and `(1, A, 8)` distances.
        side: Of the square, pixels.
        thresholds: `(L,)`: smallest score of a box a label.
        overlap: Largest IoU of two boxes with the same label.

    Returns:
        boxes `(K, 4)` in pixels, scores `(K,)` in 0…1 and label indices `(K,)`: label by label, best first.

    Raises:
        ModelError: The outputs do not have this layout.
    """
    centres, strides = _cells(side)
    wanted = [(1, len(centres), len(thresholds)), (1, len(centres), 8)]
    if [output.shape for output in outputs] != wanted:
        raise ModelError(f"the graph's outputs are {[o.shape for o in outputs]}; layout {LAYOUT} means {wanted}")
    logits, raw = outputs[0][0], outputs[1][0]
    floor = np.log(thresholds / (1 - thresholds))
    likely = np.flatnonzero(logits >= floor)  # a third of the time that `np.nonzero` takes for two axes
    cells, labels = np.divmod(likely, logits.shape[1])
    scores = _sigmoid(logits.ravel()[likely])
    if len(labels) > _MOST and np.bincount(labels).max() > _MOST:
        order = np.lexsort((-scores, labels))
        place = np.arange(len(order)) - np.searchsorted(labels[order], labels[order])
        best = np.sort(order[place < _MOST])
        cells, labels, scores = cells[best], labels[best], scores[best]
    distances = np.logaddexp(0, raw.reshape(-1, 2, 4)[cells, np.minimum(labels, 1)]) * strides[cells, None]
    at = centres[cells]
    boxes = np.concatenate([at - distances[:, :2], at + distances[:, 2:]], 1).astype(np.float32)
    chosen = nms_by_label(boxes, scores, labels, overlap)
    return boxes[chosen], scores[chosen], labels[chosen]


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return (1 / (1 + np.exp(-x))).astype(np.float32)


@lru_cache(maxsize=4)
def _cells(side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    centres, strides = [], []
    for stride in STRIDES:
        axis = (np.arange(side // stride, dtype=np.float32) + 0.5) * stride
        y, x = np.meshgrid(axis, axis, indexing="ij")
        centres.append(np.stack([x.ravel(), y.ravel()], 1))
        strides.append(np.full(len(axis) ** 2, stride, np.float32))
    return np.concatenate(centres), np.concatenate(strides)
