"""A sketch of the scene: its long outlines and the colours of clothing, and nobody's face.

What makes a face a face is small: eyes, nose and mouth differ in brightness over a few per cent of the picture. So
the sketch keeps no small thing. Colours are averaged over coarse cells and posterised, brightness to three close
levels; of the edges only long ones are drawn, and none where they crowd. `comfywear bench sketch` times it.
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
_CROWD, _CROWD_SIDE = 0.16, 25
# The least length of an outline: the diagonal of what it spans, pixels.
_LONG = 48.0
_CELL = 10
_CHROMA_STEP = 20
# Brightness (L of 8-bit Lab) up to the bound becomes the level.
_BRIGHTNESS = ((99, 165), (157, 195), (255, 225))
_INK = 95
_HEAD = 0.25

_LEVELS = np.concatenate(
    [np.full(bound - low, level) for (bound, level), low in zip(_BRIGHTNESS, (-1, 99, 157), strict=True)]
).astype(np.uint8)
_CHROMA = np.clip(np.round((np.arange(256) - 128) / _CHROMA_STEP) * _CHROMA_STEP * 1.2 + 128, 0, 255).astype(np.uint8)
_TABLE = np.dstack([_LEVELS, _CHROMA, _CHROMA])


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
            outlines[rows, columns] = False
    drawn[outlines] = _INK
    return np.asarray(cv2.resize(drawn, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _colours(smooth: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Coarse cells of posterised colour."""
    height, width = smooth.shape[:2]
    cells = cv2.resize(smooth, (max(1, width // _CELL), max(1, height // _CELL)), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(cv2.medianBlur(cells, 3), cv2.COLOR_BGR2LAB)
    flat = cv2.cvtColor(cv2.LUT(lab, _TABLE), cv2.COLOR_LAB2BGR)
    return np.asarray(cv2.resize(flat, (width, height), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)


def _outlines(smooth: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Long edges away from crowds of edges, `(h, w) bool`."""
    grey = cv2.cvtColor(smooth, cv2.COLOR_BGR2GRAY)
    median = float(np.median(grey))
    edges = cv2.Canny(grey, max(_LOW * median, _LEAST_LOW), max(_HIGH * median, _LEAST_HIGH))
    edges[cv2.boxFilter(edges, -1, (_CROWD_SIDE, _CROWD_SIDE)) > 255 * _CROWD] = 0
    _, parts, spans, _ = cv2.connectedComponentsWithStats(edges, connectivity=8)
    long = np.hypot(spans[:, cv2.CC_STAT_WIDTH], spans[:, cv2.CC_STAT_HEIGHT]) >= _LONG
    long[0] = False  # the background
    return np.asarray(long[parts], dtype=np.bool_)
