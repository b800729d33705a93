"""Zones, masks and lines as they are drawn in a camera's picture, and the changes of the file that a drawing is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comfywear.errors import UsageError
from comfywear.settings.edit import FieldPath
from comfywear.settings.file import Settings
from comfywear.settings.shapes import DrawnShape, ShapeKind
from comfywear.settings.views import ONLY, cameras_of, views_of
from comfywear.texts import Text

__all__ = ["changes_of", "shapes_of"]

_DIGITS = 4  # of a corner: a tenth of a pixel in a thousand
Changes = dict[FieldPath, Any]


def shapes_of(settings: Settings, camera: str) -> list[DrawnShape]:
    """What is drawn in a camera's picture: zones, then masks, then lines, each in the file's order."""
    seen = views_of(settings, camera)
    shapes = [
        DrawnShape("zone", zone.name, seen[zone.name].polygon, place)
        for place, zone in enumerate(settings.zones)
        if zone.name in seen
    ]
    shapes += [
        DrawnShape("mask", mask.name, tuple(mask.polygon), place)
        for place, mask in enumerate(cameras_of(settings)[camera].mask)
    ]
    several = len(settings.cameras) > 1
    shapes += [
        DrawnShape("line", line.name, tuple(line.points), place)
        for place, line in enumerate(settings.lines)
        if not several or line.camera == camera
    ]
    return shapes


def changes_of(settings: Settings, data: Mapping[str, Any], camera: str, shapes: Sequence[DrawnShape]) -> Changes:
    """What changes in the file when these are all the shapes of a camera's picture; what was left out is taken away.

    Args:
        settings: Of the file.
        data: The file's content as it stands there.
        camera: In whose picture.
        shapes: All of them. The name of a zone that is there already stays: votes and topics are kept by it.

    Raises:
        UsageError: For a place that there is none of.
    """
    before = {(shape.kind, shape.place): shape for shape in shapes_of(settings, camera)}
    drawn = {(shape.kind, shape.place): shape for shape in shapes}
    for kind, place in drawn.keys() - before.keys():
        if place is not None:
            raise UsageError(Text("there is no {kind} at the place {place} of this picture's", kind=kind, place=place))
    changes: Changes = {}
    for (kind, place), shape in before.items():
        table: FieldPath = (*_list_of(settings, camera, kind), place or 0)
        kept = drawn.get((kind, place))
        changes |= {table: None} if kept is None else _moved(settings, camera, table, shape, kept)
    behind: dict[ShapeKind, int] = {kind: _count(settings, camera, kind) for kind in ("zone", "mask", "line")}
    for shape in shapes:
        if shape.place is None:
            table = (*_list_of(settings, camera, shape.kind), behind[shape.kind])
            changes[table] = _table(settings, camera, shape)
            behind[shape.kind] += 1
    if not data.get("zones") and any(path[0] == "zones" for path in changes):
        return _first_zones(settings, camera, changes, shapes)
    return changes


def _first_zones(settings: Settings, camera: str, changes: Changes, shapes: Sequence[DrawnShape]) -> Changes:
    """The changes of a file without zones: the default's only one has no table yet."""
    tables = [_table(settings, camera, shape) for shape in shapes if shape.kind == "zone"]
    others = {path: value for path, value in changes.items() if path[0] != "zones"}
    return others | {("zones", place): table for place, table in enumerate(tables)}


def _moved(settings: Settings, camera: str, table: FieldPath, before: DrawnShape, after: DrawnShape) -> Changes:
    changes: Changes = {}
    if _corners(before) != _corners(after):
        field: FieldPath = ("points",) if after.kind == "line" else ("polygon",)
        if after.kind == "zone" and (views := settings.zones[int(table[1])].views):
            field = ("views", next(number for number, view in enumerate(views) if view.camera == camera), "polygon")
        changes |= {(*table, *field): _corners(after)}
    if after.kind != "zone" and after.name != before.name:
        changes |= {(*table, "name"): after.name}
    return changes


def _table(settings: Settings, camera: str, shape: DrawnShape) -> dict[str, Any]:
    table: dict[str, Any] = {"name": shape.name} if shape.name else {}
    if shape.points:
        table["points" if shape.kind == "line" else "polygon"] = _corners(shape)
    if shape.kind != "mask" and len(settings.cameras) > 1:
        table["camera"] = camera
    return table


def _list_of(settings: Settings, camera: str, kind: ShapeKind) -> FieldPath:
    if kind != "mask":
        return (f"{kind}s",)
    if not settings.cameras and camera == ONLY:
        return ("camera", "mask")
    return ("cameras", [each.name for each in settings.cameras].index(camera), "mask")


def _count(settings: Settings, camera: str, kind: ShapeKind) -> int:
    if kind == "mask":
        return len(cameras_of(settings)[camera].mask)
    return len(settings.zones if kind == "zone" else settings.lines)


def _corners(shape: DrawnShape) -> list[list[float]]:
    return [[round(x, _DIGITS), round(y, _DIGITS)] for x, y in shape.points]
