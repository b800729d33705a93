"""What messages say in words is in the language of the settings; everything else in them is the same in all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest

from comfywear.device.device import Device
from comfywear.errors import SettingsError
from comfywear.publishing import Topics
from comfywear.settings import file as settings_file
from waiting import until

SETTINGS = """
[device]
id = "d1"
state_dir = "{folder}"
{language}
[mqtt]
host = "127.0.0.1"
port = {port}
[homeassistant]
enabled = true
[[sensors]]
uri = "serial:///dev/nosuch"
"""


def heard(folder: Path, port: int, language: str) -> Mapping[str, Any]:
    """What a device without its sensor has said by topic, once it has named that trouble."""
    folder.mkdir()
    file = folder / "device.toml"
    file.write_text(SETTINGS.format(folder=folder, port=port, language=language))
    found: dict[str, Any] = {}
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)

    def hear(_client: object, _userdata: object, said: paho.MQTTMessage) -> None:
        if not said.retain:  # what is retained is of the device before
            found[said.topic] = json.loads(said.payload or b"null")

    client.on_message = hear
    client.connect("127.0.0.1", port)
    client.subscribe([("comfywear/v1/home/d1/#", 1), ("homeassistant/device/#", 1)])
    client.loop_start()
    try:
        with Device(settings_file.load(file)):
            until(lambda: any(name.endswith("/health") and said["troubles"] for name, said in list(found.items())))
            until(lambda: any("homeassistant" in name and said for name, said in list(found.items())))
            return dict(found)
    finally:
        client.disconnect()
        client.loop_stop()


def trouble_of(found: Mapping[str, Any]) -> Mapping[str, Any]:
    (health,) = [said for name, said in found.items() if name.endswith("/health")]
    return next(each for each in health["troubles"] if each["name"] == "no-sensor")


def components(found: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(said["components"] for name, said in found.items() if "homeassistant" in name and said)


def test_messages_and_names_in_home_assistant_are_german_with_the_setting_and_english_without(
    tmp_path: Path, mosquitto: Any
) -> None:
    english = heard(tmp_path / "en", mosquitto.port, "")
    german = heard(tmp_path / "de", mosquitto.port, 'language = "de"')
    assert trouble_of(english)["reason"] == (
        "/dev/nosuch: no such port; is the sensor plugged in? (comfywear sensors list)"
    )
    assert trouble_of(german)["reason"] == (
        "/dev/nosuch: es gibt keinen solchen Anschluss; ist der Fühler eingesteckt? (comfywear sensors list)"
    )
    assert trouble_of(german)["do"] == "sehen Sie nach seinem Stecker; comfywear sensors list"
    climate = german[Topics("home", "d1").climate("room")]
    assert climate["reason"] == "kein Fühler von room hat bisher etwas gesagt"
    ours, theirs = components(english), components(german)
    assert ours.keys() == theirs.keys()
    assert (ours["humidity-room"]["name"], theirs["humidity-room"]["name"]) == ("Humidity", "Feuchte")
    assert theirs["cast_5-room"]["name"] == "Stimme 5: sehr behaglich"
    for key, each in ours.items():
        assert {**theirs[key], "name": each["name"]} == each, "all but the name is the same"


def test_a_language_that_there_is_none_of_is_refused_with_those_there_are(tmp_path: Path) -> None:
    file = tmp_path / "device.toml"
    file.write_text('[device]\nlanguage = "xx"\n')
    with pytest.raises(
        SettingsError, match=r"device.toml:2: device.language: No language is named 'xx'; there are: de, en"
    ):
        settings_file.load(file)
