"""A picture as straight lines and the flat tones between them: a room is made of these, and a face is not.

Lines are those of LSD (Grompone von Gioi and others 2010), and only the long ones. Tones melt into each other (the
recursive filter of Gastal and Oliveira's domain transform, 2011) over a good part of the picture, except across a line
that was drawn: a wall, a door and a desk keep their edges, and what no straight line bounds loses its shape. What is
left of a face is the colour of its surroundings. Pure; nothing is remembered.
"""

from __future__ import annotations

import math
from itertools import chain
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["SIDE", "Abstraction", "abstracted", "small_size"]

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]
_Floats = NDArray[np.float32]

SIDE = 320
"""Pixels of the longest side at which lines and tones are looked for."""

# The least length of a line, and how far tones melt (standard deviation), in parts of the longer side.
_LONG, _LONG_FINE = 1 / 9, 1 / 14
_MELT, _MELT_FINE = 1 / 10, 1 / 12
_WALL = 40.0  # a line is as hard to cross as so many pixels
_ROUNDS = 2  # of the filter; one leaves streaks
_LEVELS, _CHROMA_STEP = 9, 6
# On light ground and on dark: from the darkest tone to the lightest, how much stronger colours become, and the ink.
_LIGHT, _DARK = (72.0, 250.0, 1.25), (20.0, 118.0, 0.8)
_INK, _PALE_INK = (76, 66, 62), (196, 188, 182)
_LSD_SCALE = 0.7  # of the picture in which lines are looked for; no short ones are wanted
_THICK = 1 / 6  # lines from this length on, in parts of the longer side, are drawn twice as thick
_HALF = 2  # tones are looked for at half the lines' size


class Abstraction(NamedTuple):
    """What is drawn of a picture.

    Attributes:
        lines: `(N, 4) float32`: x1 y1 x2 y2, in parts of the width and of the height.
        tones: `(h, w, 3) uint8` BGR, small; they are posterised when they are drawn.
    """

    lines: _Floats
    tones: Image

    def drawn(self, size: tuple[int, int], *, dark: bool = False) -> Image:
        """The picture `(H, W, 3) uint8` BGR of `size` (W, H), for a light page or a dark one."""
        parts = cv2.resize(cv2.cvtColor(self.tones, cv2.COLOR_BGR2YCrCb), size, interpolation=cv2.INTER_LINEAR)
        image = cv2.cvtColor(cv2.LUT(parts, _TABLES[dark]), cv2.COLOR_YCrCb2BGR)
        ends = np.round(self.lines * np.array(size * 2, np.float32) * 16).astype(np.int32)
        lengths = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1]) / 16
        thick = lengths > _THICK * max(size)
        for chosen, width in ((~thick, 1), (thick, 2)):
            pieces = list(ends[chosen].reshape(-1, 2, 2))
            cv2.polylines(image, pieces, False, _PALE_INK if dark else _INK, width, cv2.LINE_AA, 4)
        return np.asarray(image, np.uint8)


def small_size(width: int, height: int) -> tuple[int, int]:
    """The width and height at which a picture of this size is looked at."""
    scale = min(1.0, SIDE / max(width, height))
    return max(2, round(width * scale)), max(2, round(height * scale))


