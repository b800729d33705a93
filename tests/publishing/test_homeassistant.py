"""What Home Assistant is told, against the rules of its MQTT discovery, and its templates against real messages."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import CLIMATE, COMFORT, MESSAGES, PERSON, SKIN, STAMP, VOTE

from comfywear import publishing
from comfywear.comfort.comfywear import PREFERENCES
from comfywear.publishing import Topics
from comfywear.publishing.homeassistant import (
    VOTE_EVENTS,
    config_topic,
    device_id,
    discovery,
    platforms,
    status_topic,
)
from comfywear.records import Climate, Clothing

TOPICS = Topics("home", "lab1")
ZONES = {"desk": "By the window", "sofa": "sofa"}
# The retained or event message that each of a zone's topics carries.
SENT = {
    TOPICS.climate("desk"): MESSAGES["climate"],
    TOPICS.people("desk"): MESSAGES["people"],
    TOPICS.comfort("desk"): MESSAGES["comfort"],
    TOPICS.ask("desk"): MESSAGES["ask"],
    TOPICS.vote("desk"): MESSAGES["vote"],
    TOPICS.metrics: publishing.metrics_message(
        dict.fromkeys(("uptime_s", "rss_mb", "frames_per_s", "engine_share"), 1.5)
        | dict.fromkeys(
            ("spool_rows", "spool_bytes", "spool_dropped_telemetry", "spool_dropped_events", "votes", "restarts"), 2
        ),
        STAMP,
    ),
    TOPICS.health: MESSAGES["health"],
    TOPICS.status: MESSAGES["status"],
}
names = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)


def told(topics: Topics = TOPICS, zones: dict[str, str] = ZONES, **options: Any) -> dict[str, Any]:
    found = {"version": "0.1", "interval_s": 30.0, "metrics_every_s": 60.0, **options}
    message: dict[str, Any] = json.loads(json.dumps(discovery(topics, zones, **found)))
    return message


def component(key: str, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = told(**options)["components"][key]
    return found


def rules(message: dict[str, Any], topics: Topics) -> None:
    """Every rule of device-based discovery that one message can keep or break."""
    assert set(message) >= {"device", "origin", "components"}
    assert message["device"]["identifiers"]
    assert message["origin"]["name"]
    assert message["qos"] == 1
    name = message["device"]["name"].casefold()
    unique = [each["unique_id"] for each in message["components"].values()]
    assert len(set(unique)) == len(unique)
    for key, each in message["components"].items():
        assert re.fullmatch(r"[a-zA-Z0-9_-]+", key)
        assert re.fullmatch(r"[a-zA-Z0-9_-]+", each["unique_id"])
        assert re.fullmatch(each["platform"] + r"\.[a-z0-9_]+", each["default_entity_id"])
        assert "object_id" not in each
        assert each["qos"] == 1, "qos is repeated for each component"
        assert each["name"]
        assert name not in each["name"].casefold(), "an entity's name must not repeat the device's"
        if each["platform"] == "sensor" and each.get("device_class") == "enum":
            assert each["options"]
            assert "state_class" not in each
            assert "unit_of_measurement" not in each
        for topic in (each.get("state_topic"), each.get("command_topic")):
            assert topic is None or topic.startswith(f"{topics.base}/")
        assert ("state_topic" in each) != ("command_topic" in each)
        if each["platform"] == "event":
            assert each["event_types"]
            assert "expire_after" not in each


def test_the_topic_has_an_id_of_the_allowed_characters() -> None:
    prefix, device, found, last = config_topic("homeassistant", TOPICS).split("/")
    assert (prefix, device, last) == ("homeassistant", "device", "config")
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", found)
    assert status_topic("ha/lab") == "ha/lab/status"
    assert device_id(Topics("home", "lab1")) != device_id(Topics("home", "lab2"))


@settings(deadline=None, max_examples=50)
@given(names, names, st.dictionaries(names, st.text(min_size=1, max_size=20), min_size=1, max_size=4), st.data())
def test_the_rules_hold_for_any_names(site: str, device: str, zones: dict[str, str], data: st.DataObject) -> None:
    topics = Topics(site, device)
    zone = data.draw(st.sampled_from(sorted(zones)))
    zones[zone] = data.draw(st.sampled_from([zones[zone], device, f"comfywear {device}", f"The COMFYWEAR {device}!"]))
    message = told(topics, zones)
    rules(message, topics)
    per_zone = [key for key in message["components"] if "-" in key]
    assert len(per_zone) == 12 * len(zones)
    for each in zones:  # a zone's keys do not depend on the others or on the name shown
        alone = told(topics, {each: "x"})["components"]
        assert {key for key in alone if "-" in key} <= set(message["components"])


def test_temperature_and_humidity_have_their_class_unit_and_state_class() -> None:
    temperature, humidity = component("temperature-desk"), component("humidity-desk")
    wanted = ("device_class", "unit_of_measurement", "state_class")
    assert [temperature[name] for name in wanted] == ["temperature", "°C", "measurement"]
    assert [humidity[name] for name in wanted] == ["humidity", "%", "measurement"]


def test_the_expected_vote_has_no_class_and_no_unit_and_ppd_is_per_cent() -> None:
    vote, ppd = component("expected_vote-desk"), component("ppd-desk")
    assert "device_class" not in vote
    assert "unit_of_measurement" not in vote
    assert ppd["unit_of_measurement"] == "%"
    assert "device_class" not in ppd


def test_the_preference_is_an_enum_of_the_models_own_words() -> None:
    preference = component("preference-desk")
    assert preference["device_class"] == "enum"
    assert sorted(preference["options"]) == sorted(PREFERENCES)


def test_skin_temperature_is_called_modelled() -> None:
    assert "modelled mean skin temperature" in component("skin_temperature-desk")["name"]


def test_values_expire_after_three_intervals() -> None:
    assert component("temperature-desk", interval_s=20.0)["expire_after"] == 60
    assert component("expected_vote-desk", interval_s=0.5)["expire_after"] == 2
    assert component("uptime_s", metrics_every_s=60.0)["expire_after"] == 180
    for each in told()["components"].values():
        if each["platform"] == "sensor" and not each["unique_id"].endswith("question-desk"):
            assert each.get("expire_after") or "question" in each["unique_id"]


def test_what_is_gone_is_named_with_its_platform_alone_and_is_not_remembered() -> None:
    before = platforms(told())
    message = told(zones={"desk": "desk"}, gone={key: p for key, p in before.items() if key.endswith("-sofa")})
    assert message["components"]["temperature-sofa"] == {"platform": "sensor"}
    assert message["components"]["vote-sofa"] == {"platform": "event"}
    assert platforms(message) == {key: p for key, p in before.items() if not key.endswith("-sofa")}
    back = told(gone={"temperature-desk": "sensor"})
    assert back["components"]["temperature-desk"]["unique_id"], "a component that is back is described"


def fields_of(template: str) -> set[str]:
    return set(re.findall(r"value_json\.(\w+)", template))


def templates(message: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(key, topic, template) of every template."""
    found = [
        (key, each["state_topic"], each["value_template"])
        for key, each in message["components"].items()
        if "state_topic" in each
    ]
    rows = [message["availability"], *(each.get("availability", []) for each in message["components"].values())]
    return found + [("availability", row["topic"], row["value_template"]) for listed in rows for row in listed]


