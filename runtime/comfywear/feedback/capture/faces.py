"""Nobody's face in a captured crop: only the clothed part of people stays sharp, all else becomes coarse blocks.

What is kept is named, not what is hidden: below the head of each person that the detector saw, however weakly. A face
that no detector finds is thus hidden too, unless it lies within another person's body.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.records import Box

Image = NDArray[np.uint8]
Area = tuple[int, int, int, int]

# The head's part of a person's box: of a whole body at most an eighth is head, so that a quarter is enough; of somebody
# close to the camera, whose box is as wide as it is high, it is most of the box.
_OF_HEIGHT, _OF_WIDTH = 0.25, 0.8
_AROUND = 0.15  # of the box, beyond its upper edge and sides: boxes are not exact
_BLOCKS = 5  # across a hidden part
_CASCADES = ("haarcascade_frontalface_default.xml", "haarcascade_frontalface_alt2.xml", "haarcascade_profileface.xml")


def head_area(box: Box) -> Box:
    """Where the head of a person with this box may be, generously."""
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    side, up = _AROUND * width, _AROUND * height
    return x1 - side, y1 - up, x2 + side, y1 + min(max(_OF_HEIGHT * height, _OF_WIDTH * width), height)


def hide_faces(image: Image, people: Sequence[Box]) -> tuple[Image, float]:
    """A copy of `image` in which only people below their heads are sharp, and the part of it that is (0…1).

    Args:
        image: `(H, W, 3) uint8` BGR.
        people: Boxes of everybody in it, in pixels; people left out are hidden whole.
    """
    hidden = _coarse(image, max(image.shape[:2]) // 2 // _BLOCKS + 1)
    sharp = np.zeros(image.shape[:2], bool)
    for box in people:
        x1, y1, x2, y2 = _within(box, image)
        sharp[y1:y2, x1:x2] = True
    result = np.where(sharp[..., None], image, hidden).astype(np.uint8, copy=False)
    for area in [*(head_area(box) for box in people), *_found(image)]:
        x1, y1, x2, y2 = _within(area, image)
        if x2 > x1 and y2 > y1:
            result[y1:y2, x1:x2] = _coarse(image[y1:y2, x1:x2], max(x2 - x1, y2 - y1) // _BLOCKS + 1)
            sharp[y1:y2, x1:x2] = False
    return result, float(sharp.mean())


def _coarse(part: Image, side: int) -> Image:
    """Blocks of `side` pixels, each of its mean colour."""
    height, width = part.shape[:2]
    small = cv2.resize(part, (-(-width // side), -(-height // side)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST).astype(np.uint8, copy=False)


def _within(box: Box, image: Image) -> Area:
    """The whole pixels of a box; one that lies outside is empty, and no slice of it reaches round to the other end."""
    height, width = image.shape[:2]
    x1, y1 = (int(np.clip(np.floor(value), 0, side)) for value, side in zip(box[:2], (width, height), strict=True))
    x2, y2 = (int(np.clip(np.ceil(value), 0, side)) for value, side in zip(box[2:], (width, height), strict=True))
    return x1, y1, x2, y2


def _found(image: Image) -> list[Box]:
    """What OpenCV's own face detectors find, a quarter wider; nothing where this OpenCV has none (5 and later)."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    boxes = []
    for cascade in _cascades():
        for x, y, w, h in cascade.detectMultiScale(grey, 1.1, 3, minSize=(16, 16)):
            boxes.append((x - 0.25 * w, y - 0.25 * h, x + 1.25 * w, y + 1.25 * h))
    return boxes


@functools.cache
def _cascades() -> list[Any]:
    folder = Path(str(getattr(getattr(cv2, "data", None), "haarcascades", "")))
    kind = getattr(cv2, "CascadeClassifier", None)
    if kind is None:
        return []
    return [kind(str(folder / name)) for name in _CASCADES if (folder / name).is_file()]
