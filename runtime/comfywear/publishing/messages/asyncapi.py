"""The AsyncAPI 3.0 document of everything that goes over MQTT, made from the same structs and topics as the messages.

`python -m comfywear.publishing.messages.asyncapi docs/asyncapi.json` writes it. Payloads stand in AsyncAPI's own schema
language, a superset of JSON Schema draft 07; `docs/schemas` has the same in draft 2020-12.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from comfywear import __version__
from comfywear.publishing.messages.commands import COMMANDS
from comfywear.publishing.messages.fields import Level
from comfywear.publishing.messages.incoming import Ack, VoteSet
from comfywear.publishing.messages.kinds import MESSAGE_TYPES
from comfywear.publishing.messages.topics import BACKLOG, Topics

__all__ = ["CHANNELS", "Channel", "address", "document", "text"]

_PARAMETERS = {
    "site": "The building: device.site of the settings.",
    "device": "The device: device.id of the settings.",
    "zone": "A zone's name in the settings.",
    "camera": "The name of one of several cameras in the settings; a single one is camera.",
    "line": "The name of a line in the settings.",
    "consumer": "The consumer's name, as in mqtt.confirm_by.",
    "requester": "Any name; for what comes without a response topic or reply_to it is the command's.",
}
_SCHEMAS = "#/components/schemas/"
LATE = (
    *("meta", "climate", "people", "occupancy", "presence", "comfort", "setpoint", "ask", "vote", "deletion"),
    *("metrics", "health", "updates", "camera", "privacy", "line", "crossing"),
)
"""What is numbered, and so has a backlog."""


class Channel(NamedTuple):
    """A topic: who speaks there, which message, and whether the broker keeps the last one."""

    message: str
    speaker: Literal["device", "consumer"]
    retained: bool
    what: str


CHANNELS: dict[str, Channel] = {
    "status": Channel("status", "device", True, "Whether the device is there; also its last will."),
    "meta": Channel("meta", "device", True, "What the device is."),
    "climate": Channel("climate", "device", True, "The air of a zone."),
    "people": Channel("people", "device", True, "Who is in a zone, by clothing alone."),
    "occupancy": Channel("occupancy", "device", True, "Whether anybody is in a zone, how many, since when."),
    "presence": Channel("presence", "device", False, "Somebody came into a zone or left it."),
    "comfort": Channel("comfort", "device", True, "How comfortable a zone is."),
    "setpoint": Channel("setpoint", "device", True, "What a zone likes, and what a thermostat should be set to."),
    "ask": Channel("ask", "device", True, "What the device would like to know from the people of a zone."),
    "vote": Channel("vote", "device", False, "Somebody pressed 1–5, or took that back."),
    "deletion": Channel("deletion", "device", False, "Somebody had votes deleted: collectors delete their copies."),
    **{
        f"backlog-{name}": Channel(name, "device", False, f"{name}, come late: what others would take for now.")
        for name in LATE
    },
    "metrics": Channel("metrics", "device", False, "How the device is doing."),
    "health": Channel("health", "device", True, "What does not work now, and what to do about it."),
    "updates": Channel("updates", "device", True, "Versions of program and models, and an update's progress."),
    "camera": Channel("camera", "device", True, "How one of several cameras is."),
    "privacy": Channel("privacy", "device", True, "Which cameras may not look."),
    "view": Channel("view", "device", False, "The view of a camera, drawn, where it is sent; empty: there is none."),
    "line": Channel("line", "device", True, "How many crossed a line today."),
    "crossing": Channel("crossing", "device", False, "Somebody crossed a line, in or out."),
    "gone": Channel("gone", "device", False, "What the device no longer has, of what a consumer misses."),
    "reply": Channel("reply", "device", False, "What became of a command."),
    "vote-set": Channel("vote-set", "consumer", False, "A vote from elsewhere; must not be retained."),
    "ack": Channel("ack", "consumer", False, "How far a consumer has stored what came."),
    **{
        f"cmd-{name}": Channel(f"cmd-{name}", "consumer", False, (kind.__doc__ or "").strip())
        for name, kind in COMMANDS.items()
    },
}


def address(channel: str) -> str:
    """The topic of a channel with its parameters in braces, made by `Topics` itself."""
    topics = Topics("_site_", "_device_")
    zone, consumer = "_zone_", "_consumer_"
    if channel.startswith("backlog-"):
        head = address("status").removesuffix("status")
        return f"{head}{BACKLOG}/{address(channel.removeprefix('backlog-')).removeprefix(head)}"
    made = {
        "status": topics.status,
        "meta": topics.meta,
        "metrics": topics.metrics,
        "health": topics.health,
        "updates": topics.updates,
        "camera": topics.camera("_camera_"),
        "privacy": topics.privacy,
        "view": topics.view("_camera_"),
        "line": topics.line("_line_"),
        "crossing": topics.crossing("_line_"),
        "climate": topics.climate(zone),
        "people": topics.people(zone),
        "occupancy": topics.occupancy(zone),
        "presence": topics.presence(zone),
        "comfort": topics.comfort(zone),
        "setpoint": topics.setpoint(zone),
        "ask": topics.ask(zone),
        "vote": topics.vote(zone),
        "deletion": topics.deletion,
        "vote-set": topics.vote_set(zone),
        "ack": topics.ack(consumer),
        "gone": topics.gone(consumer),
        "reply": topics.reply("_requester_"),
        **{f"cmd-{name}": topics.command(name) for name in COMMANDS},
    }[channel]
    for name in _PARAMETERS:
        made = made.replace(f"_{name}_", f"{{{name}}}")
    return made


def document() -> dict[str, Any]:
    """The whole document."""
    kinds: dict[str, Any] = {**MESSAGE_TYPES, "vote-set": Level | VoteSet, "ack": Ack}
    kinds |= {f"cmd-{name}": kind for name, kind in COMMANDS.items()}
    schemas, parts = msgspec.json.schema_components(kinds.values(), ref_template=_SCHEMAS + "{name}")
    payloads = {name: _draft07(schema) for name, schema in zip(kinds, schemas, strict=True)}
    payloads["view"] = {"type": "string", "format": "binary", "description": "The bytes of a JPEG, or none."}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "comfywear",
            "version": __version__,
            "description": "What a comfort sensor says over MQTT, and what it may be told. docs/mqtt.md explains it.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "broker": {
                "host": "{broker}:{port}",
                "protocol": "mqtt",
                "protocolVersion": "5",
                "description": "The broker of the settings; 3.1.1 is spoken where it knows no more.",
                "variables": {
                    "broker": {"description": "mqtt.host of the settings."},
                    "port": {"default": "1883", "description": "mqtt.port of the settings; 8883 with TLS."},
                },
                "security": [{"$ref": "#/components/securitySchemes/user"}],
            }
        },
        "channels": {name: _channel(name, channel) for name, channel in CHANNELS.items()},
        "operations": {name: _operation(name, channel) for name, channel in CHANNELS.items()},
        "components": {
            "messages": {
                channel.message: {
                    "name": channel.message,
                    "title": f"comfywear/v1/{channel.message}",
                    "summary": channel.what,
                    "contentType": "image/jpeg" if name == "view" else "application/json",
                    "payload": payloads[channel.message],
                    **({"correlationId": _CORRELATION} if _is_command(name) or name == "reply" else {}),
                }
                for name, channel in CHANNELS.items()
                if not name.startswith("backlog-")
            },
            "schemas": _draft07(parts),
            "securitySchemes": {"user": {"type": "userPassword"}, "certificate": {"type": "X509"}},
        },
    }


def _draft07(schema: Any) -> Any:
    """A schema of draft 2020-12 as draft 07 writes it: what stands at each place of a pair."""
    if isinstance(schema, list):
        return [_draft07(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    written = {name: _draft07(each) for name, each in schema.items()}
    if "prefixItems" in written:
        written["additionalItems"] = written.pop("items", True)
        written["items"] = written.pop("prefixItems")
    return written


_CORRELATION = {
    "description": "The request's own id; with MQTT v5 its correlation data too.",
    "location": "$message.payload#/id",
}


def _is_command(name: str) -> bool:
    return name.startswith("cmd-")


def _channel(name: str, channel: Channel) -> dict[str, Any]:
    topic = address(name)
    return {
        "address": topic,
        "description": channel.what,
        "messages": {channel.message: {"$ref": f"#/components/messages/{channel.message}"}},
        "parameters": {
            parameter: {"description": words} for parameter, words in _PARAMETERS.items() if f"{{{parameter}}}" in topic
        },
    }


def _operation(name: str, channel: Channel) -> dict[str, Any]:
    """From the device's side: it sends what it says, and receives what it is told."""
    operation: dict[str, Any] = {
        "action": "send" if channel.speaker == "device" else "receive",
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": channel.what,
        "messages": [{"$ref": f"#/channels/{name}/messages/{channel.message}"}],
        "bindings": {"mqtt": {"qos": 1, "retain": channel.retained, "bindingVersion": "0.2.0"}},
    }
    if _is_command(name):
        operation["reply"] = {
            "address": {
                "description": "The MQTT v5 response topic, or reply_to; below the device's reply/ alone.",
                "location": "$message.payload#/reply_to",
            },
            "channel": {"$ref": "#/channels/reply"},
            "messages": [{"$ref": "#/channels/reply/messages/reply"}],
        }
    return operation


def text() -> str:
    """The text of the file."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write the file that is named."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m comfywear.publishing.messages.asyncapi FILE\n")
        return 2
    Path(arguments[0]).write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
