"""Zones, masks and lines of a device that is made up: what is kept can be looked at."""

from __future__ import annotations

from collections.abc import Sequence

from comfywear import web
from comfywear.errors import UsageError
from comfywear.settings.polygons import contains
from comfywear.settings.shapes import DrawnShape, findings

LEFT = ((0.0, 0.2), (0.4, 0.2), (0.4, 0.9), (0.0, 0.9))


class Plan:
    """One zone, one that is the whole picture, and a mask; somebody stands at (0.3, 0.8)."""

    def __init__(self) -> None:
        self.shapes: tuple[DrawnShape, ...] = (
            DrawnShape("zone", "desk", LEFT, 0),
            DrawnShape("zone", "window", (), 1),
            DrawnShape("mask", "screen", ((0.8, 0.1), (0.9, 0.1), (0.9, 0.3)), 0),
        )
        self.version = 1

    def drawing(self, camera: str | None) -> web.Drawing:
        if camera not in (None, "", "camera", "south", "north"):
            raise UsageError(f"no camera is named {camera!r}")
        return web.Drawing(camera or "camera", str(self.version), False, self.shapes)

    def check(self, camera: str | None, shapes: Sequence[DrawnShape]) -> web.CheckedDrawing:
        stand = [int(each.kind == "zone" and bool(each.points) and contains(each.points, 0.3, 0.8)) for each in shapes]
        return web.CheckedDrawing(tuple(findings(shapes)), tuple(stand))

    def keep(self, camera: str | None, shapes: Sequence[DrawnShape], version: str) -> None:
        if version != str(self.version):
            raise UsageError("the settings file was changed by somebody else meanwhile")
        self.shapes, self.version = tuple(shapes), self.version + 1
