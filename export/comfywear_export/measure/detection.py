"""How good a detector is on labelled photos, and how good a constant box would be on the same photos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.records import Detection
from comfywear_export.datasets import IGNORED, Photo
from comfywear_export.labels import DETECTOR_LABELS
from comfywear_export.measure.average_precision import LEVELS, Found, boxes_precision

__all__ = ["FLOOR", "Tally", "mean_boxes", "measure"]

FLOOR = 0.01
"""Smallest score that counts for average precision."""

Detect = Callable[[Photo], Sequence[Detection]]


@dataclass
class Tally:
    """Finds and truths label by label, photo by photo."""

    found: dict[str, list[Found]] = field(default_factory=lambda: {label: [] for label in DETECTOR_LABELS})

    def add(self, photo: Photo, detections: Sequence[Detection]) -> None:
        """Note one photo; labels that its data set does not have are left out."""
        ignored = photo.boxes[photo.classes == IGNORED]
        for index, label in enumerate(DETECTOR_LABELS):
            if index and not photo.garments:
                continue
            own = [d for d in detections if d.label == label]
            self.found[label].append(
                Found(
                    np.array([d.box for d in own], np.float32).reshape(-1, 4),
                    np.array([d.score for d in own], np.float32),
                    photo.boxes[photo.classes == index],
                    ignored if index else np.zeros((0, 4), np.float32),
                )
            )

    def person(self, threshold: float) -> dict[str, Any]:
        """AP at IoU .5 and .5….95, recall and precision at the score `threshold`, number of persons."""
        photos = self.found["person"]
        levels = [boxes_precision(photos, level)[0] for level in LEVELS]
        sure = [_above(photo, threshold) for photo in photos]
        recall = boxes_precision(sure, LEVELS[0])[1]
        n = sum(len(photo.truth) for photo in photos)
        finds = sum(len(photo.scores) for photo in sure)
        return {
            "ap50": levels[0],
            "ap": float(np.mean(levels)),
            "recall50": recall,
            "precision50": recall * n / finds if finds else float("nan"),
            "threshold": threshold,
            "n": n,
        }

    def garments(self) -> dict[str, Any]:
        """AP50 of each kind with its number of boxes, and their mean over the kinds that occur."""
        per_class = {}
        for label in DETECTOR_LABELS[1:]:
            n = sum(len(photo.truth) for photo in self.found[label])
            if n:
                per_class[label] = {"ap50": boxes_precision(self.found[label], LEVELS[0])[0], "n": n}
        mean = float(np.mean([entry["ap50"] for entry in per_class.values()])) if per_class else float("nan")
        return {"map50": mean, "per_class": per_class}


def measure(photos: Sequence[Photo], detect: Detect, person_threshold: float) -> dict[str, Any]:
    """`images`, `person` and `garments` figures of a detector that is given each photo."""
    tally = Tally()
    for photo in photos:
        tally.add(photo, detect(photo))
    return {"images": len(photos), "person": tally.person(person_threshold), "garments": tally.garments()}


def mean_boxes(photos: Sequence[Photo]) -> Detect:
    """A "detector" that never looks: for each label the mean box of `photos`, in parts of width and height."""
    boxes: dict[str, NDArray[np.float64]] = {}
    for index, label in enumerate(DETECTOR_LABELS):
        rows = [
            photo.boxes[photo.classes == index] / np.array([photo.width, photo.height] * 2)
            for photo in photos
            if (photo.classes == index).any()
        ]
        if rows:
            boxes[label] = np.concatenate(rows).mean(0)

    def detect(photo: Photo) -> list[Detection]:
        size = np.array([photo.width, photo.height] * 2)
        scaled = {label: [float(v) for v in box * size] for label, box in boxes.items()}
        return [Detection((b[0], b[1], b[2], b[3]), 1.0, label) for label, b in scaled.items()]

    return detect


def _above(photo: Found, threshold: float) -> Found:
    sure = photo.scores >= threshold
    return Found(photo.boxes[sure], photo.scores[sure], photo.truth, photo.ignored)
