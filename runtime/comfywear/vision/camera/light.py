"""What the light lets a picture show: whether there is enough of it, and whether there is colour in it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.records import Light

__all__ = ["measure_light"]

_SIDE = 96  # pictures are averaged down to this longer side, which takes the sensor's noise away
_LIT, _SATURATED = 90.0, 248.0  # a darker sum of channels, or a brighter channel, says nothing about colour


def measure_light(image: NDArray[np.uint8], visible: NDArray[np.uint8] | None = None) -> Light:
    """The light in a picture.

    Args:
        image: `(H, W, 3) uint8` BGR.
        visible: `(H, W) uint8`, 255 where the picture is not masked; nothing visible is dark.
    """
    height, width = image.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float32)
    if visible is not None:  # only what is seen whole: the rest is darkened by the mask
        small = small[cv2.resize(visible, size, interpolation=cv2.INTER_AREA).reshape(-1) == 255]
    if not len(small):
        return Light(0.0, 0.0)
    grey = small @ np.array([0.114, 0.587, 0.299], np.float32)  # ITU-R BT.601
    sums = small.sum(axis=1)
    clear = (sums > _LIT) & (small.max(axis=1) < _SATURATED)
    lit = small[clear] / sums[clear, None]
    spread = 0.0
    if len(lit):
        distance = np.linalg.norm(lit[:, 1:] - np.median(lit[:, 1:], axis=0), axis=1)
        spread = float(np.percentile(distance, 99))
    return Light(float(np.percentile(grey, 90)) / 255.0, spread)
