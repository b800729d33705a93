"""`[device]`: who this device is and where it keeps things."""

from __future__ import annotations

import re
import socket
from typing import Annotated

from msgspec import Meta

from comfywear.settings.types import Name, Section


def _machine_name() -> str:
    """A topic-safe name from the host name."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", socket.gethostname())[:64].strip("-") or "comfywear"


class DeviceSettings(Section, frozen=True):
    """Who this device is and where it keeps what it must not lose."""

    site: Annotated[Name, Meta(title="Site", description="First part of every MQTT topic: the building.")] = "home"
    id: Annotated[
        str,
        Meta(
            title="Device id",
            description="Second part of every topic; empty = the host name. Two devices must never share one.",
            pattern="^[A-Za-z0-9_-]{0,64}$",
        ),
    ] = ""
    state_dir: Annotated[
        str,
        Meta(
            title="State folder",
            description="Votes, unsent messages and the control socket. Empty = $STATE_DIRECTORY (set by systemd), "
            "else ~/.local/state/comfywear.",
        ),
    ] = ""

    language: Annotated[
        str,
        Meta(
            title="Language of messages",
            description="Of what messages say in words (reasons, troubles, advice) and of the names in Home Assistant: "
            "en, de. The page is in the language of whoever looks.",
            pattern="^[a-z]{2,8}$",
        ),
    ] = "en"

    def name(self) -> str:
        """The device id, from the host where the settings give none."""
        return self.id or _machine_name()
