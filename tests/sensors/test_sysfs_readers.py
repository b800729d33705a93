"""IIO, hwmon and 1-Wire over folders in the kernel's formats."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear_sensors import NotAReading, ReaderTimeout, SensorError, open_reader, sysfs
from comfywear_sensors.crc import crc8_maxim
from comfywear_sensors.gate import Gate
from comfywear_sensors.quantities import reading_of
from comfywear_sensors.readers.w1 import parse_w1_slave

# The DS18B20's example of +25.0625 °C (data sheet, table 1) in a scratchpad with its right CRC.
SCRATCHPAD = bytes.fromhex("91 01 4b 46 7f ff 0c 10")


def tree(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text + "\n")
    return folder


def slave(scratchpad: bytes, milli_c: int, crc: int | None = None, verdict: str = "YES") -> str:
    crc = crc8_maxim(scratchpad) if crc is None else crc
    data = " ".join(f"{byte:02x}" for byte in (*scratchpad, crc))
    return f"{data} : crc={crc:02x} {verdict}\n{data} t={milli_c}\n"


def test_an_iio_device_with_processed_values(tmp_path: Path) -> None:
    tree(tmp_path / "iio:device0", name="dht11", in_temp_input="23100", in_humidityrelative_input="45200")
    for name in ("dht11", "iio:device0"):
        reader = open_reader(f"iio://{name}?root={tmp_path}")
        reading = reader.read()
        assert (reading.air_temp_c, reading.humidity_pct, reader.polled) == (23.1, 45.2, True)


def test_an_iio_device_with_raw_values_scale_and_offset(tmp_path: Path) -> None:
    # HDC100x as its driver shows it: T = (raw + offset) × scale in m°C, RH = raw × scale in m%.
    tree(
        tmp_path / "iio:device1",
        name="hdc1000",
        in_temp_raw="26214",
        in_temp_offset="-15887.515151",
        in_temp_scale="2.517700195",
        in_humidityrelative_raw="32768",
        in_humidityrelative_scale="1.525878906",
        in_concentration_co2_raw="600",
        in_concentration_co2_scale="0.0001",
    )
    reading = open_reader(f"iio://hdc1000?root={tmp_path}").read()
    assert reading.air_temp_c == pytest.approx(26.0, abs=0.01)
    assert reading.humidity_pct == pytest.approx(50.0, abs=0.01)
    assert reading.co2_ppm == pytest.approx(600.0)


def test_an_iio_device_with_a_numbered_channel(tmp_path: Path) -> None:
    tree(tmp_path / "iio:device0", name="x", in_temp0_raw="231", in_temp0_scale="100")
    assert open_reader(f"iio://x?root={tmp_path}").read().air_temp_c == 23.1


def test_two_devices_of_one_name_must_be_told_apart(tmp_path: Path) -> None:
    for index in range(2):
        tree(tmp_path / f"iio:device{index}", name="bme280", in_temp_input=f"{20 + index}000")
    with pytest.raises(SensorError, match="2 devices have this name; say which: iio://iio:device0, iio://iio:device1"):
        open_reader(f"iio://bme280?root={tmp_path}")
    assert open_reader(f"iio://iio:device1?root={tmp_path}").read().air_temp_c == 21.0


def test_hwmon_with_humidity_and_a_channel(tmp_path: Path) -> None:
    tree(tmp_path / "hwmon3", name="sht3x", temp1_input="23100", humidity1_input="45200", temp2_input="30000")
    reading = open_reader(f"hwmon://sht3x?root={tmp_path}").read()
    assert (reading.air_temp_c, reading.humidity_pct) == (23.1, 45.2)
    reading = open_reader(f"hwmon://sht3x?channel=2&root={tmp_path}").read()
    assert (reading.air_temp_c, reading.humidity_pct) == (30.0, None)
    with pytest.raises(SensorError, match="neither temp3_input"):
        open_reader(f"hwmon://sht3x?channel=3&root={tmp_path}").read()


def test_a_fault_that_the_driver_reports_is_no_reading(tmp_path: Path) -> None:
    tree(tmp_path / "hwmon0", name="x", temp1_input="23100", temp1_fault="1")
    with pytest.raises(NotAReading, match="fault of temp1"):
        open_reader(f"hwmon://x?root={tmp_path}").read()


def test_a_ds18b20_with_its_data_sheet_example(tmp_path: Path) -> None:
    tree(tmp_path / "28-0316a2795aff", w1_slave=slave(SCRATCHPAD, 25062).rstrip("\n"))
    reading = open_reader(f"w1://28-0316a2795aff?root={tmp_path}").read()
    assert (reading.air_temp_c, reading.humidity_pct, reading.flags) == (25.062, None, ())


def test_the_published_rom_crc_of_the_maxim_note() -> None:
    # Application note 27: ROM 02 1C B8 01 00 00 00 has the CRC A2.
    assert crc8_maxim(bytes.fromhex("02 1C B8 01 00 00 00")) == 0xA2


@pytest.mark.parametrize(
    "text",
    [
        slave(SCRATCHPAD, 25062, verdict="NO"),
        slave(SCRATCHPAD, 25062, crc=0x00),
        slave(bytes(8), 0),  # a bus held low reads as zeros, whose CRC is right
        slave(SCRATCHPAD, 25062)[:40],
        "",
    ],
)
def test_a_wrong_checksum_is_no_reading(tmp_path: Path, text: str) -> None:
    folder = tree(tmp_path / "28-1")
    (folder / "w1_slave").write_text(text)
    with pytest.raises(NotAReading, match="w1://28-1"):
        open_reader(f"w1://28-1?root={tmp_path}").read()


def test_85_degrees_at_power_up_never_pass_the_gate(tmp_path: Path) -> None:
    tree(tmp_path / "28-1", w1_slave=slave(bytes.fromhex("50 05 4b 46 7f ff 0c 10"), 85000).rstrip("\n"))
    reading = open_reader(f"w1://28-1?root={tmp_path}").read()
    assert reading.flags == ("power-up",)
    assert Gate().admit(reading) == {}


def test_a_sensor_that_vanishes_and_returns(tmp_path: Path) -> None:
    folder = tree(tmp_path / "hwmon0", name="sht3x", temp1_input="23100")
    reader = open_reader(f"hwmon://sht3x?root={tmp_path}")
    (folder / "temp1_input").unlink()
    with pytest.raises(SensorError):
        reader.read()
    (folder / "temp1_input").write_text("23200\n")
    assert reader.read().air_temp_c == 23.2


@pytest.mark.parametrize("number", [5, 110, 11, 121])
def test_a_chip_that_does_not_answer_this_time_is_a_passing_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    tree(tmp_path / "iio:device0", name="dht11", in_temp_input="23100")
    reader = open_reader(f"iio://dht11?root={tmp_path}")

    def fail(*_: object) -> bytes:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(sysfs.os, "read", fail)
    with pytest.raises(ReaderTimeout, match="could not read the chip"):
        reader.read()


@pytest.mark.parametrize("text", ["", "warm", "nan", "inf", "1e999", "23 100", "9" * 5000])
def test_a_file_without_a_number_is_no_reading(tmp_path: Path, text: str) -> None:
    tree(tmp_path / "hwmon0", name="x", temp1_input=text)
    with pytest.raises(NotAReading, match="is not a number"):
        open_reader(f"hwmon://x?root={tmp_path}").read()


def test_a_pipe_in_place_of_a_file_does_not_hang(tmp_path: Path) -> None:
    folder = tree(tmp_path / "hwmon0", name="x")
    os.mkfifo(folder / "temp1_input")
    with pytest.raises(SensorError):
        open_reader(f"hwmon://x?root={tmp_path}").read()


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("iio://?root={root}", "name one device"),
        ("iio://nothing?root={root}", r"no such device below .* \(there: y\)"),
        ("iio://y?root={root}", "neither temperature nor humidity"),
        ("iio://y?root={root}/none", "driver of the sensor is not loaded"),
        ("w1://..?root={root}", "is not a device"),
        ("hwmon://y/x?root={root}", "name one device"),
        ("hwmon://y?root={root}&chanel=2", "'chanel' is not an option of hwmon://"),
    ],
)
def test_a_device_that_is_not_there_is_said_clearly(tmp_path: Path, uri: str, message: str) -> None:
    tree(tmp_path / "d0", name="y")
    with pytest.raises(SensorError, match=message):
        open_reader(uri.format(root=tmp_path))


def test_a_hundred_thousand_damaged_w1_files_are_refused_or_true() -> None:
    dice = random.Random(5)
    good = slave(SCRATCHPAD, 25062)
    for _ in range(100_000):
        text = bytearray(good.encode())
        for _ in range(dice.randrange(1, 4)):
            text[dice.randrange(len(text))] = dice.choice(b"0123456789abcdef t=-\nYESNO:\xff")
        try:
            value = parse_w1_slave(text.decode("ascii", "replace"))
        except NotAReading:
            continue
        for admitted in Gate().admit(reading_of({"air_temp_c": value}, 0.0, "test")).values():
            assert -30.0 <= admitted <= 60.0


@given(st.text(alphabet=st.characters(max_codepoint=255)))
def test_any_text_in_any_file_is_a_reading_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    root = tmp_path_factory.getbasetemp() / "any"
    folder = root / "d0"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("temp1_input", "in_temp_raw", "in_temp_scale", "w1_slave"):
        (folder / name).write_text(text, encoding="latin-1")
    for scheme in ("hwmon", "iio", "w1"):
        try:
            reading = open_reader(f"{scheme}://d0?root={root}").read()
        except SensorError:
            continue
        assert isinstance(reading.air_temp_c, float)
