"""Chips on a bus that speaks their commands and checksums, with the data sheets' examples."""

from __future__ import annotations

import random
import struct
import sys

import pytest
from hand_clock import HandClock
from hypothesis import given
from hypothesis import strategies as st
from i2c_chips import Aosong, Bosch, FakeChip, FakeSmbus2, Sensirion, words

from comfywear_sensors import MissingPackage, NotAReading, SensorError, open_reader
from comfywear_sensors.chips import AHT20, BME280, CHIPS, SHT3x, SHT4x
from comfywear_sensors.crc import crc8_sensirion
from comfywear_sensors.gate import DEFAULT_LIMITS, Gate
from comfywear_sensors.quantities import reading_of

# Bosch's BMP280 data sheet, 3.12: the calibration and raw value of its worked example, 25.08 °C. The humidity words
# are of the usual size; the sheet works no example of humidity, so an integer form of 4.2.3 is the oracle below.
LOW = struct.pack("<Hhh", 27504, 26435, -1000) + bytes(19) + b"\x4b"
HIGH = struct.pack("<hBbBbb", 362, 0, 0x13, 0x20, 0x03, 0x1E)
RAW_T, RAW_H = 519888, 28000
MEASURED = bytes(3) + (RAW_T << 4).to_bytes(3, "big") + RAW_H.to_bytes(2, "big")


def bosch(measured: bytes = MEASURED) -> Bosch:
    return Bosch({0xD0: b"\x60", 0x88: LOW, 0xE1: HIGH}, measured)


def bus(monkeypatch: pytest.MonkeyPatch, address: int, chip: FakeChip) -> FakeSmbus2:
    module = FakeSmbus2({(1, address): chip})
    monkeypatch.setitem(sys.modules, "smbus2", module)
    return module


def test_the_published_checksum() -> None:
    assert crc8_sensirion(b"\xbe\xef") == 0x92


@pytest.mark.parametrize(
    ("name", "command", "temperature", "humidity", "expected"),
    [
        ("sht3x", b"\x24\x00", 0x6666, 0x8000, (25.0, 50.001)),
        ("sht3x", b"\x24\x00", 0x0000, 0xFFFF, (-45.0, 100.0)),
        ("sht4x", b"\xfd", 0x6666, 0x7333, (25.0, 50.25)),
        ("sht4x", b"\xfd", 0xFFFF, 0x0000, (130.0, 0.0)),
        ("sht4x", b"\xfd", 0x6666, 0xFFFF, (25.0, 100.0)),
    ],
)
def test_sensirion_chips(
    monkeypatch: pytest.MonkeyPatch,
    clock: HandClock,
    name: str,
    command: bytes,
    temperature: int,
    humidity: int,
    expected: tuple[float, float],
) -> None:
    module = bus(monkeypatch, 0x44, Sensirion(command, words(temperature, humidity)))
    reader = open_reader(f"i2c://1/{name}", clock=clock)
    reading = reader.read()
    assert (reading.air_temp_c, reading.humidity_pct) == pytest.approx(expected, abs=0.02)
    assert reading.air_temp_c == expected[0]
    assert sum(clock.slept) >= 0.0083  # the sheet's longest measurement time
    reader.close()
    assert module.closed == 1


def test_an_aht20_is_calibrated_once_then_measured(monkeypatch: pytest.MonkeyPatch, clock: HandClock) -> None:
    chip = Aosong(humidity=1 << 19, temperature=3 << 17)
    bus(monkeypatch, 0x38, chip)
    reader = open_reader("i2c://1/aht20", clock=clock)
    for _ in range(2):
        reading = reader.read()
        assert (reading.air_temp_c, reading.humidity_pct) == (25.0, 50.0)
    assert chip.commands == [b"\x71", b"\xbe\x08\x00", b"\xac\x33\x00", b"\x71", b"\xac\x33\x00"]
    chip.busy = True
    with pytest.raises(NotAReading, match="still measuring"):
        reader.read()


def test_a_bme280_gives_boschs_worked_example(monkeypatch: pytest.MonkeyPatch, clock: HandClock) -> None:
    bus(monkeypatch, 0x77, bosch())
    reading = open_reader("i2c://1/bme280?address=0x77", clock=clock).read()
    assert reading.air_temp_c == pytest.approx(25.08, abs=0.005)
    assert reading.humidity_pct == pytest.approx(integer_humidity(RAW_T, RAW_H), abs=0.02)


def test_a_bme280_is_read_on_a_bus_that_speaks_smbus_alone(monkeypatch: pytest.MonkeyPatch, clock: HandClock) -> None:
    monkeypatch.setitem(sys.modules, "smbus2", FakeSmbus2({(1, 0x76): bosch()}, smbus_alone=True))
    reader = open_reader("i2c://1/bme280", clock=clock)
    for _ in range(2):
        assert reader.read().air_temp_c == pytest.approx(25.08, abs=0.005)


def test_a_chip_that_needs_more_than_smbus_says_so(monkeypatch: pytest.MonkeyPatch, clock: HandClock) -> None:
    chip = Sensirion(b"\xfd", words(0x6666, 0x8000))
    monkeypatch.setitem(sys.modules, "smbus2", FakeSmbus2({(1, 0x44): chip}, smbus_alone=True))
    with pytest.raises(SensorError, match="/dev/i2c-1 speaks SMBus alone"):
        open_reader("i2c://1/sht4x", clock=clock).read()


