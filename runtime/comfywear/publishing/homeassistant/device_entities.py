"""The entities of a device as a whole."""

from __future__ import annotations

from collections.abc import Collection

from comfywear.publishing.homeassistant.component import (
    LONGEST_STATE,
    QOS,
    Component,
    Named,
    attributes,
    available,
    expiry,
    measured,
    number,
    online,
)
from comfywear.publishing.messages.topics import Topics
from comfywear.texts import Text

_NAMES = f"{{{{ (value_json.troubles | map(attribute='name') | unique | join(', ') or 'none')[:{LONGEST_STATE}] }}}}"
# Since when, not for how long: an age would be another state each minute.
_DETAILS = (
    "{% set ns = namespace(found=[]) %}{% for each in value_json.troubles %}"
    "{% set ns.found = ns.found + [{'name': each.name, 'about': each.about, 'since': each.since,"
    " 'reason': each.reason, 'do': each.do}] %}{% endfor %}{{ {'troubles': ns.found} | tojson }}"
)
# What few people look at, and everybody's recorder would write down.
_TECHNICAL = {"entity_category": "diagnostic", "enabled_by_default": False}


CROSSING_EVENTS = ("in", "out")
_CROSSED = (
    '{"event_type": "{{ value_json.kind }}", "entered": {{ value_json.entered }}, "left": {{ value_json.left }},'
    ' "person": {{ value_json.id }}, "ts": {{ value_json.ts | tojson }}}'
)
_PRIVATE = "{{ {'cameras': value_json.cameras} | tojson }}"
_SEEN = "{{ {'zones': value_json.zones, 'reason': value_json.reason, 'shed': value_json.shed} | tojson }}"


def camera_entities(topics: Topics, cameras: Collection[str], *, interval_s: float) -> Named:
    """Whether each of several cameras gives pictures."""
    for name in cameras:
        topic = topics.camera(name)
        yield (
            f"camera-{name}",
            {
                "platform": "binary_sensor",
                "name": Text("Camera {name}", name=name),
                "device_class": "connectivity",
                "entity_category": "diagnostic",
                "state_topic": topic,
                "value_template": "{{ 'ON' if value_json.state in ('running', 'dark') else 'OFF' }}",
                **attributes(topic, _SEEN),
                **QOS,
                **expiry(interval_s),
            },
        )


def view_entities(topics: Topics, cameras: Collection[str]) -> Named:
    """The view of each camera; not there while that camera is private."""
    for name in cameras:
        private = available(topics.privacy, f"not ({_private_of(name)})")
        yield (
            f"view-{name}",
            {
                "platform": "camera",
                "name": Text("View") if len(cameras) == 1 else Text("View {name}", name=name),
                "icon": "mdi:floor-plan",
                "topic": topics.view(name),
                "availability": [online(topics), private],
                "availability_mode": "all",
                **QOS,
            },
        )


def line_entities(topics: Topics, lines: Collection[str], *, interval_s: float) -> Named:
    """How many crossed each line today, in and out, and each crossing as an event."""
    for name in lines:
        for key, field, word in (
            ("in", "entered", Text("{line} in", line=name)),
            ("out", "left", Text("{line} out", line=name)),
        ):
            yield (
                f"line_{key}-{name}",
                {
                    "platform": "sensor",
                    "name": word,
                    "icon": "mdi:location-enter" if key == "in" else "mdi:location-exit",
                    "state_topic": topics.line(name),
                    "value_template": f"{{{{ value_json.{field} }}}}",
                    "state_class": "total_increasing",
                    **QOS,
                    **expiry(interval_s),
                },
            )
        yield (
            f"line_crossed-{name}",
            {
                "platform": "event",
                "name": Text("{line} crossed", line=name),
                "icon": "mdi:door-sliding",
                "state_topic": topics.crossing(name),
                "event_types": list(CROSSING_EVENTS),
                "value_template": _CROSSED,
                **QOS,
            },
        )


def privacy_entities(topics: Topics, cameras: Collection[str]) -> Named:
    """A switch after which no camera looks, and of several one for each."""
    yield _privacy(topics, "privacy", Text("Privacy"), "value_json.on", "")
    for name in cameras:
        on = f"({_private_of(name)})"
        yield _privacy(topics, f"privacy-{name}", Text("Privacy {name}", name=name), on, f', "camera": "{name}"')


