"""`[[sensors]]` and `[climate]`: what measures the air, and when a reading is believed."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from comfywear.settings.types import Positive, Seconds, SecondsOrNone, Section


class SelfHeatingSettings(Section, frozen=True):
    """How a board warms the sensor beside it (docs/calibration.md); without this table nothing is taken away."""

    gain: Annotated[
        Annotated[float, Meta(ge=0, le=0.5)],
        Meta(
            title="Gain",
            description="What part of (board − reading) is taken from each temperature, as `comfywear calibrate` finds "
            "it. The humidity follows: the air's water stays the same.",
        ),
    ]
    most_k: Annotated[
        Annotated[float, Meta(ge=0, le=8)],
        Meta(title="At most", description="More is never taken from a temperature.", extra={"unit": "K"}),
    ] = 3.0


class SensorSettings(Section, frozen=True):
    """A temperature and humidity sensor."""

    uri: Annotated[
        str,
        Meta(
            title="URI",
            description="serial:///dev/serial/by-id/…?baud=9600, replay:///file.csv, and others (docs/sensors.md).",
        ),
    ]
    zone: Annotated[str, Meta(title="Zone", description="Whose air it measures; empty = the first zone.")] = ""
    temp_offset_k: Annotated[
        float, Meta(title="Temperature offset", description="Added to every reading.", extra={"unit": "K"})
    ] = 0.0
    temp_gain: Annotated[
        Positive,
        Meta(title="Temperature gain", description="Every reading is multiplied by it, then the offset added."),
    ] = 1.0
    humidity_offset_pct: Annotated[
        float, Meta(title="Humidity offset", description="Added to every reading.", extra={"unit": "%"})
    ] = 0.0
    humidity_gain: Annotated[
        Positive, Meta(title="Humidity gain", description="Every reading is multiplied by it, then the offset added.")
    ] = 1.0
    self_heating: Annotated[
        SelfHeatingSettings | None,
        Meta(
            title="Self-heating",
            description="A [sensors.self_heating] table: the warmth of the board is taken away. Left out = it is not.",
        ),
    ] = None
    every_s: Annotated[
        Seconds,
        Meta(title="Interval", description="How often a sensor is asked that waits to be asked.", extra={"unit": "s"}),
    ] = 2.0


class ClimateSettings(Section, frozen=True):
    """When a reading is believed, and for how long."""

    stale_after_s: Annotated[
        Seconds,
        Meta(title="Stale after", description="Without a reading for so long, values are null.", extra={"unit": "s"}),
    ] = 120.0
    time_constant_s: Annotated[
        SecondsOrNone,
        Meta(title="Time constant", description="Of the smoothing of every value; 0 = none.", extra={"unit": "s"}),
    ] = 30.0
    stuck_after_s: Annotated[
        SecondsOrNone,
        Meta(
            title="Stuck after",
            description="A sensor that says exactly the same for so long is not used; 0 = never.",
            extra={"unit": "s"},
        ),
    ] = 3600.0
