"""What consumers say to the device: votes and acknowledgements. Pure; whatever comes is read or refused in words.

Commands are read in `comfywear.publishing.messages.commands`.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from comfywear.errors import UsageError
from comfywear.publishing.messages.fields import Level
from comfywear.texts import Text

LARGEST_VOTE_BYTES = 1024
LARGEST_ACK_BYTES = 16 * 1024
# JSON readers keep whole numbers exactly up to here (RFC 8259, 6).
_LARGEST_SEQ = 2**53 - 1

_Seq = Annotated[int, Meta(ge=0, le=_LARGEST_SEQ)]


class VoteSet(msgspec.Struct, frozen=True, kw_only=True):
    """A vote from elsewhere; a plain number 1–5 says the same."""

    level: Level
    id: Annotated[
        Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{8,64}$")] | None,
        Meta(description="Made by the sender, another for each vote: sent twice, it counts once."),
    ] = None


class Ack(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer's word: everything of `epoch` up to and including `seq` is stored, but for `missing`."""

    epoch: Annotated[str, Meta(min_length=1, max_length=64, description="As in the messages that came.")]
    seq: Annotated[_Seq, Meta(description="0 = nothing yet.")]
    missing: Annotated[
        list[tuple[_Seq, _Seq]],
        Meta(max_length=100, description="[first, last] of what did not come and is asked for again."),
    ] = []


INCOMING_TYPES: dict[str, type[msgspec.Struct]] = {"vote-set": VoteSet, "ack": Ack}


def read_vote(payload: bytes) -> VoteSet:
    """The vote that a payload asks for: `{"level": 4}` or `4`, with or without `.0`.

    Raises:
        UsageError: For anything else.
    """
    if len(payload) > LARGEST_VOTE_BYTES:
        raise UsageError(Text("a vote of {payload} bytes", payload=len(payload)))
    try:
        found = msgspec.json.decode(payload)
        asked = {**found, "level": _whole(found.get("level"))} if isinstance(found, dict) else {"level": _whole(found)}
        return msgspec.convert(asked, VoteSet)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise UsageError(
            Text('{why}; send {"level": 4} or 4, with 1 (uncomfortable) … 5 (comfortable)', why=error)
        ) from error


def _whole(number: object) -> object:
    """4 for 4.0, which JSON does not tell apart; anything else as it is."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def read_ack(payload: bytes) -> Ack:
    """A consumer's acknowledgement.

    Raises:
        UsageError: For anything else, and for a range that ends before it begins or lies above `seq`.
    """
    if len(payload) > LARGEST_ACK_BYTES:
        raise UsageError(Text("an acknowledgement of {payload} bytes", payload=len(payload)))
    try:
        ack = msgspec.json.decode(payload, type=Ack)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UsageError(Text('{why}; send {"epoch": "…", "seq": 12, "missing": [[3, 4]]}', why=error)) from error
    for first, last in ack.missing:
        if not 0 < first <= last <= ack.seq:
            raise UsageError(
                Text("missing {first}…{last} is no range of the numbers 1…{seq}", first=first, last=last, seq=ack.seq)
            )
    return ack
