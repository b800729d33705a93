"""The serial reader over a real pty, with the faults of a real cable."""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path

import pytest

from comfywear_sensors import BadSensorURI, PatientReader, ReaderTimeout, SensorError, open_reader
from comfywear_sensors.pty_replay import PtyReplay

LINES = ["23.1,45.2", "23.2,45.1", "23.3,45.0"]


def test_a_replayed_device_is_read_like_any_other() -> None:
    with PtyReplay(LINES, 0.01) as device:
        device.start()
        reader = open_reader(f"serial://{device.path}")
        reading = reader.read(5.0)
        assert f"{reading.air_temp_c},{reading.humidity_pct}" in ("23.1,45.2", "23.2,45.1", "23.3,45.0")
        assert (reading.source, reading.simulated) == (f"serial://{device.path}", False)
        assert abs(reading.monotonic_s - time.monotonic()) < 5.0
        reader.close()


def test_a_device_that_only_plays_a_recording_can_be_marked_so() -> None:
    with PtyReplay(LINES, 0.01) as device:
        device.start()
        reader = open_reader(f"serial://{device.path}?simulated=1")
        assert reader.read(5.0).simulated
        reader.close()


def test_the_newest_of_several_waiting_lines_is_given() -> None:
    with PtyReplay(LINES) as device:
        reader = open_reader(f"serial://{device.path}")
        for _ in LINES:
            device.step()
        assert reader.read(5.0).air_temp_c == 23.3
        reader.close()


def test_half_a_line_then_garbage_then_a_line() -> None:
    with PtyReplay(LINES) as device:
        reader = open_reader(f"serial://{device.path}")
        device.write(b"3.1,45.2\r\n")  # cut off in front: dropped
        device.write(b"2")
        with pytest.raises(ReaderTimeout, match="no reading in"):
            reader.read(0.05)
        device.write(b"4.5,40.0\r\n")
        assert reader.read(5.0).air_temp_c == 24.5
        device.write(bytes(range(128, 256)) + b"\n\x00\x01,\x02\n")
        with pytest.raises(ReaderTimeout, match="the last line was not read"):
            reader.read(0.05)
        device.write(b"Failed to read from DHT sensor!\r\n24.6,40.1\r\n")
        assert reader.read(5.0).air_temp_c == 24.6
        reader.close()


def test_a_silent_port_ends_at_its_deadline() -> None:
    with PtyReplay(LINES) as device:
        reader = open_reader(f"serial://{device.path}")
        started = time.monotonic()
        with pytest.raises(ReaderTimeout, match="check baud rate and wiring"):
            reader.read(0.1)
        assert 0.1 <= time.monotonic() - started < 3.0
        reader.close()


def test_noise_that_never_pauses_does_not_stretch_the_deadline() -> None:
    with PtyReplay(["~" * 60], 0.001) as device:
        device.start()
        reader = open_reader(f"serial://{device.path}")
        started = time.monotonic()
        with pytest.raises(ReaderTimeout):
            reader.read(0.2)
        assert time.monotonic() - started < 3.0
        reader.close()


def test_a_device_that_must_be_asked_is_asked() -> None:
    with PtyReplay(["27.4℃,67.7%"]) as device:
        reader = open_reader(f"serial://{device.path}?send=READ")
        assert reader.polled
        with pytest.raises(ReaderTimeout):
            reader.read(0.02)
        assert device.received() == b"READ"
        reader.close()


def test_unplugging_is_an_error_and_the_patient_reader_comes_back_with_one_line_a_change(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with PtyReplay(LINES, 0.01) as device:
        device.start()
        sensor = PatientReader(f"serial://{device.path}", retry_s=(0.01, 0.05))
        assert _poll_until(sensor, "up") is not None
        device.unplug()
        _poll_until(sensor, "down")
        for _ in range(5):
            assert sensor.poll(0.05) is None
        assert sensor.error is not None
        assert "no such port" in sensor.error
        device.replug()
        assert _poll_until(sensor, "up") is not None
        sensor.close()
    assert [record.message.split(":")[0] for record in caplog.records] == ["sensor up", "sensor down", "sensor up"]


def _poll_until(sensor: PatientReader, state: str) -> object:
    for _ in range(500):
        reading = sensor.poll(0.05)
        if sensor.state == state:
            return reading
    raise AssertionError(f"never {state}: {sensor.state}, {sensor.error}")


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("serial:///nowhere/ttyUSB0", "no such port"),
        ("serial://ttyUSB0", "three slashes"),
        ("serial:///dev/null", "cannot be opened as a serial port"),
        ("serial:///dev/ttyUSB0?bauds=9600", "'bauds' is not an option of serial://"),
        ("serial:///dev/ttyUSB0?baud=fast", "baud=fast should be a number from 50"),
        ("serial:///dev/ttyUSB0?format=xml", "format=xml is not one of auto, labels"),
        ("serial:///dev/ttyUSB0?baud=1&baud=2", "stands there 2 times"),
        ("serial:///dev/ttyUSB0?baud", "options are written"),
        ("ftp:///dev/ttyUSB0", "no sensor is read by ftp://"),
        ("/dev/ttyUSB0", "is not a sensor URI"),
        ("serial://[::1", "is not a URI"),
    ],
)
def test_a_uri_that_cannot_be_meant_says_why(uri: str, message: str) -> None:
    with pytest.raises(SensorError, match=message.replace("(", r"\(")) as refused:
        open_reader(uri)
    assert "nowhere" in uri or "null" in uri or isinstance(refused.value, BadSensorURI)


