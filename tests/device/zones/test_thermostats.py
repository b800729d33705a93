"""Thermostats on a real broker: moved with manners, left alone when turned by hand, given back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from comfywear import settings as settings_file
from comfywear.demo.consumer import Consumer
from comfywear.device.device import Device
from comfywear.device.zones.thermostats import FILE_NAME
from comfywear.errors import SettingsError
from comfywear.publishing.messages.setpoint import SetpointMessage, ThermostatItem
from waiting import until

STATE, SET = "zigbee2mqtt/radiator", "zigbee2mqtt/radiator/set"
PLAIN_STATE, PLAIN_SET = "home/valve/setpoint", "home/valve/setpoint/set"
TABLE = f'[[thermostats]]\nstate_topic = "{STATE}"\nstate_key = "occupied_heating_setpoint"\n'
TABLE += f'command_topic = "{SET}"\ncommand_key = "occupied_heating_setpoint"\npause_s = 0\n'


class Radiator:
    """A thermostat as zigbee2mqtt shows it: says what it is set to, and does what it is told."""

    def __init__(self, port: int, set_to: float) -> None:
        self.told: list[float] = []
        self.set_to = set_to
        self.obeys = True
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(SET, 1)
        self._client.loop_start()
        self.say()

    def say(self, set_to: float | None = None) -> None:
        self.set_to = self.set_to if set_to is None else set_to
        self.raw(STATE, json.dumps({"occupied_heating_setpoint": self.set_to, "local_temperature": 20.4}))

    def raw(self, topic: str, payload: str | bytes, retain: bool = True) -> None:
        self._client.publish(topic, payload, 1, retain).wait_for_publish(60)

    def close(self) -> None:
        self._client.loop_stop()
        self._client.disconnect()

    def _on_message(self, _client: Any, _userdata: object, message: Any) -> None:
        self.told.append(json.loads(message.payload)["occupied_heating_setpoint"])
        if self.obeys:
            self.set_to = self.told[-1]
            self._client.publish(STATE, json.dumps({"occupied_heating_setpoint": self.set_to}), 1, True)


@pytest.fixture
def radiator(mosquitto: Any) -> Iterator[Callable[[float], Radiator]]:
    made: list[Radiator] = []

    def make(set_to: float) -> Radiator:
        made.append(Radiator(mosquitto.port, set_to))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def consumer(mosquitto: Any) -> Iterator[Consumer]:
    with Consumer("127.0.0.1", mosquitto.port, "comfywear/v1/home/d1/#") as found:
        yield found


@contextmanager
def running(folder: Path, port: int, text: str) -> Iterator[Device]:
    path = folder / "device.toml"
    path.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{folder / 'state'}'\n[mqtt]\nhost = '127.0.0.1'\nport = {port}\n"
        f"interval_s = 0.5\n[[sensors]]\nuri = 'fake://'\n{text}"
    )
    with Device(settings_file.load(path)) as device:
        yield device


def used(consumer: Consumer) -> ThermostatItem | None:
    message = consumer.newest(SetpointMessage)
    return message.thermostats[0] if message and message.thermostats else None


def says(consumer: Consumer, test: Callable[[ThermostatItem], bool]) -> None:
    until(lambda: (found := used(consumer)) is not None and test(found))


def test_it_is_moved_toward_what_is_liked_and_given_back_when_the_device_stops(
    tmp_path: Path, mosquitto: Any, consumer: Consumer, radiator: Callable[[float], Radiator]
) -> None:
    valve = radiator(15.0)
    with running(tmp_path, mosquitto.port, f"{TABLE}dry_run = false\n"):
        says(consumer, lambda it: it.sent_c == it.reported_c and "near enough" in it.why)
        message = consumer.newest(SetpointMessage)
        assert message is not None
        assert message.preferred_c is not None
        assert [message.setpoint_c] == valve.told
        assert json.loads((tmp_path / "state" / FILE_NAME).read_bytes())["moved"]
    until(lambda: valve.told[-1] == 15.0)
    assert json.loads((tmp_path / "state" / FILE_NAME).read_bytes()) == {"moved": {}}


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(
    tmp_path: Path, mosquitto: Any, consumer: Consumer, radiator: Callable[[float], Radiator]
) -> None:
    valve = radiator(15.0)
    with running(tmp_path, mosquitto.port, TABLE):
        says(consumer, lambda it: it.reported_c == 15.0 and it.dry_run and it.why.startswith("would send"))
    assert valve.told == []


def test_whoever_turns_it_by_hand_is_left_in_charge_also_when_the_device_stops(
    tmp_path: Path, mosquitto: Any, consumer: Consumer, radiator: Callable[[float], Radiator]
) -> None:
    valve = radiator(15.0)
    with running(tmp_path, mosquitto.port, f"{TABLE}dry_run = false\n"):
        says(consumer, lambda it: it.sent_c is not None and it.sent_c == it.reported_c)
        valve.say(26.5)
        says(consumer, lambda it: it.reported_c == 26.5 and "somebody set it to 26.5" in it.why)
        told = list(valve.told)
    assert valve.told == told


def test_after_a_loss_of_power_it_still_knows_what_to_give_back(
    tmp_path: Path, mosquitto: Any, consumer: Consumer, radiator: Callable[[float], Radiator]
) -> None:
    valve = radiator(22.0)
    (tmp_path / "state").mkdir()
    moved = {f"{SET} occupied_heating_setpoint": {"before_c": 16.0, "sent_c": 22.0}}
    (tmp_path / "state" / FILE_NAME).write_text(json.dumps({"moved": moved}))
    with running(tmp_path, mosquitto.port, f"{TABLE}dry_run = false\n"):
        says(consumer, lambda it: it.reported_c is not None and it.sent_c is not None)
    until(lambda: bool(valve.told) and valve.told[-1] == 16.0)


@pytest.mark.parametrize("kept", [b"", b"{", b'{"moved": 3}', b'{"moved": {"a": {"before_c": "x"}}}', b"\xff\xfe"])
def test_a_damaged_file_of_what_was_before_is_passed_over(kept: bytes, tmp_path: Path, mosquitto: Any) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / FILE_NAME).write_bytes(kept)
    with running(tmp_path, mosquitto.port, TABLE) as device:
        until(lambda: device.setpoints.of("room") is not None)
        assert device.thermostats.used("room")[0].reported_c is None


def test_a_plain_number_in_fahrenheit_is_read_and_told_in_fahrenheit(tmp_path: Path, mosquitto: Any) -> None:
    table = (
        f'[[thermostats]]\nstate_topic = "{PLAIN_STATE}"\ncommand_topic = "{PLAIN_SET}"\nunit = "°F"\ndry_run = false\n'
    )
    told: list[bytes] = []
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _userdata, message: told.append(message.payload)
    client.connect("127.0.0.1", mosquitto.port)
    client.subscribe(PLAIN_SET, 1)
    client.loop_start()
    try:
        client.publish(PLAIN_STATE, "59", 1, True).wait_for_publish(60)
        with running(tmp_path, mosquitto.port, table) as device:
            until(lambda: told)
            wanted = device.setpoints.of("room")
            assert wanted is not None
            assert wanted.setpoint_c is not None
            assert float(told[0]) == pytest.approx(wanted.setpoint_c * 1.8 + 32, abs=0.06)
            assert device.thermostats.reported("room") == pytest.approx(15.0)
        until(lambda: told[-1] == b"59.0")
    finally:
        client.loop_stop()
        client.disconnect()


@pytest.mark.parametrize(
    "payload", [b"", b"warm", b"{", b"[]", b'{"occupied_heating_setpoint": "warm"}', b"\xff\xfe", b"9" * 5000, b"NaN"]
)
def test_what_cannot_be_read_moves_nothing_and_is_said(
    payload: bytes, tmp_path: Path, mosquitto: Any, radiator: Callable[[float], Radiator],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    valve = radiator(15.0)
    valve.raw(STATE, payload or b" ")
    with running(tmp_path, mosquitto.port, f"{TABLE}dry_run = false\n"):
        until(lambda: f"thermostat {SET}" in caplog.text)
        assert valve.told == []
        valve.say(15.0)
        until(lambda: valve.told)


FAULTS = [
    ('zone = "sofa"', "No zone is named 'sofa'"),
    ('unit = "K"', "unit"),
    ("dead_band_k = -1", "dead_band_k"),
    ("pause_s = inf", "pause_s"),
]


@pytest.mark.parametrize(("line", "said"), FAULTS)
def test_settings_that_cannot_be_meant_are_refused_with_their_line(line: str, said: str, tmp_path: Path) -> None:
    refused(tmp_path, f"{TABLE.replace('pause_s = 0', '')}{line}\n", said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[thermostats]]\nstate_topic = "a/+"\ncommand_topic = "b"\n', "state_topic"),
        ('[[thermostats]]\nstate_topic = "a"\ncommand_topic = "a"\n', "would be read as what it says"),
        ('[[thermostats]]\nstate_topic = "a"\ncommand_topic = "comfywear/v1/x/y"\n', "not of a thermostat"),
        (TABLE + TABLE, "Two tables move this thermostat"),
        ("[setpoint]\nlowest_c = 25\nhighest_c = 20\n", "above the highest"),
        ("[setpoint]\nlowest_c = 20.1\nhighest_c = 20.4\n", "No multiple of 0.5"),
        ("[setpoint]\nround_k = 2\n", "cannot be made in steps of 2"),
        ("[setpoint]\nempty_heating_c = 29\n", "heated to more than it is cooled to"),
    ],
)
def test_a_thermostat_or_limits_that_cannot_be_meant_are_refused(text: str, said: str, tmp_path: Path) -> None:
    refused(tmp_path, text, said)


def refused(folder: Path, text: str, said: str) -> None:
    path = folder / "device.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"device\.toml") as error:
        settings_file.load(path)
    assert said in str(error.value)
