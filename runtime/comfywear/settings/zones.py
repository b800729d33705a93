"""`[[zones]]`: the parts of a room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from comfywear.errors import UsageError
from comfywear.settings.types import Fraction, Name, Section
from comfywear.texts import Text


class ViewSettings(Section, frozen=True):
    """How one of the two cameras sees a zone that both see: people seen by both count once."""

    camera: Annotated[Name, Meta(title="Camera", description="The name of one of the [[cameras]].")]
    polygon: Annotated[
        list[tuple[Fraction, Fraction]],
        Meta(title="Polygon", description="The zone's corners in this camera's picture; empty = the whole picture."),
    ] = msgspec.field(default_factory=list)
    floor: Annotated[
        list[tuple[Fraction, Fraction, float, float]],
        Meta(
            title="Floor",
            description="Four points of the floor, each [x, y, metres, metres]: in parts of this picture, and where it "
            "is on the floor from a corner of the room, the same corner for both views. With them people are matched "
            "by where they stand; without, by what they wear.",
        ),
    ] = msgspec.field(default_factory=list)


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)
Met = Annotated[float, Meta(ge=0.8, le=4)]
_Start = Annotated[str, Meta(pattern="^(?:[01][0-9]|2[0-3]):[0-5][0-9]$")]
_End = Annotated[str, Meta(pattern="^(?:[01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]


class ScheduleSettings(Section, frozen=True):
    """What the people of a zone do at some hours of some days; the first entry that holds counts."""

    start: Annotated[_Start, Meta(title="Start", description='Local time, such as "08:00".')]
    end: Annotated[
        _End,
        Meta(
            title="End",
            description='Local time, up to "24:00"; not after the start = it goes on over midnight.',
        ),
    ]
    met: Annotated[Met, Meta(title="Activity", description="As in [comfort].", extra={"unit": "met"})]
    days: Annotated[list[Day], Meta(title="Days", description="On which it begins; empty = every day.")] = (
        msgspec.field(default_factory=list)
    )


class SunSettings(Section, frozen=True):
    """How the sun outdoors reaches people in a zone; without this table none does."""

    body_exposed: Annotated[
        Fraction,
        Meta(title="Body in the sun", description="Share of a person's body that the sun reaches, 0…1."),
    ] = 0.5
    transmittance: Annotated[
        Fraction, Meta(title="Transmittance", description="Of window and blind together, 0…1.")
    ] = 0.6
    sky_view: Annotated[
        Fraction, Meta(title="Sky view", description="Share of the sky that people see through the window, 0…1.")
    ] = 0.2
    window_azimuth_deg: Annotated[
        Annotated[float, Meta(ge=0, le=360)] | None,
        Meta(
            title="Window faces",
            description="0 north, 90 east, 180 south, 270 west; the beam comes in while the sun is less than 90° "
            "beside that. Left out = whenever it is up.",
            extra={"unit": "°"},
        ),
    ] = None


class ZoneSettings(Section, frozen=True):
    """A part of the room that has its own climate, people and votes."""

    name: Annotated[Name, Meta(title="Name", description="Stands in topics: letters, digits, _ and -.")]
    polygon: Annotated[
        list[tuple[Fraction, Fraction]],
        Meta(
            title="Polygon",
            description="Corners [x, y] in parts of the picture's width and height; empty = the whole picture.",
        ),
    ] = msgspec.field(default_factory=list)
    camera: Annotated[
        str,
        Meta(title="Camera", description="The one of several [[cameras]] that sees it; with a single one left out."),
    ] = ""
    views: Annotated[
        list[ViewSettings],
        Meta(
            title="Views",
            description="[[zones.views]] tables in place of camera and polygon, for a zone that two cameras see "
            "(docs/vision.md).",
        ),
    ] = msgspec.field(default_factory=list)
    met: Annotated[
        Met | None,
        Meta(
            title="Activity",
            description="Of the people here: 1.0 seated, 1.2 office or school, 1.6 standing work, 2.0 housework "
            "(docs/comfort.md, Activity). Left out = comfort.met.",
            extra={"unit": "met"},
        ),
    ] = None
    schedule: Annotated[
        list[ScheduleSettings],
        Meta(title="Schedule", description="[[zones.schedule]] tables: the activity at some hours."),
    ] = msgspec.field(default_factory=list)
    sun: Annotated[
        SunSettings | None,
        Meta(
            title="Sun",
            description="A [zones.sun] table: the sun of [outdoors] reaches people here (docs/comfort.md, Sun). "
            "Left out = no sunshine in the room.",
        ),
    ] = None
    enter_s: Annotated[
        Annotated[float, Meta(ge=0, le=600)],
        Meta(
            title="Enter after",
            description="Somebody counts as present when they have been seen in the zone for so long.",
            extra_json_schema={"unit": "s"},
        ),
    ] = 1.0
    leave_s: Annotated[
        Annotated[float, Meta(ge=0, le=3600)],
        Meta(
            title="Leave after",
            description="Somebody has left when they have not been seen in the zone for so long; longer where people "
            "are often hidden.",
            extra_json_schema={"unit": "s"},
        ),
    ] = 8.0
    number: Annotated[
        Annotated[int, Meta(ge=0, le=600)],
        Meta(
            title="Number",
            description="Of its registers and objects in the building's protocols (docs/building.md); 0 = its place "
            "among the zones of this file, from 1.",
        ),
    ] = 0


def zone_numbers(zones: Sequence[ZoneSettings]) -> dict[int, str]:
    """The zones by their numbers in the building's protocols: the one that is given, or its place in the file."""
    return {zone.number or place: zone.name for place, zone in enumerate(zones, 1)}


def which_zone(zone: str | None, zones: Sequence[str], unsaid: str = Text("say which zone; the zones are")) -> str:
    """The zone that is meant; None means the only one.

    Args:
        zone: What was said.
        zones: Those that there are.
        unsaid: What to say where a zone must be named.

    Raises:
        UsageError: When there is no such zone, or it must be said.
    """
    if zone is None and len(zones) == 1:
        return zones[0]
    if zone is None:
        raise UsageError(Text("{unsaid}: {zones}", unsaid=unsaid, zones=", ".join(zones)))
    if zone not in zones:
        raise UsageError(
            Text("no zone is named {zone}; the zones are: {zones}", zone=repr(zone), zones=", ".join(zones))
        )
    return zone
