"""The table of the settings file about Home Assistant."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from comfywear.settings.types import Section


class HomeassistantSettings(Section, frozen=True):
    """Home Assistant finds the device by itself when both use one broker (docs/mqtt.md)."""

    enabled: Annotated[
        bool,
        Meta(
            title="Enabled",
            description="Describe the device to Home Assistant; false = take back what was told.",
        ),
    ] = True
    prefix: Annotated[
        str,
        Meta(
            title="Prefix",
            description="As in Home Assistant's MQTT settings.",
            pattern="^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,3}$",
        ),
    ] = "homeassistant"
    view: Annotated[
        bool,
        Meta(
            title="View",
            description="Send the view of each camera (web.view: drawn, nobody is to be known on it) as a camera of "
            "Home Assistant. Whoever may read the device's topics at the broker sees it too.",
        ),
    ] = False
    view_every_s: Annotated[
        Annotated[float, Meta(ge=5, le=3600)],
        Meta(title="View every", description="From one view to the next.", extra={"unit": "s"}),
    ] = 15.0
