"""The entities of a zone. Keys are <what>-<zone>; no <what> has a hyphen, so that no two zones can share a key."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from comfywear.publishing.homeassistant.component import (
    QOS,
    Component,
    Named,
    attributes,
    available,
    expiry,
    measured,
    number,
    online,
    text,
)
from comfywear.publishing.messages.topics import Topics
from comfywear.texts import Text

# The models' words for what people wish, as in the comfort message's `decision`.
WISHES = ("cooler", "no change", "warmer")
VOTE_EVENTS = ("vote_1", "vote_2", "vote_3", "vote_4", "vote_5", "undone")
PRESENCE_EVENTS = ("entered", "left")

# Entities of what few sensors measure: they are told once it was measured.
OPTIONAL = {
    "radiant_temperature": "radiant_temp_c",
    "air_speed": "air_speed_m_s",
    "co2": "co2_ppm",
    "illuminance": "illuminance_lx",
}

WEATHER = ("outdoor_running_mean", "adaptive_category", "adaptive_acceptability", "window")
"""Entities of the weather outdoors: they are told where the settings name who says it."""

_VOTE = (
    "{% set event = 'undone' if value_json.undone else 'vote_' ~ value_json.level %}"
    '{"event_type": "{{ event }}", "level": {{ value_json.level }}, "words": {{ value_json.words | tojson }},'
    ' "source": {{ value_json.source | tojson }}, "id": {{ value_json.id | tojson }},'
    ' "ts": {{ value_json.ts | tojson }}}'
)
_CAME_OR_WENT = (
    '{"event_type": "{{ value_json.kind }}", "count": {{ value_json.count }}, "person": {{ value_json.id }},'
    ' "seen_s": {{ value_json.seen_s | tojson }}, "ts": {{ value_json.ts | tojson }}}'
)
_ADAPTIVE = {
    "adaptive_category": (Text("Adaptive comfort category"), "en_category", ("I", "II", "III", "outside")),
    "adaptive_acceptability": (Text("Adaptive comfort accepted by"), "ashrae_acceptability", ("90 %", "80 %", "less")),
}
_WINDOW = "{{ {True: 'ON', False: 'OFF'}.get((value_json.window or {}).helps | default(none), 'None') }}"
_WINDOW_WHY = (
    "{% set window = value_json.window or {} %}"
    "{{ {'why': window.why | default(none), 'reason': window.reason | default(none)} | tojson }}"
)
_OCCUPIED = "{{ {'occupied': 'ON', 'empty': 'OFF'}.get(value_json.state, 'None') }}"
_SINCE = "{{ {'since': value_json.since, 'count': value_json.count, 'reason': value_json.reason} | tojson }}"
_WHY = (
    "{{ {'assumptions': value_json.assumptions, 'reason': value_json.reason,"
    " 'uncertainty': (value_json.uncertainty | round(1)) if value_json.uncertainty is not none else none,"
    " 'model': value_json.model} | tojson }}"
)
_ADVICE = (
    "{{ value_json.advice[0][:255] if value_json.advice else none }}",
    "{{ {'advice': value_json.advice} | tojson }}",
)
_LIKED = (
    "{{ {'reason': value_json.reason, 'sd_k': value_json.sd_k, 'low_80_c': value_json.low_80_c,"
    " 'high_80_c': value_json.high_80_c, 'low_90_c': value_json.low_90_c, 'high_90_c': value_json.high_90_c,"
    " 'satisfied': value_json.satisfied, 'votes': value_json.votes, 'assumptions': value_json.assumptions} | tojson }}"
)
_SET = "{{ {'why': value_json.why, 'plant': value_json.plant, 'thermostats': value_json.thermostats} | tojson }}"
_ICONS = {
    "expected_vote": "mdi:thermometer-lines",
    "uncertainty": "mdi:plus-minus-variant",
    "ppd": "mdi:emoticon-sad-outline",
    "pmv": "mdi:scale-balance",
    "level": "mdi:emoticon-happy-outline",
    "preference": "mdi:thermostat",
    "preferred": "mdi:thermometer-check",
    "setpoint": "mdi:thermostat-auto",
    "advice": "mdi:lightbulb-on-outline",
    "clo": "mdi:tshirt-crew",
    "people": "mdi:account-multiple",
    "skin_temperature": "mdi:human",
    "dew_point": "mdi:water-thermometer",
    "absolute_humidity": "mdi:water",
    "question": "mdi:comment-question",
    "outdoor_running_mean": "mdi:sun-thermometer-outline",
    "adaptive_category": "mdi:home-thermometer-outline",
    "adaptive_acceptability": "mdi:account-check-outline",
    "window": "mdi:window-open-variant",
}


def zone_entities(
    topics: Topics, zone: str, *, interval_s: float, words: Mapping[int, str], optional: Collection[str]
) -> Named:
    """Every entity of `zone`.

    Args:
        topics: Of the device.
        zone: Its own name.
        interval_s: How often live states are sent.
        words: What is shown for the levels 1…5.
        optional: Keys of `OPTIONAL` and `WEATHER` that are there.
    """
    air, comfort, people = topics.climate(zone), topics.comfort(zone), topics.people(zone)
    occupancy = topics.occupancy(zone)
    lasting = expiry(interval_s)
    fresh = {
        "availability": [online(topics), available(air, "value_json.state == 'fresh'")],
        "availability_mode": "all",
    }

    def entity(key: str, platform: str, name: str, **more: Any) -> tuple[str, Component]:
        icon = {"icon": _ICONS[key]} if key in _ICONS else {}
        return f"{key}-{zone}", {"platform": platform, "name": name, **icon, **QOS, **more}

    def sensor(key: str, name: str, topic: str, template: str, **more: Any) -> tuple[str, Component]:
        return entity(key, "sensor", name, state_topic=topic, value_template=template, **lasting, **more)

    def quantity(
        key: str,
        name: str,
        topic: str,
        field: str,
        device_class: str | None,
        unit: str | None,
        digits: int,
        **more: Any,
    ) -> tuple[str, Component]:
        return sensor(key, name, topic, number(field, digits), **measured(device_class, unit, digits), **more)

    yield quantity("temperature", Text("Temperature"), air, "air_temp_c", "temperature", "°C", 1, **fresh)
    yield quantity("humidity", Text("Humidity"), air, "humidity_pct", "humidity", "%", 0, **fresh)
    yield quantity("dew_point", Text("Dew point"), air, "dew_point_c", "temperature", "°C", 1, **fresh)
    yield quantity(
        "absolute_humidity", Text("Absolute humidity"), air, "absolute_humidity_g_m3", None, "g/m³", 1, **fresh
    )
    if "radiant_temperature" in optional:
        yield quantity(
            "radiant_temperature", Text("Radiant temperature"), air, "radiant_temp_c", "temperature", "°C", 1
        )
    if "air_speed" in optional:
        yield quantity("air_speed", Text("Air speed"), air, "air_speed_m_s", "speed", "m/s", 2)
    if "co2" in optional:
        yield quantity("co2", Text("CO₂"), air, "co2_ppm", "carbon_dioxide", "ppm", 0)
    if "illuminance" in optional:
        yield quantity("illuminance", Text("Illuminance"), air, "illuminance_lx", "illuminance", "lx", 0)
    yield quantity("expected_vote", Text("Expected vote"), comfort, "expected_vote", None, None, 1)
    yield quantity("uncertainty", Text("Uncertainty of the vote"), comfort, "uncertainty", None, None, 1)
    yield quantity("ppd", Text("Dissatisfied"), comfort, "ppd_pct", None, "%", 0)
    yield quantity("pmv", Text("PMV"), comfort, "pmv", None, None, 1)
    yield quantity("set", Text("SET"), comfort, "set_c", "temperature", "°C", 1)
    yield quantity("level", Text("Comfort level"), comfort, "level", None, None, 0, **attributes(comfort, _WHY))
    preference = "{{ value_json.decision }}"
    yield sensor("preference", Text("Preference"), comfort, preference, device_class="enum", options=list(WISHES))
    yield sensor("advice", Text("Advice"), comfort, _ADVICE[0], **attributes(comfort, _ADVICE[1]))
    setpoint, wanted = topics.setpoint(zone), Text("Temperature that would please most")
    yield quantity(
        "preferred", wanted, setpoint, "preferred_c", "temperature", "°C", 1, **attributes(setpoint, _LIKED)
    )  # fmt: skip
    yield quantity(
        "setpoint", Text("Advised setpoint"), setpoint, "setpoint_c", "temperature", "°C", 1,
        **attributes(setpoint, _SET),
    )  # fmt: skip
    if "outdoor_running_mean" in optional:
        mean = (
            "{% set mean = (value_json.outdoors or {}).running_mean_c | default(none) %}"
            "{{ mean | round(1) if mean is not none else none }}"
        )
        warm = measured("temperature", "°C", 1)
        yield sensor(
            "outdoor_running_mean", Text("Running mean outdoors"), comfort, mean, **warm, entity_category="diagnostic"
        )
    for key, (name, field, choices) in _ADAPTIVE.items():
        if key in optional:
            template = f"{{{{ (value_json.adaptive or {{}}).{field} | default(none) }}}}"
            yield sensor(key, name, comfort, template, device_class="enum", options=list(choices))
    if "window" in optional:
        yield entity(
            "window", "binary_sensor", Text("Airing would help"), state_topic=comfort, value_template=_WINDOW,
            **lasting, **attributes(comfort, _WINDOW_WHY),
        )  # fmt: skip
    yield quantity("clo", Text("Clothing"), people, "mean_clo", None, "clo", 2)
    yield quantity("people", Text("People"), occupancy, "count", None, None, 0)
    skin = Text("Modelled mean skin temperature")
    yield quantity("skin_temperature", skin, people, "mean_skin_temp_c", "temperature", "°C", 1)
    yield entity(
        "occupancy", "binary_sensor", Text("Occupancy"), device_class="occupancy", state_topic=occupancy,
        value_template=_OCCUPIED, **lasting, **attributes(occupancy, _SINCE),
    )  # fmt: skip
    yield entity(
        "presence", "event", Text("Came or went"), icon="mdi:door", state_topic=topics.presence(zone),
        event_types=list(PRESENCE_EVENTS), value_template=_CAME_OR_WENT,
    )  # fmt: skip
    yield entity("question", "sensor", Text("Question"), state_topic=topics.ask(zone), value_template=text("question"))
    yield entity(
        "vote", "event", Text("Vote"), icon="mdi:vote", state_topic=topics.vote(zone), event_types=list(VOTE_EVENTS),
        value_template=_VOTE,
    )  # fmt: skip
    yield entity(
        "ask_now", "button", Text("Ask now"), icon="mdi:comment-question-outline",
        command_topic=topics.command("ask-now"),
        payload_press=f'{{"zone": "{zone}"}}',
    )  # fmt: skip
    for level, shown in words.items():
        yield entity(
            f"cast_{level}", "button", Text("Vote {level}: {words}", level=level, words=shown),
            icon=f"mdi:numeric-{level}-circle-outline", command_topic=topics.vote_set(zone), payload_press=str(level),
        )  # fmt: skip
