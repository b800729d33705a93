"""Modbus over real ports: published frames byte for byte, pymodbus's own slave, and broken lines."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serial_devices import Cable, ScriptedDevice, Slaves, sensor

from comfywear_sensors import BadSensorURI, NotAReading, ReaderTimeout, SensorError, open_reader
from comfywear_sensors.gate import DEFAULT_LIMITS, Gate
from comfywear_sensors.quantities import reading_of
from comfywear_sensors.registers import PRESETS, Register, parse_register, requests

# The XY-MD02 manual's frames.
ASK = bytes.fromhex("01 04 00 01 00 01 60 0A")
ANSWER = bytes.fromhex("01 04 02 01 31 79 74")


def crc16(frame: bytes) -> bytes:
    crc = 0xFFFF
    for byte in frame:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return struct.pack("<H", crc)


def answer_of(*registers: int) -> bytes:
    frame = bytes([1, 4, 2 * len(registers)]) + struct.pack(f">{len(registers)}H", *registers)
    return frame + crc16(frame)


@pytest.fixture
def cable() -> Iterator[Cable]:
    joined = Cable()
    yield joined
    joined.close()


def test_the_published_frames_are_sent_and_read_byte_for_byte() -> None:
    with ScriptedDevice(lambda request: ANSWER) as device:
        reader = open_reader(f"modbus://{device.path}?temperature=input:1:int16:0.1")
        assert reader.read().air_temp_c == 30.5
        assert device.requests == [ASK]
        reader.close()


def test_the_preset_asks_once_for_both_registers() -> None:
    with ScriptedDevice(lambda request: answer_of(0xFF33, 546)) as device:
        reader = open_reader(f"modbus://{device.path}?preset=xy-md02")
        reading = reader.read()
        assert (reading.air_temp_c, reading.humidity_pct) == (-20.5, 54.6)
        assert [request[:6] for request in device.requests] == [bytes.fromhex("01 04 00 01 00 02")]
        reader.close()


def test_kincony_says_ten_thousand_for_minus() -> None:
    with ScriptedDevice(lambda request: answer_of(10205, 500)) as device:
        reader = open_reader(f"modbus://{device.path}?preset=kincony-sht30")
        reading = reader.read()
        assert (reading.air_temp_c, reading.humidity_pct) == (-20.5, 50.0)
        assert device.requests[0][:6] == bytes.fromhex("01 04 00 00 00 02")
        reader.close()


def test_pymodbus_slaves_on_one_serial_line_share_it(cable: Cable) -> None:
    slaves = Slaves([sensor(1, 231, 452), sensor(2, 0xFF33, 300)], cable.slave_path)
    try:
        first = open_reader(f"modbus://{cable.path}?preset=xy-md02&device=1")
        second = open_reader(f"modbus://{cable.path}?preset=xy-md02&device=2")
        both = [(reading.air_temp_c, reading.humidity_pct) for reading in (first.read(), second.read(), first.read())]
        assert both == [(23.1, 45.2), (-20.5, 30.0), (23.1, 45.2)]
        first.close()
        first.close()
        assert second.read().air_temp_c == -20.5  # the other's closing leaves the line open
        with pytest.raises(BadSensorURI, match="other settings"):
            open_reader(f"modbus://{cable.path}?preset=xy-md02&baud=4800")
        with pytest.raises(SensorError, match="closed"):
            first.read()
        second.close()
    finally:
        slaves.close()


def test_two_threads_on_one_line_never_mix_their_answers(cable: Cable) -> None:
    slaves = Slaves([sensor(1, 210, 400), sensor(2, 250, 600)], cable.slave_path)
    wrong: list[object] = []

    def ask(device: int, expected: float) -> None:
        reader = open_reader(f"modbus://{cable.path}?preset=xy-md02&device={device}")
        for _ in range(20):
            said = reader.read().air_temp_c
            if said != expected:
                wrong.append(said)
        reader.close()

    threads = [threading.Thread(target=ask, args=args) for args in ((1, 21.0), (2, 25.0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    slaves.close()
    assert wrong == []


def test_a_slave_over_tcp_with_its_own_register_map() -> None:
    slaves = Slaves([sensor(7, 10205, 500, first=0)])
    try:
        reader = open_reader(
            f"modbus://127.0.0.1:{slaves.tcp_port}?device=7&temperature=holding:100:float32"
            "&humidity=input:0x1:uint16:0.1:2.5"
        )
        reading = reader.read()
        assert (reading.air_temp_c, reading.humidity_pct) == (24.5, 52.5)
        reader.close()
        reader = open_reader(f"modbus://127.0.0.1:{slaves.tcp_port}?device=7&preset=kincony-sht30")
        assert reader.read().air_temp_c == -20.5
        reader.close()
    finally:
        slaves.close()


def test_a_slave_that_goes_and_comes_back_over_tcp() -> None:
    slaves = Slaves([sensor(1, 231, 452)])
    uri = f"modbus://127.0.0.1:{slaves.tcp_port}?preset=xy-md02"
    reader = open_reader(uri)
    assert reader.read().air_temp_c == 23.1
    slaves.close()
    for _ in range(3):
        with pytest.raises(SensorError):
            reader.read(0.3)
    reader.close()
    with pytest.raises(SensorError, match="cannot be opened"):
        open_reader(uri)


def test_fahrenheit_registers_are_converted() -> None:
    with ScriptedDevice(lambda request: answer_of(736, 452)) as device:
        reader = open_reader(f"modbus://{device.path}?preset=xy-md02&unit=F")
        reading = reader.read()
        assert (reading.air_temp_c, reading.humidity_pct) == (23.111, 45.2)
        reader.close()


def test_a_slave_that_never_answers_ends_at_the_deadline() -> None:
    with ScriptedDevice(lambda request: b"") as device:
        reader = open_reader(f"modbus://{device.path}?preset=xy-md02")
        started = time.monotonic()
        with pytest.raises(ReaderTimeout, match="device 1 does not answer"):
            reader.read(0.2)
        assert time.monotonic() - started < 3.0
        device.answer = lambda request: answer_of(231, 452)
        assert reader.read().air_temp_c == 23.1
        reader.close()


@pytest.mark.parametrize(
    "broken",
    [
        answer_of(231, 452)[:-1] + b"\x00",  # wrong CRC
        answer_of(231, 452)[:5],  # half an answer
        b"\xff\x00\x7f" * 20,  # noise
        b"\x00\xff" + answer_of(231, 452)[:-2],  # noise in front, the end lost
        b"\x02" + answer_of(231, 452)[1:],  # another device
        bytes.fromhex("01 04 02 01 31 79 74"),  # too few registers
    ],
)
def test_a_damaged_answer_is_refused_and_the_next_is_read(broken: bytes) -> None:
    answers = iter([broken])
    with ScriptedDevice(lambda request: next(answers, answer_of(231, 452))) as device:
        reader = open_reader(f"modbus://{device.path}?preset=xy-md02")
        with pytest.raises((ReaderTimeout, NotAReading)):
            reader.read(0.3)
        assert reader.read(2.0).air_temp_c == 23.1
        reader.close()


def test_an_exception_reply_says_what_is_wrong() -> None:
    slaves = Slaves([sensor(1, 231, 452)])
    try:
        reader = open_reader(f"modbus://127.0.0.1:{slaves.tcp_port}?temperature=input:5000:int16:0.1")
        with pytest.raises(NotAReading, match=r"5000 \(illegal data address.*check the register map"):
            reader.read()
        reader.close()
    finally:
        slaves.close()


def test_an_unplugged_port_is_an_error() -> None:
    device = ScriptedDevice(lambda request: answer_of(231, 452))
    reader = open_reader(f"modbus://{device.path}?preset=xy-md02")
    assert reader.read().air_temp_c == 23.1
    device.unplug()
    with pytest.raises(SensorError):
        reader.read(0.3)
    reader.close()


def test_a_busy_line_ends_at_the_deadline() -> None:
    with ScriptedDevice(lambda request: b"") as device:
        slow = open_reader(f"modbus://{device.path}?preset=xy-md02")
        reader = open_reader(f"modbus://{device.path}?preset=xy-md02&device=2")

        def wait_in_vain() -> None:
            with pytest.raises(ReaderTimeout):
                slow.read(1.0)

        thread = threading.Thread(target=wait_in_vain)
        thread.start()
        while not device.requests:
            time.sleep(0.005)
        with pytest.raises(ReaderTimeout, match="busy with other devices"):
            reader.read(0.05)
        thread.join()
        slow.close()
        reader.close()


def test_random_answers_never_raise_anything_else() -> None:
    dice = random.Random(3)
    good = answer_of(231, 452)

    def answer(request: bytes) -> bytes:
        frame = bytearray(good if dice.random() < 0.7 else dice.randbytes(dice.randrange(1, 40)))
        for _ in range(dice.randrange(1, 3)):
            frame[dice.randrange(len(frame))] = dice.randrange(256)
        return bytes(frame) + (crc16(bytes(frame)) if dice.random() < 0.3 else b"")

    with ScriptedDevice(answer) as device:
        reader = open_reader(f"modbus://{device.path}?preset=xy-md02")
        for _ in range(100):
            try:
                reading = reader.read(0.02)
            except SensorError:
                continue
            assert isinstance(reading.air_temp_c, float)
        reader.close()


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("modbus:///nowhere?preset=xy-md02", "cannot be opened"),
        ("modbus:///dev/null", "say where the values are"),
        ("modbus:///dev/null?preset=xy", "preset=xy is not one of xy-md02"),
        ("modbus:///dev/null?temperature=coil:1", "'coil:1' is not a register"),
        ("modbus:///dev/null?temperature=input:70000:int16", "addresses go from 0"),
        ("modbus:///dev/null?temperature=input:1:int16:..", "scale and offset"),
        ("modbus:///dev/null?preset=xy-md02&device=300", "device=300 should be a number from 0 to 247"),
        ("modbus://host:99999?preset=xy-md02", "the port '99999'"),
        ("modbus://127.0.0.1:1?preset=xy-md02&bauds=1", "'bauds' is not an option"),
    ],
)
def test_a_uri_that_cannot_be_meant_says_why(uri: str, message: str) -> None:
    with pytest.raises(SensorError, match=message):
        open_reader(uri)


@pytest.mark.parametrize(
    ("kind", "order", "words", "value"),
    [
        ("int16", "ABCD", [0xFF33], -205),
        ("int16", "BADC", [0x33FF], -205),
        ("uint16", "ABCD", [0xFF33], 65331),
        ("sign10000", "ABCD", [10205], -205),
        ("sign10000", "ABCD", [9999], 9999),
        ("int32", "ABCD", [0xFFFF, 0xFF33], -205),
        ("uint32", "CDAB", [0x0102, 0x0001], 0x00010102),
        ("float32", "ABCD", [0x41C4, 0x0000], 24.5),
        ("float32", "CDAB", [0x0000, 0x41C4], 24.5),
        ("float32", "BADC", [0xC441, 0x0000], 24.5),
        ("float32", "DCBA", [0x0000, 0xC441], 24.5),
    ],
)
def test_types_and_byte_orders(kind: str, order: str, words: list[int], value: float) -> None:
    assert Register("input", 0, kind, order=order).decode(words) == value


def test_neighbours_are_fetched_together_and_strangers_apart() -> None:
    places = ["input:1", "input:2:float32", "holding:2", "input:9", "input:2:int16"]
    assert requests([parse_register(place) for place in places]) == [
        ("holding", 2, 1),
        ("input", 1, 3),
        ("input", 9, 1),
    ]


@pytest.mark.parametrize("preset", PRESETS)
def test_every_pair_of_register_values_is_refused_or_possible(preset: str) -> None:
    temperature, humidity = (parse_register(text) for text in PRESETS[preset].values())
    dice = random.Random(11)
    for _ in range(50_000):
        values = {
            "air_temp_c": temperature.decode([dice.randrange(65536)]),
            "humidity_pct": humidity.decode([dice.randrange(65536)]),
        }
        for name, value in Gate().admit(reading_of(values, 0.0, "test")).items():
            assert DEFAULT_LIMITS[name].low <= value <= DEFAULT_LIMITS[name].high


@given(
    st.sampled_from(["float32", "int32", "uint32"]),
    st.sampled_from(["ABCD", "CDAB", "BADC", "DCBA"]),
    st.lists(st.integers(-1, 65536), max_size=3),
    st.floats(allow_nan=False),
    st.floats(allow_nan=False),
)
def test_any_registers_are_a_number_or_refused(
    kind: str, order: str, words: list[int], scale: float, offset: float
) -> None:
    try:
        value = Register("input", 0, kind, scale, offset, order).decode(words)
    except NotAReading:
        return
    assert abs(value) < float("inf")


@given(st.text() | st.from_regex(r"(input|holding):\d{1,6}(:[a-z0-9]{1,9}){0,2}(:[-+.\dE]{1,5}){0,2}", fullmatch=True))
def test_any_place_is_a_register_or_refused(text: str) -> None:
    with suppress(BadSensorURI):
        assert 0 <= parse_register(text).address < 65536


def test_a_wall_clock_that_jumps_back_stretches_no_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedDevice(lambda request: b"") as device:
        reader = open_reader(f"modbus://{device.path}?preset=xy-md02")
        wall_s = iter(range(1_000_000, 0, -1000))
        monkeypatch.setattr(time, "time", lambda: float(next(wall_s, 0)))
        started = time.monotonic()
        with pytest.raises(ReaderTimeout):
            reader.read(0.2)
        assert time.monotonic() - started < 3.0
        reader.close()


class HangingUp:
    """A Modbus TCP gateway that closes the connection after each answer, or after `idle_s` without a question."""

    def __init__(self, idle_s: float = 0.0, answers: int = 1_000_000) -> None:
        self._idle_s = idle_s
        self.answers = answers
        self.hung_up = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                with connection, suppress(OSError):
                    connection.settimeout(self._idle_s or 5.0)
                    while (request := connection.recv(260)) and self.answers > 0:
                        transaction, _, _, unit, function, _, count = struct.unpack(">HHHBBHH", request[:12])
                        self.answers -= 1
                        body = struct.pack(f">BBB{count}H", unit, function, 2 * count, *[231, 452][:count])
                        connection.sendall(struct.pack(">HHH", transaction, 0, len(body)) + body)
                        if not self._idle_s:
                            break
                self.hung_up += 1

    def close(self) -> None:
        self._server.close()


@pytest.mark.parametrize("idle_s", [0.0, 0.05])
def test_a_gateway_that_hangs_up_is_asked_again_at_once(idle_s: float) -> None:
    gateway = HangingUp(idle_s)
    with open_reader(f"modbus://127.0.0.1:{gateway.port}?preset=xy-md02") as reader:
        for hung_up in range(4):
            assert reader.read().air_temp_c == 23.1
            for _ in range(500):
                if gateway.hung_up > hung_up:
                    break
                time.sleep(0.01)
    assert gateway.hung_up >= 4
    gateway.close()


def test_only_the_second_failure_counts() -> None:
    gateway = HangingUp(answers=1)
    with open_reader(f"modbus://127.0.0.1:{gateway.port}?preset=xy-md02") as reader:
        assert reader.read().air_temp_c == 23.1
        with pytest.raises(SensorError, match="the line is gone"):
            reader.read()
        gateway.answers = 1
        assert reader.read().air_temp_c == 23.1
    gateway.close()
