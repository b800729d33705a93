"""Reads the detector's raw outputs: the layout "comfywear-1"."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.vision.nms import nms

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
    cells, labels = np.nonzero(logits >= floor)
    scores = _sigmoid(logits[cells, labels])
    kept: list[NDArray[np.intp]] = []
    offset = np.where(labels == 0, 0, 4)[:, None] + np.arange(4)
    distances = np.logaddexp(0, raw[cells[:, None], offset]) * strides[cells, None]
    at = centres[cells]
    boxes = np.concatenate([at - distances[:, :2], at + distances[:, 2:]], 1).astype(np.float32)
    for label in np.flatnonzero(np.bincount(labels)):
        own = np.flatnonzero(labels == label)
        own = own[np.argsort(-scores[own], kind="stable")[:_MOST]]
        kept.append(own[nms(boxes[own], scores[own], overlap)])
    chosen = np.concatenate(kept) if kept else np.zeros(0, np.intp)
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
