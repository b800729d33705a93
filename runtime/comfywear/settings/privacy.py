"""The privacy table: a switch at the device after which no camera looks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from comfywear.errors import UsageError
from comfywear.settings.button_uri import parse_button_uri, parse_switch_uri
from comfywear.settings.types import Section
from comfywear.texts import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from comfywear.settings.feedback import ButtonSettings

__all__ = ["PrivacySettings", "privacy_faults"]


class PrivacySettings(Section, frozen=True):
    """A switch after which no camera looks; it can be switched from elsewhere without one (docs/vision.md)."""

    pin: Annotated[
        str,
        Meta(
            title="Pin",
            description="gpio://?pin=22 (BCM number): while a switch connects this pin to ground, every camera's "
            "process is ended, whatever else says; &active=high where the switch connects it to 3.3 V. Empty = none.",
        ),
    ] = ""


def privacy_faults(privacy: PrivacySettings, buttons: Sequence[ButtonSettings]) -> Iterator[tuple[str, str]]:
    """The field and what is wrong with it: a pin that cannot be meant, or that a button has."""
    if not privacy.pin:
        return
    try:
        pin = parse_switch_uri(privacy.pin).pin
    except UsageError as error:
        yield "pin", str(error)
        return
    for each in buttons:
        found = parse_button_uri(each.source)
        if pin in (*getattr(found, "pins", ()), getattr(found, "led", None), getattr(found, "buzzer", None)):
            yield "pin", Text("GPIO {pin} is used by the buttons {source}", pin=pin, source=each.source)
