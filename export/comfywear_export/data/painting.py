"""What the painter sees of a picture, and what it is to make of it: edges and garments' colours → posterised colours.

The forerunner's style transfer for line drawings: edges are Canny's after a bilateral filter, with thresholds from the
median brightness; what is painted is, a pixel, one of `STEPS`³ colours. Nothing else of the picture goes in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear_export.data.datasets import Photo, read_photo

__all__ = ["CHANNELS", "COLOURS", "SIDE", "Original", "Paintings", "choices_of", "colours_of", "edges_of", "hints_of"]

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]

SIDE = 128
"""Pixels of the square that is looked at and painted."""
STEPS = 4
COLOURS = STEPS**3
CHANNELS = ("edges", "garment", "blue", "green", "red")
"""Of the hints, each 0…1: whether there is an edge, whether there is a garment, and its colour."""

_LOW, _HIGH = 0.66, 1.33  # Canny's thresholds as parts of the median brightness
_LEAST_LOW, _LEAST_HIGH = 12.0, 30.0  # and the least they may be in the dark


class Original(NamedTuple):
    """A photo that is painted, and the boxes `(N, 4)` of the garments in it, pixels."""

    photo: Photo
    garments: Floats


def edges_of(image: Image) -> Image:
    """The edges of a picture `(H, W, 3) uint8` BGR, `(H, W) uint8`, 1 on an edge."""
    grey = cv2.cvtColor(cv2.bilateralFilter(image, 5, 50, 5), cv2.COLOR_BGR2GRAY)
    median = float(np.median(grey))
    found = cv2.Canny(grey, max(_LOW * median, _LEAST_LOW), max(_HIGH * median, _LEAST_HIGH))
    return np.asarray(found > 0, np.uint8)


def hints_of(image: Image, garments: Sequence[Sequence[float]] | Floats = ()) -> Floats:
    """The hints `(SIDE, SIDE, len(CHANNELS)) float32` of a picture `(H, W, 3) uint8` BGR with garments in boxes.

    A garment is its box in the mean colour of the box's middle; the later one lies above.
    """
    small = np.asarray(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    hints = np.zeros((SIDE, SIDE, len(CHANNELS)), np.float32)
    hints[:, :, 0] = edges_of(small)
    boxes = np.asarray(garments, np.float64).reshape(-1, 4) * np.tile((SIDE / image.shape[1], SIDE / image.shape[0]), 2)
    for corners in boxes.clip(0, SIDE):
        left, top = (int(side) for side in np.floor(corners[:2]))
        right, below = (int(side) for side in np.ceil(corners[2:]))
        dx, dy = (right - left) // 4, (below - top) // 4
        middle = small[top + dy : below - dy, left + dx : right - dx].reshape(-1, 3)
        if len(middle):
            hints[top:below, left:right, 1] = 1.0
            hints[top:below, left:right, 2:] = middle.mean(axis=0) / 255.0
    return hints


def choices_of(image: Image) -> NDArray[np.int64]:
    """Which of the `COLOURS` each pixel of a picture has, `(SIDE, SIDE)`, 0…COLOURS − 1."""
    small = np.asarray(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.int64)
    blue, green, red = (small * STEPS // 256).transpose(2, 0, 1)
    return np.asarray((blue * STEPS + green) * STEPS + red, np.int64)


def colours_of(choices: NDArray[np.integer[Any]]) -> Image:
    """The picture `(…, 3) uint8` BGR of choices `(…)`: each is the middle of what falls to it."""
    parts = np.stack([choices // STEPS**2, choices // STEPS % STEPS, choices % STEPS], axis=-1)
    return np.asarray((parts + 0.5) * 256 / STEPS, np.uint8)


class Paintings:
    """Batches for the painter by the step's number: hints `(N, H, W, CHANNELS)` and choices `(N, H, W)`."""

    def __init__(self, originals: Sequence[Original], seed: int, batch: int) -> None:
        self._originals, self._seed, self._batch = originals, seed, batch

    def __getitem__(self, step: int) -> dict[str, NDArray[Any]]:
        chance = np.random.default_rng((self._seed, step))
        chosen = chance.integers(len(self._originals), size=self._batch)
        pairs = [self._one(self._originals[int(index)], chance) for index in chosen]
        return {"hints": np.stack([hints for hints, _ in pairs]), "choices": np.stack([each for _, each in pairs])}

    def _one(self, original: Original, chance: np.random.Generator) -> tuple[Floats, NDArray[np.int64]]:
        """A piece of the photo, perhaps mirrored, in perhaps another light."""
        image = read_photo(original.photo.path)
        height, width = image.shape[:2]
        share = chance.uniform(0.7, 1.0)
        wide, high = int(share * width), int(share * height)
        left, top = int(chance.integers(width - wide + 1)), int(chance.integers(height - high + 1))
        image = image[top : top + high, left : left + wide]
        boxes = original.garments - np.array([left, top, left, top], np.float32)
        if chance.random() < 0.5:
            image = image[:, ::-1]
            boxes = np.stack([wide - boxes[:, 2], boxes[:, 1], wide - boxes[:, 0], boxes[:, 3]], axis=1)
        lit = np.clip(image * chance.uniform(0.7, 1.2), 0, 255).astype(np.uint8)
        return hints_of(lit, boxes), choices_of(lit)
