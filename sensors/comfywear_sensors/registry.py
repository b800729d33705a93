"""The one door to every sensor: a table of schemes, each with the module that reads it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from types import TracebackType
from typing import Protocol, TypeAlias

from comfywear_sensors.clock import SYSTEM_CLOCK, Clock
from comfywear_sensors.errors import BadSensorURI, MissingPackage
from comfywear_sensors.reading import Reading
from comfywear_sensors.texts import Text
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
    """An open sensor, to be closed or used in a `with`. Not for two threads at a time; it owns no thread itself.

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

    def __enter__(self) -> Reader:  # noqa: PYI034 - typing.Self is not in Python 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


Opener: TypeAlias = Callable[[], Reader]
"""Opens what a URI names; each module of `readers` has a `plan(uri, clock)` that returns one."""


def check_uri(uri: str) -> SensorURI:
    """The parsed URI, with all of its options checked; nothing is opened, read or connected to.

    Where a reader's package is not installed, its options are checked on opening.

    Raises:
        BadSensorURI: It is not a URI, no reader has its scheme, or an option is not known or cannot be.
    """
    parsed = _known(uri)
    with suppress(MissingPackage):
        _plan(parsed, SYSTEM_CLOCK)
    return parsed


def _plan(parsed: SensorURI, clock: Clock) -> Opener:
    opener: Opener = import_module(f"comfywear_sensors.readers.{SCHEMES[parsed.scheme]}").plan(parsed, clock)
    return opener


def _known(uri: str) -> SensorURI:
    parsed = SensorURI(uri)
    if parsed.scheme not in SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        raise BadSensorURI(
            Text(
                "{source}: no sensor is read by {scheme}://; there are {known}",
                source=parsed.source,
                scheme=parsed.scheme,
                known=known,
            )
        )
    return parsed


def open_reader(uri: str, *, clock: Clock = SYSTEM_CLOCK) -> Reader:
    """Open the sensor that `uri` names.

    `serial://`, `modbus://`, `iio://`, `hwmon://`, `w1://`, `i2c://`, `mqtt://`, `replay://`, `fake://`;
    `docs/sensors.md` has each with its options.

    Raises:
        BadSensorURI: The URI cannot be meant.
        SensorError: The sensor is not there, busy, or needs an extra that is not installed.
    """
    return _plan(_known(uri), clock)()
