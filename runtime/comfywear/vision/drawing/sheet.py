"""Several pictures in one, in rows, each with its title."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.vision.drawing.text import put_text, text_width

__all__ = ["contact_sheet"]

Image = NDArray[np.uint8]

_GROUND, _TEXT = (38, 32, 28), (230, 226, 222)


def contact_sheet(pictures: Sequence[tuple[str, Image]], *, width: int = 1600, height: int = 400) -> Image:
    """Rows of pictures of about the same height, each row as wide as the sheet (the last may be shorter).

    Args:
        pictures: Title and `(H, W, 3) uint8` BGR each; at least one.
        width: Of the sheet in pixels.
        height: That rows should have about, in pixels.

    Returns:
        `(H, width, 3) uint8` BGR.
    """
    gap, size = 8, max(height // 22, 12)
    rows: list[list[tuple[str, Image]]] = [[]]
    for title, picture in pictures:
        if rows[-1] and _natural([*rows[-1], (title, picture)], height, gap) > 1.2 * width:
            rows.append([])
        rows[-1].append((title, picture))
    sheets = []
    for row in rows:
        room = width - gap * (len(row) + 1)
        shape = sum(picture.shape[1] / picture.shape[0] for _, picture in row)
        high = max(min(round(room / shape), round(1.25 * height)), 1)
        strip = np.full((high + size + 2 * gap, width, 3), _GROUND, np.uint8)
        left = gap
        for title, picture in row:
            wide = max(min(round(picture.shape[1] * high / picture.shape[0]), width - gap - left), 1)
            how = cv2.INTER_AREA if high < picture.shape[0] else cv2.INTER_CUBIC
            strip[:high, left : left + wide] = cv2.resize(picture, (wide, high), interpolation=how)
            put_text(strip, _cut(title, size, wide), left, high + size + 2, size, _TEXT)
            left += wide + gap
        sheets.append(strip)
    top = np.full((gap, width, 3), _GROUND, np.uint8)
    return np.vstack([top, *sheets])


def _natural(row: Sequence[tuple[str, Image]], height: int, gap: int) -> float:
    return float(sum(height * picture.shape[1] / picture.shape[0] + gap for _, picture in row))


def _cut(title: str, size: int, width: int) -> str:
    while title and text_width(title, size) > width:
        title = title[:-1]
    return title
