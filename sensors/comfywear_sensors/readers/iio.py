"""`iio://bme280` or `iio://iio:device0`: sensors with a driver of Linux Industrial I/O (DHT11, HDC100x, SHT, BME280).

Processed values (`in_temp_input`) or raw ones with scale and offset, in the kernel's units: milli-°C, milli-%, lux,
% of CO₂ (Documentation/ABI/testing/sysfs-bus-iio). Option: `root` (/sys/bus/iio/devices).
"""

from __future__ import annotations

from pathlib import Path

from comfywear_sensors.clock import Clock
from comfywear_sensors.errors import SensorError
from comfywear_sensors.quantities import Values, reading_of
from comfywear_sensors.reading import Reading
from comfywear_sensors.registry import DEFAULT_TIMEOUT_S, Opener, Reader
from comfywear_sensors.sysfs import check_device, find_device, read_number
from comfywear_sensors.texts import Text
from comfywear_sensors.uri import SensorURI

ROOT = "/sys/bus/iio/devices"
# Channel → field and the factor from the kernel's unit.
_CHANNELS = {
    "in_temp": ("air_temp_c", 0.001),
    "in_humidityrelative": ("humidity_pct", 0.001),
    "in_illuminance": ("illuminance_lx", 1.0),
    "in_concentration_co2": ("co2_ppm", 10_000.0),
}


def plan(uri: SensorURI, clock: Clock) -> Opener:
    """What finds the device; `BadSensorURI` when the URI cannot be meant."""
    root = Path(uri.text("root", ROOT))
    uri.finish()
    check_device(uri)
    return lambda: _open(uri, root, clock)


def _open(uri: SensorURI, root: Path, clock: Clock) -> IIOReader:
    folder = find_device(uri, root)
    if not channels(folder):
        raise SensorError(
            Text("{source}: {folder} shows neither temperature nor humidity", source=uri.source, folder=folder)
        )
    return IIOReader(folder, uri.source, clock)


def channels(folder: Path) -> list[str]:
    """The channels of a device that we read, such as "in_temp" or "in_temp0"; without temperature or humidity none."""
    found = [
        name
        for channel in _CHANNELS
        for name in (channel, f"{channel}0")
        if (folder / f"{name}_input").exists() or (folder / f"{name}_raw").exists()
    ]
    return found if any(name.startswith(("in_temp", "in_humidity")) for name in found) else []


class IIOReader(Reader):
    """The files of one IIO device."""

    polled = True

    def __init__(self, folder: Path, source: str, clock: Clock) -> None:
        self.source = source
        self._folder = folder
        self._clock = clock

    def read(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> Reading:  # noqa: ARG002 - the driver has its own deadline
        """Read every channel once; the kernel's driver ends a read by itself (a DHT11's within 2 s)."""
        values: Values = {}
        found = channels(self._folder)
        if not found:
            raise SensorError(Text("{source}: the sensor is gone or its driver not loaded", source=self.source))
        for name in found:
            field, factor = _CHANNELS[name.rstrip("0")] if name not in _CHANNELS else _CHANNELS[name]
            values.setdefault(field, round(self._value(name) * factor, 6))
        return reading_of(values, self._clock.monotonic(), self.source)

    def _value(self, name: str) -> float:
        processed = self._folder / f"{name}_input"
        if processed.exists():
            return read_number(processed)
        offset = self._folder / f"{name}_offset"
        scale = self._folder / f"{name}_scale"
        raw = read_number(self._folder / f"{name}_raw")
        return (raw + (read_number(offset) if offset.exists() else 0.0)) * (
            read_number(scale) if scale.exists() else 1.0
        )

    def close(self) -> None:
        """Nothing to give back."""
