"""`i2c://1/sht4x?address=0x44`: chips on bus 1 (/dev/i2c-1): sht3x, sht4x, aht20, bme280.

Option: `address` (the chip's usual one).
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

from comfywear_sensors.chips import CHIPS, Chip, I2CWire
from comfywear_sensors.clock import Clock
from comfywear_sensors.errors import BadSensorURI, MissingPackage, NotAReading, SensorError
from comfywear_sensors.quantities import reading_of
from comfywear_sensors.reading import Reading
from comfywear_sensors.registry import DEFAULT_TIMEOUT_S
from comfywear_sensors.uri import SensorURI


def open_uri(uri: SensorURI, clock: Clock) -> I2CReader:
    """Open the bus; `BadSensorURI` or `SensorError` when that cannot be."""
    name = uri.path.strip("/").lower()
    if name not in CHIPS or not uri.host.isdecimal() or len(uri.host) > 4:
        raise BadSensorURI(f"{uri.source}: write i2c://BUS/CHIP, such as i2c://1/sht4x (chips: {', '.join(CHIPS)})")
    chip, usual_address = CHIPS[name]
    address = uri.integer("address", usual_address, 0x08, 0x77)
    uri.finish()
    return I2CReader(SMBusWire(int(uri.host), address), chip(), uri.source, clock)


def _smbus2() -> ModuleType:
    try:
        return import_module("smbus2")
    except ImportError:
        raise MissingPackage("i2c:// needs the package smbus2: pip install 'comfywear[pi]'") from None


class SMBusWire:
    """One address on a bus of /dev/i2c-*, through smbus2."""

    def __init__(self, bus: int, address: int) -> None:
        self._message: Any = _smbus2().i2c_msg
        self._address = address
        try:
            self._bus: Any = _smbus2().SMBus(bus)
        except OSError as error:
            advice = {
                2: "no such bus; switch I²C on (raspi-config, or dtparam=i2c_arm=on)",
                13: "not allowed; add this user to the group i2c and log in again",
            }
            raise SensorError(f"/dev/i2c-{bus}: {advice.get(error.errno or 0, error.strerror)}") from None

    def write(self, data: bytes) -> None:
        """One write transfer; OSError when the chip does not acknowledge."""
        self._bus.i2c_rdwr(self._message.write(self._address, data))

    def read(self, count: int) -> bytes:
        """One read transfer of `count` bytes; OSError when the chip does not acknowledge."""
        message = self._message.read(self._address, count)
        self._bus.i2c_rdwr(message)
        return bytes(message)

    def close(self) -> None:
        """Close the bus."""
        self._bus.close()


class I2CReader:
    """A chip that is asked at each `read`."""

    polled = True

    def __init__(self, wire: I2CWire, chip: Chip, source: str, clock: Clock) -> None:
        self.source = source
        self._wire = wire
        self._chip = chip
        self._clock = clock

    def read(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> Reading:  # noqa: ARG002 - the bus has its own deadline
        """Measure once; takes a tenth of a second at most, and the kernel ends a stuck transfer after about one."""
        try:
            values = self._chip.measure(self._wire, self._clock.sleep)
        except NotAReading as error:
            raise NotAReading(f"{self.source}: {error}") from None
        except OSError as error:
            raise SensorError(
                f"{self.source}: the chip does not answer ({error.strerror}); check wires and address"
            ) from None
        return reading_of(values, self._clock.monotonic(), self.source)

    def close(self) -> None:
        """Close the bus."""
        close = getattr(self._wire, "close", None)
        if close:
            close()
