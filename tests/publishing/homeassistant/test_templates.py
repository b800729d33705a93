"""Home Assistant's templates, rendered by its own language over the messages that a device really sends."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from jinja2.sandbox import SandboxedEnvironment
from samples import CLIMATE, COMFORT, MESSAGES, PERSON, SKIN, STAMP, VOTE
from told import EVERY, TOPICS, all_told, component, told

from comfywear import publishing
from comfywear.comfort.comfort_vote import PREFERENCES
from comfywear.publishing.homeassistant.zone_entities import VOTE_EVENTS, WEATHER
from comfywear.records import (
    AdaptiveComfort,
    CameraPrivacy,
    Climate,
    Clothing,
    Occupancy,
    Outdoors,
    Trouble,
    WindowAdvice,
)

# The retained or event message that each of a zone's topics carries.
SENT = {
    TOPICS.climate("desk"): MESSAGES["climate"],
    TOPICS.people("desk"): MESSAGES["people"],
    TOPICS.comfort("desk"): MESSAGES["comfort"],
    TOPICS.setpoint("desk"): MESSAGES["setpoint"],
    TOPICS.ask("desk"): MESSAGES["ask"],
    TOPICS.vote("desk"): MESSAGES["vote"],
    TOPICS.occupancy("desk"): MESSAGES["occupancy"],
    TOPICS.presence("desk"): MESSAGES["presence"],
    TOPICS.meta: MESSAGES["meta"],
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


def fields_of(template: str) -> set[str]:
    return set(re.findall(r"value_json\.(\w+)", template))


def templates(message: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(key, topic, template) of every template."""
    found = [
        (key, each["state_topic"], each["value_template"])
        for key, each in message["components"].items()
        if "state_topic" in each
    ]
    found += [
        (key, each["json_attributes_topic"], each["json_attributes_template"])
        for key, each in message["components"].items()
        if "json_attributes_topic" in each
    ]
    rows = [message["availability"], *(each.get("availability", []) for each in message["components"].values())]
    return found + [("availability", row["topic"], row["value_template"]) for listed in rows for row in listed]


def test_every_template_asks_for_fields_that_the_message_of_its_topic_has() -> None:
    found = templates(told(zones={"desk": "desk"}, measured=EVERY, board_temp=True, weather=True))
    assert len(found) > 20
    for key, topic, template in found:
        fields = fields_of(template)
        assert fields, key
        assert fields <= set(SENT[topic].__struct_fields__), (key, topic)


def rendered(template: str, message: msgspec.Struct) -> str:
    text: str = SandboxedEnvironment().from_string(template).render(value_json=json.loads(msgspec.json.encode(message)))
    return text


def state(key: str, message: msgspec.Struct) -> str:
    return rendered(component(key, weather=True)["value_template"], message)


def test_templates_say_what_the_messages_say() -> None:
    assert state("temperature-desk", MESSAGES["climate"]) == "23.4"
    assert state("humidity-desk", MESSAGES["climate"]) == "46"
    assert state("expected_vote-desk", MESSAGES["comfort"]) == "0.2"
    assert state("ppd-desk", MESSAGES["comfort"]) == "6"
    assert state("pmv-desk", MESSAGES["comfort"]) == "0.2"
    assert state("advice-desk", MESSAGES["comfort"]) == "1 K cooler would help most"
    assert state("uncertainty-desk", MESSAGES["comfort"]) in ("1.0", "1.1")
    assert state("level-desk", MESSAGES["comfort"]) == "4"
    assert state("preference-desk", MESSAGES["comfort"]) == "no change"
    assert state("preferred-desk", MESSAGES["setpoint"]) == "21.8"
    assert state("setpoint-desk", MESSAGES["setpoint"]) == "22.0"
    assert state("outdoor_running_mean-desk", MESSAGES["comfort"]) == "8.1"
    assert state("adaptive_category-desk", MESSAGES["comfort"]) == "II"
    assert state("adaptive_acceptability-desk", MESSAGES["comfort"]) == "90 %"
    assert state("window-desk", MESSAGES["comfort"]) == "ON"
    why = rendered(component("window-desk", weather=True)["json_attributes_template"], MESSAGES["comfort"])
    assert json.loads(why) == {"why": "cooler", "reason": None}
    assert state("clo-desk", MESSAGES["people"]) == "0.62"
    assert state("people-desk", MESSAGES["occupancy"]) == "2"
    assert state("occupancy-desk", MESSAGES["occupancy"]) == "ON"
    assert state("skin_temperature-desk", MESSAGES["people"]) == "33.5"
    assert state("question-desk", MESSAGES["ask"]) == "How do you feel now?"
    assert state("frames_per_s", SENT[TOPICS.metrics]) == "1.5"
    came = json.loads(state("presence-desk", MESSAGES["presence"]))
    assert came == {"event_type": "entered", "count": 1, "person": 3, "seen_s": 2.0, "ts": STAMP.ts}


@pytest.mark.parametrize("what", WEATHER)
def test_without_weather_nothing_is_known_of_what_follows_from_it(what: str) -> None:
    bare = publishing.comfort_message("desk", COMFORT, STAMP)
    outdoors = Outdoors(replace(CLIMATE, state="stale", air_temp_c=None), None, 3)
    unknown = publishing.comfort_message(
        "desk", COMFORT, STAMP, outdoors=outdoors, adaptive=AdaptiveComfort(reason="x"), window=WindowAdvice(None)
    )
    assert (state(f"{what}-desk", bare), state(f"{what}-desk", unknown)) == ("None", "None")


