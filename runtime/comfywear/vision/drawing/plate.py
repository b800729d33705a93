"""The plate: a picture of the room without people, gathered over time, in memory alone.

Somebody in a room moves, and furniture does not. So a place enters the plate only after it looked the same at every
look for minutes, while nothing moved at it or as near as a body reaches, and nobody was found there, however weakly.
What moves is reckoned to be the head or the hand of a body that reaches further down than up. What was in the plate and
is not as it was any more leaves it within a minute, and what has come instead enters only as a whole, and later:
somebody sits down more often than a cupboard arrives. Pure: time is given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.records import Box
from comfywear.vision.drawing.abstraction import small_size
from comfywear.vision.motion import MotionMap

__all__ = ["Plate"]

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]

SETTLE_S = 180.0
"""For so long a place must have stayed the same, seconds."""
SETTLE_AGAIN_S = 900.0
"""The same where the plate had something else before."""
FADE_S = 45.0
"""What stands still and is not what the plate has there takes its place away after so long."""

_LOOK_S = 1.0  # the plate looks so often; what moved between two looks is known from the motion
_GAP_S = 30.0  # after a longer time without a frame everything must settle anew: nobody saw whether it moved
_CELL = 4  # pixels of a place, of a picture of `small_size`
_ALIKE, _SIGMAS = 10.0, 5.0  # levels, and deviations of the noise, by which a pixel may differ and be the same
_UNLIKE = 0.2  # part of a cell's pixels that must differ for it to have changed
_MOVED = 0.1  # part of a cell's pixels that must have moved
_FOLLOW = 0.1  # of a new look in the average that is to enter: light changes slowly
_GROW = 0.2  # of a person's box to each side
_REACH = (0.08, 0.08, 0.3)  # of a body beside, above and below what moves of it, in parts of the longer side
_ALL = 0.5  # part of the picture that changes at once only with the light


class Plate:
    """The room of one camera without people. Frames of another size begin it anew.

    Attributes:
        size: Width and height of `picture`; (0, 0) before the first frame.
        picture: `(h, w, 3) uint8` BGR; what is not `known` means nothing.
        cells: `(⌈h / 4⌉, ⌈w / 4⌉)`: which places are in the plate.
    """

    def __init__(self) -> None:
        self._frame = (0, 0)
        self.size = (0, 0)
        self.picture: Image = np.zeros((0, 0, 3), np.uint8)
        self.cells: Mask = np.zeros((0, 0), np.bool_)
        self._last_s = -math.inf
        self._candidate = np.zeros((0, 0, 3), np.float32)
        self._held = self._ever = self._other = np.zeros((0, 0), np.bool_)
        self._since_s = self._needed_s = np.zeros((0, 0))

    def add(self, image: Image, now_s: float, people: Sequence[Box], motion: MotionMap) -> bool:
        """Take a frame; returns whether the plate looked at it, which it does once a second at most.

        Args:
            image: `(H, W, 3) uint8` BGR.
            now_s: On any clock that does not go back.
            people: Boxes of everybody who was found, also weakly; pixels of `image`.
            motion: Has taken this frame and those before.
        """
        height, width = image.shape[:2]
        if self._frame != (width, height):
            self._begin(image, now_s)
            return True
        passed_s = now_s - self._last_s
        if passed_s < _LOOK_S:
            self._held |= self._covered(people)
            return False
        small = np.asarray(cv2.resize(image, self.size, interpolation=cv2.INTER_AREA), np.uint8)
        apart = _apart(small, np.asarray(cv2.convertScaleAbs(self._candidate), np.uint8))
        noise = _SIGMAS * 1.48 * float(np.median(apart[::4, ::4]))
        unlike = self._shares(apart > min(max(noise, _ALIKE), 2.0 * _ALIKE)) >= _UNLIKE
        restless = unlike | self._held | self._covered(people) | self._bodies(motion, self._last_s)
        restless = _whole(self._other, restless)
        if passed_s > _GAP_S or unlike.mean() > _ALL:
            restless[:] = True
        self._last_s, self._held = now_s, np.zeros_like(self.cells)
        self._since_s[restless] = now_s
        cv2.accumulateWeighted(small, self._candidate, _FOLLOW)
        cv2.copyTo(small.astype(np.float32), self.pixels(restless).view(np.uint8), self._candidate)
        self._settle(now_s)
        return True

    def known(self) -> Mask:
        """`(h, w)`: which pixels of `picture` are in the plate."""
        return self.pixels(self.cells)

    def perhaps_people(self, since_s: float, people: Sequence[Box], motion: MotionMap) -> Mask:
        """The cells where somebody is found, or where what moved after `since_s` may belong to somebody."""
        return self._covered(people) | self._bodies(motion, since_s)

    def _begin(self, image: Image, now_s: float) -> None:
        height, width = image.shape[:2]
        self._frame, self.size, self._last_s = (width, height), small_size(width, height), now_s
        small = cv2.resize(image, self.size, interpolation=cv2.INTER_AREA)
        self._candidate = small.astype(np.float32)
        self.picture = np.zeros_like(small)
        cells = (-(-self.size[1] // _CELL), -(-self.size[0] // _CELL))
        self.cells, self._held, self._ever, self._other = (np.zeros(cells, np.bool_) for _ in range(4))
        self._since_s = np.full(cells, now_s)
        self._needed_s = np.full(cells, SETTLE_S)

    def _settle(self, now_s: float) -> None:
        """Take in what has settled, and let go what has been something else for a while."""
        still_s = now_s - self._since_s
        candidate = np.asarray(cv2.convertScaleAbs(self._candidate), np.uint8)
        self._other = self._ever & (self._shares(_apart(candidate, self.picture) > 2.0 * _ALIKE) >= _UNLIKE)
        differs = self.cells & self._other
        lit = self.cells.mean() > 0.3 and differs.sum() > _ALL * self.cells.sum()  # another light, the same room
        gone = differs & (still_s >= FADE_S)
        if gone.any() and not lit:
            self.cells &= ~gone
            self._needed_s[gone] = SETTLE_AGAIN_S
        enters = still_s >= (SETTLE_S if lit else np.where(differs, SETTLE_AGAIN_S, self._needed_s))
        if enters.any():
            self.cells |= enters
            self._ever |= enters
            cv2.copyTo(candidate, self.pixels(enters).view(np.uint8), self.picture)

    def _bodies(self, motion: MotionMap, since_s: float) -> Mask:
        """The cells of whatever moved since, and of the bodies that it may be a part of."""
        return _reach(self._shares(motion.since(since_s)) >= _MOVED)

    def _shares(self, pixels: Mask) -> NDArray[np.float32]:
        """The part of each cell's pixels that is set, of a map of any size."""
        levels = pixels.view(np.uint8) * np.uint8(255)
        share = cv2.resize(levels, self.cells.shape[::-1], interpolation=cv2.INTER_AREA)
        return np.asarray(share, np.float32) / 255.0

    def pixels(self, cells: Mask) -> Mask:
        """The map of cells as one of pixels."""
        return cv2.resize(cells.astype(np.uint8), self.size, interpolation=cv2.INTER_NEAREST).astype(np.bool_)

    def _covered(self, people: Sequence[Box]) -> Mask:
        """The cells that the grown boxes of people cover."""
        covered = np.zeros_like(self.cells)
        down, across = covered.shape[0] / self._frame[1], covered.shape[1] / self._frame[0]
        for x1, y1, x2, y2 in people:
            right, below = _GROW * (x2 - x1), _GROW * (y2 - y1)
            rows = slice(max(0, math.floor((y1 - below) * down)), max(0, math.ceil((y2 + below) * down)))
            columns = slice(max(0, math.floor((x1 - right) * across)), max(0, math.ceil((x2 + right) * across)))
            covered[rows, columns] = True
        return covered


def _apart(one: Image, other: Image) -> Image:
    """By how much each pixel differs in the channel in which it differs most, levels."""
    blue, green, red = cv2.split(cv2.absdiff(one, other))
    return np.asarray(cv2.max(cv2.max(blue, green), red), np.uint8)


def _reach(moved: Mask) -> Mask:
    """The cells that the body may cover of which `moved` is a part."""
    beside, above, below = (max(1, round(part * max(moved.shape))) for part in _REACH)
    kernel = np.zeros((2 * max(above, below) + 1, 2 * beside + 1), np.uint8)
    kernel[max(above, below) - below : max(above, below) + above + 1] = 1  # a cell hears of what is above it
    return np.asarray(cv2.dilate(moved.astype(np.uint8), kernel) > 0)


def _whole(parts: Mask, touched: Mask) -> Mask:
    """`touched` with the whole of each of the connected `parts` that it touches."""
    _, labels = cv2.connectedComponents(parts.astype(np.uint8), connectivity=8)
    found = np.unique(labels[touched & parts])
    return touched | np.isin(labels, found[found > 0])
