"""The one door to every sensor: a table of schemes, each with the module that reads it."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol

from comfywear_sensors.clock import SYSTEM_CLOCK, Clock
from comfywear_sensors.errors import BadSensorURI
from comfywear_sensors.reading import Reading
from comfywear_sensors.uri import SensorURI

DEFAULT_TIMEOUT_S = 5.0

# Scheme → module below `comfywear_sensors.readers`; only the one that is asked for is imported.
SCHEMES = {
    "serial": "serial",
    "modbus": "modbus",
    "iio": "iio",
    "hwmon": "hwmon",
    "w1": "w1",
    "i2c": "i2c",
    "mqtt": "mqtt",
    "mqtts": "mqtt",
    "replay": "replay",
    "fake": "fake",
}


class Reader(Protocol):
    """An open sensor. Not for use by two threads at a time; it owns no thread itself.

    Attributes:
        source: The URI without secrets, as in `Reading.source`.
        polled: True when `read` asks the sensor, so that the caller sets the pace; False when the sensor speaks
            by itself and `read` waits for it.
    """

    source: str
    polled: bool

    def read(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> Reading:
        """The next reading, or a `SensorError` no later than `timeout_s` seconds from now."""
        ...

    def close(self) -> None:
        """Give the sensor back; may be called twice."""
        ...


def check_uri(uri: str) -> SensorURI:
    """The parsed URI of a sensor of a known scheme; nothing is opened, and options are checked on opening.

    Raises:
        BadSensorURI: When it is not a URI, or no reader has its scheme.
    """
    parsed = SensorURI(uri)
    if parsed.scheme not in SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        raise BadSensorURI(f"{parsed.source}: no sensor is read by {parsed.scheme}://; there are {known}")
    return parsed


def open_reader(uri: str, *, clock: Clock = SYSTEM_CLOCK) -> Reader:
    """Open the sensor that `uri` names.

    `serial://`, `modbus://`, `iio://`, `hwmon://`, `w1://`, `i2c://`, `mqtt://`, `replay://`, `fake://`;
    `docs/sensors.md` has each with its options.

    Raises:
        BadSensorURI: The URI cannot be meant.
        SensorError: The sensor is not there, busy, or needs an extra that is not installed.
    """
    parsed = check_uri(uri)
    reader: Reader = import_module(f"comfywear_sensors.readers.{SCHEMES[parsed.scheme]}").open_uri(parsed, clock)
    return reader
