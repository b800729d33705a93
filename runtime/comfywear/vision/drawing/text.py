"""Text in pictures: smooth letters where OpenCV has them (5.0), its stroke letters otherwise."""

from __future__ import annotations

import unicodedata
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Colour", "put_text", "text_width", "wrap"]

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

_FONT: Any = cv2.FontFace("sans") if hasattr(cv2, "FontFace") else None
_STROKES = cv2.FONT_HERSHEY_SIMPLEX
_STROKE_HEIGHT = 30.0  # pixels of a line of stroke letters at scale 1
_ASCII = str.maketrans({"°": " deg ", "±": "+-", "–": "-", "−": "-", "·": "-", "…": "...", "²": "2", "×": "x"})


def put_text(image: Image, text: str, x: float, y: float, size: float, colour: Colour, weight: int = 400) -> None:
    """Draw `text` into `image` with its baseline starting at (x, y); `size` is the letters' size in pixels."""
    if _FONT is not None:
        cv2.putText(image, text, (round(x), round(y)), colour, _FONT, round(size), weight)
        return
    scale, thick = size / _STROKE_HEIGHT, 2 if weight > 500 else 1
    cv2.putText(image, _plain(text), (round(x), round(y)), _STROKES, scale, colour, thick, cv2.LINE_AA)


def text_width(text: str, size: float, weight: int = 400) -> int:
    """How wide `put_text` makes it, in pixels."""
    if _FONT is not None:
        # An end mark keeps the width of trailing spaces.
        ends = [cv2.getTextSize((0, 0), t, (0, 0), _FONT, round(size), weight)[2] for t in (text + "|", "|")]
        return int(ends[0] - ends[1])
    return int(cv2.getTextSize(_plain(text), _STROKES, size / _STROKE_HEIGHT, 2 if weight > 500 else 1)[0][0])


def wrap(text: str, size: float, width: float) -> list[str]:
    """Lines of `text`, broken at spaces so that each is at most `width` pixels wide where its words allow."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and text_width(longer, size) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line] if line else lines


def _plain(text: str) -> str:
    """`text` in the letters that stroke fonts have."""
    return unicodedata.normalize("NFKD", text.translate(_ASCII)).encode("ascii", "ignore").decode()
