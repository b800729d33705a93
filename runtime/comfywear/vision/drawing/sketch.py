"""A sketch of the scene: its long outlines and the colours of clothing, and nobody's face.

What makes a face a face is small, and it is a matter of brightness: eyes, nose and mouth are darker than the skin
around them over a few per cent of the picture. So the sketch keeps no small thing, colours are averaged over coarse
cells and posterised, and all of them are nearly of one brightness; outlines are drawn only where they are long, and
the fainter, the more of them there are. The brightness of any square of `_WINDOW` pixels or more varies so little
(standard deviation below 10 of 255) that the cascades of Viola and Jones, as OpenCV has them, pass it over.
`comfywear bench sketch` times it.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.records import Box

__all__ = ["sketch"]

# The longest side at which the sketch is drawn, pixels; it is enlarged to the picture's size afterwards.
_SIDE = 320
# Canny's thresholds as parts of the median brightness, and the least they may be in the dark.
_LOW, _HIGH = 0.66, 1.33
_LEAST_LOW, _LEAST_HIGH = 12.0, 30.0
# Edges are not drawn where they fill more than this part of a square of so many pixels: texture, foliage, hair.
_CROWD, _CROWD_SIDE = 0.18, 25
# The least length of an outline: the diagonal of what it spans, pixels.
_LONG = 40.0
_CELL = 8
# Brightness up to the bound becomes the level: dark, middling and light are told apart, and no more.
_BRIGHTNESS = ((99, 194), (157, 197), (255, 200))
_CHROMA_STEP, _CHROMA_GAIN = 10, 1.0  # colours are paler than the lines
# Colours stronger than this (Cr, Cb from 128) could not be shown at these levels of brightness.
_MOST_CR, _MOST_CB = 37, 29
# The smallest face that a detector looks for, pixels of the picture, and what outlines may add to its deviation.
_WINDOW = 20
_INK_SD, _DARKEST_INK = 8.0, 90.0
_HEAD = 0.25


def _posterised(most: int) -> NDArray[np.uint8]:
    steps = np.round((np.arange(256) - 128) / _CHROMA_STEP) * _CHROMA_STEP
    return (np.clip(_CHROMA_GAIN * steps, -most, most) + 128).astype(np.uint8)


_LEVELS = np.repeat([level for _, level in _BRIGHTNESS], np.diff([-1, *(bound for bound, _ in _BRIGHTNESS)]))
_PARTS = np.clip(np.arange(1, 257) / 255, 0.01, 0.5)
_INK = np.minimum(_INK_SD / np.sqrt(_PARTS * (1 - _PARTS)), _DARKEST_INK).astype(np.uint8)
_TABLE = np.dstack([_LEVELS.astype(np.uint8), _posterised(_MOST_CR), _posterised(_MOST_CB)])


def sketch(image: NDArray[np.uint8], people: Sequence[Box] = ()) -> NDArray[np.uint8]:
    """The shape of a scene without its details.

    Args:
        image: `(H, W, 3) uint8` BGR.
        people: Boxes of people, pixels of `image`; their upper quarter becomes one colour without outlines.

    Returns:
        A new `(H, W, 3) uint8` BGR picture of the same size.
    """
    height, width = image.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    smooth = np.asarray(cv2.bilateralFilter(small, 5, 50, 5), dtype=np.uint8)
    drawn = _colours(smooth)
    outlines = _outlines(smooth)
    for x1, y1, x2, y2 in people:
        columns = slice(max(0, int(x1 * scale)), max(0, int(x2 * scale) + 1))
        rows = slice(max(0, int(y1 * scale)), max(0, int((y1 + _HEAD * (y2 - y1)) * scale) + 1))
        if drawn[rows, columns].size:
            drawn[rows, columns] = drawn[rows, columns].reshape(-1, 3).mean(axis=0)
            outlines[rows, columns] = 0
    inked = cv2.subtract(drawn, cv2.merge([_ink(outlines, scale)] * 3))
    return np.asarray(cv2.resize(inked, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _colours(smooth: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Coarse cells of posterised colour, nearly of one brightness."""
    height, width = smooth.shape[:2]
    size = (max(1, width // _CELL), max(1, height // _CELL))
    cells = cv2.medianBlur(cv2.resize(smooth, size, interpolation=cv2.INTER_AREA), 3)
    flat = cv2.cvtColor(cv2.LUT(cv2.cvtColor(cells, cv2.COLOR_BGR2YCrCb), _TABLE), cv2.COLOR_YCrCb2BGR)
    return np.asarray(cv2.resize(flat, (width, height), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)


def _outlines(smooth: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Long edges away from crowds of edges, `(h, w) uint8`, 1 on an outline."""
    grey = cv2.cvtColor(smooth, cv2.COLOR_BGR2GRAY)
    median = float(np.median(grey[::2, ::2]))
    edges = cv2.Canny(grey, max(_LOW * median, _LEAST_LOW), max(_HIGH * median, _LEAST_HIGH))
    edges[cv2.boxFilter(edges, -1, (_CROWD_SIDE, _CROWD_SIDE)) > 255 * _CROWD] = 0
    _, parts, spans, _ = cv2.connectedComponentsWithStats(edges, connectivity=8)
    long = np.hypot(spans[:, cv2.CC_STAT_WIDTH], spans[:, cv2.CC_STAT_HEIGHT]) >= _LONG
    long[0] = False  # the background
    return np.asarray(long.astype(np.uint8)[parts], dtype=np.uint8)


def _ink(outlines: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """How much darker each outline is than its surroundings, so that no square of `_WINDOW` pixels varies much.

    Ink of strength c on a part p of a square has the standard deviation c √(p (1 − p)) in it.
    """
    side = max(3, round(_WINDOW * scale))
    part = cv2.boxFilter(outlines * np.uint8(255), -1, (side, side), borderType=cv2.BORDER_CONSTANT)
    fullest = cv2.dilate(part, np.ones((side, side), np.uint8))
    return np.asarray(cv2.LUT(fullest, _INK) * outlines, dtype=np.uint8)
