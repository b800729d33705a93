"""Commands to the device, `…/cmd/<name>`: what each may say, and reading it. Pure; what is wrong is said in words.

A command is a JSON object, or nothing at all where it needs no fields. Its reply goes to the MQTT v5 response topic
with the correlation data, or to `reply_to`, or else to `…/reply/<name>`; `id` comes back in it.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from comfywear.errors import UsageError
from comfywear.texts import Text

LARGEST_COMMAND_BYTES = 4096
LONGEST_ZONE_NAME = 64

_Id = Annotated[str, Meta(max_length=128, description="Comes back in the reply.")]
_ReplyTo = Annotated[
    str, Meta(max_length=512, description="Where the reply goes (MQTT 3.1.1); below …/<device>/reply/ alone.")
]
_ZoneName = Annotated[
    str,
    Meta(max_length=LONGEST_ZONE_NAME, description="The name to show; empty = the zone's name in the settings again."),
]


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every command may say; a field that it does not know is refused, since it may be a misspelt one."""

    id: _Id | None = None
    reply_to: _ReplyTo | None = None


class Identify(Command, frozen=True, kw_only=True):
    """Show which device this is: its lamp blinks, its page and its log say so."""

    seconds: Annotated[float, Meta(ge=1, le=60, description="For how long.", extra_json_schema={"unit": "s"})] = 10.0


class AskNow(Command, frozen=True, kw_only=True):
    """Ask the people of a zone for a vote now."""

    zone: Annotated[str | None, Meta(description="Null = the only zone.")] = None


class Reload(Command, frozen=True, kw_only=True):
    """Read the settings file again: refused with the reason when it is wrong, else the device starts anew with it."""


class SetZoneName(Command, frozen=True, kw_only=True):
    """Give a zone a name to show; topics keep the zone's name of the settings."""

    zone: Annotated[str | None, Meta(description="Null = the only zone.")] = None
    name: _ZoneName


class SetPrivacy(Command, frozen=True, kw_only=True):
    """Have a camera look no more, or look again: kept over restarts."""

    on: Annotated[bool, Meta(description="True = it may not look, and its process is ended.")]
    camera: Annotated[str | None, Meta(description="Its name; null = all.")] = None


class ModelsPull(Command, frozen=True, kw_only=True):
    """Take over signed releases of models: one reply says that they are being pulled, another how that ended."""

    url: Annotated[
        str,
        Meta(
            max_length=2000,
            description="Of a repository (ends in /) or a signed manifest; below one of updates.sources in the "
            "settings. Empty = updates.repository.",
        ),
    ] = ""


class ModelsRollback(Command, frozen=True, kw_only=True):
    """Put the release of a model before the present one, or the shipped model, into service again."""

    model: Annotated[str | None, Meta(description="Its name; null = the only one with a release.")] = None


class ProgramUpgrade(Command, frozen=True, kw_only=True):
    """Ask for the newest package of the program; `updates` says how it goes, and which version runs afterwards."""


_Part = Annotated[float, Meta(ge=0, le=1)]


class FindsList(Command, frozen=True, kw_only=True):
    """Say which persons are found now, and which corrections hold."""


class FindsReject(Command, frozen=True, kw_only=True):
    """What is found as this person is none: it is not counted any more while its place looks as it does now."""

    person: Annotated[int, Meta(ge=0, description="Its number in people messages.")]


class FindsMiss(Command, frozen=True, kw_only=True):
    """There is a person in this box who is not found: weak finds there are believed from now on."""

    box: Annotated[
        tuple[_Part, _Part, _Part, _Part],
        Meta(description="x1, y1, x2, y2 in parts of the picture's width and height."),
    ]
    camera: Annotated[str | None, Meta(description="In whose picture; null = the only camera.")] = None


class FindsUndo(Command, frozen=True, kw_only=True):
    """Take a correction back."""

    correction: Annotated[int, Meta(ge=0, description="Its number, as the reply to it or to finds-list said it.")]


COMMANDS: dict[str, type[Command]] = {
    "identify": Identify,
    "ask-now": AskNow,
    "reload": Reload,
    "set-zone-name": SetZoneName,
    "privacy": SetPrivacy,
    "models-pull": ModelsPull,
    "models-rollback": ModelsRollback,
    "program-upgrade": ProgramUpgrade,
    "finds-list": FindsList,
    "finds-reject": FindsReject,
    "finds-miss": FindsMiss,
    "finds-undo": FindsUndo,
}


class Sender(NamedTuple):
    """Who asked, as far as the payload says."""

    id: str | None
    reply_to: str | None


class _Envelope(msgspec.Struct, frozen=True):
    id: _Id | None = None
    reply_to: _ReplyTo | None = None


def read_sender(payload: bytes) -> Sender:
    """Whom to answer, also when the rest of the payload is wrong; nobody when even that cannot be read."""
    if not payload or len(payload) > LARGEST_COMMAND_BYTES:
        return Sender(None, None)
    try:
        found = msgspec.json.decode(payload, type=_Envelope)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return Sender(None, None)
    return Sender(found.id, found.reply_to)


def read_command(name: str, payload: bytes) -> Command:
    """The command `name` with its fields.

    Raises:
        UsageError: When there is no such command, or its payload is not what it takes.
    """
    kind = COMMANDS.get(name)
    if kind is None:
        raise UsageError(
            Text("no command {name}; there are: {commands}", name=repr(name[:64]), commands=", ".join(COMMANDS))
        )
    if len(payload) > LARGEST_COMMAND_BYTES:
        raise UsageError(
            Text(
                "a command has {largest_command_bytes} bytes at most, this has {payload}",
                largest_command_bytes=LARGEST_COMMAND_BYTES,
                payload=len(payload),
            )
        )
    try:
        return msgspec.json.decode(payload or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UsageError(Text("{name}: {why}", name=name, why=error)) from error
