"""What charts are drawn from: precision over recall, calibration by bins, and what is taken for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.records import Detection
from comfywear.vision.layouts.nms import box_iou
from comfywear_export.data.datasets import IGNORED, Photo
from comfywear_export.data.labels import DETECTOR_LABELS
from comfywear_export.measure.average_precision import LEVELS, Found, matched

__all__ = ["Bin", "Curve", "calibration_bins", "calibration_error", "confusion", "curve", "ranked"]

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curve:
    """Precision at each recall, from the surest answer on: `(K,)` each, in the order of falling scores."""

    recall: Numbers
    precision: Numbers
    scores: Numbers

    def at(self, threshold: float) -> tuple[float, float]:
        """Recall and precision of the answers at or above a score; recall 0 and precision NaN where there are none."""
        sure = np.flatnonzero(self.scores >= threshold)
        if not len(sure):
            return 0.0, float("nan")
        return float(self.recall[sure[-1]]), float(self.precision[sure[-1]])


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of similar probability: the mean probability, the share that is right, and their number."""

    said: float
    seen: float
    n: int


def curve(
    scores: Sequence[float] | NDArray[np.floating[Any]], hits: Sequence[bool] | NDArray[np.bool_], total: int
) -> Curve:
    """The curve of answers with `scores`, of which `hits` are right, out of `total` that are there.

    Answers of the same score count together.
    """
    values, right = np.asarray(scores, np.float64), np.asarray(hits, bool)
    order = np.argsort(-values, kind="stable")
    last_of_tie = np.append(np.diff(values[order]) != 0, True)[: len(values)]
    found = np.cumsum(right[order])[last_of_tie]
    return Curve(found / max(total, 1), found / (np.flatnonzero(last_of_tie) + 1), values[order][last_of_tie])


def ranked(photos: Sequence[Found]) -> tuple[NDArray[np.float32], NDArray[np.bool_], int]:
    """Scores of all finds that count, whether each is right at IoU .5, and how many boxes there are."""
    parts, total = matched(photos, LEVELS[0]), sum(len(photo.truth) for photo in photos)
    if not parts:
        return np.zeros(0, np.float32), np.zeros(0, bool), 0
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]), total


def calibration_bins(said: NDArray[np.floating[Any]], right: NDArray[np.bool_], bins: int = 10) -> list[Bin]:
    """The bins of equal width over 0…1 that are not empty."""
    of = np.minimum((np.asarray(said, np.float64) * bins).astype(int), bins - 1)
    return [Bin(float(said[of == b].mean()), float(right[of == b].mean()), int((of == b).sum())) for b in np.unique(of)]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Mean distance of the predicted from the observed share of yes, weighted by number; NaN without answers."""
    total = sum(each.n for each in bins)
    return sum(abs(each.said - each.seen) * each.n for each in bins) / total if total else float("nan")


def confusion(
    photos: Sequence[tuple[Photo, Sequence[Detection]]], labels: Sequence[str], thresholds: Mapping[str, float]
) -> NDArray[np.int64]:
    """What is taken for what, at IoU .5 and the thresholds.

    A box goes to a find of its own label where there is one, else to the find of another label that overlaps it most.
    Finds in regions that count neither way are left out.

    Args:
        photos: With the finds in each.
        labels: That are compared, L of them, in the detector's numbering.
        thresholds: Score of each above which a find is believed.

    Returns:
        `(L + 1, L + 1)`: rows are what is there (the last: nothing), columns what was said (the last: nothing).
    """
    table = np.zeros((len(labels) + 1, len(labels) + 1), np.int64)
    numbers = {DETECTOR_LABELS.index(label): row for row, label in enumerate(labels)}
    for photo, detections in photos:
        sure = sorted((d for d in detections if d.label in labels and d.score >= thresholds[d.label]),
                      key=lambda d: -d.score)  # fmt: skip
        boxes = np.array([d.box for d in sure], np.float32).reshape(-1, 4)
        said = [labels.index(d.label) for d in sure]
        real = [i for i, kind in enumerate(photo.classes) if int(kind) in numbers]
        there = [numbers[int(photo.classes[i])] for i in real]
        overlaps = box_iou(boxes, photo.boxes[real])
        pairs = _pairs(overlaps, said, there)
        for find, box in pairs.items():
            table[there[box], said[find]] += 1
        for box in set(range(len(real))) - set(pairs.values()):
            table[there[box], -1] += 1
        ignored = photo.boxes[photo.classes == IGNORED]
        near = box_iou(boxes, ignored).max(1) >= LEVELS[0] if len(ignored) and len(boxes) else np.zeros(len(sure), bool)
        for find in set(range(len(sure))) - pairs.keys():
            table[-1, said[find]] += int(not near[find])
    return table


def _pairs(overlaps: NDArray[np.float32], said: Sequence[int], there: Sequence[int]) -> dict[int, int]:
    """Which find is which box: first those of the same label, then the others, the surest find first."""
    pairs: dict[int, int] = {}
    for same in (True, False):
        for find in range(len(said)):
            if find in pairs:
                continue
            free = [
                (float(overlaps[find, box]), box)
                for box in range(len(there))
                if box not in pairs.values() and (said[find] == there[box] or not same)
            ]
            best = max(free, default=(0.0, -1))
            if best[0] >= LEVELS[0]:
                pairs[find] = best[1]
    return pairs
