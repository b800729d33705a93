"""Which part of the room somebody is in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from comfywear.errors import UsageError
from comfywear.records import Box
from comfywear.settings.polygons import contains

__all__ = ["ZoneArea", "zone_of"]


@dataclass(frozen=True, slots=True)
class ZoneArea:
    """A zone of the picture.

    Attributes:
        name: As in the settings.
        polygon: Corners (x, y) in parts of the picture's width and height, 0…1; empty = the whole picture.
    """

    name: str
    polygon: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if 0 < len(self.polygon) < 3:
            raise UsageError(f"the polygon of zone {self.name!r} needs three corners or more")

    def contains(self, x: float, y: float) -> bool:
        """Whether the point is inside (even-odd rule); a zone without corners contains everything."""
        return contains(self.polygon, x, y)


def zone_of(box: Box, width: int, height: int, zones: Sequence[ZoneArea]) -> str:
    """The zone that the middle of the lower edge of `box` stands in, in a picture of `width` × `height` pixels.

    Zones with corners come before a zone that is the whole picture; of several the first counts. "" when the box is in
    none of them.
    """
    x, y = 0.5 * (box[0] + box[2]) / width, min(box[3] / height, 1.0 - 1e-6)
    for zone in sorted(zones, key=lambda zone: not zone.polygon):
        if zone.contains(x, y):
            return zone.name
    return ""
