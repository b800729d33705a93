"""The MQTT reader at a real broker."""

from __future__ import annotations

import getpass
import json
import os
import random
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear_sensors import BadSensorURI, NotAReading, PatientReader, Reader, ReaderTimeout, SensorError, open_reader
from comfywear_sensors.gate import DEFAULT_LIMITS, Gate
from comfywear_sensors.payloads import parse_message, parse_number
from comfywear_sensors.quantities import reading_of
from ports import free_port

TASMOTA = {
    "Time": "2026-01-01T00:00:00",
    "AM2301": {"Temperature": 23.3, "Humidity": 33.8, "DewPoint": 6.4},
    "TempUnit": "C",
}
ZIGBEE = {"battery": 100, "humidity": 45.2, "linkquality": 120, "temperature": 23.1, "voltage": 3000}

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class Broker:
    """mosquitto on a loopback port, with one user; can be stopped and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        passwords = folder / "passwords"
        subprocess.run(
            ["mosquitto_passwd", "-c", "-b", str(passwords), "ann", "secret"], check=True, capture_output=True
        )
        passwords.chmod(0o644)
        folder.chmod(0o755)
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
            f"password_file {passwords}\nuser {getpass.getuser()}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [MOSQUITTO or "", "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(6000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        raise AssertionError("mosquitto did not start")

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(90)
            self._process = None

    def publish(self, topic: str, payload: object, retain: bool = False) -> None:
        client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        text = payload if isinstance(payload, str | bytes) else json.dumps(payload)
        client.publish(topic, text, qos=1, retain=retain).wait_for_publish(60)
        client.disconnect()
        client.loop_stop()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    if MOSQUITTO is None:
        pytest.skip("needs a real broker: install the package mosquitto")
    started = Broker(tmp_path_factory.mktemp("broker"))
    yield started
    started.stop()


Open = Callable[[str], Reader]


@pytest.fixture
def opened(broker: Broker) -> Iterator[Open]:
    readers: list[Reader] = []

    def opener(rest: str) -> Reader:
        readers.append(open_reader(f"mqtt://127.0.0.1:{broker.port}/{rest}"))
        return readers[-1]

    yield opener
    for reader in readers:
        reader.close()


@pytest.mark.parametrize(
    ("rest", "payload", "expected"),
    [
        ("tele/a/SENSOR", TASMOTA, (23.3, 33.8)),
        ("tele/b/SENSOR", TASMOTA | {"TempUnit": "F", "AM2301": {"Temperature": 73.4, "Humidity": 33.8}}, (23.0, 33.8)),
        ("tele/c/SENSOR?path=AM2301", TASMOTA | {"DS18B20": {"Temperature": 60.0}}, (23.3, 33.8)),
        (
            "tele/d/SENSOR?temperature=DS.0.Temperature&humidity=AM2301.Humidity",
            TASMOTA | {"DS": [{"Temperature": 20}]},
            (20.0, 33.8),
        ),
        ("tele/e/SENSOR?temperature=x.y", {"x.y": "21.5"}, (21.5, None)),
        ("zigbee2mqtt/desk", ZIGBEE, (23.1, 45.2)),
        ("plain", "23.1,45.2", (23.1, 45.2)),
        ("plain/f?unit=F", '{"t": 73.58}', (23.1, None)),
        ("?temperature_topic=esp/temperature/state", "23.1", None),
    ],
)
def test_messages_of_the_field(broker: Broker, opened: Open, rest: str, payload: object, expected: object) -> None:
    reader = opened(rest)
    topic = rest.split("?")[0] or "esp/temperature/state"
    broker.publish(topic, payload)
    reading = reader.read(5.0)
    assert (reading.air_temp_c, reading.humidity_pct) == (expected or (23.1, None))
    assert not reading.simulated


def test_several_topics_of_one_sensor(broker: Broker, opened: Open) -> None:
    reader = opened("?temperature_topic=esp/t&humidity_topic=esp/h&unit=F")
    broker.publish("esp/t", "73.58")
    broker.publish("esp/h", "45.2")
    assert reader.read(5.0).air_temp_c == 23.1
    assert reader.read(5.0).humidity_pct == 45.2
    reader = opened("one?topic=two")
    broker.publish("two", ZIGBEE)
    assert reader.read(5.0).air_temp_c == 23.1


def test_strange_messages_are_passed_over_and_named_at_the_deadline(broker: Broker, opened: Open) -> None:
    reader = opened("odd")
    for payload in ("unavailable", b"\xff\xfe\x00", "[" * 3000, "x" * 20_000, "{}", ""):
        broker.publish("odd", payload)
    with pytest.raises(ReaderTimeout, match=r"no reading in 0\.3 s; the last message on odd"):
        reader.read(0.3)
    broker.publish("odd", ZIGBEE)
    assert reader.read(5.0).air_temp_c == 23.1


def test_a_kept_message_is_not_taken_for_a_new_one(broker: Broker, opened: Open) -> None:
    broker.publish("kept", ZIGBEE, retain=True)
    with pytest.raises(ReaderTimeout):
        opened("kept").read(0.3)
    assert opened("kept?retained=1").read(5.0).flags == ("retained",)


def test_user_and_password_are_used_and_a_wrong_one_is_refused(broker: Broker, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    address = f"127.0.0.1:{broker.port}/t"
    for uri in (f"mqtt://ann:secret@{address}", f"mqtt://ann@{address}?password_file={secret}"):
        reader = open_reader(uri)
        assert "secret@" not in reader.source
        assert "ann" not in reader.source
        reader.close()
    with pytest.raises(SensorError, match="check user and password") as refused:
        open_reader(f"mqtt://ann:wrong@{address}")
    assert "wrong" not in str(refused.value)


@pytest.mark.skipif(MOSQUITTO is None, reason="needs a real broker: install the package mosquitto")
def test_a_broker_that_goes_and_comes_back(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    sensor = PatientReader(f"mqtt://127.0.0.1:{broker.port}/t", retry_s=(0.02, 0.05))
    assert sensor.poll(0.05) is None
    broker.publish("t", ZIGBEE)
    assert sensor.poll(5.0) is not None
    broker.stop()
    for _ in range(200):
        sensor.poll(0.05)
        if sensor.state == "down":
            break
    assert "is it running?" in str(sensor.error) or "the broker is gone" in str(sensor.error)
    broker.start()
    reading = None
    for _ in range(200):
        sensor.poll(0.05)
        broker.publish("t", ZIGBEE)
        reading = sensor.poll(0.2)
        if reading:
            break
    assert reading is not None
    sensor.close()
    broker.stop()


def test_a_door_that_is_no_broker_ends_at_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comfywear_sensors.readers.mqtt.DEFAULT_TIMEOUT_S", 0.3)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        with pytest.raises(SensorError, match="is no MQTT broker"):
            open_reader(f"mqtt://127.0.0.1:{mute.getsockname()[1]}/t")


def test_a_broker_that_speaks_only_version_3_1_1_is_read_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        levels: list[int] = []

        def serve() -> None:
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    levels.append(connection.recv(512)[8])
                    if levels[-1] != 4:
                        connection.sendall(b"\x20\x02\x00\x01")  # CONNACK of 3.1.1: unacceptable protocol version
                        continue
                    connection.sendall(b"\x20\x02\x00\x00")
                    subscribe = connection.recv(512)
                    connection.sendall(b"\x90\x03" + subscribe[2:4] + b"\x00")
                    connection.sendall(b"\x30\x0c\x00\x01t23.1,45.2")
                    connection.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        reader = open_reader(f"mqtt://127.0.0.1:{server.getsockname()[1]}/t")
        assert reader.read(5.0).humidity_pct == 45.2
        reader.close()
        thread.join()
        assert levels == [5, 4]


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 64, b"\x20\x02", b""])
def test_a_door_that_speaks_something_else_is_refused(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comfywear_sensors.readers.mqtt.DEFAULT_TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(1.0)

        def serve() -> None:
            with suppress(OSError):
                for _ in range(2):
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(512)
                        connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(SensorError, match="MQTT"):
            open_reader(f"mqtt://127.0.0.1:{server.getsockname()[1]}/t")
        thread.join()


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("mqtt://127.0.0.1:1/t", "no broker at 127.0.0.1:1"),
        ("mqtt://127.0.0.1", "write mqtt://BROKER/TOPIC"),
        ("mqtt:///t", "write mqtt://BROKER/TOPIC"),
        ("mqtt://127.0.0.1/tele/+/SENSOR", "name each topic"),
        ("mqtt://127.0.0.1:x/t", "the port 'x'"),
        ("mqtts://127.0.0.1:1/t?ca=/nowhere.pem", "not a file of CA certificates"),
        ("mqtt://ann@127.0.0.1:1/t?password_file=/nowhere", "password file cannot be read"),
        ("mqtt://127.0.0.1:1/t?topics=x", "'topics' is not an option"),
    ],
)
def test_a_uri_that_cannot_be_meant_says_why(uri: str, message: str) -> None:
    with pytest.raises(SensorError, match=message):
        open_reader(uri)


def test_wildcards_are_wrong_use() -> None:
    with pytest.raises(BadSensorURI):
        open_reader("mqtt://127.0.0.1/a/%23")


def _check(payload: bytes) -> None:
    for settings in ({}, {"path": "AM2301"}, {"paths": {"air_temp_c": "AM2301.Temperature", "co2_ppm": "0.t"}}):
        try:
            values = parse_message(payload, **settings)  # type: ignore[arg-type]  # settings of parse_message
        except NotAReading:
            continue
        for name, value in Gate().admit(reading_of(values, 0.0, "test")).items():
            assert DEFAULT_LIMITS[name].low <= value <= DEFAULT_LIMITS[name].high


def test_a_hundred_thousand_damaged_messages_are_refused_or_possible() -> None:
    dice = random.Random(9)
    seeds = [json.dumps(TASMOTA).encode(), json.dumps(ZIGBEE).encode(), b'[{"t": 1e5}]', b"23.1"]
    for _ in range(34_000):  # each goes through three parsers
        payload = bytearray(dice.choice(seeds))
        for _ in range(dice.randrange(1, 4)):
            payload[dice.randrange(len(payload))] = dice.choice(b'0123456789eE+-.{}[]":,naN \xff\x00')
        _check(bytes(payload))


@given(st.binary())
def test_any_payload_is_refused_or_possible(payload: bytes) -> None:
    _check(payload)
    with suppress(NotAReading):
        assert "air_temp_c" in parse_number(payload, "air_temp_c")
