"""Temperature and humidity chips on I²C: their commands, their checksums, and what their bits mean.

A chip's `measure(wire, pause)` returns values for `Reading`, or raises `NotAReading` for an answer that cannot be.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Protocol

from comfywear_sensors.crc import crc8_sensirion
from comfywear_sensors.errors import NotAReading
from comfywear_sensors.quantities import Values
from comfywear_sensors.texts import Text

Pause = Callable[[float], None]


class I2CWire(Protocol):
    """One address on an I²C bus."""

    def write(self, data: bytes) -> None:
        """Write these bytes in one transfer."""
        ...

    def read(self, count: int) -> bytes:
        """Read so many bytes in one transfer."""
        ...


class Chip(Protocol):
    """A chip that can be asked to measure."""

    def measure(self, wire: I2CWire, pause: Pause) -> Values:
        """Measure once; `pause` waits for so many seconds."""
        ...


def _checked_words(data: bytes) -> tuple[int, int]:
    """Two 16-bit words, each followed by its CRC (Sensirion)."""
    for start in (0, 3):
        if len(data) != 6 or crc8_sensirion(data[start : start + 2]) != data[start + 2]:
            raise NotAReading(Text("wrong CRC on the I²C bus; check the wires, and pull-ups for long ones"))
    return int.from_bytes(data[0:2], "big"), int.from_bytes(data[3:5], "big")


class SHT3x:
    """Sensirion SHT30, SHT31, SHT35 (data sheet of February 2019, sections 4.3 and 4.13)."""

    def measure(self, wire: I2CWire, pause: Pause) -> Values:
        """Single shot, high repeatability, no clock stretching."""
        wire.write(b"\x24\x00")
        pause(0.016)
        return self.decode(wire.read(6))

    @staticmethod
    def decode(data: bytes) -> Values:
        """°C and % from the six bytes."""
        temperature, humidity = _checked_words(data)
        return _rounded(-45.0 + 175.0 * temperature / 65535.0, 100.0 * humidity / 65535.0)


class SHT4x:
    """Sensirion SHT40, SHT41, SHT45 (data sheet, sections 4.5 and 4.6)."""

    def measure(self, wire: I2CWire, pause: Pause) -> Values:
        """High precision."""
        wire.write(b"\xfd")
        pause(0.010)
        return self.decode(wire.read(6))

    @staticmethod
    def decode(data: bytes) -> Values:
        """°C and % from the six bytes; the formula may leave 0…100 % by design and is cropped, as the sheet says."""
        temperature, humidity = _checked_words(data)
        return _rounded(-45.0 + 175.0 * temperature / 65535.0, -6.0 + 125.0 * humidity / 65535.0)


class AHT20:
    """Aosong AHT20, AHT21 (data sheet, section 5.4)."""

    def measure(self, wire: I2CWire, pause: Pause) -> Values:
        """Calibrate where the status asks for it, then measure."""
        wire.write(b"\x71")
        if not wire.read(1)[0] & 0x08:
            wire.write(b"\xbe\x08\x00")
            pause(0.010)
        wire.write(b"\xac\x33\x00")
        pause(0.080)
        return self.decode(wire.read(7))

    @staticmethod
    def decode(data: bytes) -> Values:
        """°C and % from status, 20 bits of humidity, 20 bits of temperature, CRC."""
        if len(data) != 7 or crc8_sensirion(data[:6]) != data[6]:
            raise NotAReading(Text("wrong CRC on the I²C bus; check the wires, and pull-ups for long ones"))
        if data[0] & 0x80:
            raise NotAReading(Text("the AHT20 is still measuring"))
        humidity = int.from_bytes(data[1:4], "big") >> 4
        temperature = int.from_bytes(data[3:6], "big") & 0xFFFFF
        return _rounded(temperature / 2**20 * 200.0 - 50.0, humidity / 2**20 * 100.0)


class BME280:
    """Bosch BME280 (data sheet 1.6, sections 4.2 and 8.1). Its bus has no checksum."""

    def __init__(self) -> None:
        self._calibration: tuple[int, ...] | None = None

    def measure(self, wire: I2CWire, pause: Pause) -> Values:
        """One forced measurement with single oversampling."""
        if self._calibration is None:
            if self._registers(wire, 0xD0, 1) != b"\x60":
                raise NotAReading(
                    Text("the chip at this address is no BME280 (a BMP280 has no humidity); check address=")
                )
            low, high = self._registers(wire, 0x88, 26), self._registers(wire, 0xE1, 7)
            self._calibration = self.calibration(low, high)
        wire.write(b"\xf2\x01")
        wire.write(b"\xf4\x25")
        pause(0.012)
        return self.decode(self._registers(wire, 0xF7, 8), self._calibration)

    @staticmethod
    def _registers(wire: I2CWire, first: int, count: int) -> bytes:
        wire.write(bytes([first]))
        return wire.read(count)

    @staticmethod
    def calibration(low: bytes, high: bytes) -> tuple[int, ...]:
        """T1…T3 and H1…H6 from registers 0x88…0xA1 and 0xE1…0xE7."""
        t1, t2, t3 = struct.unpack_from("<Hhh", low, 0)
        h1 = low[25]
        h2, h3, e4, e5, e6, h6 = struct.unpack("<hBbBbb", high)
        if t1 in (0, 0xFFFF):
            raise NotAReading(Text("the BME280's calibration is empty; check the wires"))
        return t1, t2, t3, h1, h2, h3, (e4 << 4) | (e5 & 0x0F), (e6 << 4) | (e5 >> 4), h6

    @staticmethod
    def decode(data: bytes, calibration: tuple[int, ...]) -> Values:
        """°C and % from registers 0xF7…0xFE by the compensation formulas in floating point."""
        raw_t, raw_h = int.from_bytes(data[3:6], "big") >> 4, int.from_bytes(data[6:8], "big")
        if raw_t == 0x80000 and raw_h == 0x8000:  # the reset state of the data registers
            raise NotAReading(Text("the BME280 has not measured yet"))
        t1, t2, t3, h1, h2, h3, h4, h5, h6 = calibration
        fine = (raw_t / 16384.0 - t1 / 1024.0) * t2 + (raw_t / 131072.0 - t1 / 8192.0) ** 2 * t3
        h = fine - 76800.0
        h = (raw_h - (h4 * 64.0 + h5 / 16384.0 * h)) * (
            h2 / 65536.0 * (1.0 + h6 / 67108864.0 * h * (1.0 + h3 / 67108864.0 * h))
        )
        return _rounded(fine / 5120.0, h * (1.0 - h1 * h / 524288.0))


def _rounded(temperature: float, humidity: float) -> Values:
    return {"air_temp_c": round(temperature, 3), "humidity_pct": round(min(100.0, max(0.0, humidity)), 3)}


CHIPS: dict[str, tuple[Callable[[], Chip], int]] = {
    "sht3x": (SHT3x, 0x44),
    "sht4x": (SHT4x, 0x44),
    "aht20": (AHT20, 0x38),
    "bme280": (BME280, 0x76),
}
"""Name → chip and its usual address."""
