"""What is said of a line on the floor: who crossed it, and how many did today."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from comfywear.publishing.messages.fields import Message, Stamp, stamped
from comfywear.records import LineCount, LineCrossing

_Entered = Annotated[int, Meta(description="Crossings in today, by the device's local day.", ge=0)]
_Left = Annotated[int, Meta(description="Crossings out today.", ge=0)]


class CrossingMessage(Message, frozen=True, kw_only=True):
    """Somebody crossed a line (an event)."""

    schema: Literal["comfywear/v1/crossing"] = "comfywear/v1/crossing"
    line: Annotated[str, Meta(description="Its name in the settings.")]
    kind: Literal["in", "out"]
    id: Annotated[int, Meta(description="Track number, as in the people message.")]
    entered: _Entered
    left: _Left


class LineMessage(Message, frozen=True, kw_only=True):
    """How many crossed a line today (retained)."""

    schema: Literal["comfywear/v1/line"] = "comfywear/v1/line"
    line: Annotated[str, Meta(description="Its name in the settings.")]
    day: Annotated[str | None, Meta(description="The local day that is counted, YYYY-MM-DD; null = not known.")]
    entered: _Entered
    left: _Left


def crossing_message(crossing: LineCrossing, stamp: Stamp) -> CrossingMessage:
    """Somebody crossed a line."""
    return CrossingMessage(
        **stamped(stamp),
        line=crossing.line,
        kind=crossing.kind,
        id=int(crossing.track_id),
        entered=crossing.entered,
        left=crossing.left,
    )


def line_message(count: LineCount, stamp: Stamp) -> LineMessage:
    """How many crossed a line today."""
    return LineMessage(**stamped(stamp), line=count.line, day=count.day, entered=count.entered, left=count.left)
