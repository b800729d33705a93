"""What Home Assistant is told of a device, against the rules of its MQTT discovery."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from told import EVERY, TOPICS, ZONES, all_told, component, told

from comfywear.comfort.comfort_vote import PREFERENCES
from comfywear.publishing import Topics
from comfywear.publishing.homeassistant.component import device_id, remnant
from comfywear.publishing.homeassistant.discovery import config_topic, platforms, revived, status_topics, without
from comfywear.publishing.homeassistant.zone_entities import WEATHER
from comfywear.publishing.messages.commands import read_command
from comfywear.publishing.messages.incoming import read_vote

names = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)
# What the root of a device's message may hold, and its `device`: Home Assistant refuses the whole for one key more.
ROOT = {"device", "origin", "components", "availability", "qos"}
DEVICE = {
    "identifiers", "connections", "manufacturer", "model", "model_id", "name", "hw_version", "serial_number",
    "sw_version", "via_device", "suggested_area", "configuration_url",
}  # fmt: skip
# Keys that each platform takes, beside those of every entity.
ENTITY = {
    "platform", "name", "unique_id", "default_entity_id", "qos", "icon", "entity_category", "enabled_by_default",
    "availability", "availability_mode", "json_attributes_topic", "json_attributes_template", "device_class",
}  # fmt: skip
KEYS = {
    "sensor": {
        "state_topic", "value_template", "expire_after", "unit_of_measurement", "state_class", "options",
        "suggested_display_precision",
    },
    "binary_sensor": {"state_topic", "value_template", "expire_after"},
    "event": {"state_topic", "value_template", "event_types"},
    "button": {"command_topic", "payload_press"},
    "camera": {"topic", "image_encoding"},
}  # fmt: skip


def rules(message: dict[str, Any], topics: Topics) -> None:
    """Every rule of device-based discovery that one message can keep or break."""
    assert set(message) <= ROOT
    assert set(message["device"]) <= DEVICE
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
        assert set(each) <= ENTITY | KEYS[each["platform"]], key
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
    for topic in (config_topic("homeassistant", TOPICS), config_topic("homeassistant", TOPICS, "desk")):
        prefix, device, node, found, last = topic.split("/")
        assert (prefix, device, last) == ("homeassistant", "device", "config")
        assert re.fullmatch(r"[a-zA-Z0-9_-]+", f"{node}{found}")
        assert "lab1" in (node, found), "a level of its own, for brokers' rules"
    assert status_topics("ha/lab") == ["ha/lab/status", "homeassistant/status"]
    assert status_topics("homeassistant") == ["homeassistant/status"]
    assert device_id(Topics("home", "lab1")) != device_id(Topics("home", "lab2"))


@settings(deadline=None, max_examples=50)
@given(names, names, st.dictionaries(names, st.text(min_size=1, max_size=20), min_size=1, max_size=4), st.data())
def test_the_rules_hold_for_any_names(site: str, device: str, zones: dict[str, str], data: st.DataObject) -> None:
    topics = Topics(site, device)
    zone = data.draw(st.sampled_from(sorted(zones)))
    zones[zone] = data.draw(st.sampled_from([zones[zone], device, f"comfywear {device}", f"The COMFYWEAR {device}!"]))
    messages = all_told(topics, zones)
    assert len(messages) == (1 if len(zones) == 1 else 1 + len(zones))
    unique = [each["unique_id"] for message in messages.values() for each in message["components"].values()]
    assert len(set(unique)) == len(unique)
    devices = [message["device"] for message in messages.values()]
    assert len({each["identifiers"][0] for each in devices}) == len(devices)
    assert {each["via_device"] for each in devices[1:]} <= set(devices[0]["identifiers"])
    for message in messages.values():
        rules(message, topics)
    message = told(topics=topics, zones=zones)
    per_zone = [key for key in message["components"] if "-" in key]
    assert len(per_zone) == 27 * len(zones)
    for each in zones:  # a zone's keys do not depend on the others or on the name shown
        alone = told(topics=topics, zones={each: "x"})["components"]
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
    assert component("skin_temperature-desk")["name"] == "Modelled mean skin temperature"


def test_values_expire_after_three_intervals_and_the_longest_pause_between_commits() -> None:
    assert component("temperature-desk", interval_s=20.0)["expire_after"] == 70
    assert component("expected_vote-desk", interval_s=0.5)["expire_after"] == 30
    assert component("votes", metrics_every_s=60.0)["expire_after"] == 190
    for key, each in told()["components"].items():
        if each["platform"] in ("sensor", "binary_sensor"):
            assert each.get("expire_after") or key.startswith("question") or key == "started"


def test_what_is_gone_is_named_with_its_platform_alone_and_is_not_remembered() -> None:
    before = platforms(told())
    gone = {key: platform for key, platform in before.items() if key.endswith("-sofa")}
    message = without(told(zones={"desk": "desk"}), gone)
    assert message["components"]["temperature-sofa"] == {"platform": "sensor"}
    assert message["components"]["vote-sofa"] == {"platform": "event"}
    assert platforms(message) == {key: p for key, p in before.items() if not key.endswith("-sofa")}
    back = without(told(), {"temperature-desk": "sensor"})
    assert back["components"]["temperature-desk"]["unique_id"], "a component that is back is described"


def test_what_is_gone_is_named_whole_with_keys_that_its_platform_takes() -> None:
    before = told(zones={"sofa": "sofa"}, measured=EVERY, views=("camera",))
    gone = platforms(before)
    assert set(gone.values()) == set(KEYS)
    for message in (revived(TOPICS, told(zones={"desk": "x"}), gone), revived(TOPICS, None, gone)):
        assert set(message["components"]) >= set(gone)
        assert {"device", "origin"} <= set(message)
    for key, platform in gone.items():
        said = remnant(TOPICS, key, platform)
        assert set(said) <= ENTITY | KEYS[platform]
        assert said["unique_id"] == before["components"][key]["unique_id"]


def test_a_single_zone_is_the_device_and_several_are_devices_below_it() -> None:
    (alone,) = all_told(zones={"desk": "Lab"}).values()
    assert alone["device"]["name"] == "Lab (lab1)"
    assert alone["components"]["temperature-desk"]["name"] == "Temperature"
    device, desk, sofa = all_told(page_url="http://lab1:8080", serial="10000000abcd").values()
    assert device["device"]["configuration_url"] == "http://lab1:8080"
    assert device["device"]["serial_number"] == "10000000abcd"
    assert not [key for key in device["components"] if "-" in key]
    assert desk["device"]["via_device"] == sofa["device"]["via_device"] == device["device"]["identifiers"][0]
    assert (desk["device"]["suggested_area"], sofa["device"]["suggested_area"]) == ("By the window", "Sofa")
    # Which device an entity belongs to does not change what it is: its history stays.
    assert desk["components"]["level-desk"]["unique_id"] == "comfywear_lab1_level-desk"
    assert alone["components"]["level-desk"]["unique_id"] == "comfywear_lab1_level-desk"


def test_what_few_sensors_measure_is_told_once_it_was_measured() -> None:
    assert not EVERY & set(told()["components"])
    assert "co2-desk" in told(measured={"co2-desk"})["components"]
    assert "co2-sofa" not in told(measured={"co2-desk"})["components"]
    co2 = component("co2-desk", measured=EVERY)
    assert (co2["device_class"], co2["unit_of_measurement"]) == ("carbon_dioxide", "ppm")
    assert not {"board_temp_c", "restart"} & set(told()["components"])
    assert {"board_temp_c", "restart"} <= set(told(board_temp=True, restarts=True)["components"])


def test_what_follows_from_the_weather_is_told_where_somebody_says_it() -> None:
    keys = {f"{what}-desk" for what in WEATHER}
    assert not keys & set(told()["components"])
    found = told(weather=True)["components"]
    assert keys <= set(found)
    assert found["adaptive_category-desk"]["options"] == ["I", "II", "III", "outside"]


def test_names_begin_with_a_capital_and_hold_neither_zone_nor_device() -> None:
    for each in told(measured=EVERY, restarts=True, board_temp=True, weather=True)["components"].values():
        assert each["name"][0].isupper()
        assert not any(word in each["name"].casefold() for word in ("desk", "sofa", "window", "lab1"))
        assert each.get("device_class") or each.get("icon"), each["name"]


def test_what_is_technical_is_off_until_somebody_wants_it() -> None:
    off = {key for key, each in told(board_temp=True)["components"].items() if each.get("enabled_by_default") is False}
    assert {"rss_mb", "frames_per_s", "spool_rows", "spool_bytes", "restarts", "board_temp_c"} <= off
    assert not off & {"problem", "troubles", "started", "votes"}


def test_buttons_send_commands_that_the_device_takes() -> None:
    buttons = [each for each in told(restarts=True)["components"].values() if each["platform"] == "button"]
    votes = [each for each in buttons if each["command_topic"].endswith("/vote/set")]
    assert (len(buttons), len(votes)) == (2 + 6 * len(ZONES), 5 * len(ZONES))
    assert component("cast_4-desk")["name"] == "Vote 4: word 4"
    for each in votes:
        assert read_vote(each["payload_press"].encode()).level in range(1, 6)
    for each in buttons:
        if each not in votes:
            read_command(each["command_topic"].rsplit("/", 1)[-1], each["payload_press"].encode())
