"""`[outdoors]`: who says how warm, humid and sunny it is outdoors."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from comfywear.settings.types import Seconds, Section


class OutdoorsSettings(Section, frozen=True):
    """The weather outdoors: without it the device neither knows nor assumes any."""

    uris: Annotated[
        list[str],
        Meta(
            title="URIs",
            description="Sensors outdoors or topics of them, as in [[sensors]] (docs/sensors.md): temperature, "
            "humidity, irradiance (global, on the horizontal). Empty = the weather plays no part.",
        ),
    ] = msgspec.field(default_factory=list)
    every_s: Annotated[
        Seconds,
        Meta(title="Interval", description="How often a sensor is asked that waits to be asked.", extra={"unit": "s"}),
    ] = 60.0
    stale_after_s: Annotated[
        Seconds,
        Meta(
            title="Stale after",
            description="A value that was not heard for so long is not used; longer for what speaks on change alone.",
            extra={"unit": "s"},
        ),
    ] = 7200.0
    window_advice: Annotated[
        bool,
        Meta(title="Window advice", description="Say when opening a window would help (docs/comfort.md, Outdoors)."),
    ] = True
