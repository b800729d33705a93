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
