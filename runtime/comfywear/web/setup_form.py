"""The first run in the browser, as it goes over HTTP: what is set up so far, what was found, and what was tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol, get_args

import msgspec
from msgspec import Meta

from comfywear.settings.draft import DraftFault
from comfywear.settings.form import FormGroup
from comfywear.web.settings_form import SettingsSecret

__all__ = [
    "SETUP_STEPS",
    "AskStreams",
    "FoundDoor",
    "FoundStreams",
    "NetworkCamera",
    "SensorNow",
    "SetupDraft",
    "SetupFinding",
    "SetupState",
    "SetupStep",
    "SetupTaker",
    "TrySetup",
]

SetupStep = Literal["place", "camera", "sensors", "zones", "broker", "homeassistant", "password", "done"]
SETUP_STEPS: tuple[SetupStep, ...] = get_args(SetupStep)


@dataclass(frozen=True, slots=True)
class SetupState:
    """What is set up so far.

    Attributes:
        file: The settings file that will be made.
        step: Where it was left.
        values: As `SettingsForm.values`.
        groups: As `SettingsForm.groups`.
        faults: What is wrong with it.
        network: Whether the page is open to the network, so that it needs a password.
    """

    file: str
    step: SetupStep
    values: Mapping[str, Any]
    groups: tuple[FormGroup, ...]
    faults: Sequence[DraftFault]
    network: bool


class SetupDraft(msgspec.Struct, forbid_unknown_fields=True):
    """What was set up, and where it is left."""

    step: SetupStep
    values: Annotated[dict[str, Any], Meta(description="The whole content of the file to be.")]
    secrets: Annotated[list[SettingsSecret], Meta(max_length=16)] = []


class TrySetup(msgspec.Struct, forbid_unknown_fields=True):
    """A step to try."""

    step: SetupStep


@dataclass(frozen=True, slots=True)
class FoundDoor:
    """A camera or sensor that was found: its address, and what to know about it."""

    uri: str
    note: str


@dataclass(frozen=True, slots=True)
class NetworkCamera:
    """A camera that answered in the network, and what it calls itself."""

    host: str
    name: str


class AskStreams(msgspec.Struct, forbid_unknown_fields=True):
    """A camera that was found in the network, asked for its streams; an empty `user` is no login."""

    host: Annotated[str, Meta(max_length=64)]
    user: Annotated[str, Meta(max_length=128)] = ""
    password: Annotated[str, Meta(max_length=256)] = ""


@dataclass(frozen=True, slots=True)
class FoundStreams:
    """What a camera says: its streams without a login, or that it wants a login, refuses this one, or is silent."""

    state: Literal["good", "login", "refused", "silent"]
    streams: Sequence[FoundDoor] = ()


@dataclass(frozen=True, slots=True)
class SensorNow:
    """What a sensor of the draft says: °C, % relative humidity, or why it says nothing.

    `fahrenheit` is true where its numbers look like °F.
    """

    uri: str
    air_temp_c: float | None
    humidity_pct: float | None
    said: str | None
    fahrenheit: bool


@dataclass(frozen=True, slots=True)
class SetupFinding:
    """What `comfywear doctor` says of a subject, and what to do about it."""

    what: str
    state: Literal["good", "note", "warning", "fault"]
    said: str
    do: str


class SetupTaker(Protocol):
    """What the first run's page asks. Every method may be called from any thread."""

    def state(self) -> SetupState:
        """What is set up so far."""

    def keep(self, draft: SetupDraft) -> SetupState:
        """Keep what was set up, to be taken up again; raises StoreError where it cannot be kept."""

    def attempt(self, step: SetupStep) -> Sequence[SetupFinding]:
        """Doctor's check of a step."""

    def cameras(self) -> Sequence[FoundDoor]:
        """Cameras that are there."""

    def network_cameras(self) -> Sequence[NetworkCamera]:
        """Cameras in the network; takes seconds."""

    def streams(self, asked: AskStreams) -> FoundStreams:
        """What one of them gives; raises UsageError for one that was not found."""

    def sensors(self) -> Sequence[FoundDoor]:
        """Sensors that are there."""

    def readings(self) -> Sequence[SensorNow]:
        """What the sensors of the draft say now."""

    def sketch(self) -> bytes | None:
        """What the camera of the draft sees now, as a sketch in JPEG."""

    def finish(self) -> None:
        """Make the settings file and begin; raises UsageError while something is wrong."""
