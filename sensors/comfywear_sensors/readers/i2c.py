"""`i2c://1/sht4x?address=0x44`: chips on bus 1 (/dev/i2c-1): sht3x, sht4x, aht20, bme280.

Option: `address` (the chip's usual one).
"""

from __future__ import annotations

import errno
from importlib import import_module
from types import ModuleType
from typing import Any

from comfywear_sensors.chips import BME280, CHIPS, Chip, I2CWire
from comfywear_sensors.clock import Clock
from comfywear_sensors.errors import BadSensorURI, MissingPackage, NotAReading, SensorError
from comfywear_sensors.quantities import reading_of
from comfywear_sensors.reading import Reading
from comfywear_sensors.registry import DEFAULT_TIMEOUT_S, Opener, Reader
from comfywear_sensors.texts import Text
from comfywear_sensors.uri import SensorURI


def plan(uri: SensorURI, clock: Clock) -> Opener:
    """What opens the bus; `BadSensorURI` when the URI cannot be meant."""
    name = uri.path.strip("/").lower()
    if name not in CHIPS or not uri.host.isdecimal() or len(uri.host) > 4:
        raise BadSensorURI(
            Text(
                "{source}: write i2c://BUS/CHIP, such as i2c://1/sht4x (chips: {chips})",
                source=uri.source,
                chips=", ".join(CHIPS),
            )
        )
    chip, usual_address = CHIPS[name]
    address = uri.integer("address", usual_address, 0x08, 0x77)
    uri.finish()
    return lambda: I2CReader(SMBusWire(int(uri.host), address, by_register=chip is BME280), chip(), uri.source, clock)


def _smbus2() -> ModuleType:
    try:
        return import_module("smbus2")
    except ImportError:
        raise MissingPackage(Text("i2c:// needs the package smbus2: pip install 'comfywear[pi]'")) from None


class SMBusWire:
    """One address on a bus of /dev/i2c-*, through smbus2.

    Most buses do any transfer. The one of a PC's mainboard does those of SMBus alone, which is enough for a chip whose
    every read names a register (`by_register`).
    """

    def __init__(self, bus: int, address: int, *, by_register: bool = False) -> None:
        self._message: Any = _smbus2().i2c_msg
        self._address = address
        self._by_register = by_register
        self._name = f"/dev/i2c-{bus}"
        self._smbus_alone = False
        self._register = 0
        try:
            self._bus: Any = _smbus2().SMBus(bus)
        except OSError as error:
            advice = {
                2: Text("no such bus; switch I²C on (raspi-config, or dtparam=i2c_arm=on)"),
                13: Text("not allowed; add this user to the group i2c and log in again"),
            }
            raise SensorError(
                Text("/dev/i2c-{bus}: {why}", bus=bus, why=advice.get(error.errno or 0, error.strerror))
            ) from None

    def write(self, data: bytes) -> None:
        """One write transfer; OSError when the chip does not acknowledge."""
        if not self._smbus_alone:
            try:
                self._bus.i2c_rdwr(self._message.write(self._address, data))
                return
            except OSError as error:
                if error.errno != errno.EOPNOTSUPP:
                    raise
            if not self._by_register:
                advice = Text("{name} speaks SMBus alone, which this chip does not; use another bus", name=self._name)
                raise OSError(errno.EOPNOTSUPP, advice)
            self._smbus_alone = True
        self._register = data[0]
        if len(data) > 1:
            self._bus.write_i2c_block_data(self._address, data[0], list(data[1:]))

    def read(self, count: int) -> bytes:
        """One read transfer of `count` bytes; OSError when the chip does not acknowledge."""
        if self._smbus_alone:
            return bytes(self._bus.read_i2c_block_data(self._address, self._register, count))
        message = self._message.read(self._address, count)
        self._bus.i2c_rdwr(message)
        return bytes(message)

    def close(self) -> None:
        """Close the bus."""
        self._bus.close()


class I2CReader(Reader):
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
            raise NotAReading(Text("{source}: {why}", source=self.source, why=error)) from None
        except OSError as error:
            raise SensorError(
                Text(
                    "{source}: the chip does not answer ({why}); check wires and address",
                    source=self.source,
                    why=error.strerror,
                )
            ) from None
        return reading_of(values, self._clock.monotonic(), self.source)

    def close(self) -> None:
        """Close the bus."""
        close = getattr(self._wire, "close", None)
        if close:
            close()
