"""Persons drawn, not shown: a simple figure by box, in the colours of the garments that were recognised.

Nothing of the picture goes in. How somebody is placed follows from the box and from where garments were seen in it:
standing, sitting, cut by a desk or by the picture's edge, or seen from above.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.records import Box, Garment, Person
from comfywear.vision.drawing.text import Colour, put_text, text_width

__all__ = ["FigurePose", "draw_figures", "posture_of"]

Image = NDArray[np.uint8]
Points = Sequence[tuple[float, float]]
FigurePose = Literal["standing", "sitting", "cut", "above"]

_UPPER, _LOWER = ("knit", "top"), ("trousers", "shorts", "skirt")
_PAPER, _BARE, _LINE, _PALE_LINE = (236, 240, 242), (222, 226, 228), (52, 44, 40), (200, 194, 190)
_TAG, _TEXT = (252, 250, 248), (40, 34, 30)
# From 1, uncomfortable, to 5, comfortable; BGR.
_LEVELS: Mapping[int, Colour] = {
    1: (60, 60, 200),
    2: (70, 130, 230),
    3: (90, 200, 235),
    4: (110, 190, 140),
    5: (110, 160, 60),
}
_LEAST = 6.0  # pixels of a box's sides from which a figure is drawn
_SHIFT = 4  # bits of a fraction in OpenCV's points

# Of each posture, in parts of the box's height below its top: the crown, the chin, the shoulders, the hips, the knees
# and the soles; and half the shoulders' width.
_BODIES: Mapping[FigurePose, tuple[float, float, float, float, float, float, float]] = {
    "standing": (0.0, 0.135, 0.17, 0.50, 0.74, 0.985, 0.125),
    "sitting": (0.0, 0.20, 0.25, 0.64, 0.72, 0.985, 0.19),
    "cut": (0.0, 0.34, 0.42, 1.06, 1.5, 2.0, 0.33),
}


def posture_of(person: Person) -> FigurePose:
    """How somebody seems to be placed."""
    x1, y1, x2, y2 = person.box
    width, height = max(x2 - x1, 1.0), max(y2 - y1, 1.0)
    tall = height / width
    upper = next((each.box for each in person.garments if each.kind in (*_UPPER, "outer", "dress") and each.box), None)
    below = any(each.kind in (*_LOWER, "footwear") for each in person.garments)
    if tall < 1.3 and not below and upper is not None and abs((upper[1] + upper[3]) / 2 - (y1 + y2) / 2) < 0.1 * height:
        return "above"
    if tall >= 1.9:
        return "standing"
    return "sitting" if below and tall >= 1.1 else "cut"


def draw_figures(
    image: Image,
    persons: Sequence[Person],
    comfort: Mapping[str, tuple[int | None, float | None]] | None = None,
    *,
    dark: bool = False,
) -> Image:
    """`image` with a figure for each person, its number, and how comfortable its zone is; `image` is not changed.

    Args:
        image: `(H, W, 3) uint8` BGR.
        persons: Boxes in pixels of `image`.
        comfort: By zone the level 1…5 and the expected vote −3…+3; None = not known.
        dark: Whether `image` is, so that outlines are light and tags dark.
    """
    drawn: Image = image.copy()
    persons = [each for each in persons if min(each.box[2] - each.box[0], each.box[3] - each.box[1]) >= _LEAST]
    for person in sorted(persons, key=lambda each: each.box[3]):  # who is nearer stands lower, and in front
        _figure(drawn, person, _PALE_LINE if dark else _LINE)
    for person in persons:
        level, vote = (comfort or {}).get(person.zone, (None, None))
        _tag(drawn, person, level, vote, (_TEXT, _TAG) if dark else (_TAG, _TEXT))
    return drawn


def _figure(image: Image, person: Person, line: Colour) -> None:
    posture = posture_of(person)
    worn = {each.kind: each for each in sorted(person.garments, key=lambda each: each.probability)}
    x1, y1, x2, y2 = person.box
    if posture == "above":
        _from_above(image, person.box, worn, line)
        return
    body = _Body(image, (x1 + x2) / 2, y1, y2 - y1, _BODIES[posture], (y2 - y1) / max(x2 - x1, 1.0), line)
    body.draw(worn, sitting=posture == "sitting", to=y2)


class _Body:
    """Draws one figure that is seen from the front; coordinates are parts of the box's height, x from the middle."""

    def __init__(
        self,
        image: Image,
        middle: float,
        top: float,
        height: float,
        parts: tuple[float, float, float, float, float, float, float],
        tall: float,
        ink: Colour,
    ) -> None:
        self._ink = ink
        self._image, self._middle, self._top, self._height = image, middle, top, height
        self._crown, self._chin, self._neck, self._hips, self._knees, self._soles, self._half = parts
        self._half = min(self._half, 0.42 / tall)  # the arms stay within the box
        self._thin = 1 if height < 120 else 2

    def draw(self, worn: Mapping[str, Garment], *, sitting: bool, to: float) -> None:
        """Draw it down to the row `to`."""
        below = self._image[max(0, min(round(to), len(self._image))) :].copy()
        half, hips, knees, soles = self._half, self._hips, self._knees, self._soles
        upper = next((worn[kind] for kind in _UPPER if kind in worn), None)
        dress, outer = worn.get("dress"), worn.get("outer")
        lower = next((worn[kind] for kind in _LOWER if kind in worn), None)
        spread = half * (0.95 if sitting else 0.55)
        for side in (-1, 1):
            leg = self._leg(side, hips, soles, spread)
            self._fill(leg, _BARE)
            if lower is not None and lower.kind == "trousers":
                self._fill(leg, _colour(lower))
            foot = worn.get("footwear")
            at = (side * spread * 1.1, soles - 0.012)
            self._oval(at, 0.36 * half, 0.02, _colour(foot) if foot else _BARE)
            if lower is not None and lower.kind == "shorts":
                self._fill(self._leg(side, hips, (hips + 1.4 * knees) / 2.4, spread), _colour(lower))
        sleeves = outer or upper or dress
        for side in (-1, 1):
            self._fill(self._arm(side), _colour(sleeves) if sleeves else _PAPER)
        self._fill(self._trunk(hips + 0.02, 0.72), _colour(upper or dress) if upper or dress else _PAPER)
        if lower is not None:
            if lower.kind == "skirt":
                self._fill(self._flare(hips - 0.06, knees, 0.72, 1.15), _colour(lower))
            else:
                self._fill(self._flare(hips - 0.05, hips + 0.03, 0.72, 0.78), _colour(lower))
        if dress is not None:
            self._fill(self._trunk(hips - 0.1, 0.62), _colour(dress))
            self._fill(self._flare(hips - 0.12, knees + 0.02, 0.62, 1.25), _colour(dress))
        if outer is not None:
            hem = hips + 0.55 * (knees - hips)
            for side in (-1, 1):  # open in front: what is below shows
                front = ((side * half, self._neck), (side * 0.86 * half, hem))
                self._fill((*front, (side * 0.3 * half, hem), (side * 0.14 * half, self._neck)), _colour(outer))
        self._head(worn.get("hat"))
        if "bag" in worn:
            self._bag(worn["bag"])
        self._image[len(self._image) - len(below) :] = below

    def _head(self, hat: Garment | None) -> None:
        tall = (self._chin - self._crown) / 2
        middle = (0.0, self._crown + tall)
        self._oval(middle, 0.78 * tall, tall, _PAPER)
        if hat is not None:
            brim = middle[1] - 0.25 * tall
            self._oval((0.0, brim), 1.25 * tall, 0.18 * tall, _colour(hat))
            crown = ((-0.78 * tall, brim), (-0.62 * tall, self._crown), (0.62 * tall, self._crown), (0.78 * tall, brim))
            self._fill(crown, _colour(hat))

    def _bag(self, bag: Garment) -> None:
        half, hips = self._half, self._hips
        self._line((-0.5 * half, self._neck), (1.15 * half, hips))
        left, right, top, end = 0.85 * half, 1.65 * half, hips - 0.02, hips + 0.45 * (self._knees - hips)
        self._fill(((left, top), (right, top), (1.05 * right, end), (0.95 * left, end)), _colour(bag))

    def _trunk(self, end: float, narrow: float) -> Points:
        half, neck = self._half, self._neck
        collar = ((-0.4 * half, neck - 0.015), (0.4 * half, neck - 0.015))
        return (-half, neck + 0.02), *collar, (half, neck + 0.02), (narrow * half, end), (-narrow * half, end)

    def _flare(self, start: float, end: float, narrow: float, wide: float) -> Points:
        half = self._half
        return (-narrow * half, start), (narrow * half, start), (wide * half, end), (-wide * half, end)

    def _arm(self, side: int) -> Points:
        half, neck, hips = self._half, self._neck, self._hips
        elbow, hand = neck + 0.55 * (hips - neck), hips + 0.02
        outer = ((side * 0.8 * half, neck + 0.01), (side * 1.1 * half, neck + 0.03), (side * 1.32 * half, elbow))
        return (*outer, (side * 1.22 * half, hand), (side * 1.0 * half, hand), (side * 1.0 * half, elbow))

    def _leg(self, side: int, start: float, end: float, spread: float) -> Points:
        half = self._half
        share = (end - start) / (self._soles - start)
        inner, outer = side * 0.06 * half, side * 0.75 * half
        foot_in, foot_out = side * (spread - 0.2 * half), side * (spread + 0.2 * half)
        return (
            (inner, start),
            (outer, start),
            (outer + share * (foot_out - outer), end),
            (inner + share * (foot_in - inner), end),
        )

    def _at(self, point: tuple[float, float]) -> tuple[int, int]:
        x, y = self._middle + point[0] * self._height, self._top + point[1] * self._height
        return round(x * (1 << _SHIFT)), round(y * (1 << _SHIFT))

    def _fill(self, points: Points, colour: Colour) -> None:
        corners = [np.array([self._at(point) for point in points], np.int32)]
        cv2.fillPoly(self._image, corners, colour, cv2.LINE_AA, _SHIFT)
        cv2.polylines(self._image, corners, True, self._ink, self._thin, cv2.LINE_AA, _SHIFT)

    def _oval(self, middle: tuple[float, float], wide: float, high: float, colour: Colour) -> None:
        axes = (round(wide * self._height * (1 << _SHIFT)), round(high * self._height * (1 << _SHIFT)))
        for each, thick in ((colour, -1), (self._ink, self._thin)):
            cv2.ellipse(self._image, self._at(middle), axes, 0, 0, 360, each, thick, cv2.LINE_AA, _SHIFT)

    def _line(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        cv2.line(self._image, self._at(start), self._at(end), self._ink, self._thin, cv2.LINE_AA, _SHIFT)


def _from_above(image: Image, box: Box, worn: Mapping[str, Garment], line: Colour) -> None:
    """Shoulders around a head."""
    x1, y1, x2, y2 = box
    upper = next((worn[kind] for kind in ("outer", *_UPPER, "dress") if kind in worn), None)
    middle = (round((x1 + x2) / 2), round((y1 + y2) / 2))
    radius = min(x2 - x1, y2 - y1) / 2
    hat = worn.get("hat")
    for share, colour in (
        ((0.95, 0.6), _colour(upper) if upper else _PAPER),
        ((0.38, 0.42), _colour(hat) if hat else _PAPER),
    ):
        axes = (max(round(share[0] * radius), 1), max(round(share[1] * radius), 1))
        cv2.ellipse(image, middle, axes, 0, 0, 360, colour, -1, cv2.LINE_AA)
        cv2.ellipse(image, middle, axes, 0, 0, 360, line, 1 if radius < 60 else 2, cv2.LINE_AA)


def _tag(image: Image, person: Person, level: int | None, vote: float | None, dyes: tuple[Colour, Colour]) -> None:
    """The number, and the comfort as a coloured dot and the expected vote; `dyes` are those of ground and letters."""
    height, width = image.shape[:2]
    size = max(round(height / 34), 11)
    words = f"{person.track_id}" + ("" if vote is None else f"  {vote:+.1f}")
    mark = None if level is None else _LEVELS.get(level)
    pad, dot = size // 3, size if mark else 0
    wide, high = text_width(words, size, 600) + 2 * pad + dot, size + 2 * pad
    x = round(min(max((person.box[0] + person.box[2] - wide) / 2, 0), max(width - wide, 0)))
    y = round(min(max(person.box[1] - high - 2, 0), max(height - high, 0)))
    ground, ink = dyes
    cv2.rectangle(image, (x, y), (x + wide, y + high), ground, -1)
    cv2.rectangle(image, (x, y), (x + wide, y + high), ink, 1)
    if mark:
        cv2.circle(image, (x + pad + size // 3, y + high // 2), size // 3, mark, -1, cv2.LINE_AA)
    put_text(image, words, x + pad + dot, y + high - pad * 1.3, size, ink, 600)


def _colour(garment: Garment | None) -> Colour:
    """The heaviest colour of a garment, BGR; paper where none is known."""
    if garment is None or not garment.colours:
        return _BARE
    red, green, blue = garment.colours[0].rgb
    return blue, green, red
