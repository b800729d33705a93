"""Average precision as COCO has it, by COCO's own tool (pycocotools): 101 recall levels, greedy matching."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEVELS", "Found", "average_precision", "boxes_precision", "matched"]

LEVELS = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))
"""IoU levels over which COCO's AP is averaged; the first is that of AP50."""

# The small slack keeps a recall of exactly 0.7 at the level 0.7, whose float is a little larger.
_RECALLS = np.linspace(0, 1, 101) - 1e-9


@dataclass(frozen=True, eq=False)
class Found:
    """What a detector found of one label in one photo, and what is there.

    Attributes:
        boxes: `(K, 4) float32`.
        scores: `(K,) float32`.
        truth: `(G, 4) float32`.
        ignored: `(I, 4) float32`: COCO's crowds: finds of which a share as large as the IoU level lies in one of these
            count neither way.
        labelled: `(L, 4) float32`: all that is labelled in the photo lies in these; finds that lie mostly elsewhere
            count neither way. None: the whole photo is labelled.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    truth: NDArray[np.float32]
    ignored: NDArray[np.float32]
    labelled: NDArray[np.float32] | None = None


def boxes_precision(photos: Sequence[Found], level: float) -> tuple[float, float]:
    """AP and recall of one label at an IoU level; both are NaN where there is no truth.

    Finds with the same score count together: their order, which is that of the photos, means nothing.
    """
    if not sum(len(photo.truth) for photo in photos):
        return float("nan"), float("nan")
    judged = _judged(photos, level)
    for photo in filter(None, judged.evalImgs):
        # Among equal scores the right finds go last, by a bit that float32 does not have: then every precision that
        # COCO takes lies where the whole group has been counted.
        scores = np.array(photo["dtScores"], np.float64)
        photo["dtScores"] = np.where(photo["dtMatches"][0] > 0, np.nextafter(scores, -np.inf), scores)
    with redirect_stdout(io.StringIO()):
        judged.accumulate()
    return float(judged.eval["precision"].mean()), float(judged.eval["recall"].item())


def matched(photos: Sequence[Found], level: float) -> list[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    """Of each photo the scores of the finds that count, best first, and whether each is right: `(K,)` both."""
    found = []
    for photo in _judged(photos, level).evalImgs if photos else []:
        scores = np.array(photo["dtScores"] if photo else [], np.float32)
        counts = ~photo["dtIgnore"][0].astype(bool) if photo else np.zeros(0, bool)
        hits = photo["dtMatches"][0] > 0 if photo else counts
        found.append((scores[counts], hits[counts]))
    return found


def average_precision(scores: NDArray[np.float32], truth: NDArray[np.bool_]) -> float:
    """Area under the precision-recall curve of a yes-or-no question (step-wise, no interpolation); NaN without a yes.

    Examples with the same score count together.
    """
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(truth, scores)) if truth.any() else float("nan")


def _judged(photos: Sequence[Found], level: float) -> Any:
    """COCO's evaluation of the photos, in their order, with its matches."""
    from pycocotools.cocoeval import COCOeval

    truths: list[dict[str, Any]] = []
    finds: list[dict[str, Any]] = []
    for number, photo in enumerate(photos):
        truths += [_entry(number, box) for box in photo.truth]
        truths += [_entry(number, box, iscrowd=1) for box in photo.ignored]
        labelled = [photo.labelled is None or _covered(box, photo.labelled) >= LEVELS[0] for box in photo.boxes]
        # What lies mostly elsewhere can match no truth at these levels: it may as well not be there.
        found = zip(photo.boxes[labelled], photo.scores[labelled], strict=True)
        finds += [_entry(number, box, score=float(score)) for box, score in found]
    with redirect_stdout(io.StringIO()):
        judged = COCOeval(_indexed(len(photos), truths), _indexed(len(photos), finds), "bbox")
        judged.params.iouThrs, judged.params.recThrs = np.array([level]), _RECALLS
        judged.params.areaRng, judged.params.areaRngLbl = [[0.0, np.inf]], ["all"]
        judged.params.maxDets = [max(1, *(len(photo.boxes) for photo in photos))]
        judged.evaluate()
    return judged


def _entry(number: int, box: NDArray[np.float32], **more: float) -> dict[str, Any]:
    x1, y1, x2, y2 = (float(side) for side in box)
    width, height = x2 - x1, y2 - y1
    place = {"bbox": [x1, y1, width, height], "area": width * height}
    return {"image_id": number, "category_id": 0, "iscrowd": 0, **place, **more}


def _indexed(photos: int, entries: list[dict[str, Any]]) -> Any:
    from pycocotools.coco import COCO

    coco = COCO()
    coco.dataset = {
        "images": [{"id": number} for number in range(photos)],
        "annotations": [{"id": number, **entry} for number, entry in enumerate(entries, 1)],
        "categories": [{"id": 0}],
    }
    coco.createIndex()
    return coco


def _covered(box: NDArray[np.float32], regions: NDArray[np.float32]) -> float:
    """The largest share of a box that lies in one of the regions; 0 where there is none."""
    if not len(regions):
        return 0.0
    sides = np.clip(np.minimum(box[2:], regions[:, 2:]) - np.maximum(box[:2], regions[:, :2]), 0, None)
    area = float(np.clip(box[2:] - box[:2], 0, None).prod())
    return float(sides.prod(1).max()) / area if area > 0 else 0.0
