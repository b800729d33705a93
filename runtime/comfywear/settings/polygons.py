"""Polygons in parts of a picture: whether a point is inside, whether the outline crosses itself, what two share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

__all__ = [
    "PicturePoint",
    "area",
    "centre",
    "contains",
    "crosses_itself",
    "doubled_area",
    "shared_part",
    "side",
    "sides_cross",
]

PicturePoint = tuple[float, float]
_GRID = 100


def contains(polygon: Sequence[PicturePoint], x: float, y: float) -> bool:
    """Whether the point is inside (even-odd rule); a polygon without corners contains everything."""
    if not polygon:
        return True
    inside = False
    x1, y1 = polygon[-1]
    for x2, y2 in polygon:
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            inside = not inside
        x1, y1 = x2, y2
    return inside


def crosses_itself(polygon: Sequence[PicturePoint]) -> bool:
    """Whether two sides cross, as in a bow tie: its corners are then not in the order of the outline."""
    sides = list(zip(polygon, [*polygon[1:], *polygon[:1]], strict=True))
    return any(sides_cross(*first, *second) for first, second in combinations(sides, 2))


def sides_cross(a: PicturePoint, b: PicturePoint, c: PicturePoint, d: PicturePoint) -> bool:
    """Whether the sides a-b and c-d cross at a point that is the end of neither."""
    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def doubled_area(a: PicturePoint, b: PicturePoint, c: PicturePoint) -> float:
    """Twice the area of a triangle; 0 where its corners lie on a line."""
    return abs(side(a, b, c))


def side(a: PicturePoint, b: PicturePoint, c: PicturePoint) -> float:
    """Twice the area of the triangle: above 0 where c is on the right of the way from a to b (y grows downwards)."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def area(polygon: Sequence[PicturePoint]) -> float:
    """The part of the picture, 0…1, within an outline that does not cross itself."""
    pairs = zip(polygon, [*polygon[1:], *polygon[:1]], strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2


def centre(polygon: Sequence[PicturePoint]) -> PicturePoint:
    """The centroid of a polygon's area; the mean of its corners where it has none."""
    pairs = list(zip(polygon, [*polygon[1:], *polygon[:1]], strict=True))
    areas = [x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs]
    whole = sum(areas)
    if abs(whole) < 1e-12:
        return sum(x for x, _ in polygon) / len(polygon), sum(y for _, y in polygon) / len(polygon)
    x = sum((x1 + x2) * area for ((x1, _), (x2, _)), area in zip(pairs, areas, strict=True))
    y = sum((y1 + y2) * area for ((_, y1), (_, y2)), area in zip(pairs, areas, strict=True))
    return x / (3 * whole), y / (3 * whole)


def shared_part(one: Sequence[PicturePoint], other: Sequence[PicturePoint]) -> float:
    """The part of the picture, 0…1, that is in both; to about a hundredth of its width and height."""
    across, down = (_steps(one, other, axis) for axis in (0, 1))
    return sum(contains(one, x, y) and contains(other, x, y) for x in across for y in down) / _GRID**2


def _steps(one: Sequence[PicturePoint], other: Sequence[PicturePoint], axis: int) -> list[float]:
    """The places on an axis, of `_GRID` over the picture, that may lie in both polygons."""
    low = max((min(corner[axis] for corner in polygon) for polygon in (one, other) if polygon), default=0.0)
    high = min((max(corner[axis] for corner in polygon) for polygon in (one, other) if polygon), default=1.0)
    return [at for step in range(_GRID) if low <= (at := (step + 0.5) / _GRID) <= high]
