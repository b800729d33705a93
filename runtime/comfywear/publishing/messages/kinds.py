"""Every kind of message by its name, and which one a payload holds."""

from __future__ import annotations

import msgspec

from comfywear.errors import UsageError
from comfywear.publishing.messages.answer import GoneMessage, ReplyMessage
from comfywear.publishing.messages.deletion import DeletionMessage
from comfywear.publishing.messages.device import (
    CameraMessage,
    HealthMessage,
    MetaMessage,
    MetricsMessage,
    PrivacyMessage,
    StatusMessage,
)
from comfywear.publishing.messages.fields import Message
from comfywear.publishing.messages.line import CrossingMessage, LineMessage
from comfywear.publishing.messages.people import PeopleMessage
from comfywear.publishing.messages.setpoint import SetpointMessage
from comfywear.publishing.messages.updates import UpdatesMessage
from comfywear.publishing.messages.vote import AskMessage, VoteMessage
from comfywear.publishing.messages.zone import ClimateMessage, ComfortMessage, OccupancyMessage, PresenceMessage

MESSAGE_TYPES: dict[str, type[Message]] = {
    "status": StatusMessage,
    "meta": MetaMessage,
    "climate": ClimateMessage,
    "people": PeopleMessage,
    "occupancy": OccupancyMessage,
    "presence": PresenceMessage,
    "comfort": ComfortMessage,
    "setpoint": SetpointMessage,
    "vote": VoteMessage,
    "ask": AskMessage,
    "deletion": DeletionMessage,
    "metrics": MetricsMessage,
    "health": HealthMessage,
    "camera": CameraMessage,
    "privacy": PrivacyMessage,
    "updates": UpdatesMessage,
    "line": LineMessage,
    "crossing": CrossingMessage,
    "gone": GoneMessage,
    "reply": ReplyMessage,
}


class _Schema(msgspec.Struct, frozen=True):
    schema: str


def read_message(payload: bytes) -> Message:
    """The message that a payload holds, by its `schema`; fields of later versions are passed over.

    Raises:
        UsageError: When it is not JSON, names no schema known here, or a field is not what the schema says.
    """
    try:
        name = msgspec.json.decode(payload, type=_Schema).schema
        kind = MESSAGE_TYPES.get(name.removeprefix("comfywear/v1/"))
        if kind is None:
            raise UsageError(f"no message type {name!r} is known here")
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UsageError(f"not a comfywear message: {error}") from error
