"""What people said of finds: "that is not a person", "there is one", each bound to a place and a look. Pure.

A find that was rejected is not counted while its place looks as it did when it was rejected, or has not moved since it
last did: a coat goes, whoever stands before it counts. Where somebody was missed, a weak find is believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from comfywear.records import Box, Detection
from comfywear.vision.boxes import iou
from comfywear.vision.motion import MotionMap
from comfywear.vision.still_finds import SIDE, Signature, difference, signature

__all__ = ["CorrectedFinds", "Correction", "packed", "parts_of", "pixels_of", "unpacked"]

PERSON = "person"
_SAME_PLACE = 0.5  # IoU of a find and a correction
_SAME_LOOK = 0.15  # difference of signatures: of two people at one place .9, below .15 in 1 of 150 (docs/vision.md)
_MOVED = 0.03  # part of the place
_DRIFT_S = 600.0  # time constant with which a rejected look follows the light, while nothing moves
_GAP_S = 60.0  # after so long without a frame nothing tells whether it moved meanwhile
_STEPS = 32.0  # of a kept signature, a unit


class Correction(msgspec.Struct, frozen=True):
    """What somebody said of a place.

    Attributes:
        number: By which it is taken back.
        kind: "reject" = what was found there is no person; "miss" = there is a person there.
        box: x1 y1 x2 y2 in parts of the picture's width and height, 0…1.
        look: Of a rejected find: 24 × 24 levels of grey, −128…127, without its brightness; empty otherwise.
        ts: When, ISO 8601, or None while the clock was not set.
        camera: In whose picture, where there are several.
    """

    number: int
    kind: Literal["reject", "miss"]
    box: Box
    look: tuple[int, ...] = ()
    ts: str | None = None
    camera: str = ""

    def __post_init__(self) -> None:
        """Refuses a look that is none, such as of a file that was edited by hand.

        Raises:
            ValueError: As it says.
        """
        if len(self.look) != (SIDE * SIDE if self.kind == "reject" else 0):
            raise ValueError(f"correction {self.number}: {len(self.look)} numbers are no look of a {self.kind}")


@dataclass(slots=True)
class _Place:
    look: Signature
    same: bool = True


class CorrectedFinds:
    """What corrections mean for the finds of one camera, frame by frame."""

    def __init__(self) -> None:
        self._corrections: Sequence[Correction] = ()
        self._places: dict[int, _Place] = {}
        self._excluded: list[Box] = []
        self._last_s: float | None = None

    def begin(
        self, image: NDArray[np.uint8], now_s: float, corrections: Sequence[Correction], motion: MotionMap
    ) -> None:
        """Take a frame `(H, W, 3) uint8` that `motion` has taken, and the corrections that hold."""
        if not corrections:
            self._corrections, self._places, self._excluded, self._last_s = (), {}, [], now_s
            return
        height, width = image.shape[:2]
        last_s = now_s if self._last_s is None else self._last_s
        gap = now_s - last_s > _GAP_S
        self._last_s, self._corrections = now_s, corrections
        rejected = [correction for correction in corrections if correction.kind == "reject"]
        kept = {correction.number for correction in rejected}
        self._places = {number: place for number, place in self._places.items() if number in kept}
        self._excluded = []
        for correction in rejected:
            box = pixels_of(correction.box, width, height)
            place = self._places.get(correction.number)
            new = place is None
            if place is None:
                place = self._places[correction.number] = _Place(unpacked(correction.look))
            now = signature(image, box)
            alike = difference(place.look, now) <= _SAME_LOOK
            if new or alike or gap or motion.moved(box, last_s) >= _MOVED:
                place.same = alike
            if alike:
                place.look = place.look + min((now_s - last_s) / _DRIFT_S, 1.0) * (now - place.look)
            if place.same:
                self._excluded.append(box)

    def believed(self, finds: Iterable[Detection], width: int, height: int, score: float) -> list[Detection]:
        """The finds with persons where one was missed raised to `score`, however weak."""
        missed = [pixels_of(each.box, width, height) for each in self._corrections if each.kind == "miss"]
        return [
            Detection(find.box, score, PERSON)
            if find.label == PERSON and find.score < score and any(iou(find.box, box) >= _SAME_PLACE for box in missed)
            else find
            for find in finds
        ]

    def excluded(self, box: Box) -> bool:
        """Whether a person found in `box`, pixels of the last frame, is one that was rejected."""
        return any(iou(box, place) >= _SAME_PLACE for place in self._excluded)


def packed(look: Signature) -> tuple[int, ...]:
    """A signature as whole numbers, to be kept."""
    return tuple(np.clip(np.round(look.ravel() * _STEPS), -128, 127).astype(int).tolist())


def unpacked(look: Sequence[int]) -> Signature:
    """The signature that was kept."""
    side = int(len(look) ** 0.5)
    return (np.array(look[: side * side], np.float32) / _STEPS).reshape(side, side)


def parts_of(box: Box, width: int, height: int) -> Box:
    """A box in pixels → in parts of the picture, within it."""
    x1, x2 = (min(max(x / width, 0.0), 1.0) for x in (box[0], box[2]))
    y1, y2 = (min(max(y / height, 0.0), 1.0) for y in (box[1], box[3]))
    return x1, y1, x2, y2


def pixels_of(box: Box, width: int, height: int) -> Box:
    """A box in parts of the picture → in pixels."""
    return box[0] * width, box[1] * height, box[2] * width, box[3] * height