def integer_humidity(raw_t: int, raw_h: int) -> float:
    """Humidity by 32-bit integers, as the data sheet's 4.2.3 has it."""
    t1, t2, t3, h1, h2, h3, h4, h5, h6 = BME280.calibration(LOW, HIGH)
    v1 = (((raw_t >> 3) - (t1 << 1)) * t2) >> 11
    v2 = (((((raw_t >> 4) - t1) * ((raw_t >> 4) - t1)) >> 12) * t3) >> 14
    x = v1 + v2 - 76800
    x = (((raw_h << 14) - (h4 << 20) - h5 * x + 16384) >> 15) * (
        (((((((x * h6) >> 10) * (((x * h3) >> 11) + 32768)) >> 10) + 2097152) * h2) + 8192) >> 14
    )
    x -= ((((x >> 15) * (x >> 15)) >> 7) * h1) >> 4
    return min(419430400, max(0, x)) / 4096 / 1024


@given(st.integers(440_000, 600_000), st.integers(15_000, 45_000).filter(lambda raw: raw != 0x8000))
def test_floating_point_and_integer_compensation_agree(raw_t: int, raw_h: int) -> None:
    data = bytes(3) + (raw_t << 4).to_bytes(3, "big") + raw_h.to_bytes(2, "big")
    values = BME280.decode(data, BME280.calibration(LOW, HIGH))
    assert values["humidity_pct"] == pytest.approx(integer_humidity(raw_t, raw_h), abs=0.05)


@pytest.mark.parametrize("at", range(6))
def test_a_wrong_crc_is_no_reading(monkeypatch: pytest.MonkeyPatch, clock: HandClock, at: int) -> None:
    answer = bytearray(words(0x6666, 0x8000))
    answer[at] ^= 0x04
    bus(monkeypatch, 0x44, Sensirion(b"\xfd", bytes(answer)))
    with pytest.raises(NotAReading, match="i2c://1/sht4x: wrong CRC"):
        open_reader("i2c://1/sht4x", clock=clock).read()


def test_a_bme280_that_has_not_measured_is_no_reading(monkeypatch: pytest.MonkeyPatch, clock: HandClock) -> None:
    bus(monkeypatch, 0x76, bosch(measured=bytes.fromhex("80 00 00 80 00 00 80 00")))
    with pytest.raises(NotAReading, match="not measured yet"):
        open_reader("i2c://1/bme280", clock=clock).read()


def test_another_chip_at_the_address_is_named(monkeypatch: pytest.MonkeyPatch, clock: HandClock) -> None:
    bus(monkeypatch, 0x76, Bosch({0xD0: b"\x58"}, MEASURED))
    with pytest.raises(NotAReading, match="no BME280"):
        open_reader("i2c://1/bme280", clock=clock).read()


def test_a_chip_that_is_pulled_off_and_put_back(monkeypatch: pytest.MonkeyPatch, clock: HandClock) -> None:
    chip = Sensirion(b"\xfd", words(0x6666, 0x8000))
    module = bus(monkeypatch, 0x44, chip)
    reader = open_reader("i2c://1/sht4x", clock=clock)
    del module.chips[1, 0x44]
    with pytest.raises(SensorError, match="the chip does not answer"):
        reader.read()
    module.chips[1, 0x44] = chip
    assert reader.read().air_temp_c == 25.0


def test_a_bus_or_package_that_is_not_there_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    bus(monkeypatch, 0x44, Sensirion(b"\xfd", b""))
    with pytest.raises(SensorError, match="switch I²C on"):
        open_reader("i2c://7/sht4x")
    monkeypatch.setitem(sys.modules, "smbus2", None)
    with pytest.raises(MissingPackage, match=r"pip install 'comfywear\[pi\]'"):
        open_reader("i2c://1/sht4x")


@pytest.mark.parametrize("uri", ["i2c://1", "i2c://x/sht4x", "i2c://1/sht99", "i2c://1/sht4x?address=0x99"])
def test_a_uri_that_cannot_be_meant_is_refused(uri: str) -> None:
    with pytest.raises(SensorError, match=r"such as i2c://1/sht4x|should be a number from"):
        open_reader(uri)


@pytest.mark.parametrize("chip", CHIPS)
def test_random_answers_are_refused_or_possible(chip: str) -> None:
    dice = random.Random(13)
    calibration = BME280.calibration(LOW, HIGH)
    decode = {
        "sht3x": lambda: SHT3x.decode(_answer(dice, 6)),
        "sht4x": lambda: SHT4x.decode(_answer(dice, 6)),
        "aht20": lambda: AHT20.decode(_answer(dice, 7)),
        "bme280": lambda: BME280.decode(dice.randbytes(8), calibration),
    }[chip]
    for _ in range(100_000):
        try:
            values = decode()
        except NotAReading:
            continue
        for name, value in Gate().admit(reading_of(values, 0.0, "test")).items():
            assert DEFAULT_LIMITS[name].low <= value <= DEFAULT_LIMITS[name].high


def _answer(dice: random.Random, count: int) -> bytes:
    """Random bytes of about this count; half of them with right checksums."""
    if dice.random() < 0.5:
        return dice.randbytes(dice.choice((count, count, count - 1, 0, 9)))
    if count == 6:
        return words(dice.randrange(65536), dice.randrange(65536))
    data = dice.randbytes(6)
    return data + bytes([crc8_sensirion(data)])


@given(st.binary(min_size=26, max_size=26), st.binary(min_size=7, max_size=7), st.binary(min_size=8, max_size=8))
def test_any_calibration_gives_finite_numbers_or_is_refused(low: bytes, high: bytes, data: bytes) -> None:
    try:
        values = BME280.decode(data, BME280.calibration(low, high))
    except NotAReading:
        return
    assert all(abs(value) < 1e12 for value in values.values())
