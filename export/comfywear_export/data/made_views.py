"""Made views of one photo of a person: another crop, light or scale, partly hidden from below or from one side."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["VIEWS", "in_other_light"]

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]


def _plain(image: Image, _box: Floats, _rng: np.random.Generator) -> Image:
    return image


def in_other_light(image: Image, _: Floats, rng: np.random.Generator) -> Image:
    """The same picture brighter or darker, with another gamma and another white balance."""
    levels = np.arange(256)[:, None] / 255.0
    curve = levels ** np.exp(rng.uniform(-0.3, 0.3)) * rng.uniform(0.6, 1.3) * rng.uniform(0.92, 1.08, 3)
    table = np.clip(curve * 255, 0, 255).astype(np.uint8).reshape(1, 256, 3)
    return np.asarray(cv2.LUT(image, table), np.uint8)


def _crop(image: Image, box: Floats, rng: np.random.Generator) -> Image:
    (height, width), (x1, y1, x2, y2) = image.shape[:2], box.tolist()
    left, right = (rng.uniform(0.02, 0.5) * (x2 - x1) for _ in range(2))
    top, bottom = rng.uniform(0.0, 0.15) * (y2 - y1), rng.uniform(0.0, 0.35) * (y2 - y1)
    rows = slice(max(0, int(y1 - top)), min(height, int(y2 - bottom)))
    return np.ascontiguousarray(image[rows, max(0, int(x1 - left)) : min(width, int(x2 + right))])


def _scale(image: Image, _: Floats, rng: np.random.Generator) -> Image:
    factor = rng.uniform(0.3, 0.5)
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    side = max(image.shape[:2])
    out = np.full((side, side, 3), 114, np.uint8)
    y, x = (int(rng.integers(0, side - length + 1)) for length in small.shape[:2])
    out[y : y + small.shape[0], x : x + small.shape[1]] = small
    return out


def _desk(image: Image, box: Floats, rng: np.random.Generator) -> Image:
    out: Image = image.copy()
    out[int(box[1] + rng.uniform(0.45, 0.6) * (box[3] - box[1])) :] = rng.integers(60, 180, 3)
    return out


def _side(image: Image, box: Floats, rng: np.random.Generator) -> Image:
    out: Image = image.copy()
    hidden = rng.uniform(0.25, 0.4) * (box[2] - box[0])
    columns = slice(None, int(box[0] + hidden)) if rng.random() < 0.5 else slice(int(box[2] - hidden), None)
    out[:, columns] = rng.integers(40, 200, 3)
    return out


VIEWS: dict[str, Callable[[Image, Floats, np.random.Generator], Image]] = {
    "plain": _plain,
    "crop": _crop,
    "light": in_other_light,
    "scale": _scale,
    "desk": _desk,
    "side": _side,
}
"""Made views of a photo `(image, box of the person, rng)`; every second one but the first is lit differently, too."""