def test_a_zone_that_nobody_can_look_at_is_neither_occupied_nor_empty() -> None:
    gone = publishing.occupancy_message("desk", Occupancy("unknown", 0, 1.0), STAMP, reason="camera gone: unplugged")
    empty = publishing.occupancy_message("desk", Occupancy("empty", 0, 1.0), STAMP)
    assert (state("occupancy-desk", gone), state("occupancy-desk", empty)) == ("None", "OFF")
    assert (state("people-desk", gone), state("people-desk", empty)) == ("None", "0")


def test_comfort_says_what_it_assumes_and_how_sure_it_is() -> None:
    found = json.loads(rendered(component("level-desk")["json_attributes_template"], MESSAGES["comfort"]))
    assert found["assumptions"] == ["air speed 0.1 m/s"]
    assert found["reason"] is None
    assert round(found["uncertainty"] * 10) in (10, 11)


def test_what_changes_with_each_message_is_no_attribute() -> None:
    """Each state and each attribute that changes is a row in the recorder."""
    trouble = Trouble("no-sensor", "desk", "silent", "look at its plug", 100.0)
    said = [
        rendered(
            component("problem")["json_attributes_template"],
            publishing.health_message([trouble], [], STAMP, now_s=now_s, since=lambda _: "2027-01-02T03:00:00+00:00"),
        )
        for now_s in (110.0, 170.0)
    ]
    assert said[0] == said[1]
    assert json.loads(said[0])["troubles"][0]["since"] == "2027-01-02T03:00:00+00:00"
    warmer = publishing.climate_message(replace(CLIMATE, air_temp_c=23.4399), STAMP)
    assert state("temperature-desk", MESSAGES["climate"]) == state("temperature-desk", warmer)


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


def test_stale_air_is_unavailable_and_so_is_everything_of_a_device_that_is_gone() -> None:
    shared, own = component("temperature-desk")["availability"]
    assert all(message["availability"] == [shared] for message in all_told().values())
    assert component("temperature-desk")["availability_mode"] == "all"
    assert rendered(own["value_template"], publishing.climate_message(CLIMATE, STAMP)) == "online"
    assert rendered(own["value_template"], publishing.climate_message(Climate("desk", "stale"), STAMP)) == "offline"
    assert rendered(shared["value_template"], publishing.status_message("offline", STAMP)) == "offline"
    assert rendered(shared["value_template"], publishing.status_message("online", STAMP)) == "online"


@pytest.mark.parametrize("level", range(1, 6))
def test_a_vote_is_an_event_of_a_known_type(level: int) -> None:
    words = 'so "so" \\ naïve'
    event = json.loads(state("vote-desk", publishing.vote_message(replace(VOTE, level=level, words=words), STAMP)))
    assert event == {
        "event_type": f"vote_{level}", "level": level, "words": words, "source": "command", "id": "ab12", "ts": STAMP.ts
    }  # fmt: skip
    assert event["event_type"] in VOTE_EVENTS
    assert component("vote-desk")["event_types"] == list(VOTE_EVENTS)


def test_a_vote_that_is_taken_back_is_an_event_too() -> None:
    event = json.loads(state("vote-desk", publishing.vote_message(replace(VOTE, undone=True), STAMP)))
    assert event["event_type"] == "undone"


def test_a_question_is_never_longer_than_a_state_may_be() -> None:
    assert len(state("question-desk", publishing.ask_message("desk", "x" * 600, STAMP))) == 255
    assert state("question-desk", publishing.ask_message("desk", None, STAMP)) == "None"


def test_the_mean_over_persons_is_theirs() -> None:
    views = [(PERSON, Clothing(0.5, 0.1), SKIN), (PERSON, Clothing(1.0, 0.1), replace(SKIN, skin_temp_c=math.nan))]
    message = publishing.people_message("desk", views, STAMP)
    assert message.mean_clo == 0.75
    assert message.mean_skin_temp_c == 33.46, "what is not a number hides nobody else"
    assert COMFORT.decision in PREFERENCES


def test_each_of_several_cameras_is_connected_or_not_and_a_single_one_has_no_entity() -> None:
    entity = component("camera-desk", cameras=("desk", "door"))
    assert entity["state_topic"] == TOPICS.camera("desk")
    assert rendered(entity["value_template"], MESSAGES["camera"]) == "OFF"
    assert json.loads(rendered(entity["json_attributes_template"], MESSAGES["camera"]))["zones"] == ["office"]
    assert not any(key.startswith("camera-") for key in told()["components"])


def test_a_view_is_there_unless_its_own_camera_is_private() -> None:
    south, north = CameraPrivacy("south", None), CameraPrivacy("north", "private: switched on the page")
    message = publishing.privacy_message([south, north], STAMP)
    shown = {
        name: [
            rendered(row["value_template"], message)
            for row in component(f"view-{name}", views=("south", "north"))["availability"]
            if row["topic"] == TOPICS.privacy
        ]
        for name in ("south", "north")
    }
    assert shown == {"south": ["online"], "north": ["offline"]}
    assert not any(key.startswith("view-") for key in told()["components"])
