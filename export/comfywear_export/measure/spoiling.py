"""The same photos in worse conditions, with their boxes: darker, blurred, tilted, half hidden, small, grey."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["SPOILS", "Spoilt"]

Image = NDArray[np.uint8]
Boxes = NDArray[np.float32]

_GREY = 114
_TILT_DEG = 15.0
_SMALL_PX = 160
_DARK = 0.35
_BLUR = 0.005  # standard deviation in parts of the photo's longer side


@dataclass(frozen=True, eq=False)
class Spoilt:
    """A photo made worse.

    Attributes:
        image: `(H, W, 3) uint8` BGR.
        boxes: `(N, 4)`, one for each that came in, in pixels of `image`.
        hidden: `(N,)`: those of which less than half can still be seen.
        legs: Whether the lower half of persons can be seen.
    """

    image: Image
    boxes: Boxes
    hidden: NDArray[np.bool_]
    legs: bool = True


def _same(image: Image, boxes: Boxes) -> Spoilt:
    return Spoilt(image, boxes, np.zeros(len(boxes), bool))


def as_it_is(image: Image, boxes: Boxes, persons: Boxes) -> Spoilt:
    """Nothing is changed."""
    del persons
    return _same(image, boxes)


def darker(image: Image, boxes: Boxes, persons: Boxes) -> Spoilt:
    """Every value × 0.35, rounded to whole numbers: an underexposed frame."""
    del persons
    return _same(np.rint(image * np.float32(_DARK)).astype(np.uint8), boxes)


def blurred(image: Image, boxes: Boxes, persons: Boxes) -> Spoilt:
    """A Gaussian of 0.5 % of the longer side: out of focus."""
    del persons
    sigma = _BLUR * max(image.shape[:2])
    return _same(np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8), boxes)


def tilted(image: Image, boxes: Boxes, persons: Boxes) -> Spoilt:
    """Turned by 15° on a larger canvas with grey corners.

    A new box is that around the turned ellipse inside the old one: a turned rectangle's own would be too large, since
    people do not fill their corners.
    """
    del persons
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), _TILT_DEG, 1.0)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    new_width, new_height = round(height * sin + width * cos), round(height * cos + width * sin)
    matrix[:, 2] += (new_width - width) / 2, (new_height - height) / 2
    turned = cv2.warpAffine(image, matrix, (new_width, new_height), borderValue=(_GREY, _GREY, _GREY))
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    around = np.stack([np.hypot(half[:, 0] * cos, half[:, 1] * sin), np.hypot(half[:, 0] * sin, half[:, 1] * cos)], 1)
    return _same(np.asarray(turned, np.uint8), np.concatenate([centre - around, centre + around], 1).astype(np.float32))


def half_hidden(image: Image, boxes: Boxes, persons: Boxes) -> Spoilt:
    """The lower half of every person is covered with flat grey, as by a desk; boxes keep what is above it."""
    covers = persons.copy()
    covers[:, 1] = (persons[:, 1] + persons[:, 3]) / 2
    covered = image.copy()
    seen = np.ones(image.shape[:2], np.uint8)
    for x1, y1, x2, y2 in np.rint(covers).astype(int).clip(0):
        covered[y1:y2, x1:x2] = _GREY
        seen[y1:y2, x1:x2] = 0
    new, hidden = boxes.copy(), np.zeros(len(boxes), bool)
    for index, box in enumerate(boxes):
        own = (persons == box).all(1)
        if own.any():
            new[index, 3] = (box[1] + box[3]) / 2
        x1, y1, x2, y2 = np.rint(new[index]).astype(int).clip(0)
        part = seen[y1:y2, x1:x2]
        hidden[index] = not part.size or part.mean() < 0.5
        if not own.any() and part.any():
            rows, columns = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
            new[index] = x1 + columns[0], y1 + rows[0], x1 + columns[-1] + 1, y1 + rows[-1] + 1
    return Spoilt(covered, new, hidden, legs=False)


def small(image: Image, boxes: Boxes, persons: Boxes) -> Spoilt:
    """Shrunk to 160 pixels of height (never enlarged)."""
    del persons
    scale = min(_SMALL_PX / image.shape[0], 1.0)
    width, height = max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1)
    shrunk = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return _same(shrunk, (boxes * np.float32(scale)).astype(np.float32))


def grey(image: Image, boxes: Boxes, persons: Boxes) -> Spoilt:
    """Without colour, as a camera gives at night."""
    del persons
    single = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return _same(np.asarray(cv2.cvtColor(single, cv2.COLOR_GRAY2BGR), np.uint8), boxes)


SPOILS: dict[str, Callable[[Image, Boxes, Boxes], Spoilt]] = {
    "as they are": as_it_is,
    "darker": darker,
    "blurred": blurred,
    "tilted 15°": tilted,
    "half hidden": half_hidden,
    "160 px high": small,
    "grey": grey,
}
"""By name: `(image, boxes (N, 4), boxes of persons (P, 4)) → Spoilt`; the first changes nothing."""
