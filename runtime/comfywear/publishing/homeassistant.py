"""What Home Assistant is told: one retained message that describes the device and its entities. Pure.

Device-based MQTT discovery (www.home-assistant.io/integrations/mqtt, "MQTT discovery"): `<prefix>/device/<id>/config`.
A component's key is permanent; one that is gone is named once more with its platform alone, and then left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from comfywear.publishing.topics import Topics

PREFIX = "homeassistant"
# The models' words for what people wish, as in the comfort message's `decision`.
WISHES = ("cooler", "no change", "warmer")
VOTE_EVENTS = ("vote_1", "vote_2", "vote_3", "vote_4", "vote_5", "undone")
_VOTE_TEMPLATE = (
    "{% set event = 'undone' if value_json.undone else 'vote_' ~ value_json.level %}"
    '{"event_type": "{{ event }}", "words": {{ value_json.words | tojson }},'
    ' "source": {{ value_json.source | tojson }}}'
)
_LONGEST_STATE = 255  # of any state in Home Assistant
_TROUBLES_TEMPLATE = (
    f"{{{{ (value_json.troubles | map(attribute='name') | unique | join(', ') or 'none')[:{_LONGEST_STATE}] }}}}"
)
_MISSED = 3  # a value is gone when so many of its intervals passed without one

Component = dict[str, Any]
_QOS = {"qos": 1}


def device_id(topics: Topics) -> str:
    """The device's id in Home Assistant. It holds `device.id` alone, as access rules of brokers can name it (%u)."""
    return f"comfywear_{topics.device}"


def config_topic(prefix: str, topics: Topics) -> str:
    """Where the device is described; an empty retained message there makes Home Assistant forget it."""
    return f"{prefix}/device/{device_id(topics)}/config"


def status_topic(prefix: str) -> str:
    """Where Home Assistant says `online` when it has started."""
    return f"{prefix}/status"


