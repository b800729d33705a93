"""`hwmon://sht3x`: sensors with a hardware-monitoring driver (SHT3x, SHT4x, SHTC1, HIH6130, LM75 …).

`tempN_input` in milli-°C and `humidityN_input` in milli-% (Documentation/hwmon/sysfs-interface). Options: `channel`
(1), `root` (/sys/class/hwmon).
"""

from __future__ import annotations

from pathlib import Path

from comfywear_sensors.clock import Clock
from comfywear_sensors.errors import NotAReading, SensorError
from comfywear_sensors.quantities import Values, reading_of
from comfywear_sensors.reading import Reading
from comfywear_sensors.registry import DEFAULT_TIMEOUT_S, Opener, Reader
from comfywear_sensors.sysfs import check_device, find_device, read_number
from comfywear_sensors.texts import Text
from comfywear_sensors.uri import SensorURI

ROOT = "/sys/class/hwmon"


def plan(uri: SensorURI, clock: Clock) -> Opener:
    """What finds the device; `BadSensorURI` when the URI cannot be meant."""
    root = Path(uri.text("root", ROOT))
    channel = uri.integer("channel", 1, 1, 99)
    uri.finish()
    check_device(uri)
    return lambda: HwmonReader(find_device(uri, root), channel, uri.source, clock)


class HwmonReader(Reader):
    """The files of one hwmon device."""

    polled = True

    def __init__(self, folder: Path, channel: int, source: str, clock: Clock) -> None:
        self.source = source
        self._folder = folder
        self._channel = channel
        self._clock = clock

    def read(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> Reading:  # noqa: ARG002 - the driver has its own deadline
        """Read temperature and humidity once; the kernel's driver ends a read by itself."""
        values: Values = {}
        for kind, field in (("temp", "air_temp_c"), ("humidity", "humidity_pct")):
            name = f"{kind}{self._channel}"
            if not (self._folder / f"{name}_input").exists():
                continue
            fault = self._folder / f"{name}_fault"
            if fault.exists() and read_number(fault):
                raise NotAReading(Text("{source}: the driver reports a fault of {name}", source=self.source, name=name))
            values[field] = round(read_number(self._folder / f"{name}_input") * 0.001, 6)
        if not values:
            raise SensorError(
                Text(
                    "{source}: neither temp{channel}_input nor a humidity is there (any more)",
                    source=self.source,
                    channel=self._channel,
                )
            )
        return reading_of(values, self._clock.monotonic(), self.source)

    def close(self) -> None:
        """Nothing to give back."""