def abstracted(small: Image, fine: Mask | None = None, hidden: Mask | None = None) -> Abstraction:
    """The lines and tones of a picture.

    Args:
        small: `(h, w, 3) uint8` BGR, of `small_size`; it is not changed.
        fine: `(h, w)`: where shorter lines are drawn and tones melt less far; None = nowhere.
        hidden: `(h, w)`: what is not looked at; its surroundings fill it. None = nothing.
    """
    height, width = small.shape[:2]
    fine = np.zeros((height, width), np.bool_) if fine is None else fine
    lines = _lines(small, fine, hidden)
    size = (max(1, width // _HALF), max(1, height // _HALF))
    tiny = cv2.resize(small, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    near: Mask = cv2.resize(fine.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    walls = np.zeros((size[1], size[0]), np.uint8)
    for x1, y1, x2, y2 in np.round(lines / _HALF).astype(int).tolist():
        cv2.line(walls, (x1, y1), (x2, y2), (1,))
    if hidden is not None and hidden.any():
        part = cv2.resize(hidden.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
        # As good as nothing, so that a picture that is hidden wholly has a tone too.
        seen = np.where(part, 1e-6, 1.0).astype(np.float32)[:, :, None]
        tiny[part] = 128.0
        tiny = np.concatenate([tiny * seen, seen], axis=2)
    longest = _MELT * max(size)
    # Nothing stops tones where it begins to be fine: that would be the outline of a head.
    step = np.where(near, _MELT / _MELT_FINE, 1.0).astype(np.float32) * (1.0 + _WALL * walls)
    melted = _melted(tiny, step, longest)
    if melted.shape[2] > 3:
        melted = melted[:, :, :3] / melted[:, :, 3:]
    return Abstraction(
        (lines / np.array([width, height] * 2)).astype(np.float32), np.clip(melted, 0, 255).astype(np.uint8)
    )


def _lines(small: Image, fine: Mask, hidden: Mask | None) -> _Floats:
    """Straight lines `(N, 4)`, pixels: the long ones, and shorter ones where the whole of them lies in `fine`."""
    height, width = small.shape[:2]
    grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), (3, 3), 0)
    # None where there is no line, whatever the stubs say.
    found: NDArray[np.generic] | None = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD, _LSD_SCALE).detect(grey)[0]
    if found is None:
        return np.zeros((0, 4), np.float32)
    lines = np.asarray(found, np.float32).reshape(-1, 4)
    lengths = np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1])
    side = max(height, width)
    lines, lengths = lines[lengths >= _LONG_FINE * side], lengths[lengths >= _LONG_FINE * side]
    along = np.linspace(0.0, 1.0, 9, dtype=np.float32)[:, None]
    columns = np.clip(lines[:, 0] + along * (lines[:, 2] - lines[:, 0]), 0, width - 1).astype(int)
    rows = np.clip(lines[:, 1] + along * (lines[:, 3] - lines[:, 1]), 0, height - 1).astype(int)
    kept = (lengths >= _LONG * side) | fine[rows, columns].all(axis=0)
    if hidden is not None:
        kept &= ~hidden[rows, columns].any(axis=0)
    return np.asarray(lines[kept], np.float32)


def _melted(values: _Floats, step: NDArray[np.floating], far: float) -> _Floats:
    """`values` `(h, w, C)` smoothed with a standard deviation of `far` pixels, where each pixel counts for `step`."""
    across = np.maximum(step[:, 1:], step[:, :-1])
    down = np.maximum(step[1:], step[:-1])
    out = np.ascontiguousarray(values.transpose(0, 2, 1), np.float32)  # (h, C, w)
    for turn in range(_ROUNDS):
        sigma = far * math.sqrt(3.0) * 2.0 ** (_ROUNDS - turn - 1) / math.sqrt(4.0**_ROUNDS - 1.0)
        decay = -math.sqrt(2.0) / sigma
        columns = np.ascontiguousarray(out.transpose(2, 1, 0))  # (w, C, h)
        _sweep(columns, np.exp(decay * across).T)
        out = np.ascontiguousarray(columns.transpose(2, 1, 0))
        _sweep(out, np.exp(decay * down))
    return np.asarray(out.transpose(0, 2, 1), np.float32)


def _sweep(rows: _Floats, carry: NDArray[np.floating]) -> None:
    """Let each of `rows` `(n, C, m)` take on its neighbour's values by `carry` `(n − 1, m)`, forth and back."""
    each, shares = list(rows), list(np.ascontiguousarray(carry, np.float32))  # views, made once: indexing costs more
    gap = np.empty_like(rows[0])
    subtract, multiply, add = np.subtract, np.multiply, np.add
    forth = zip(each, each[1:], shares, strict=False)
    back = zip(each[:0:-1], each[-2::-1], shares[::-1], strict=True)
    for before, row, share in chain(forth, back):
        subtract(before, row, gap)
        multiply(gap, share, gap)
        add(row, gap, row)


def _table(darkest: float, lightest: float, gain: float) -> Image:
    """What becomes of Y, Cr and Cb: few tones within bounds, and colours stronger by a factor."""
    values = np.arange(256)
    levels = (values * _LEVELS // 256 + 0.5) / _LEVELS
    chroma = np.round((values - 128) / _CHROMA_STEP) * _CHROMA_STEP * gain + 128
    return np.dstack([darkest + levels * (lightest - darkest), *[np.clip(chroma, 0, 255)] * 2]).astype(np.uint8)


_TABLES = {False: _table(*_LIGHT), True: _table(*_DARK)}
