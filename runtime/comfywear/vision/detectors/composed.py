"""Two detectors as one: persons from one model, garments from another on each person's part of the picture."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from comfywear.records import Box, Detection
from comfywear.vision.detectors.detector import Detector
from comfywear.vision.layouts.nms import box_iou, nms
from comfywear_models import Card, ModelFile

__all__ = ["ComposedDetector", "open_detector"]

_PERSON = "person"
_MARGIN = 0.12  # of a person's sides, around the crop: hats, bags and shoes stick out of boxes
_SAME = 0.3  # IoU from which a person of this frame is the one of an earlier frame
_DOUBLE = 0.6  # IoU from which two garments of a kind are one
_FORGET_S = 2.0
_CROPS_A_FRAME = 3
_SMALLEST = 24  # pixels of a person's height; garments of smaller ones are not looked for


@dataclass(slots=True)
class _Look:
    """What was found on a person, in parts of the person's box, so that it moves along."""

    box: Box
    seen_s: float
    frame: int
    looked_s: float = -np.inf
    garments: list[Detection] = field(default_factory=list)


class ComposedDetector:
    """Finds persons in the frame with one model and garments on their crops with another; a `Detector` to its users.

    Garments cost one run of a graph a person. They are looked for when a person appears and again at the interval, of
    at most three persons a frame, those first who waited longest; in between they move along with the person's box.

    Args:
        persons: The detector for the frame.
        garments: The detector for crops.
        interval_s: How often a person's garments are looked for again; 0 = in every frame, of everybody.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        persons: Detector,
        garments: Detector,
        *,
        interval_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.persons, self.garments = persons, garments
        self._interval_s, self._clock = interval_s, clock
        self._looks: list[_Look] = []
        self._frame = 0
        self.labels: tuple[str, ...] = (_PERSON, *(label for label in garments.labels if label != _PERSON))
        self.thresholds: Mapping[str, float] = {**garments.thresholds, _PERSON: persons.thresholds[_PERSON]}
        self.card: Card = persons.card
        self.file: ModelFile = persons.file
        self.engine_name: str = persons.engine_name
        self.precision: str = persons.precision
        self.fallback: str | None = persons.fallback or garments.fallback

    @property
    def parts(self) -> list[tuple[str, Detector]]:
        """The loaded models by role."""
        return [("detector", self.persons), ("garments", self.garments)]

    @property
    def engine_s(self) -> float:
        """Seconds spent inside both engines so far."""
        return self.persons.engine_s + self.garments.engine_s

    def detect(self, image: NDArray[np.uint8], *, threshold: float | None = None) -> list[Detection]:
        """See `Detector.detect`; a person below the model's own threshold is reported, but gets no crop."""
        found = [d for d in self.persons.detect(image, threshold=threshold) if d.label == _PERSON]
        now_s, self._frame = self._clock(), self._frame + 1
        looks = [self._look_of(person, now_s) for person in found]
        least = self.thresholds[_PERSON]
        due = [
            look
            for person, look in zip(found, looks, strict=True)
            if person.score >= least
            and person.box[3] - person.box[1] >= _SMALLEST
            and now_s - look.looked_s >= self._interval_s
        ]
        due.sort(key=lambda look: look.looked_s)
        for look in due if self._interval_s <= 0 else due[:_CROPS_A_FRAME]:
            look.looked_s, look.garments = now_s, self._on(image, look.box, threshold)
        self._looks = [look for look in self._looks if now_s - look.seen_s <= _FORGET_S]
        worn = [_placed(garment, look.box) for look in looks for garment in look.garments]
        return found + self._without_doubles(worn)

    def _without_doubles(self, worn: list[Detection]) -> list[Detection]:
        """Garments label by label, best first; one that shows in two persons' crops once."""
        kept = []
        for label in self.labels[1:]:
            own = [d for d in worn if d.label == label]
            boxes = np.array([d.box for d in own], np.float32).reshape(-1, 4)
            kept += [own[i] for i in nms(boxes, np.array([d.score for d in own], np.float32), _DOUBLE)]
        return kept

    def _look_of(self, person: Detection, now_s: float) -> _Look:
        """The look at whoever stood there before, else a new one."""
        free = [look for look in self._looks if look.frame < self._frame]
        if free:
            there = np.array([look.box for look in free], np.float32)
            overlaps = box_iou(np.array([person.box], np.float32), there)[0]
            best = int(overlaps.argmax())
            if overlaps[best] >= _SAME:
                free[best].box, free[best].seen_s, free[best].frame = person.box, now_s, self._frame
                return free[best]
        look = _Look(person.box, now_s, self._frame)
        self._looks.append(look)
        return look

    def _on(self, image: NDArray[np.uint8], box: Box, threshold: float | None) -> list[Detection]:
        """Garments in the part of the picture around a person, in parts of the person's box."""
        left, top, right, bottom = _around(box, *image.shape[:2])
        crop = np.ascontiguousarray(image[top:bottom, left:right])
        if not crop.size:
            return []
        width, height = box[2] - box[0], box[3] - box[1]
        return [
            Detection(
                (
                    (d.box[0] + left - box[0]) / width,
                    (d.box[1] + top - box[1]) / height,
                    (d.box[2] + left - box[0]) / width,
                    (d.box[3] + top - box[1]) / height,
                ),
                d.score,
                d.label,
            )
            for d in self.garments.detect(crop, threshold=threshold)
            if d.label != _PERSON
        ]


def open_detector(
    name_or_path: str | Path,
    *,
    garments: str | Path = "",
    engine: str = "auto",
    precision: str = "fp16",
    threads: int = 1,
    interval_s: float = 10.0,
) -> Detector | ComposedDetector:
    """The detector of the settings: itself where it finds garments, else together with the model `garments`.

    Args:
        name_or_path: See `open_model`, also for the errors.
        garments: The model for garments; empty = none.
        engine: Of both.
        precision: Of both.
        threads: Of both.
        interval_s: See `ComposedDetector`.
    """
    detector = Detector.load(name_or_path, engine=engine, precision=precision, threads=threads)
    if not garments or set(detector.labels) & {"top", "outer", "dress", "trousers"}:
        return detector
    second = Detector.load(garments, engine=engine, precision=precision, threads=threads)
    return ComposedDetector(detector, second, interval_s=interval_s)


def _around(box: Box, height: int, width: int) -> tuple[int, int, int, int]:
    """A person's box with its margin in whole pixels, cut at the picture."""
    aside, above = _MARGIN * (box[2] - box[0]), _MARGIN * (box[3] - box[1])
    return (
        max(int(box[0] - aside), 0),
        max(int(box[1] - above), 0),
        min(int(np.ceil(box[2] + aside)), width),
        min(int(np.ceil(box[3] + above)), height),
    )


def _placed(garment: Detection, box: Box) -> Detection:
    width, height = box[2] - box[0], box[3] - box[1]
    x1, y1, x2, y2 = garment.box
    place = (box[0] + x1 * width, box[1] + y1 * height, box[0] + x2 * width, box[1] + y2 * height)
    return Detection(place, garment.score, garment.label)
