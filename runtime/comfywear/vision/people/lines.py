"""Who crosses a line on the floor, and in which direction. Pure: time is given."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from comfywear.records import Person
from comfywear.settings.polygons import PicturePoint, side, sides_cross

__all__ = ["Crossing", "LineCrossings", "LineOnFloor"]

# Feet are on a side when they are this part of the person's height away from the line: boxes wobble by less.
_CLEAR = 0.05
# Who was not seen for so long begins anew: where they walked meanwhile nobody knows.
_FORGET_S = 10.0


@dataclass(frozen=True, slots=True)
class LineOnFloor:
    """A line from `a` to `b` (x, y in parts of the picture); `inside` is the side of that way which is in."""

    name: str
    a: PicturePoint
    b: PicturePoint
    inside: Literal["left", "right"]


class Crossing(NamedTuple):
    """Somebody crossed a line."""

    line: str
    kind: Literal["in", "out"]
    track_id: int


class _Stand(NamedTuple):
    """Where somebody last stood clear of a line, and on which side."""

    place: PicturePoint
    right: bool
    seen_s: float


class LineCrossings:
    """Follows the feet of those in a camera's picture over its lines.

    Somebody has crossed when their feet were clear of the line on one side, then on the other, and the way between
    the two leads over the line and not around its end. Standing on the line, or wobbling over it, is no crossing.
    """

    def __init__(self, lines: Sequence[LineOnFloor]) -> None:
        self._lines = tuple(lines)
        self._stood: dict[tuple[str, int], _Stand] = {}

    def update(self, persons: Iterable[Person], width: int, height: int, now_s: float) -> list[Crossing]:
        """Who crossed which line between the frame before and this one, in a picture of `width` × `height` pixels."""
        if not self._lines:
            return []
        self._stood = {key: each for key, each in self._stood.items() if now_s - each.seen_s <= _FORGET_S}
        found = []
        for person in persons:
            x1, y1, x2, y2 = person.box
            feet = (0.5 * (x1 + x2) / width, y2 / height)
            for line in self._lines:
                key = line.name, person.track_id
                before = self._stood.get(key)
                away_px = _away(line, feet, width, height)
                if abs(away_px) < _CLEAR * (y2 - y1):
                    if before is not None:
                        self._stood[key] = before._replace(seen_s=now_s)
                    continue
                right = away_px > 0.0
                if before is not None and before.right != right and sides_cross(line.a, line.b, before.place, feet):
                    found.append(
                        Crossing(line.name, "in" if right == (line.inside == "right") else "out", person.track_id)
                    )
                self._stood[key] = _Stand(feet, right, now_s)
        return found


def _away(line: LineOnFloor, feet: PicturePoint, width: int, height: int) -> float:
    """How many pixels feet are away from the endless line: more than 0 on its right, as the picture shows it."""
    a, b, p = ((x * width, y * height) for x, y in (line.a, line.b, feet))
    return side(a, b, p) / math.dist(a, b)
