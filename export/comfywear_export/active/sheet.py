"""A contact sheet: the chosen photos with what was found in them, the most wanted first."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.records import Detection
from comfywear.vision.detectors.letterbox import letterbox

__all__ = ["sheet"]

_TILE, _WORDS = 200, 18
_SURE, _UNSURE, _INK, _PAPER = (80, 170, 60), (40, 130, 240), (40, 40, 40), 250


def sheet(
    photos: Sequence[tuple[NDArray[np.uint8], Sequence[tuple[Detection, bool]], str]], columns: int = 6
) -> NDArray[np.uint8]:
    """`(H, W, 3) uint8` BGR: a tile each.

    Args:
        photos: Image, what was found in it and whether that is believed (green, else orange), and words below.
        columns: Tiles a row.
    """
    rows = -(-max(len(photos), 1) // columns)
    page = np.full((rows * (_TILE + _WORDS), columns * _TILE, 3), _PAPER, np.uint8)
    for number, (image, found, words) in enumerate(photos):
        tile, place = letterbox(image, _TILE)
        for detection, sure in found:
            x1, y1, x2, y2 = place.to_square(np.array([detection.box], np.float32))[0].round().astype(int).tolist()
            cv2.rectangle(tile, (x1, y1), (x2, y2), _SURE if sure else _UNSURE, 1, cv2.LINE_AA)
        top, left = number // columns * (_TILE + _WORDS), number % columns * _TILE
        page[top : top + _TILE, left : left + _TILE] = tile
        at = (left + 4, top + _TILE + _WORDS - 5)
        cv2.putText(page, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, _INK, 1, cv2.LINE_AA)
    return page