def test_a_port_in_use_is_said_to_be_in_use() -> None:
    with PtyReplay(LINES) as device:
        reader = open_reader(f"serial://{device.path}")
        with pytest.raises(SensorError, match="another program uses this port"):
            open_reader(f"serial://{device.path}")
        reader.close()


def test_a_port_without_permission_names_the_group(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        from comfywear_sensors.readers.serial import _advice

        assert "dialout" in _advice(PermissionError(13, "Permission denied"))
        return
    port = tmp_path / "port"
    port.touch(mode=0)
    with pytest.raises(SensorError, match="dialout"):
        open_reader(f"serial://{port}")


def test_a_password_never_reaches_a_reading_or_a_message() -> None:
    with pytest.raises(BadSensorURI) as refused:
        open_reader("serial://user:hush@/dev/null?password=hush&x=1")
    assert "hush" not in str(refused.value)


LOOP = ["Temperature = 23.10 *C", "Pressure = 1013.25 hPa", "Approx. Altitude = 10.00 m", "Humidity = 45.20 %", ""]


@pytest.mark.parametrize(
    "loop",
    [
        LOOP,
        ["Temp: 23.10", "Hum: 45.20"],
        ["T:23.1\u2103", "H:45.2%RH"],
        ["Humidity = 45.20%", "Gas = 12.1 KOhms", "Temperature = 73.58 \u00b0F"],
    ],
)
def test_quantities_on_lines_of_their_own_are_one_reading(loop: list[str]) -> None:
    with PtyReplay(LINES) as device, open_reader(f"serial://{device.path}") as reader:
        device.write(b"half a line\n")
        for _ in range(3):
            device.write("".join(f"{line}\r\n" for line in loop).encode())
            reading = reader.read(5.0)
            assert (reading.air_temp_c, reading.humidity_pct) == (pytest.approx(23.1, abs=0.01), 45.2)


def test_a_loop_that_comes_in_pieces_is_one_reading() -> None:
    text = "".join(f"{line}\r\n" for line in LOOP).encode()
    with PtyReplay(LINES) as device, open_reader(f"serial://{device.path}") as reader:
        device.write(b"half a line\n")
        device.write(text)
        assert reader.read(5.0).humidity_pct == 45.2
        thread = threading.Thread(
            target=lambda: [(device.write(text[i : i + 16]), time.sleep(0.016)) for i in range(0, len(text), 16)]
        )
        thread.start()
        reading = reader.read(5.0)
        thread.join()
        assert (reading.air_temp_c, reading.humidity_pct) == (23.1, 45.2)


def test_a_quantity_that_no_longer_comes_does_not_hold_back_the_other() -> None:
    with PtyReplay(LINES) as device, open_reader(f"serial://{device.path}") as reader:
        device.write(b"x\nTemp: 23.1\nHum: 45.2\n")
        assert reader.read(5.0).humidity_pct == 45.2
        for value in (b"23.2", b"23.3"):
            device.write(b"Temp: " + value + b"\n")
            reading = reader.read(5.0)
            assert (reading.air_temp_c, reading.humidity_pct) == (float(value), None)


def test_what_is_wrong_with_a_line_is_in_the_words_of_the_timeout() -> None:
    with PtyReplay(LINES) as device, open_reader(f"serial://{device.path}") as reader:
        device.write(b"x\n40,78\n")
        with pytest.raises(ReaderTimeout, match=r"'40,78' may be one number or two: add decimal=comma"):
            reader.read(0.1)
