"""What answers others: messages that are gone, what became of a command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from comfywear.publishing.messages.fields import Message, Stamp, stamped


class GoneMessage(Message, frozen=True, kw_only=True):
    """An answer to an acknowledgement: messages that the device no longer has. `epoch` is that of the ranges."""

    schema: Literal["comfywear/v1/gone"] = "comfywear/v1/gone"
    consumer: Annotated[str, Meta(description="Whose acknowledgement is answered.")]
    ranges: Annotated[
        list[tuple[int, int]], Meta(description="[first, last] sequence numbers that will never come (again).")
    ]


class ReplyMessage(Message, frozen=True, kw_only=True):
    """What became of a command. With MQTT v5 it carries the command's correlation data."""

    schema: Literal["comfywear/v1/reply"] = "comfywear/v1/reply"
    command: Annotated[str, Meta(description="The command's name, as in its topic.")]
    id: Annotated[str | None, Meta(description="The `id` that the command came with.")] = None
    ok: bool
    error: Annotated[str | None, Meta(description="What was wrong, when `ok` is false.")] = None
    result: Annotated[dict[str, str | float | None], Meta(description="What was done, by name.")] = msgspec.field(
        default_factory=dict
    )


def gone_message(consumer: str, epoch: str, ranges: Sequence[tuple[int, int]], stamp: Stamp) -> GoneMessage:
    """That messages of `epoch` will never come (again): outside the sequence, whatever the stamp says."""
    stamp = replace(stamp, epoch=epoch, seq=None)
    return GoneMessage(**stamped(stamp), consumer=consumer, ranges=[(int(a), int(b)) for a, b in ranges])


def reply_message(
    command: str,
    stamp: Stamp,
    *,
    id: str | None = None,  # noqa: A002 - the field's name in the message
    error: str | None = None,
    result: Mapping[str, str | float | None] | None = None,
) -> ReplyMessage:
    """What became of a command; it was done when there is no `error`. Outside the sequence."""
    stamp = replace(stamp, seq=None)
    return ReplyMessage(
        **stamped(stamp), command=command, id=id, ok=error is None, error=error, result=dict(result or {})
    )
