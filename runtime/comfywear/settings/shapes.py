"""What can be wrong with outlines of zones, masks and lines; said of a file and, while they are drawn, on the page."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from comfywear.settings.polygons import PicturePoint, area, crosses_itself, shared_part

__all__ = [
    "SHORTEST_LINE",
    "DrawnShape",
    "ShapeFinding",
    "ShapeKind",
    "findings",
    "is_tiny",
    "outline_fault",
    "overlap",
]

ShapeKind = Literal["zone", "mask", "line"]
FindingCode = Literal["few", "crosses", "short", "name", "twice", "tiny", "overlaps", "whole"]

SHORTEST_LINE = 0.02
_LITTLE_SHARED = 0.002
_TINY = 0.002
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class DrawnShape:
    """An outline in a camera's picture.

    Attributes:
        kind: A zone, a mask, or a line with two ends.
        name: Of it; a mask needs none.
        points: Corners (x, y) in parts of the picture's width and height, 0…1; none = a zone that is all of it.
        place: Its place in its list of the settings, from 0; None for a new one.
    """

    kind: ShapeKind
    name: str
    points: tuple[PicturePoint, ...] = ()
    place: int | None = None


@dataclass(frozen=True, slots=True)
class ShapeFinding:
    """What is wrong with an outline, or doubtful.

    Attributes:
        shape: Its place among those that were drawn, from 0.
        code: "few" corners, sides that "crosses", a "short" line, a "name" that cannot stand in topics or is there
            "twice", a "tiny" area, "overlaps" with another zone, "whole" for more than one zone that is all of the
            picture.
        blocks: Whether it cannot be kept so.
        other: The place of the other zone.
        part: The part of the picture that is shared, or of the area, 0…1.
    """

    shape: int
    code: FindingCode
    blocks: bool = True
    other: int | None = None
    part: float | None = None


def outline_fault(polygon: Sequence[PicturePoint]) -> Literal["few", "crosses"] | None:
    """Why a polygon is no area; one without corners is the whole picture."""
    if 0 < len(polygon) < 3:
        return "few"
    return "crosses" if crosses_itself(polygon) else None


def is_tiny(polygon: Sequence[PicturePoint]) -> bool:
    """Whether hardly anybody will ever stand in a polygon (a 500th of the picture)."""
    return len(polygon) > 2 and area(polygon) < _TINY


def overlap(one: Sequence[PicturePoint], other: Sequence[PicturePoint]) -> float:
    """The part of the picture, 0…1, that two zones share; 0 for what neighbours always do."""
    part = shared_part(one, other)
    return part if part > _LITTLE_SHARED else 0.0


def findings(shapes: Sequence[DrawnShape]) -> Iterator[ShapeFinding]:
    """What is wrong with the shapes of one picture, and what is doubtful."""
    for index, shape in enumerate(shapes):
        if shape.kind != "mask" and not _NAME.fullmatch(shape.name):
            yield ShapeFinding(index, "name")
        elif shape.kind != "mask" and shape.name in [each.name for each in shapes[:index] if each.kind == shape.kind]:
            yield ShapeFinding(index, "twice")
        if shape.kind == "line":
            if len(shape.points) != 2:
                yield ShapeFinding(index, "few")
            elif math.dist(*shape.points) < SHORTEST_LINE:
                yield ShapeFinding(index, "short")
        elif fault := outline_fault(shape.points) or ("few" if shape.kind == "mask" and not shape.points else None):
            yield ShapeFinding(index, fault)
        elif is_tiny(shape.points):
            yield ShapeFinding(index, "tiny", False, part=area(shape.points))
    zones = [(index, shape.points) for index, shape in enumerate(shapes) if shape.kind == "zone"]
    for index, _ in [(index, points) for index, points in zones if not points][1:]:
        yield ShapeFinding(index, "whole", False)
    for (index, points), (other, its) in combinations([zone for zone in zones if len(zone[1]) > 2], 2):
        if part := overlap(points, its):
            yield ShapeFinding(other, "overlaps", False, index, part)
