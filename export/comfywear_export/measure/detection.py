"""How good a detector is on labelled photos, and how good a constant box would be on the same photos."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.records import Detection
from comfywear.vision.close_look import look_closely
from comfywear.vision.detectors.composed import ComposedDetector
from comfywear.vision.detectors.detector import Detector
from comfywear_export.data.datasets import IGNORED, Photo, read_photo, read_set
from comfywear_export.data.labels import DETECTOR_LABELS
from comfywear_export.measure.average_precision import LEVELS, Found, boxes_precision, matched
from comfywear_export.measure.kept_answers import KeptAnswers, file_key
from comfywear_export.progress import counted

__all__ = [
    "FLOOR",
    "Finds",
    "Tally",
    "evaluate",
    "figures",
    "learned_from",
    "look",
    "mean_boxes",
    "measure",
    "without_nan",
]

FLOOR = 0.01
"""Smallest score that counts for average precision."""

Detect = Callable[[Photo], Sequence[Detection]]
Finds = Sequence[tuple[Photo, Sequence[Detection]]]
Dress = Callable[[NDArray[np.uint8], Sequence[Detection]], list[Detection]]
"""`(image, finds)` → the finds with other scores of garments."""


@dataclass
class Tally:
    """Finds and truths label by label, photo by photo."""

    found: dict[str, list[Found]] = field(default_factory=lambda: {label: [] for label in DETECTOR_LABELS})

    def add(self, photo: Photo, detections: Sequence[Detection]) -> None:
        """Note one photo; labels that its data set does not have are left out.

        Crowds, and persons whom a detector drew without being sure, count neither way. Where not every person is
        labelled, neither do finds of persons that lie mostly outside the labelled ones.
        """
        ignored = photo.boxes[photo.classes == IGNORED]
        doubted = photo.boxes[(photo.classes == IGNORED) & (np.array(photo.names) == "person")]
        for index, label in enumerate(DETECTOR_LABELS):
            if index and not photo.garments:
                continue
            own = [d for d in detections if d.label == label]
            of_label = photo.classes == index
            self.found[label].append(
                Found(
                    np.array([d.box for d in own], np.float32).reshape(-1, 4),
                    np.array([d.score for d in own], np.float32),
                    photo.boxes[of_label],
                    ignored if index else doubted,
                    None if index or photo.all_persons else photo.boxes[of_label],
                )
            )

    def person(self, threshold: float) -> dict[str, Any]:
        """AP at IoU .5 and .5….95, recall and precision at the score `threshold`, number of persons."""
        photos = self.found["person"]
        levels = [boxes_precision(photos, level)[0] for level in LEVELS]
        sure = [_above(photo, threshold) for photo in photos]
        recall = boxes_precision(sure, LEVELS[0])[1]
        n = sum(len(photo.truth) for photo in photos)
        finds = sum(len(scores) for scores, _ in matched(sure, LEVELS[0]))
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
    return replace(photo, boxes=photo.boxes[sure], scores=photo.scores[sure])


def look(
    detector: Detector | ComposedDetector,
    photos: Sequence[Photo],
    kept: KeptAnswers | None = None,
    quick: bool = True,
    dress: Dress | None = None,
) -> Finds:
    """Each photo with what the detector finds in it, however unsure; closer, in tiles too, unless `quick`.

    With `dress`, garments of sets that label them have the scores that it gives.
    """
    kept = kept or KeptAnswers(None, {})
    at: Callable[..., list[Detection]] = detector.detect if quick else partial(look_closely, detector)

    def seen(photo: Photo) -> list[list[Any]]:
        image = read_photo(photo.path)
        found = at(image, threshold=FLOOR)
        if dress and photo.garments:
            found = dress(image, found)
        return [[[float(side) for side in each.box], float(each.score), each.label] for each in found]

    return [
        (p, [Detection(tuple(box), score, label) for box, score, label in kept.get(file_key(p.path), partial(seen, p))])
        for p in counted(photos, "photos")
    ]


def evaluate(
    detector: Detector | ComposedDetector, photos: Sequence[Photo], data: Path, quick: bool = True
) -> dict[str, Any]:
    """The figures of a detector on photos: `images`, `person`, `garments`, `mean_box`."""
    return figures(look(detector, photos, quick=quick), detector.thresholds["person"], data)


def figures(finds: Finds, threshold: float, data: Path) -> dict[str, Any]:
    """The same figures of what was found; `threshold` is that of persons."""
    photos = [photo for photo, _ in finds]
    found = {id(photo): detections for photo, detections in finds}
    result = measure(photos, lambda photo: found[id(photo)], threshold)
    learned, origin = learned_from(photos, data)
    constant = measure(photos, mean_boxes(learned), threshold)
    result["mean_box"] = {"person": constant["person"], "garments": constant["garments"], "from": origin}
    return result


def learned_from(photos: Sequence[Photo], data: Path) -> tuple[list[Photo], str]:
    """The photos whose mean box the constant answer is, and which those are."""
    try:
        return read_set(data, "train"), "train"
    except UsageError:
        return list(photos), "the photos measured: the set has no split named train"


def without_nan(value: Any) -> Any:
    """The same with None for figures that do not exist."""
    if isinstance(value, Mapping):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
