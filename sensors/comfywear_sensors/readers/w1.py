"""`w1://28-0316a2795aff`: thermometers on a 1-Wire bus (DS18B20, DS18S20 …), through the kernel's `w1_therm`.

The scratchpad's CRC is checked here too. Option: `root` (/sys/bus/w1/devices).
"""

from __future__ import annotations

import re
from pathlib import Path

from comfywear_sensors.clock import Clock
from comfywear_sensors.crc import crc8_maxim
from comfywear_sensors.errors import NotAReading
from comfywear_sensors.quantities import reading_of
from comfywear_sensors.reading import Reading
from comfywear_sensors.registry import DEFAULT_TIMEOUT_S, Opener, Reader
from comfywear_sensors.sysfs import check_device, find_device, read_text
from comfywear_sensors.texts import Text
from comfywear_sensors.uri import SensorURI

ROOT = "/sys/bus/w1/devices"
_SLAVE = re.compile(
    r"\s*((?:[0-9a-f]{2} ){9}): crc=([0-9a-f]{2}) (YES|NO)\s*\n\s*(?:[0-9a-f]{2} ){9}t=(-?\d{1,7})\s*", re.ASCII
)
_POWER_UP_C = 85.0  # what a DS18B20 holds until its first conversion (data sheet, table 1)


def plan(uri: SensorURI, clock: Clock) -> Opener:
    """What finds the thermometer; `BadSensorURI` when the URI cannot be meant."""
    root = Path(uri.text("root", ROOT))
    uri.finish()
    check_device(uri)
    return lambda: W1Reader(find_device(uri, root), uri.source, clock)


def parse_w1_slave(text: str) -> float:
    """°C from the two lines of the kernel's file `w1_slave`; `NotAReading` when a checksum is wrong."""
    match = _SLAVE.fullmatch(text)
    if not match:
        raise NotAReading(Text("{text} is not what w1_slave says", text=repr(text[:60])))
    scratchpad = bytes.fromhex(match.group(1))
    if match.group(3) == "NO" or crc8_maxim(scratchpad[:8]) != scratchpad[8] or not any(scratchpad):
        raise NotAReading(Text("wrong CRC on the 1-Wire bus; check the cable and its pull-up resistor of 4.7 kΩ"))
    return int(match.group(4)) / 1000.0


class W1Reader(Reader):
    """The file `w1_slave` of one thermometer."""

    polled = True

    def __init__(self, folder: Path, source: str, clock: Clock) -> None:
        self.source = source
        self._folder = folder
        self._clock = clock

    def read(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> Reading:  # noqa: ARG002 - the driver has its own deadline
        """Have the chip measure once; the kernel's driver ends that by itself, within about a second."""
        try:
            temperature = parse_w1_slave(read_text(self._folder / "w1_slave"))
        except NotAReading as error:
            raise NotAReading(Text("{source}: {why}", source=self.source, why=error)) from None
        flags = ("power-up",) if temperature == _POWER_UP_C else ()
        return reading_of({"air_temp_c": temperature}, self._clock.monotonic(), self.source, flags=flags)

    def close(self) -> None:
        """Nothing to give back."""
