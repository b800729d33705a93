"""An annotated picture: persons, garments with their colours, and a panel of text beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.records import Box, Garment, Person
from comfywear.vision.drawing.text import Colour, put_text, text_width, wrap

__all__ = ["annotate"]

Image = NDArray[np.uint8]
Area = tuple[int, int, int, int]

_PERSONS: tuple[Colour, ...] = (
    (255, 196, 84),
    (122, 214, 136),
    (104, 164, 255),
    (226, 150, 232),
    (120, 222, 240),
    (232, 220, 120),
)
_GROUND, _TEXT, _QUIET, _HEAD, _LINE = (38, 32, 28), (244, 242, 240), (176, 168, 160), (150, 205, 250), (78, 68, 60)
_BAR = "▁▂▃▄▅▆▇█"
_BARS = re.compile(f"[{_BAR}]+")
_HEADED = re.compile(r"^(\S+(?: \S+)*)?\s{2,}(\S.*)$")


def annotate(image: Image, persons: Sequence[Person], panel: Sequence[str] = (), *, height: int | None = None) -> Image:
    """`image` with the persons and their garments drawn in, and `panel` at its right side; `image` is not changed.

    Args:
        image: `(H, W, 3) uint8` BGR.
        persons: Boxes in pixels of `image`.
        panel: Lines of text. What stands before two or more spaces is a heading; block characters (▁…█) become bars.
        height: Of the result in pixels; the picture's own, but at least 480 and at most 1280, when None.

    Returns:
        `(height, width, 3) uint8` BGR; higher than asked when the panel has more lines than fit.
    """
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise UsageError(f"a picture must be (H, W, 3), not {image.shape}")
    height = height or min(max(image.shape[0], 480), 1280)
    scale = height / image.shape[0]
    width = max(round(image.shape[1] * scale), 1)
    shrinks = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture: Image = cv2.resize(image, (width, height), interpolation=shrinks).astype(np.uint8, copy=False)
    size = max(round(height / 42), 13)
    taken: list[Area] = []
    for person in persons:
        _person(picture, person, scale, size, taken)
    seen = [(garment, garment.box) for person in persons for garment in person.garments if garment.box is not None]
    for _, box in seen:
        x1, y1, x2, y2 = _scaled(box, scale, picture)
        cv2.rectangle(picture, (x1, y1), (x2, y2), (30, 30, 30), 3, cv2.LINE_AA)
        cv2.rectangle(picture, (x1, y1), (x2, y2), (235, 235, 235), 1, cv2.LINE_AA)
    for garment, box in seen:
        _label(picture, garment, _scaled(box, scale, picture), size, taken)
    if not panel:
        return picture
    side = _panel(panel, height, size)
    if len(side) > height:
        below = np.full((len(side) - height, width, 3), _GROUND, np.uint8)
        picture = np.vstack([picture, below])
    return np.hstack([picture, side])


def _person(picture: Image, person: Person, scale: float, size: int, taken: list[Area]) -> None:
    colour = _PERSONS[person.track_id % len(_PERSONS)]
    x1, y1, x2, y2 = _scaled(person.box, scale, picture)
    arm = max((min(x2 - x1, y2 - y1)) // 6, 6)
    thick = max(size // 6, 2)
    for x, y, dx, dy in ((x1, y1, arm, arm), (x2, y1, -arm, arm), (x1, y2, arm, -arm), (x2, y2, -arm, -arm)):
        for end in ((x + dx, y), (x, y + dy)):
            cv2.line(picture, (x, y), end, (30, 30, 30), thick + 2, cv2.LINE_AA)
            cv2.line(picture, (x, y), end, colour, thick, cv2.LINE_AA)
    label = f"person {person.track_id}"
    pad = size // 3
    area = _free((x1, y1 - size - 2 * pad, text_width(label, size, 600) + 2 * pad, size + 2 * pad), picture, taken)
    _plate(picture, area, colour, 0.92)
    put_text(picture, label, area[0] + pad, area[1] + size + pad * 0.6, size, (20, 20, 20), 600)


def _label(picture: Image, garment: Garment, box: tuple[int, int, int, int], size: int, taken: list[Area]) -> None:
    """Kind, probability and colours at the lower left corner of the garment; of a hat at the upper one."""
    text = f"{garment.kind} {100 * garment.probability:.0f} %"
    names = " ".join(colour.name for colour in garment.colours[:2])
    small, pad = max(round(size * 0.9), 12), size // 3
    swatch = (small + pad) * len(garment.colours[:3])
    width = pad + swatch + text_width(text, small, 600) + (pad + text_width(names, small) if names else 0) + pad
    high = small + 2 * pad
    top = box[1] + 4 if garment.kind == "hat" else box[3] - high - 4
    area = _free((box[0] + 4, top, width, high), picture, taken)
    _plate(picture, area, _GROUND, 0.8)
    x, y = area[:2]
    at = x + pad
    for colour in garment.colours[:3]:
        corner = (at + small, y + pad + small)
        cv2.rectangle(picture, (at, y + pad), corner, _bgr(colour.rgb), -1)
        cv2.rectangle(picture, (at, y + pad), corner, (240, 240, 240), 1, cv2.LINE_AA)
        at += small + pad
    baseline = y + small + pad * 0.6
    put_text(picture, text, at, baseline, small, _TEXT, 600)
    if names:
        put_text(picture, names, at + text_width(text, small, 600) + pad, baseline, small, _QUIET)


def _free(area: Area, picture: Image, taken: list[Area]) -> Area:
    """`area` moved into the picture and down until it covers no label that is there already."""
    x, y, w, h = area
    x = max(min(x, picture.shape[1] - w), 0)
    y = max(min(y, picture.shape[0] - h), 0)
    while y + h <= picture.shape[0]:
        hit = [t for t in taken if x < t[0] + t[2] and t[0] < x + w and y < t[1] + t[3] and t[1] < y + h]
        if not hit:
            break
        y = max(t[1] + t[3] for t in hit) + 2
    else:
        y = max(picture.shape[0] - h, 0)
    taken.append((x, y, w, h))
    return x, y, w, h


def _panel(lines: Sequence[str], height: int, size: int) -> Image:
    margin, step = size, round(size * 1.45)
    rows = [match.groups() if (match := _HEADED.match(line)) else (None, line.strip()) for line in lines]
    indent = max((text_width(head, size, 600) for head, _ in rows if head), default=-size) + size
    room = min(max(round(height * 0.8), 20 * size), 32 * size) - 2 * margin - indent
    broken: list[tuple[str | None, str]] = []
    for head, text in rows:
        parts = wrap(re.sub(r"\s{2,}", " · ", re.sub(r"\s{2,}(?=\d)", " ", text)), size, room) or [""]
        broken += [(head, parts[0]), *[(None, part) for part in parts[1:]]]
    needed = 2 * margin + step * len(broken) + (size // 2) * sum(1 for head, _ in rows if head)
    side = np.full((max(height, needed), room + 2 * margin + indent, 3), _GROUND, np.uint8)
    cv2.line(side, (0, 0), (0, len(side)), _LINE, 2)
    y = margin
    for head, text in broken:
        if head:
            y += size // 2
            put_text(side, head, margin, y + size, size, _HEAD, 600)
        _bars_and_text(side, text, margin + indent, y + size, size)
        y += step
    return side


def _bars_and_text(side: Image, text: str, x: float, baseline: float, size: int) -> None:
    at = 0
    for match in _BARS.finditer(text):
        put_text(side, text[at : match.start()], x, baseline, size, _TEXT)
        x += text_width(text[at : match.start()], size)
        for mark in match.group():
            tall = size * (_BAR.index(mark) + 1) / len(_BAR)
            cv2.rectangle(side, (round(x), round(baseline - tall)), (round(x + size * 0.5), round(baseline)), _HEAD, -1)
            x += size * 0.62
        at = match.end()
    put_text(side, text[at:], x, baseline, size, _TEXT)


def _plate(picture: Image, area: Area, colour: Colour, opacity: float) -> None:
    x, y, w, h = area
    part = picture[y : y + h, x : x + w]
    part[...] = (part * (1.0 - opacity) + np.array(colour) * opacity).astype(np.uint8)


def _scaled(box: Box, scale: float, picture: Image) -> tuple[int, int, int, int]:
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = (round(value * scale) for value in box)
    return (
        max(min(x1, width - 2), 1),
        max(min(y1, height - 2), 1),
        max(min(x2, width - 2), 1),
        max(min(y2, height - 2), 1),
    )


def _bgr(rgb: tuple[int, int, int]) -> Colour:
    return rgb[2], rgb[1], rgb[0]
