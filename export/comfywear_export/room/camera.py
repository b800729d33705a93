"""A simulated camera of one room: from above, tilted, without colour, in low light, with noise; pure but for OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear_export.data.augment import warp_boxes

__all__ = ["as_in_the_room", "homography"]

_ROLL_DEG = 12.0
_SQUEEZE = 0.7  # people seen from above are shorter …
_KEYSTONE = 0.5  # … and their feet are farther away than their heads
_DARK = 0.3
_NOISE = 6.0  # levels, after the light is gone
_GREY = 114


def homography(width: int, height: int) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """The `(3, 3)` from a level photo to the room's camera, and the width and height that hold all of it.

    The longer side stays as long as it was.
    """
    longer = max(width, height)
    to = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    angle = np.deg2rad(_ROLL_DEG)
    roll = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    above = np.array([[1, 0, 0], [0, _SQUEEZE, 0], [0, _KEYSTONE / longer, 1]])
    matrix = above @ roll @ to
    corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]]) @ matrix.T
    corners = corners[:, :2] / corners[:, 2:]
    low, sides = corners.min(0), np.ptp(corners, axis=0)
    scale = longer / sides.max()
    fit = np.array([[scale, 0, -scale * low[0]], [0, scale, -scale * low[1]], [0, 0, 1]])
    extent = np.maximum(np.ceil(sides * scale - 1e-6), 1).astype(int)
    whole: NDArray[np.float64] = fit @ matrix
    return whole, (int(extent[0]), int(extent[1]))


def as_in_the_room(
    image: NDArray[np.uint8], boxes: NDArray[np.float32], seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A photo and its boxes as this camera would have taken them.

    Args:
        image: `(H, W, 3) uint8` BGR.
        boxes: `(N, 4)` in its pixels.
        seed: Of the noise.

    Returns:
        The picture `(h, w, 3) uint8`, without colour, and the boxes around the warped ellipses inside the old ones.
    """
    matrix, (width, height) = homography(image.shape[1], image.shape[0])
    border = (_GREY, _GREY, _GREY)
    warped = cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=border)
    level = cv2.cvtColor(warped, cv2.COLOR_BGR2GRAY).astype(np.float32) * _DARK
    level += np.random.default_rng(seed).normal(0, _NOISE, level.shape).astype(np.float32)
    grey = np.clip(np.rint(level), 0, 255).astype(np.uint8)
    moved = warp_boxes(boxes.astype(np.float64), matrix).reshape(-1, 4)
    moved = np.clip(moved, 0, [width, height, width, height])
    return np.repeat(grey[..., None], 3, axis=2), moved.astype(np.float32)
