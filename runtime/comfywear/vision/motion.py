"""Where a picture moved, and when: one small map of times, which answers for any part and any span. Pure."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.records import Box

__all__ = ["MotionMap"]

_SIDE = 320  # pixels of the longest side of the map, at most
_LEAST, _SIGMAS = 8.0, 5.0  # a pixel moved when it differs by so many levels, and by so many deviations of the noise


class MotionMap:
    """Remembers for each place when it last moved. Pictures of another size begin it anew.

    Frames are compared with the one before: light that changes slowly is no motion. When half of the picture changes
    at once, that is a lamp or a camera that adjusts itself: `flashed_s` says when, and nothing counts as moved.

    Attributes:
        flashed_s: When most of the picture last changed at once; −inf for never.
    """

    def __init__(self) -> None:
        self.flashed_s = -math.inf
        self._before: NDArray[np.uint8] | None = None
        self._moved_s = np.zeros((0, 0))
        self._size = (0, 0)

    def add(self, image: NDArray[np.uint8], now_s: float) -> None:
        """Take the next frame `(H, W, 3) uint8`, at `now_s` on any clock that does not go back."""
        height, width = image.shape[:2]
        small = small_grey(image, _SIDE)
        before = self._before
        self._before = small
        if before is None or self._size != (width, height):
            self._size = (width, height)
            self._moved_s = np.full(small.shape, -math.inf)
            self.flashed_s = now_s
            return
        differs = np.asarray(cv2.absdiff(small, before), np.uint8)
        # Most of a room stands still, so that the median difference is that of noise; a flash moves it.
        middle = _median(differs[::4, ::4])
        if middle > _LEAST:
            self.flashed_s = now_s
            return
        # Bytes with a whole number: with a float, numpy would make floats of the picture first.
        np.copyto(self._moved_s, now_s, where=differs > int(max(_LEAST, _SIGMAS * 1.48 * middle)))

    def moved(self, box: Box, since_s: float) -> float:
        """Part, 0…1, of what is in `box` (pixels of the frame) that moved after `since_s`; 0 before the first frame."""
        part = self._moved_s[self._place(box)]
        return float(np.count_nonzero(part > since_s) / part.size) if part.size else 0.0

    def since(self, since_s: float) -> NDArray[np.bool_]:
        """`(h, w)`, at most 320 long: what moved after `since_s`."""
        return self._moved_s > since_s

    def _place(self, box: Box) -> tuple[slice, slice]:
        """The rows and columns of the map for a box, at least one of each inside the picture."""
        if not self._moved_s.size:
            return slice(0), slice(0)
        rows, columns = self._moved_s.shape
        across, down = columns / self._size[0], rows / self._size[1]
        left, top = min(max(int(box[0] * across), 0), columns - 1), min(max(int(box[1] * down), 0), rows - 1)
        right, bottom = math.ceil(box[2] * across), math.ceil(box[3] * down)
        return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))


def _median(levels: NDArray[np.uint8]) -> float:
    """The median of bytes, from their histogram: `np.median` sorts, and takes four times as long."""
    below = np.bincount(levels.ravel(), minlength=256).cumsum()
    low, high = np.searchsorted(below, [(levels.size + 1) // 2, levels.size // 2 + 1])
    return float(low + high) / 2.0


def small_grey(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A frame `(H, W, 3) uint8` → a smooth picture of its green, at most `side` pixels long."""
    step = max(-(-max(image.shape[:2]) // side), 1)
    return np.asarray(cv2.blur(np.ascontiguousarray(image[::step, ::step, 1]), (3, 3)), np.uint8)
