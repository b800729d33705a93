"""Cuts persons out of photos, as exactly or as loosely as a detector would."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CROP_SIZE", "cut_out", "jitter"]

CROP_SIZE = (320, 160)
"""Height and width, in pixels, of a crop as the attribute model takes it."""


def cut_out(image: NDArray[np.uint8], box: NDArray[Any]) -> NDArray[np.uint8]:
    """The part of an image that a box covers, at least one pixel."""
    height, width = image.shape[:2]
    x1, y1 = (int(np.clip(v, 0, limit - 1)) for v, limit in ((box[0], width), (box[1], height)))
    x2, y2 = (int(np.clip(np.ceil(v), low + 1, limit)) for v, low, limit in ((box[2], x1, width), (box[3], y1, height)))
    return image[y1:y2, x1:x2]


def jitter(box: NDArray[np.float32], rng: np.random.Generator) -> tuple[NDArray[np.float32], bool]:
    """A box as a detector, or a camera that is close, might give it; and whether the legs are out of the picture."""
    x1, y1, x2, y2 = (float(v) for v in box)
    width, height = x2 - x1, y2 - y1
    kind = rng.random()
    if kind < 0.25:  # close up: head to somewhere between chest and hip
        y2, cut = y1 + height * rng.uniform(0.3, 0.55), True
        loose = rng.uniform(0.0, 0.3)
    else:
        cut = False
        loose = rng.uniform(0.1, 0.4) if kind < 0.45 else 0.0
    sides = rng.normal(0, 0.05, 4) + np.array([-1, -1, 1, 1]) * loose * rng.uniform(0, 1, 4)
    return np.array([x1, y1, x2, y2]) + sides * np.array([width, y2 - y1, width, y2 - y1]), cut
