"""The settings as they go over HTTP: the form with what the file holds, drafts, and what became of a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

import msgspec
from msgspec import Meta

from comfywear.settings.draft import DraftFault
from comfywear.settings.form import FormGroup

__all__ = [
    "SettingsDraft",
    "SettingsForm",
    "SettingsOutcome",
    "SettingsSaved",
    "SettingsSecret",
    "SettingsTaker",
]


@dataclass(frozen=True, slots=True)
class SettingsOutcome:
    """What became of the last change that was made from here.

    Attributes:
        state: "none" = there was none; "tried" = the device starts with it and is watched; "kept"; "taken back" = it
            did not come up, and the settings are what they were.
        why: Why it was taken back.
        fields: What changed, such as "zones[1].name".
    """

    state: Literal["none", "tried", "kept", "taken back"]
    why: str = ""
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SettingsForm:
    """The settings file as a form.

    Attributes:
        version: Of the file; goes back with a draft, so that nobody overwrites what somebody else wrote.
        file: Its name.
        barred: Why it cannot be changed from here; null where it can.
        values: What stands in it, as JSON; "…" stands where a secret was cut out.
        groups: The tables with their fields.
        outcome: What became of the last change.
    """

    version: str
    file: str
    barred: str | None
    values: Mapping[str, Any]
    groups: tuple[FormGroup, ...]
    outcome: SettingsOutcome


class SettingsSecret(msgspec.Struct, forbid_unknown_fields=True):
    """A secret to keep in a file of its own, which a field then names."""

    path: Annotated[list[str | int], Meta(description="The way to the field, indices from 0.", min_length=1)]
    text: Annotated[str, Meta(description="The secret; it is never given out again.", min_length=1)]


class SettingsDraft(msgspec.Struct, forbid_unknown_fields=True):
    """Settings as they should be."""

    version: Annotated[str, Meta(description="Of the file that it was made from.")]
    values: Annotated[dict[str, Any], Meta(description="The whole content of the file; what was cut out may stay so.")]
    secrets: Annotated[list[SettingsSecret], Meta(description="Secrets that are new.", max_length=16)] = []


@dataclass(frozen=True, slots=True)
class SettingsSaved:
    """Whether the file was changed and the device starts anew with it, and what is wrong with the draft."""

    changed: bool
    faults: Sequence[DraftFault] = ()


class SettingsTaker(Protocol):
    """What the page asks about the settings. Every method may be called from any thread."""

    def settings_form(self) -> SettingsForm:
        """The form with what the file holds."""

    def check_settings(self, draft: SettingsDraft) -> Sequence[DraftFault]:
        """What is wrong with a draft; nothing is changed."""

    def save_settings(self, draft: SettingsDraft) -> SettingsSaved:
        """Write a draft and start anew; raises UsageError where it may not be, StoreError where it cannot."""

    def settings_outcome(self) -> SettingsOutcome:
        """What became of the last change."""
