"""Fits a frame into the detector's square without changing its proportions."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["GREY", "Letterbox", "fit_into", "letterbox", "stretch"]

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
    return fit_into(image, side, side)


def fit_into(
    image: NDArray[np.uint8], height: int, width: int, *, grey: int = GREY, corner: bool = False
) -> tuple[NDArray[np.uint8], Letterbox]:
    """`(H, W, 3) uint8` → `(height, width, 3) uint8` with bars, and where the frame lies in it.

    Args:
        image: The frame.
        height: Of the result.
        width: Of the result.
        grey: Level of the bars.
        corner: Whether the frame lies in the upper left corner; else in the middle.
    """
    old_height, old_width = image.shape[:2]
    scale = min(width / old_width, height / old_height)
    new_width, new_height = max(1, round(old_width * scale)), max(1, round(old_height * scale))
    left, top = (0, 0) if corner else ((width - new_width) // 2, (height - new_height) // 2)
    filled = np.full((height, width, 3), grey, np.uint8)
    filled[top : top + new_height, left : left + new_width] = _resized(image, new_height, new_width, shrinks=scale < 1)
    return filled, Letterbox(new_width / old_width, new_height / old_height, left, top, old_width, old_height)


def stretch(image: NDArray[np.uint8], height: int, width: int) -> tuple[NDArray[np.uint8], Letterbox]:
    """`(H, W, 3) uint8` → `(height, width, 3) uint8` without bars, its proportions changed, and its two scales."""
    old_height, old_width = image.shape[:2]
    place = Letterbox(width / old_width, height / old_height, 0, 0, old_width, old_height)
    shrinks = height < old_height and width < old_width
    return _resized(image, height, width, shrinks=shrinks), place


def _resized(image: NDArray[np.uint8], height: int, width: int, *, shrinks: bool) -> NDArray[np.uint8]:
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), dtype=np.uint8)
