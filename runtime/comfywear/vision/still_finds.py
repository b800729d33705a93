"""What never moves is no person: finds that stay in one place for hours without a motion in it fade from the counts.

A coat on a hook, a poster, a mannequin. Somebody who sleeps breathes and turns over; somebody who reads turns a page.
Two things are watched in the box of a find: whether pixels change from one frame to the next, and whether it looks,
averaged over a minute, as it did up to half an hour ago, whatever the light. Pure: time is given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.records import Box
from comfywear.vision.boxes import iou
from comfywear.vision.motion import MotionMap

__all__ = ["Change", "Signature", "StillFinds", "difference", "signature"]

_MOVED = 0.03  # part of a box that moves from one frame to the next: something moved
_CHANGED = 0.02  # difference of two averaged signatures: something is elsewhere now (docs/vision.md)
_RENEWED_S = 1800.0  # what it is compared with is at most so old: daylight moves shadows within hours
_SAME_PLACE = 0.5  # IoU
_LOOK_S = 5.0  # a signature is taken so often
_AVERAGE_S = 60.0  # time constant of the average
_GAP_S = 60.0  # without frames for longer, the time does not count: nobody saw whether it moved
_FORGET_S = 3600.0  # a place at which nothing was found for so long is forgotten
_PASSED_S = 30.0  # nor one where something moved since, so long ago
_AGAIN_S = 600.0  # what faded before, moved and looks again as it did then fades after so long
SIDE = 24  # pixels of a signature
_MOST = 64  # places that are kept

Signature = NDArray[np.float32]


class Change(NamedTuple):
    """A find that is not counted any more, or is counted again.

    Attributes:
        box: Where it is, pixels.
        kind: Which of the two.
        still_s: For how long nothing had moved there.
    """

    box: Box
    kind: Literal["faded", "back"]
    still_s: float


@dataclass(slots=True)
class _Place:
    box: Box
    found_s: float
    moved_s: float
    looked_s: float
    before_s: float = 0.0
    before: Signature | None = None  # as it looked some minutes after it moved, or half an hour ago
    average: Signature | None = None
    as_faded: Signature | None = None
    faded: bool = False


class StillFinds:
    """The places of one camera at which a person was found.

    Args:
        after_s: A find fades when nothing moved in its box for so long.
    """

    def __init__(self, after_s: float = 7200.0) -> None:
        if not after_s > 0.0:
            raise UsageError("finds fade after more than 0 s")
        self._after_s = after_s
        self._places: list[_Place] = []
        self._last_s: float | None = None

    def update(self, image: NDArray[np.uint8], now_s: float, finds: Sequence[Box], motion: MotionMap) -> list[Change]:
        """Take a frame with the boxes of the persons in it; returns what faded and what is back.

        Args:
            image: `(H, W, 3) uint8`.
            now_s: Monotonic.
            finds: Boxes of persons, pixels.
            motion: Has taken this frame.
        """
        last_s = now_s if self._last_s is None else self._last_s
        if now_s - last_s > _GAP_S:
            for place in self._places:
                place.moved_s += now_s - last_s
                place.found_s += now_s - last_s
        self._last_s = now_s
        for box in finds:
            self._find(box, now_s)
        changes = []
        for place in self._places:
            if motion.moved(place.box, last_s) >= _MOVED or self._looks_changed(place, image, now_s):
                if place.faded:
                    changes.append(Change(place.box, "back", now_s - place.moved_s))
                place.faded, place.moved_s, place.before, place.average = False, now_s, None, None
            elif not place.faded and now_s - place.moved_s >= self._needed_s(place):
                place.faded, place.as_faded = True, place.average
                changes.append(Change(place.box, "faded", now_s - place.moved_s))
        self._places = [place for place in self._places if _is_kept(place, now_s)]
        return changes

    def faded(self, box: Box) -> bool:
        """Whether a find in `box` is not to be counted."""
        return any(place.faded and iou(place.box, box) >= _SAME_PLACE for place in self._places)

    def _find(self, box: Box, now_s: float) -> None:
        best = max(self._places, key=lambda place: iou(place.box, box), default=None)
        if best is not None and iou(best.box, box) >= _SAME_PLACE:
            best.found_s = now_s
            return
        if len(self._places) >= _MOST:
            self._places.remove(min(self._places, key=lambda place: (place.faded, place.found_s)))
        self._places.append(_Place(box, now_s, now_s, -math.inf))

    def _looks_changed(self, place: _Place, image: NDArray[np.uint8], now_s: float) -> bool:
        """Whether what is in the place is not where it was, or not what it was."""
        if now_s - place.looked_s < _LOOK_S:
            return False
        now = signature(image, place.box)
        weight = min((now_s - place.looked_s) / _AVERAGE_S, 1.0)
        place.looked_s = now_s
        if place.average is None:
            place.average = now
        place.average = place.average + weight * (now - place.average)
        if now_s - place.moved_s < 2.0 * _AVERAGE_S:
            return False  # the average has just begun
        if place.before is not None and difference(place.before, place.average) > _CHANGED:
            return True
        if place.before is None or now_s - place.before_s >= _RENEWED_S:
            place.before, place.before_s = place.average, now_s
        return False

    def _needed_s(self, place: _Place) -> float:
        if place.as_faded is None or place.average is None:
            return self._after_s
        again = difference(place.as_faded, place.average) <= _CHANGED
        return min(_AGAIN_S, self._after_s) if again else self._after_s


def _is_kept(place: _Place, now_s: float) -> bool:
    """Whether a place may still matter: where somebody only walked through it does not."""
    passed = place.as_faded is None and place.moved_s > place.found_s and now_s - place.found_s > _PASSED_S
    return not passed and now_s - place.found_s < _FORGET_S


def signature(image: NDArray[np.uint8], box: Box) -> Signature:
    """How what is in `box` looks, whatever the brightness and contrast: `(24, 24)`, of mean 0 and deviation 1."""
    height, width = image.shape[:2]
    left, top = min(max(int(box[0]), 0), width - 1), min(max(int(box[1]), 0), height - 1)
    right, bottom = max(min(math.ceil(box[2]), width), left + 1), max(min(math.ceil(box[3]), height), top + 1)
    grey = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    small -= small.mean()
    return small / max(float(small.std()), 1.0)


def difference(a: Signature, b: Signature) -> float:
    """1 − correlation of two averages of signatures: 0 for the same, 1 for nothing in common."""
    norm = math.sqrt(float((a * a).sum()) * float((b * b).sum()))
    return 1.0 - float((a * b).sum()) / norm if norm > 0.0 else 0.0