def _private_of(camera: str) -> str:
    return f"value_json.cameras | selectattr('camera', 'eq', '{camera}') | map(attribute='on') | first"


def _privacy(topics: Topics, key: str, name: str, on: str, chosen: str) -> tuple[str, Component]:
    return (
        key,
        {
            "platform": "switch",
            "name": name,
            "icon": "mdi:eye-off",
            "state_topic": topics.privacy,
            "value_template": f"{{{{ 'ON' if {on} else 'OFF' }}}}",
            "state_on": "ON",
            "state_off": "OFF",
            "command_topic": topics.command("privacy"),
            "payload_on": f'{{"on": true{chosen}}}',
            "payload_off": f'{{"on": false{chosen}}}',
            **attributes(topics.privacy, _PRIVATE),
            **QOS,
        },
    )


def device_entities(topics: Topics, *, metrics_every_s: float, board_temp: bool, restarts: bool) -> Named:
    """Every entity of the device.

    Args:
        topics: Of the device.
        metrics_every_s: How often metrics are sent.
        board_temp: Whether the machine says its temperature.
        restarts: Whether it can be started anew from outside.
    """
    lasting = expiry(metrics_every_s)

    def metric(key: str, name: str, digits: int, more: Component) -> tuple[str, Component]:
        sent = {"state_topic": topics.metrics, "value_template": number(key, digits), **QOS, **lasting}
        return key, {"platform": "sensor", "name": name, **_TECHNICAL, **sent, **more}

    yield metric("rss_mb", Text("Memory"), 0, measured("data_size", "MB", 0))
    yield metric("frames_per_s", Text("Frame rate"), 1, {"icon": "mdi:speedometer", **measured(None, "1/s", 1)})
    if board_temp:
        yield metric("board_temp_c", Text("Board temperature"), 0, measured("temperature", "°C", 0))
    yield metric("spool_rows", Text("Messages waiting"), 0, {"icon": "mdi:tray-full", **measured(None, None, 0)})
    yield metric("spool_bytes", Text("Messages waiting, size"), 0, measured("data_size", "B", 0))
    counted = {"icon": "mdi:tray-remove", "state_class": "total_increasing"}
    yield metric("spool_dropped_telemetry", Text("Messages dropped"), 0, counted)
    yield metric("spool_dropped_events", Text("Votes dropped"), 0, counted)
    votes = {"icon": "mdi:vote", "enabled_by_default": True}
    yield metric("votes", Text("Votes"), 0, {**measured(None, None, 0), **votes})
    yield metric("restarts", Text("Workers restarted"), 0, {**counted, "icon": "mdi:restart-alert"})
    yield (
        "started",
        {
            "platform": "sensor",
            "name": Text("Started"),
            "device_class": "timestamp",
            "entity_category": "diagnostic",
            "state_topic": topics.meta,
            "value_template": "{{ value_json.started }}",
            **QOS,
        },
    )
    health = {"state_topic": topics.health, "entity_category": "diagnostic", **QOS, **lasting}
    yield (
        "problem",
        {
            "platform": "binary_sensor",
            "name": Text("Problem"),
            "device_class": "problem",
            "value_template": "{{ 'ON' if value_json.state == 'degraded' else 'OFF' }}",
            **attributes(topics.health, _DETAILS),
            **health,
        },
    )
    yield (
        "troubles",
        {
            "platform": "sensor",
            "name": Text("Troubles"),
            "icon": "mdi:alert-circle",
            "value_template": _NAMES,
            **health,
        },
    )
    yield (
        "identify",
        {
            "platform": "button",
            "name": Text("Identify"),
            "device_class": "identify",
            "entity_category": "diagnostic",
            "command_topic": topics.command("identify"),
            "payload_press": "{}",
            **QOS,
        },
    )
    if restarts:
        yield (
            "restart",
            {
                "platform": "button",
                "name": Text("Restart"),
                "device_class": "restart",
                "entity_category": "config",
                "command_topic": topics.command("reload"),
                "payload_press": "{}",
                **QOS,
            },
        )
