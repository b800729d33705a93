"""`[comfort]`: what no sensor says and the models assume."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from comfywear.settings.types import Section


class ComfortSettings(Section, frozen=True):
    """What no sensor says and the models assume."""

    met: Annotated[
        Annotated[float, Meta(ge=0.8, le=4)],
        Meta(
            title="Activity", description="1.0 seated, 1.2 light office work, 1.6 standing work.", extra={"unit": "met"}
        ),
    ] = 1.1
    walking: Annotated[
        bool,
        Meta(
            title="Walking",
            description="Let the camera see how much people walk, and count it into their activity; it needs two "
            "frames a second or more (docs/comfort.md, Activity).",
        ),
    ] = False
    air_speed_m_s: Annotated[
        Annotated[float, Meta(ge=0, le=2)],
        Meta(title="Air speed", description="Where no sensor measures it.", extra={"unit": "m/s"}),
    ] = 0.1
