"""The tables of the settings file about votes: how they are taken, the buttons, what is captured."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from comfywear.settings.types import Count, Days, DaysOrNone, Fraction, Megabytes, Seconds, Section


class VotesSettings(Section, frozen=True):
    """What one place (one button box, one tablet, one broker's user) may press."""

    repeat_s: Annotated[
        Annotated[float, Meta(ge=0, le=60)],
        Meta(
            title="Double press",
            description="The same level pressed again at the same place within so long counts once; 0 = never.",
            extra={"unit": "s"},
        ),
    ] = 3.0
    per_minute: Annotated[
        Count,
        Meta(title="Rate limit", description="Votes of one place in a minute, at most; 0 = any number."),
    ] = 20
    undo_s: Annotated[
        Annotated[float, Meta(ge=0, le=3600)],
        Meta(title="Undo", description="How long a vote can be taken back.", extra={"unit": "s"}),
    ] = 60.0
    keep_days: Annotated[
        DaysOrNone,
        Meta(
            title="Kept for",
            description="Older votes are deleted; 0 = they are kept for ever, about 1 MB a thousand. Days are counted "
            "up to now, but not further than 30 days after the newest vote: a clock that jumps deletes nothing.",
            extra={"unit": "d"},
        ),
    ] = 0.0
    keep_moments: Annotated[
        Annotated[int, Meta(ge=100, le=1_000_000_000)],
        Meta(
            title="Whole moments",
            description="The newest so many votes keep their whole moment, with persons and garments (about 10 kB "
            "each); older ones keep air, clothing and comfort.",
        ),
    ] = 5000


class ButtonSettings(Section, frozen=True):
    """Buttons 1–5: on GPIO pins, on a keypad, or in a serial box (docs/votes.md)."""

    source: Annotated[
        str,
        Meta(
            title="Source",
            description="gpio://?pins=5,6,13,19,26&led=17, input:///dev/input/by-id/…, or serial:///dev/serial/by-id/…",
        ),
    ]
    zone: Annotated[str, Meta(title="Zone", description="What is voted for; empty = the first zone.")] = ""
    long_press_s: Annotated[
        Annotated[float, Meta(ge=0, le=10)],
        Meta(
            title="Long press",
            description="A button held for so long takes the last vote back; 0 = never.",
            extra={"unit": "s"},
        ),
    ] = 1.5


CaptureSampler = Literal["random", "threshold", "classes", "count", "vote"]


class CaptureSettings(Section, frozen=True):
    """Crops kept on the device for labelling, faces pixelated; off unless it is switched on here."""

    enabled: Annotated[
        bool, Meta(title="Capture", description="Keep crops of persons. The page shows it while it is on.")
    ] = False
    samplers: Annotated[
        list[CaptureSampler],
        Meta(
            title="Samplers",
            description="What is worth keeping: random looks; a score close to its threshold; one of `classes`; "
            "`min_count`…`max_count` detections; a vote.",
        ),
    ] = msgspec.field(default_factory=lambda: ["threshold", "vote"])
    gap_s: Annotated[
        Seconds,
        Meta(
            title="Gap",
            description="Between two captures of one sampler: neighbouring frames teach nothing new.",
            extra={"unit": "s"},
        ),
    ] = 300.0
    random_part: Annotated[Fraction, Meta(title="Random part", description="Of all looks, for `random`.")] = 0.001
    margin: Annotated[
        Fraction, Meta(title="Margin", description="How far from its threshold a score is uncertain, for `threshold`.")
    ] = 0.1
    classes: Annotated[list[str], Meta(title="Classes", description="Labels of the detector, for `classes`.")] = (
        msgspec.field(default_factory=list)
    )
    min_count: Annotated[Count, Meta(title="Least detections", description="Of any kind, for `count`.")] = 10
    max_count: Annotated[Count, Meta(title="Most detections", description="Of any kind, for `count`.")] = 1000
    max_mb: Annotated[
        Megabytes,
        Meta(title="Room", description="The oldest captures are deleted beyond it.", extra={"unit": "MB"}),
    ] = 200.0
    max_age_days: Annotated[Days, Meta(title="Age", description="Older captures are deleted.", extra={"unit": "d"})] = (
        30.0
    )
