"""The messages that describe a device to Home Assistant: one for it, and where it has several zones one for each.

Device-based MQTT discovery (www.home-assistant.io/integrations/mqtt, "MQTT discovery"): `<prefix>/device/…/config`,
retained. A component's key is permanent; one that is gone is named with its platform alone
until Home Assistant was there to hear it, and then left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from comfywear.publishing.homeassistant.component import QOS, Component, device_id, identity, online, remnant
from comfywear.publishing.homeassistant.device_entities import (
    camera_entities,
    device_entities,
    line_entities,
    privacy_entities,
    view_entities,
)
from comfywear.publishing.homeassistant.update_entities import update_entities
from comfywear.publishing.homeassistant.zone_entities import OPTIONAL, WEATHER, zone_entities
from comfywear.publishing.messages.topics import Topics
from comfywear.texts import Text

PREFIX = "homeassistant"

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is said of a device beside its zones.

    Attributes:
        version: Of the software.
        interval_s: How often live states are sent.
        metrics_every_s: How often metrics are sent.
        words: What is shown for the levels 1…5.
        hardware: The board, where it is known.
        serial: The board's serial number, where it has one.
        page_url: Where its page is, when others can open it.
        board_temp: Whether the machine says its temperature.
        restarts: Whether it can be started anew from outside.
        cameras: The names of several.
        lines: The names of the lines that people cross.
        sees: Whether there is a camera.
        views: The cameras whose view is sent.
        weather: Whether the settings name who says the weather outdoors.
        models: The models that work, by name.
        packaged: Whether the program came as a package that can be upgraded.
        upgrades: Whether others may have that done.
    """

    version: str
    interval_s: float
    metrics_every_s: float
    words: Mapping[int, str] = field(default_factory=dict)
    hardware: str | None = None
    serial: str | None = None
    page_url: str | None = None
    board_temp: bool = False
    restarts: bool = False
    cameras: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    sees: bool = False
    views: tuple[str, ...] = ()
    weather: bool = False
    models: tuple[str, ...] = ()
    packaged: bool = False
    upgrades: bool = False


def config_topic(prefix: str, topics: Topics, zone: str | None = None) -> str:
    """Where the device, or one of its zones, is described; an empty retained message there makes it forgotten.

    The device's name is a level of its own: access rules of brokers can put a user's name (%u) for a whole level alone.
    """
    return (
        f"{prefix}/device/{topics.device}/{zone}/config"
        if zone
        else f"{prefix}/device/comfywear/{topics.device}/config"
    )


def earlier_topic(prefix: str, topics: Topics) -> str:
    """Where devices were described before; it is cleared once."""
    return f"{prefix}/device/{device_id(topics)}/config"


def status_topics(prefix: str) -> list[str]:
    """Where Home Assistant says `online` when it has started: its birth does not follow the discovery prefix."""
    return list(dict.fromkeys((f"{prefix}/status", f"{PREFIX}/status")))


def discovery(
    prefix: str, topics: Topics, zones: Mapping[str, str], facts: Facts, measured: Collection[str] = ()
) -> dict[str, Message]:
    """The messages that describe a device, by topic; that of the device itself comes first.

    A single zone's entities are the device's own; several zones are devices of their own, with the device above them.

    Args:
        prefix: The first part of Home Assistant's topics.
        topics: Of the device.
        zones: What to show for each zone, by the zone.
        facts: What else is said.
        measured: Keys (<what>-<zone>) of what few sensors measure, and these do.
    """
    device: Component = {
        "identifiers": [device_id(topics)],
        "name": f"comfywear {topics.device}",
        "manufacturer": "comfywear",
        "model": Text("Comfort sensor"),
        "sw_version": facts.version,
    }
    known = {"hw_version": facts.hardware, "serial_number": facts.serial, "configuration_url": facts.page_url}
    device |= {name: value for name, value in known.items() if value}
    own = dict(
        device_entities(
            topics, metrics_every_s=facts.metrics_every_s, board_temp=facts.board_temp, restarts=facts.restarts
        )
    )
    own |= camera_entities(topics, facts.cameras, interval_s=facts.interval_s)
    own |= line_entities(topics, facts.lines, interval_s=facts.interval_s)
    own |= update_entities(topics, facts.models, packaged=facts.packaged, upgrades=facts.upgrades)
    if facts.sees:
        own |= privacy_entities(topics, facts.cameras)
    own |= view_entities(topics, facts.views)
    if len(zones) == 1:
        ((zone, shown),) = zones.items()
        if shown != zone:
            device |= {"name": f"{shown} ({topics.device})", "suggested_area": shown}
    messages = {config_topic(prefix, topics): _message(topics, facts, device, own)}
    for zone, shown in zones.items():
        optional = [each for each in OPTIONAL if f"{each}-{zone}" in measured] + list(WEATHER if facts.weather else ())
        made = dict(zone_entities(topics, zone, interval_s=facts.interval_s, words=facts.words, optional=optional))
        if len(zones) == 1:
            own |= made
            return {topic: _message(topics, facts, device, own) for topic in messages}
        title = shown if shown != zone else zone[:1].upper() + zone[1:]
        part = {
            "identifiers": [f"{device_id(topics)}/{zone}"],
            "name": f"{title} ({topics.device})",
            "manufacturer": "comfywear",
            "model": Text("Zone of a comfort sensor"),
            "sw_version": facts.version,
            "via_device": device_id(topics),
            "suggested_area": title,
        }
        messages[config_topic(prefix, topics, zone)] = _message(topics, facts, part, made)
    return messages


def retained_topics(prefix: str, topics: Topics, zones: Collection[str]) -> list[str]:
    """Every discovery topic that the device may have used, those of earlier versions too."""
    mine = [config_topic(prefix, topics), *(config_topic(prefix, topics, zone) for zone in zones)]
    return [earlier_topic(prefix, topics), *mine]


def without(message: Message, gone: Mapping[str, str]) -> Message:
    """`message`, with components that are gone (platforms by key) named with their platform alone."""
    return _with(message, {key: {"platform": platform} for key, platform in gone.items()})


def revived(topics: Topics, message: Message | None, gone: Mapping[str, str]) -> Message:
    """`message` (None where its topic is cleared) with the least of each component that is gone (platforms by key).

    Home Assistant removes only what it has heard of since its start.
    """
    base = message or {
        "device": {"identifiers": [device_id(topics)], "name": f"comfywear {topics.device}"},
        "origin": {"name": "comfywear"},
        "components": {},
    }
    return _with(base, {key: remnant(topics, key, platform) for key, platform in gone.items()})


def platforms(message: Message) -> dict[str, str]:
    """The platform of each component of a discovery message that is there, by key: what to remember of it."""
    return {key: each["platform"] for key, each in message["components"].items() if "unique_id" in each}


def _message(topics: Topics, facts: Facts, device: Component, made: Mapping[str, Component]) -> Message:
    return {
        "device": device,
        "origin": {"name": "comfywear", "sw_version": facts.version},
        "availability": [online(topics)],
        **QOS,
        "components": {key: {**each, **identity(topics, key, each["platform"])} for key, each in made.items()},
    }


def _with(message: Message, more: Mapping[str, Component]) -> Message:
    """`message` with further components; its own stay as they are."""
    return {**message, "components": {**more, **message["components"]}}