def discovery(
    topics: Topics,
    zones: Mapping[str, str],
    *,
    version: str,
    interval_s: float,
    metrics_every_s: float,
    hardware: str | None = None,
    gone: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The message that describes the device.

    Args:
        topics: Of the device.
        zones: What to show for each zone, by the zone.
        version: Of the software.
        interval_s: How often live states are sent.
        metrics_every_s: How often metrics are sent.
        hardware: The board, where it is known.
        gone: Platforms of components that were told before and are no more, by key.
    """
    name = f"comfywear {topics.device}"
    device = {
        "identifiers": [device_id(topics)],
        "name": name,
        "manufacturer": "comfywear",
        "model": "Comfort sensor",
        "sw_version": version,
    }
    if hardware:
        device["hw_version"] = hardware
    made = dict(_of_device(topics, _expiry(metrics_every_s)))
    for zone, shown in zones.items():
        # An entity's name must not repeat the device's; a zone's own name has no blank, so it never holds it.
        title = zone if name.casefold() in shown.casefold() else shown
        made |= _of_zone(topics, zone, title, _expiry(interval_s))
    components = {key: {**each, **_identity(topics, key, each)} for key, each in made.items()}
    for key, platform in (gone or {}).items():
        components.setdefault(key, {"platform": platform})
    return {
        "device": device,
        "origin": {"name": "comfywear", "sw_version": version},
        "availability": [_online(topics)],
        **_QOS,
        "components": components,
    }


def platforms(message: Mapping[str, Any]) -> dict[str, str]:
    """The platform of each component of a discovery message that is there, by key: what to remember of it."""
    return {key: each["platform"] for key, each in message["components"].items() if "unique_id" in each}


def _of_zone(topics: Topics, zone: str, title: str, expiry: Component) -> Iterator[tuple[str, Component]]:
    """Keys are <what>-<zone>; no <what> has a hyphen, so that no two zones can share a key."""
    air, comfort, people = topics.climate(zone), topics.comfort(zone), topics.people(zone)
    fresh = {
        "availability": [_online(topics), _available(air, "value_json.state == 'fresh'")],
        "availability_mode": "all",
    }

    def sensor(key: str, words: str, topic: str, field: str, **more: Any) -> tuple[str, Component]:
        sent = {"state_topic": topic, "value_template": f"{{{{ value_json.{field} }}}}", **_QOS, **expiry, **more}
        return f"{key}-{zone}", {"platform": "sensor", "name": f"{title} {words}", **sent}

    yield sensor("temperature", "temperature", air, "air_temp_c", **_measured("temperature", "°C", 1), **fresh)
    yield sensor("humidity", "humidity", air, "humidity_pct", **_measured("humidity", "%", 0), **fresh)
    yield sensor("expected_vote", "expected vote", comfort, "expected_vote", **_measured(None, None, 1))
    yield sensor("ppd", "dissatisfied", comfort, "ppd_pct", **_measured(None, "%", 0))
    yield sensor("level", "comfort level", comfort, "level", **_measured(None, None, 0))
    yield sensor("preference", "preference", comfort, "decision", device_class="enum", options=list(WISHES))
    yield sensor("clo", "clothing", people, "mean_clo", **_measured(None, "clo", 2))
    yield sensor("people", "people", people, "count", **_measured(None, None, 0))
    skin = "modelled mean skin temperature"
    yield sensor("skin_temperature", skin, people, "mean_skin_temp_c", **_measured("temperature", "°C", 1))
    question = f"{{{{ (value_json.question or '')[:{_LONGEST_STATE}] }}}}"
    yield (
        f"question-{zone}",
        {
            "platform": "sensor",
            "name": f"{title} question",
            "state_topic": topics.ask(zone),
            "value_template": question,
            **_QOS,
        },
    )
    yield (
        f"vote-{zone}",
        {
            "platform": "event",
            "name": f"{title} vote",
            "state_topic": topics.vote(zone),
            "event_types": list(VOTE_EVENTS),
            "value_template": _VOTE_TEMPLATE,
            **_QOS,
        },
    )
    yield (
        f"ask_now-{zone}",
        {
            "platform": "button",
            "name": f"{title} ask now",
            "command_topic": topics.command("ask-now"),
            "payload_press": f'{{"zone": "{zone}"}}',
            **_QOS,
        },
    )


def _of_device(topics: Topics, expiry: Component) -> Iterator[tuple[str, Component]]:
    def metric(key: str, words: str, **more: Any) -> tuple[str, Component]:
        sent = {"state_topic": topics.metrics, "value_template": f"{{{{ value_json.{key} }}}}", **_QOS, **expiry}
        kind = {"platform": "sensor", "name": words, "entity_category": "diagnostic"}
        return key, {**kind, **sent, **more}

    yield metric("uptime_s", "Uptime", **_measured("duration", "s", 0))
    yield metric("rss_mb", "Memory", **_measured("data_size", "MB", 0))
    yield metric("frames_per_s", "Frame rate", **_measured(None, "1/s", 1))
    yield metric("spool_rows", "Messages waiting", **_measured(None, None, 0))
    yield metric("spool_bytes", "Messages waiting, size", **_measured("data_size", "B", 0))
    yield metric("spool_dropped_telemetry", "Messages dropped", state_class="total_increasing")
    yield metric("spool_dropped_events", "Votes dropped", state_class="total_increasing")
    yield metric("votes", "Votes", **_measured(None, None, 0))
    yield metric("restarts", "Workers restarted", state_class="total_increasing")
    health = {"state_topic": topics.health, "entity_category": "diagnostic", **_QOS, **expiry}
    yield (
        "problem",
        {
            "platform": "binary_sensor",
            "name": "Problem",
            "device_class": "problem",
            "value_template": "{{ 'ON' if value_json.state == 'degraded' else 'OFF' }}",
            "json_attributes_topic": topics.health,
            "json_attributes_template": "{{ {'troubles': value_json.troubles} | tojson }}",
            **health,
        },
    )
    yield "troubles", {"platform": "sensor", "name": "Troubles", "value_template": _TROUBLES_TEMPLATE, **health}
    yield (
        "identify",
        {
            "platform": "button",
            "name": "Identify",
            "device_class": "identify",
            "entity_category": "diagnostic",
            "command_topic": topics.command("identify"),
            "payload_press": "{}",
            **_QOS,
        },
    )


def _measured(device_class: str | None, unit: str | None, digits: int) -> Component:
    found = {
        "device_class": device_class,
        "unit_of_measurement": unit,
        "state_class": "measurement",
        "suggested_display_precision": digits,
    }
    return {name: value for name, value in found.items() if value is not None}


def _identity(topics: Topics, key: str, component: Component) -> Component:
    return {
        "unique_id": f"{device_id(topics)}_{key}",
        "default_entity_id": f"{component['platform']}.{_slug(topics.device)}_{_slug(key)}",
    }


def _online(topics: Topics) -> Component:
    return _available(topics.status, "value_json.state == 'online'")


def _available(topic: str, test: str) -> Component:
    return {"topic": topic, "value_template": f"{{{{ 'online' if {test} else 'offline' }}}}"}


def _expiry(interval_s: float) -> Component:
    return {"expire_after": max(1, math.ceil(_MISSED * interval_s))}


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "device"
