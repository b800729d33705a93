"""Fits a frame into the detector's square without changing its proportions."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["GREY", "Letterbox", "letterbox"]

GREY = 114
"""Level of the bars, in training and on the device."""


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where a frame of `width` by `height` lies in the square: scaled, then shifted."""

    scale_x: float
    scale_y: float
    left: int
    top: int
    width: int
    height: int

    def to_frame(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes `(N, 4)` in the square → boxes in the frame, cut at its edges."""
        shift = np.array([self.left, self.top, self.left, self.top], np.float32)
        scale = np.array([self.scale_x, self.scale_y, self.scale_x, self.scale_y], np.float32)
        limit = np.array([self.width, self.height, self.width, self.height], np.float32)
        framed: NDArray[np.float32] = np.clip((boxes - shift) / scale, 0, limit)
        return framed

    def to_square(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes `(N, 4)` in the frame → boxes in the square."""
        shift = np.array([self.left, self.top, self.left, self.top], np.float32)
        scale = np.array([self.scale_x, self.scale_y, self.scale_x, self.scale_y], np.float32)
        return boxes * scale + shift


def letterbox(image: NDArray[np.uint8], side: int) -> tuple[NDArray[np.uint8], Letterbox]:
    """`(H, W, 3) uint8` → `(side, side, 3) uint8` with grey bars, and where the frame lies in it."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    left, top = (side - new_width) // 2, (side - new_height) // 2
    square = np.full((side, side, 3), GREY, np.uint8)
    square[top : top + new_height, left : left + new_width] = cv2.resize(
        image, (new_width, new_height), interpolation=how
    )
    return square, Letterbox(new_width / width, new_height / height, left, top, width, height)
