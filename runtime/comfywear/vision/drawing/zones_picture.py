"""Zones in a picture, under a grid whose numbers are those of the settings: parts of the width and the height."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.vision.drawing.text import Colour, put_text, text_width
from comfywear.vision.people.lines import LineOnFloor
from comfywear.vision.people.zones import ZoneArea

__all__ = ["draw_zones"]

Image = NDArray[np.uint8]

_COLOURS: tuple[Colour, ...] = ((255, 196, 84), (122, 214, 136), (104, 164, 255), (226, 150, 232), (120, 222, 240))
_LINE: Colour = (60, 220, 255)
_GROUND, _TEXT, _DARK = (38, 32, 28), (244, 242, 240), (20, 20, 20)
_STEPS = 10
_FILL = 0.22


def draw_zones(
    image: Image, zones: Sequence[ZoneArea], *, lines: Sequence[LineOnFloor] = (), height: int | None = None
) -> Image:
    """`image` with the zones that have corners, the lines, a grid of tenths, and their numbers along all edges.

    Args:
        image: `(H, W, 3) uint8` BGR; it is not changed.
        zones: Those without corners are not drawn.
        lines: Each is drawn with an arrow to the side that counts as in.
        height: Of the picture within the edges; its own, but at least 480 and at most 1080, when None.

    Returns:
        `(height + 2 e, width + 2 e, 3) uint8` BGR, with edges of e pixels.

    Raises:
        UsageError: `image` is not a picture.
    """
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise UsageError(f"a picture must be (H, W, 3), not {image.shape}")
    high = height or min(max(image.shape[0], 480), 1080)
    wide = max(round(image.shape[1] * high / image.shape[0]), 1)
    how = cv2.INTER_AREA if high < image.shape[0] else cv2.INTER_CUBIC
    picture: Image = cv2.resize(image, (wide, high), interpolation=how).astype(np.uint8, copy=False)
    size = max(round(high / 40), 12)
    edge = round(2.6 * size)
    for index, zone in enumerate(zone for zone in zones if zone.polygon):
        _zone(picture, zone, _COLOURS[index % len(_COLOURS)], size)
    for line in lines:
        _line(picture, line, size)
    _grid(picture)
    out = np.full((high + 2 * edge, wide + 2 * edge, 3), _GROUND, np.uint8)
    out[edge : edge + high, edge : edge + wide] = picture
    for step in range(_STEPS + 1):
        label = f"{step / _STEPS:.1f}"
        x, y, half = edge + wide * step / _STEPS, edge + high * step / _STEPS, text_width(label, size) / 2
        for baseline in (edge - size * 0.6, edge + high + size * 1.4):
            put_text(out, label, x - half, baseline, size, _TEXT)
        for left in (edge - 2 * half - size * 0.4, edge + wide + size * 0.4):
            put_text(out, label, left, y + size * 0.35, size, _TEXT)
    return out


def _grid(picture: Image) -> None:
    high, wide = picture.shape[:2]
    for step in range(1, _STEPS):
        x, y = round(wide * step / _STEPS), round(high * step / _STEPS)
        for line in (picture[:, x : x + 1], picture[y : y + 1]):
            line[...] = (line * 0.55 + 0.45 * 255).astype(np.uint8)


def _zone(picture: Image, zone: ZoneArea, colour: Colour, size: int) -> None:
    high, wide = picture.shape[:2]
    corners = np.array([(round(x * wide), round(y * high)) for x, y in zone.polygon], np.int32)
    filled = picture.copy()
    cv2.fillPoly(filled, [corners], colour)
    picture[...] = cv2.addWeighted(filled, _FILL, picture, 1.0 - _FILL, 0.0)
    cv2.polylines(picture, [corners], True, _DARK, 4, cv2.LINE_AA)
    cv2.polylines(picture, [corners], True, colour, 2, cv2.LINE_AA)
    for (x, y), corner in zip(zone.polygon, corners.tolist(), strict=True):
        cv2.circle(picture, corner, max(size // 4, 3), colour, -1, cv2.LINE_AA)
        _plate(picture, f"{x:.2f} {y:.2f}", corner[0] + size // 3, corner[1] + size, round(size * 0.8), colour)
    centre = corners.mean(axis=0)
    _plate(picture, zone.name, centre[0] - text_width(zone.name, size, 600) / 2, centre[1], size, colour)


def _line(picture: Image, line: LineOnFloor, size: int) -> None:
    """A line with an arrow from its middle to the side that counts as in."""
    high, wide = picture.shape[:2]
    a, b = (np.array((x * wide, y * high)) for x, y in (line.a, line.b))
    along, middle = (b - a) / max(float(np.linalg.norm(b - a)), 1.0), (a + b) / 2
    towards = np.array((-along[1], along[0])) * (1 if line.inside == "right" else -1)
    tip = middle + 2.5 * size * towards
    ends = [tuple(round(float(each)) for each in point) for point in (a, b, middle, tip)]
    for colour, thick in ((_DARK, 6), (_LINE, 3)):
        cv2.line(picture, ends[0], ends[1], colour, thick, cv2.LINE_AA)
        cv2.arrowedLine(picture, ends[2], ends[3], colour, thick, cv2.LINE_AA, tipLength=0.3)
    for (x, y), end in zip((line.a, line.b), ends, strict=False):
        _plate(picture, f"{x:.2f} {y:.2f}", end[0] + size // 3, end[1] + size, round(size * 0.8), _LINE)
    _plate(picture, f"{line.name} in", tip[0], tip[1], size, _LINE)


def _plate(picture: Image, text: str, x: float, y: float, size: int, colour: Colour) -> None:
    """Text on a plate, moved into the picture."""
    high, wide = picture.shape[:2]
    pad, width = size // 3, text_width(text, size, 600)
    left = round(min(max(x, pad), max(wide - width - pad, pad)))
    baseline = round(min(max(y, size + pad), high - pad))
    cv2.rectangle(picture, (left - pad, baseline - size - pad // 2), (left + width + pad, baseline + pad), colour, -1)
    put_text(picture, text, left, baseline, size, _DARK, 600)
