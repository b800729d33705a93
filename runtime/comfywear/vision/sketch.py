"""A sketch of the scene: its shapes and the colours of clothing, and nobody's face."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.records import Box

__all__ = ["sketch"]

# The longest side at which the sketch is drawn, pixels; it is enlarged to the picture's size afterwards.
_SIDE = 320
_LEVELS = 5


def sketch(image: NDArray[np.uint8], people: Sequence[Box] = ()) -> NDArray[np.uint8]:
    """The shape of a scene without its details.

    Args:
        image: `(H, W, 3) uint8` BGR.
        people: Boxes of people, pixels; their upper quarter is coarsened once more.

    Returns:
        A new `(H, W, 3) uint8` BGR picture.
    """
    height, width = image.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    small = cv2.resize(
        image, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    )
    smooth = cv2.bilateralFilter(small, 5, 60, 5)
    grey = cv2.cvtColor(smooth, cv2.COLOR_BGR2GRAY)
    median = float(np.median(grey))
    edges = cv2.Canny(grey, 0.66 * median, 1.33 * median)
    step = 256 // _LEVELS
    flat = (smooth // step) * step + step // 2
    flat[edges > 0] = 40
    return np.asarray(cv2.resize(flat, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