def test_every_template_asks_for_fields_that_the_message_of_its_topic_has() -> None:
    found = templates(told(zones={"desk": "desk"}))
    assert len(found) > 20
    for key, topic, template in found:
        fields = fields_of(template)
        assert fields, key
        assert fields <= set(SENT[topic].__struct_fields__), (key, topic)


def rendered(template: str, message: msgspec.Struct) -> str:
    jinja2 = pytest.importorskip("jinja2", reason="needs jinja2, Home Assistant's language of templates")
    environment = jinja2.sandbox.SandboxedEnvironment() if hasattr(jinja2, "sandbox") else jinja2.Environment()
    text: str = environment.from_string(template).render(value_json=json.loads(msgspec.json.encode(message)))
    return text


def state(key: str, message: msgspec.Struct) -> str:
    return rendered(component(key)["value_template"], message)


def test_templates_say_what_the_messages_say() -> None:
    assert state("temperature-desk", MESSAGES["climate"]) == "23.43"
    assert state("humidity-desk", MESSAGES["climate"]) == "45.7"
    assert state("expected_vote-desk", MESSAGES["comfort"]) == "0.16"
    assert state("ppd-desk", MESSAGES["comfort"]) == "6.4"
    assert state("level-desk", MESSAGES["comfort"]) == "4"
    assert state("preference-desk", MESSAGES["comfort"]) == "no change"
    assert state("clo-desk", MESSAGES["people"]) == "0.62"
    assert state("people-desk", MESSAGES["people"]) == "2"
    assert state("skin_temperature-desk", MESSAGES["people"]) == "33.46"
    assert state("question-desk", MESSAGES["ask"]) == "How do you feel now?"
    assert state("rss_mb", SENT[TOPICS.metrics]) == "1.5"


