"""What goes over HTTP as JSON beside the records of `shown`: the bodies of requests, and short answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from comfywear.web.access import Role
from comfywear.web.shown import Zone

__all__ = [
    "Correct",
    "EndSession",
    "Kept",
    "MakeBackup",
    "OpenSession",
    "Press",
    "Refusal",
    "Start",
    "SwitchPrivacy",
    "TakeBack",
    "Undo",
    "Undone",
]

OLDEST_VOTE_S = 7 * 86400.0
Part = Annotated[float, Meta(description="In parts of the picture's width or height, 0…1.")]


class Press(msgspec.Struct, forbid_unknown_fields=True):
    """A vote."""

    level: Annotated[int, Meta(description="1 (very uncomfortable) … 5 (very comfortable).")]
    zone: Annotated[str | None, Meta(description="May be left out where there is one.")] = None
    source: Annotated[str, Meta(description="Names the place: at most 32 letters, digits, - and _.")] = ""
    person: Annotated[str, Meta(description="Who pressed, if they want that.")] = ""
    id: Annotated[
        Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{8,64}$")] | None,
        Meta(description="Made by the sender, another for each vote: sent twice, it counts once."),
    ] = None
    age_s: Annotated[
        Annotated[float, Meta(ge=0, le=OLDEST_VOTE_S)],
        Meta(
            description="How long ago it was pressed, where it could not be sent at once. After 10 s it is stored with "
            "its time and without the moment it belongs to, and teaches nothing."
        ),
    ] = 0.0


class Undo(msgspec.Struct, forbid_unknown_fields=True):
    """A vote to take back."""

    vote: Annotated[str, Meta(description="Its id.")]


class Correct(msgspec.Struct, forbid_unknown_fields=True):
    """A find that is no person, or the box of one who was missed: one of the two."""

    person: Annotated[int | None, Meta(description="The find's number.")] = None
    box: Annotated[tuple[Part, Part, Part, Part] | None, Meta(description="Left, top, right, bottom.")] = None
    camera: Annotated[str | None, Meta(description="In whose picture the box is; null = the only camera.")] = None


class TakeBack(msgspec.Struct, forbid_unknown_fields=True):
    """A correction to take back."""

    correction: Annotated[int, Meta(description="Its number.")]


class SwitchPrivacy(msgspec.Struct, forbid_unknown_fields=True):
    """Whether a camera may look."""

    on: Annotated[bool, Meta(description="True = it may not look any more.")]
    camera: Annotated[str | None, Meta(description="Its name; null = all.")] = None


class EndSession(msgspec.Struct, forbid_unknown_fields=True):
    """A session to end."""

    session: Annotated[str, Meta(description="Its id.")]


class MakeBackup(msgspec.Struct, forbid_unknown_fields=True):
    """A backup that is wanted."""

    passphrase: Annotated[
        str | None, Meta(description="12 characters or more: secrets are in it, behind this; null = they are left out.")
    ] = None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Somebody who is signed in.

    Attributes:
        id: Of the session; no cookie.
        role: What it allows.
        began_s, seen_s, until_s: Unix time: signed in, last used, and its end.
        client: The address that it was last used from.
        browser: What the browser said of itself.
        here: Whether it is that of whoever asks.
    """

    id: str
    role: str
    began_s: float
    seen_s: float
    until_s: float
    client: str
    browser: str
    here: bool


@dataclass(frozen=True, slots=True)
class Start:
    """What a page needs to begin.

    Attributes:
        title: To show at the top.
        zones: The zones, the first is shown where none was chosen.
        languages: Language codes with the language's own name.
        signed_in: Whether a password was needed, so that one can sign out.
        role: What whoever asks may do.
        cameras: Their names, the first is shown where none was chosen.
    """

    title: str
    zones: Sequence[Zone]
    languages: Mapping[str, str]
    signed_in: bool
    role: Role
    cameras: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Undone:
    """It was taken back."""

    undone: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """The number of the correction that is kept."""

    correction: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not: a word for programs, a sentence for people."""

    error: str
    text: str
