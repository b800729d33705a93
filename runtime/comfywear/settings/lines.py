"""`[[lines]]`: lines across a door or a passage, over which people are counted in and out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from msgspec import Meta

from comfywear.settings.polygons import PicturePoint, centre, side
from comfywear.settings.shapes import SHORTEST_LINE
from comfywear.settings.types import Fraction, Name, Section
from comfywear.texts import Text

__all__ = ["LineSettings", "inside_of", "line_faults"]


class LineSettings(Section, frozen=True):
    """A line on the floor of a camera's picture: whose feet cross it is counted in or out (docs/vision.md)."""

    name: Annotated[Name, Meta(title="Name", description="Stands in topics: letters, digits, _ and -.")]
    points: Annotated[
        list[tuple[Fraction, Fraction]],
        Meta(title="Points", description="Its two ends [x, y], in parts of the picture's width and height."),
    ]
    camera: Annotated[
        str, Meta(title="Camera", description="In whose picture, of several [[cameras]]; with a single one left out.")
    ] = ""
    inside: Annotated[
        Literal["left", "right"],
        Meta(
            title="Inside",
            description="The side that counts as in, seen in the picture from the first point towards the second.",
        ),
    ] = "left"
    zone: Annotated[
        str,
        Meta(
            title="Zone",
            description="In place of inside: a zone with a polygon in this camera's picture; the side of its middle is "
            "in. Empty = inside says it.",
        ),
    ] = ""


def inside_of(line: LineSettings, polygons: Mapping[str, Sequence[PicturePoint]]) -> Literal["left", "right"]:
    """The side that counts as in; `polygons` are those of the zones in the line's camera's picture."""
    if not line.zone:
        return line.inside
    return "right" if side(line.points[0], line.points[1], centre(polygons[line.zone])) > 0 else "left"


def line_faults(
    lines: Sequence[LineSettings], polygons: Mapping[str, Mapping[str, Sequence[PicturePoint]]]
) -> Iterator[tuple[str, str]]:
    """The field's path and what is wrong with it.

    Args:
        lines: Of the settings.
        polygons: Of the zones that each camera sees, by camera and zone.
    """
    names, cameras = [line.name for line in lines], ", ".join(polygons) or "none"
    for index, line in enumerate(lines):
        path = f"lines[{index}]"
        if line.name in names[:index]:
            yield f"{path}.name", Text("Two lines are named {name}", name=repr(line.name))
        if len(line.points) != 2:
            yield (
                f"{path}.points",
                Text("A line has two points, [[x, y], [x, y]], not {points}", points=len(line.points)),
            )
        elif math.dist(*line.points) < SHORTEST_LINE:
            yield (
                f"{path}.points",
                Text(
                    "The two points are less than {shortest_line} of the picture apart",
                    shortest_line=f"{SHORTEST_LINE:g}",
                ),
            )
        if line.camera and line.camera not in polygons:
            yield (
                f"{path}.camera",
                Text(
                    "No camera is named {camera}; the cameras are: {cameras}", camera=repr(line.camera), cameras=cameras
                ),
            )
            continue
        if not line.camera and len(polygons) != 1:
            said = (
                Text("Say in which camera's picture: camera = one of {cameras}", cameras=cameras)
                if polygons
                else Text("There is no camera")
            )
            yield f"{path}.name", said
            continue
        seen = polygons[line.camera or next(iter(polygons))]
        if line.zone and not seen.get(line.zone):
            known = ", ".join(zone for zone, polygon in seen.items() if polygon) or "none"
            yield (
                f"{path}.zone",
                Text("A zone with a polygon in this picture is wanted; there are: {known}", known=known),
            )
        elif (
            line.zone
            and len(line.points) == 2
            and abs(side(line.points[0], line.points[1], centre(seen[line.zone]))) < 1e-6
        ):
            yield (
                f"{path}.zone",
                Text("The line runs through the middle of this zone: say inside = left or right instead"),
            )