def test_a_trouble_is_a_problem_with_its_names() -> None:
    well = publishing.health_message([], [], STAMP, now_s=0.0)
    assert (state("problem", MESSAGES["health"]), state("problem", well)) == ("ON", "OFF")
    assert (state("troubles", MESSAGES["health"]), state("troubles", well)) == ("no-sensor", "none")
    attributes = json.loads(rendered(component("problem")["json_attributes_template"], MESSAGES["health"]))
    assert attributes["troubles"][0]["do"] == "look at its plug"


def test_what_is_not_known_is_none_which_home_assistant_shows_as_unknown() -> None:
    stale = publishing.climate_message(Climate("desk", "stale", reason="no reading"), STAMP)
    assert state("temperature-desk", stale) == "None"
    nobody = publishing.people_message("desk", [], STAMP)
    assert (state("clo-desk", nobody), state("skin_temperature-desk", nobody)) == ("None", "None")
    assert state("people-desk", publishing.people_message("desk", [], STAMP, missing_reason="gone")) == "None"


def test_stale_air_is_unavailable_and_so_is_everything_of_a_device_that_is_gone() -> None:
    shared, own = component("temperature-desk")["availability"]
    assert told()["availability"] == [shared]
    assert component("temperature-desk")["availability_mode"] == "all"
    assert rendered(own["value_template"], publishing.climate_message(CLIMATE, STAMP)) == "online"
    assert rendered(own["value_template"], publishing.climate_message(Climate("desk", "stale"), STAMP)) == "offline"
    assert rendered(shared["value_template"], publishing.status_message("offline", STAMP)) == "offline"
    assert rendered(shared["value_template"], publishing.status_message("online", STAMP)) == "online"


@pytest.mark.parametrize("level", range(1, 6))
def test_a_vote_is_an_event_of_a_known_type(level: int) -> None:
    words = 'so "so" \\ naïve'
    event = json.loads(state("vote-desk", publishing.vote_message(replace(VOTE, level=level, words=words), STAMP)))
    assert event == {"event_type": f"vote_{level}", "words": words, "source": "command"}
    assert event["event_type"] in VOTE_EVENTS
    assert component("vote-desk")["event_types"] == list(VOTE_EVENTS)


def test_a_vote_that_is_taken_back_is_an_event_too() -> None:
    event = json.loads(state("vote-desk", publishing.vote_message(replace(VOTE, undone=True), STAMP)))
    assert event["event_type"] == "undone"


def test_a_question_is_never_longer_than_a_state_may_be() -> None:
    assert len(state("question-desk", publishing.ask_message("desk", "x" * 600, STAMP))) == 255
    assert state("question-desk", publishing.ask_message("desk", None, STAMP)) == ""


def test_buttons_send_commands_that_the_device_takes() -> None:
    from comfywear.publishing.commands import read_command

    buttons = [each for each in told()["components"].values() if each["platform"] == "button"]
    assert len(buttons) == 1 + len(ZONES)
    for each in buttons:
        read_command(each["command_topic"].rsplit("/", 1)[-1], each["payload_press"].encode())


def test_the_mean_over_persons_is_theirs() -> None:
    views = [(PERSON, Clothing(0.5, 0.1), SKIN), (PERSON, Clothing(1.0, 0.1), replace(SKIN, skin_temp_c=math.nan))]
    message = publishing.people_message("desk", views, STAMP)
    assert message.mean_clo == 0.75
    assert message.mean_skin_temp_c == 33.46, "what is not a number hides nobody else"
    assert COMFORT.decision in PREFERENCES
