"""Which version of the program and of each model runs, which one there is, and how its coming goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from comfywear.publishing.messages.fields import Message, Stamp, described, stamped

__all__ = ["ModelUpdate", "ProgramUpdate", "UpdatesMessage", "updates_message"]

_Percent = Annotated[int | None, described("How far that is; null = not known.", "%")]


class ProgramUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """The package that the device runs from, as its upgrader last said."""

    installed: str
    available: Annotated[str, Meta(description="The newest that apt knew of; the same = nothing newer.")]
    phase: Annotated[
        str, Meta(description='"idle", "asked", "checking", "fetching", "installing", "judging" or "coming back".')
    ] = "idle"
    percent: _Percent = None
    outcome: Annotated[
        str | None,
        Meta(description='Of the last time: "newest", "upgraded", "rolled back", "refused" or "failed".'),
    ] = None
    reason: Annotated[str | None, Meta(description="Why it was rolled back, refused or failed.")] = None


class ModelUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """A model that works."""

    name: str
    installed: str
    available: Annotated[str, Meta(description="The version that is being pulled; the same = none.")]
    phase: Literal["idle", "fetching", "trying"] = "idle"
    percent: _Percent = None


class UpdatesMessage(Message, frozen=True, kw_only=True):
    """Versions of the program and of the models, and the progress of an update (retained)."""

    schema: Literal["comfywear/v1/updates"] = "comfywear/v1/updates"
    program: Annotated[
        ProgramUpdate | None, Meta(description="null = not installed as a package, so that apt does not know it.")
    ] = None
    models: list[ModelUpdate] = msgspec.field(default_factory=list)


def updates_message(program: ProgramUpdate | None, models: Sequence[ModelUpdate], stamp: Stamp) -> UpdatesMessage:
    """What runs, what there is, and how its coming goes."""
    return UpdatesMessage(**stamped(stamp), program=program, models=list(models))
