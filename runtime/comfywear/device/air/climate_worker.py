"""The sensors of a device: a reader each, a filter a zone, and the workers in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from comfywear.device.air.reading_log import ReadingLog
from comfywear.records import Climate
from comfywear.settings import SensorSettings, Settings
from comfywear.system.board import hottest_c
from comfywear.system.supervisor import Pulse, Supervisor, attend
from comfywear_sensors import Calibration, ClimateFilter, PatientReader, source_of

__all__ = ["Sensors", "calibration_of", "read_sensor"]


class Sensors:
    """The sensors of the settings; any thread may ask for the air. One that is named for several zones is read once.

    Attributes:
        readers: Each sensor's reader with its zone, in the order of the settings.
        log: What they said, uncorrected.
    """

    def __init__(self, settings: Settings, board_temp_c: Callable[[], float | None] = hottest_c) -> None:
        zones = [zone.name for zone in settings.zones]
        calibrations: dict[str, dict[str, Calibration]] = {zone: {} for zone in zones}
        self.readers: list[tuple[str, PatientReader]] = []
        by_uri: dict[str, PatientReader] = {}
        for sensor in settings.sensors:
            zone = sensor.zone or zones[0]
            if sensor.uri not in by_uri:
                by_uri[sensor.uri] = PatientReader(sensor.uri, every_s=sensor.every_s)
            self.readers.append((zone, by_uri[sensor.uri]))
            calibrations[zone][source_of(sensor.uri)] = calibration_of(sensor)
        self.log = ReadingLog(board_temp_c)
        air = settings.climate
        self._filters = {
            zone: ClimateFilter(
                zone,
                stale_after_s=air.stale_after_s,
                time_constant_s=air.time_constant_s,
                stuck_after_s=air.stuck_after_s,
                calibration=calibrations[zone],
            )
            for zone in zones
        }

    def air(self, zone: str, now_s: float) -> Climate:
        """The air of a zone at `now_s` (monotonic)."""
        return self._filters[zone].climate(now_s)

    def add_workers(self, supervisor: Supervisor) -> None:
        """A worker a sensor."""
        for number, reader in enumerate(self._distinct()):
            filters = [self._filters[zone] for zone in dict.fromkeys(z for z, r in self.readers if r is reader)]
            again = any(other.source == reader.source for other in self._distinct()[:number])
            name = f"sensor {reader.source}" + (f" ({number + 1})" if again else "")  # two logins at one address
            supervisor.add(name, partial(read_sensor, reader, filters, log=self.log))

    def _distinct(self) -> list[PatientReader]:
        return list(dict.fromkeys(reader for _, reader in self.readers))

    def close(self) -> None:
        """Let go of the sensors."""
        for reader in self._distinct():
            reader.close()


def calibration_of(sensor: SensorSettings) -> Calibration:
    """The corrections of a sensor's settings."""
    heat = sensor.self_heating
    return Calibration(
        sensor.temp_offset_k,
        sensor.temp_gain,
        sensor.humidity_offset_pct,
        sensor.humidity_gain,
        *((heat.gain, heat.most_k) if heat else ()),
    )


def read_sensor(
    reader: PatientReader, filters: Sequence[ClimateFilter], pulse: Pulse, log: ReadingLog | None = None
) -> None:
    """The worker of a sensor: its readings go to the filters of its zones, and into the log where there is one."""
    poll = partial(reader.poll, 1.0)
    while not pulse.stopping:
        pulse.beat()
        # Opening it may wait for a name server or a bus.
        reading = poll() if reader.state == "up" else attend(poll, pulse.stop, pulse.beat)
        if reading is not None:
            board_temp_c = log.add(reading) if log is not None else None
            for climate in filters:
                climate.add(reading, board_temp_c)
