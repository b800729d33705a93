"""A backup that is uploaded: what it would change, what to keep, and how a restore ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

__all__ = ["MOST_UPLOADED", "FoundBackup", "RestoreBackup", "RestoreBegun", "RestoreEnded", "Restores"]

MOST_UPLOADED = 512 * 10**6
"""Bytes of a backup that is uploaded; `comfywear restore` takes larger ones."""


@dataclass(frozen=True, slots=True)
class FoundBackup:
    """A backup that was uploaded and is sound; nothing is changed yet.

    Attributes:
        upload: What to name when it is to be restored.
        site, device: Of the device that it is of.
        made: ISO 8601 UTC; None where that one's clock was not set.
        version: Of the program that wrote it.
        here: The id of this device; where it is not `device`, a restore of the settings must say which goes on.
        votes, votes_here: How many votes that were not taken back it holds, and the device
            (None = nobody knows now).
        names, names_here: The names that were given to zones, by zone.
        settings: The tables of the settings that differ from those that the device runs with. Secrets that were cut
            out count as another value.
        unwanted: Why its settings cannot be taken; None where they can.
        locked: Whether its secrets need a passphrase, without which its settings are not taken.
    """

    upload: str
    site: str
    device: str
    made: str | None
    version: str
    here: str
    votes: int
    votes_here: int | None
    names: Mapping[str, str]
    names_here: Mapping[str, str]
    settings: tuple[str, ...]
    unwanted: str | None
    locked: bool


class RestoreBackup(msgspec.Struct, forbid_unknown_fields=True):
    """A restore that is wanted."""

    upload: Annotated[str, Meta(description="The backup, as it was named when it was uploaded.")]
    settings: Annotated[bool, Meta(description="Whether its settings are taken too; false = the device's stay.")] = True
    passphrase: Annotated[str | None, Meta(description="Of its secrets, which come with the settings.")] = None
    takes_place: Annotated[
        bool | None,
        Meta(
            description="Where it is of another id: true = this device takes that one's place and id, false = its own "
            "id stays; null is refused then, unless its settings stay."
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class RestoreBegun:
    """The device stops, restores and starts anew; how it ended is asked afterwards."""

    begun: bool


@dataclass(frozen=True, slots=True)
class RestoreEnded:
    """The last restore from the page.

    Attributes:
        state: "none" = there was none; "failed" = all is as it was before.
        text: What was restored, or why it failed.
        aside: The folder in the state folder that holds what was there before.
    """

    state: Literal["none", "running", "done", "failed"]
    text: str = ""
    aside: str | None = None


class Restores(Protocol):
    """What the page asks of a device; every method may be called from any thread, and may raise a ComfyWearError."""

    def begin(self) -> str:
        """An empty upload; the one before is dropped."""

    def add(self, upload: str, piece: bytes) -> None:
        """More of it."""

    def drop(self, upload: str) -> None:
        """Forget it; never raises."""

    def look(self, upload: str) -> FoundBackup:
        """What it is, once it is whole; UsageError for one that is damaged or of a later version."""

    def restore(self, said: RestoreBackup, origin: str) -> None:
        """Have the device stop, restore it, and start anew; what can be known before is refused before."""

    def ended(self) -> RestoreEnded:
        """How the last one ended."""
