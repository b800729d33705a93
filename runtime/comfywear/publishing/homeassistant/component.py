"""What entities of Home Assistant share: their topics, templates, availability and identity."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from comfywear.publishing.messages.topics import Topics

Component = dict[str, Any]
Named = Iterator[tuple[str, Component]]
"""Components with their keys, which are permanent."""

QOS = {"qos": 1}
LONGEST_STATE = 255
"""Characters of any state in Home Assistant."""

# A value is gone when three of its intervals passed without one; commits may be spaced out by ten seconds more.
_MISSED, _COMMIT_S, _LEAST_S = 3, 10, 30


def device_id(topics: Topics) -> str:
    """The device's id in Home Assistant."""
    return f"comfywear_{topics.device}"


def expiry(interval_s: float) -> Component:
    """After which silence a value that comes every `interval_s` is not known any more."""
    return {"expire_after": max(_LEAST_S, math.ceil(_MISSED * interval_s + _COMMIT_S))}


def number(field: str, digits: int) -> str:
    """The template of a number, rounded to what is shown: each state that is written costs a row of the recorder."""
    shown = f"value_json.{field} | round({digits})" + (" | int" if digits == 0 else "")
    return f"{{{{ ({shown}) if value_json.{field} is not none else none }}}}"


def text(field: str) -> str:
    """The template of a text, cut to what a state may hold; none where there is none, which is shown as unknown."""
    return f"{{{{ value_json.{field}[:{LONGEST_STATE}] if value_json.{field} else none }}}}"


def measured(device_class: str | None, unit: str | None, digits: int) -> Component:
    """What makes a number a measurement with long-term statistics."""
    found = {
        "device_class": device_class,
        "unit_of_measurement": unit,
        "state_class": "measurement",
        "suggested_display_precision": digits,
    }
    return {name: value for name, value in found.items() if value is not None}


def attributes(topic: str, template: str) -> Component:
    """Further facts about an entity, from a message."""
    return {"json_attributes_topic": topic, "json_attributes_template": template}


def online(topics: Topics) -> Component:
    """Available while the device is there."""
    return available(topics.status, "value_json.state == 'online'")


def available(topic: str, test: str) -> Component:
    """Available while `test` is true of the message of `topic`."""
    return {"topic": topic, "value_template": f"{{{{ 'online' if {test} else 'offline' }}}}"}


def identity(topics: Topics, key: str, platform: str) -> Component:
    """By what Home Assistant knows the entity again, and the id that it proposes."""
    return {
        "unique_id": f"{device_id(topics)}_{key}",
        "default_entity_id": f"{platform}.{_slug(topics.device)}_{_slug(key)}",
    }


def remnant(topics: Topics, key: str, platform: str) -> Component:
    """The least that an entity is: told for a moment, so that Home Assistant knows what it is then told to remove."""
    least: dict[str, Component] = {
        "sensor": {"state_topic": topics.status},
        "binary_sensor": {"state_topic": topics.status},
        "event": {"state_topic": topics.status, "event_types": ["gone"]},
        "button": {"command_topic": topics.command("identify")},
        "switch": {"command_topic": topics.command("identify")},
        "camera": {"topic": topics.status},
    }
    return {"platform": platform, "name": key, **QOS, **least[platform], **identity(topics, key, platform)}


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "device"
