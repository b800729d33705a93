"""Average precision as COCO has it: 101 recall levels, greedy matching, IoU .50 to .95."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comfywear.vision.layouts.nms import box_iou

__all__ = ["LEVELS", "Found", "average_precision", "boxes_precision", "matched", "ranked_precision"]

LEVELS = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))
"""IoU levels over which COCO's AP is averaged; the first is that of AP50."""


@dataclass(frozen=True, eq=False)
class Found:
    """What a detector found of one label in one photo, and what is there.

    Attributes:
        boxes: `(K, 4) float32`.
        scores: `(K,) float32`.
        truth: `(G, 4) float32`.
        ignored: `(I, 4) float32`: finds that lie mostly in one of these count neither way.
        labelled: `(L, 4) float32`: all that is labelled in the photo lies in these; finds that lie mostly elsewhere
            count neither way. None: the whole photo is labelled.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    truth: NDArray[np.float32]
    ignored: NDArray[np.float32]
    labelled: NDArray[np.float32] | None = None


def boxes_precision(photos: Sequence[Found], level: float) -> tuple[float, float]:
    """AP and recall of one label at an IoU level; AP is NaN and recall NaN where there is no truth."""
    total = sum(len(photo.truth) for photo in photos)
    if not total:
        return float("nan"), float("nan")
    scores, hits = [], []
    for photo in photos:
        own_scores, own_hits = matched(photo, level)
        scores.append(own_scores)
        hits.append(own_hits)
    hit = np.concatenate(hits)
    return ranked_precision(np.concatenate(scores), hit, total), float(hit.sum() / total)


def ranked_precision(scores: NDArray[np.float32], hits: NDArray[np.bool_], total: int) -> float:
    """AP of finds with `scores`, of which `hits` are right, out of `total` that are there (101 recall levels).

    Finds with the same score count together: their order means nothing.
    """
    if not total or not len(scores):
        return float("nan") if not total else 0.0
    order = np.argsort(-scores, kind="stable")
    last_of_tie = np.append(np.diff(scores[order]) != 0, True)
    right = np.cumsum(hits[order])[last_of_tie]
    recall = right / total
    precision = right / (np.flatnonzero(last_of_tie) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    # The small slack keeps a recall of exactly 0.7 at the level 0.7.
    at = np.searchsorted(recall, np.linspace(0, 1, 101) - 1e-9)
    return float(np.append(best_from_here, 0.0)[at].mean())


def average_precision(scores: NDArray[np.float32], truth: NDArray[np.bool_]) -> float:
    """Area under the precision-recall curve of a yes-or-no question (step-wise, no interpolation); NaN without a yes.

    Examples with the same score count together.
    """
    total = int(truth.sum())
    if not total:
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    last_of_tie = np.append(np.diff(scores[order]) != 0, True)
    right = np.cumsum(truth[order])[last_of_tie]
    precision = right / (np.flatnonzero(last_of_tie) + 1)
    return float((np.diff(np.append(0, right)) * precision).sum() / total)


def matched(photo: Found, level: float) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Scores of the finds that count, best first, and whether each is right: `(K,)` both."""
    order = np.argsort(-photo.scores, kind="stable")
    boxes, scores = photo.boxes[order], photo.scores[order]
    hits = np.zeros(len(boxes), bool)
    counts = np.ones(len(boxes), bool)
    overlaps = box_iou(boxes, photo.truth)
    free = np.ones(len(photo.truth), bool)
    for i in range(len(boxes)):
        candidates = np.where(free, overlaps[i], -1.0)
        best = int(candidates.argmax()) if len(candidates) else -1
        if best >= 0 and candidates[best] >= level:
            hits[i], free[best] = True, False
        elif len(photo.ignored) and _covered(boxes[i], photo.ignored) >= 0.5:
            counts[i] = False
        elif photo.labelled is not None:
            counts[i] = _covered(boxes[i], photo.labelled) >= 0.5
    return scores[counts], hits[counts]


def _covered(box: NDArray[np.float32], regions: NDArray[np.float32]) -> float:
    """The largest share of a box that lies in one of the regions; 0 where there is none."""
    if not len(regions):
        return 0.0
    sides = np.clip(np.minimum(box[2:], regions[:, 2:]) - np.maximum(box[:2], regions[:, :2]), 0, None)
    area = float(np.clip(box[2:] - box[:2], 0, None).prod())
    return float(sides.prod(1).max()) / area if area > 0 else 0.0
