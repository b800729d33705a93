"""Labels that a detector gives itself: class by class above a threshold; what is in between is left open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from comfywear.records import Detection
from comfywear_export.data.datasets import IGNORED, Photo
from comfywear_export.data.labels import DETECTOR_LABELS
from comfywear_export.measure.average_precision import LEVELS, matched
from comfywear_export.measure.detection import Tally

__all__ = ["UNSURE", "precise_thresholds", "pseudo_labelled"]

UNSURE = 0.1
"""Below it a find counts as nothing; between it and its class's threshold nothing is learnt there."""
_LEAST = 5  # right finds without which a class has no threshold of its own


def precise_thresholds(tally: Tally, precision: float) -> dict[str, float]:
    """For each label the lowest score from which on its finds are right (IoU .5) with this precision.

    Labels with fewer than 5 right finds, or that never reach the precision, get none: they are not believed at all.
    """
    thresholds = {}
    for label in DETECTOR_LABELS:
        parts = matched(tally.found[label], LEVELS[0])
        if not parts:
            continue
        scores, hits = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
        order = np.argsort(-scores, kind="stable")
        right = np.cumsum(hits[order])
        enough = (right / np.arange(1, len(right) + 1) >= precision) & (right >= _LEAST)
        if enough.any():
            thresholds[label] = max(float(scores[order][np.flatnonzero(enough)[-1]]), UNSURE)
    return thresholds


def pseudo_labelled(photo: Photo, found: Sequence[Detection], thresholds: Mapping[str, float]) -> Photo:
    """The photo with what a detector finds in it as its labels.

    Persons and garments at or above their class's threshold are labels; persons between `UNSURE` and it are places
    where nothing is learnt about persons. A garment's absence means nothing.
    """
    sure = [d for d in found if d.score >= thresholds.get(d.label, np.inf)]
    unsure = [d for d in found if d.label == "person" and UNSURE <= d.score < thresholds.get(d.label, np.inf)]
    both = [*sure, *unsure]
    return replace(
        photo,
        boxes=np.array([d.box for d in both], np.float32).reshape(-1, 4),
        classes=np.array([*(DETECTOR_LABELS.index(d.label) for d in sure), *(IGNORED for _ in unsure)], np.int64),
        names=tuple(d.label for d in both),
        garments=False,
        all_persons=True,
    )
