"""What somebody had deleted on the device, so that those who keep copies delete it too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta

from comfywear.publishing.messages.fields import Message, Stamp, stamped

__all__ = ["MOST_DELETED", "DeletionMessage", "deletion_message"]

MOST_DELETED = 200


class DeletionMessage(Message, frozen=True, kw_only=True):
    """Votes were deleted for somebody (an event): delete your copies, also those that still come.

    Whoever confirms this message's number (`ack`) says that it is done.
    """

    schema: Literal["comfywear/v1/deletion"] = "comfywear/v1/deletion"
    votes: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=64)]],
        Meta(description="Ids of the votes, as in their messages.", min_length=1, max_length=MOST_DELETED),
    ]


def deletion_message(votes: Sequence[str], stamp: Stamp) -> DeletionMessage:
    """That these votes were deleted; at most `MOST_DELETED`."""
    return DeletionMessage(**stamped(stamp), votes=list(votes))
