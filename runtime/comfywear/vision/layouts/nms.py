"""Greedy non-maximum suppression."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["box_iou", "nms", "nms_by_label"]


def box_iou(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """`(N, 4)` and `(M, 4)` boxes x1 y1 x2 y2 → `(N, M)` intersection over union, 0…1; 0 for boxes without area."""
    # Coordinate by coordinate: sums over a last axis of two cost several times as much.
    inter = np.minimum(a[:, 2, None], b[:, 2]) - np.maximum(a[:, 0, None], b[:, 0])
    height = np.minimum(a[:, 3, None], b[:, 3]) - np.maximum(a[:, 1, None], b[:, 1])
    np.maximum(inter, 0, out=inter)
    np.maximum(height, 0, out=height)
    inter *= height
    area_a, area_b = (np.maximum(c[:, 2] - c[:, 0], 0) * np.maximum(c[:, 3] - c[:, 1], 0) for c in (a, b))
    union = area_a[:, None] + area_b[None] - inter
    overlaps: NDArray[np.float32] = np.divide(inter, union, out=np.zeros_like(inter), where=union > 0)
    return overlaps


def nms(boxes: NDArray[np.float32], scores: NDArray[np.float32], limit: float) -> NDArray[np.intp]:
    """Indices `(K,)` of the boxes that stay, best score first; no two of them overlap more than `limit` (IoU).

    Equal scores stay in the order given, so that the answer is the same on every machine.
    """
    order = np.argsort(-scores, kind="stable")
    overlaps = box_iou(boxes[order], boxes[order])
    alive = np.ones(len(order), dtype=bool)
    for i in range(len(order)):
        if alive[i]:
            alive[i + 1 :] &= overlaps[i, i + 1 :] <= limit
    return order[alive]


def nms_by_label(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], labels: NDArray[np.intp], limit: float
) -> NDArray[np.intp]:
    """As `nms` among the boxes of each label `(N,)`, all of which have an area; label by label, the best score first.

    OpenCV's own: three times as fast for some hundred boxes, but to it all boxes without area are one.
    """
    if not len(boxes):
        return np.zeros(0, np.intp)
    sides = boxes.astype(np.float64)
    sides[:, 2:] -= sides[:, :2]
    suppress: Any = cv2.dnn.NMSBoxesBatched  # its stubs ask for lists, it takes arrays
    kept = suppress(sides, scores, labels.astype(np.int32), -1.0, limit)
    stay = np.sort(np.asarray(kept, np.intp).ravel())
    return stay[np.lexsort((-scores[stay], labels[stay]))]
