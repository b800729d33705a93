"""The sensors of a device: a reader each, a filter a zone, and the worker in between."""

from __future__ import annotations

from comfywear.settings import Settings
from comfywear.supervisor import Pulse
from comfywear_sensors import Calibration, ClimateFilter, PatientReader, source_of

__all__ = ["read", "sensors_of"]


def sensors_of(settings: Settings, zones: list[str]) -> tuple[dict[str, ClimateFilter], list[PatientReader]]:
    """A filter a zone with its sensors' calibrations, and a reader a sensor."""
    calibrations: dict[str, dict[str, Calibration]] = {zone: {} for zone in zones}
    readers = []
    for sensor in settings.sensors:
        readers.append(PatientReader(sensor.uri, every_s=sensor.every_s))
        calibrations[sensor.zone or zones[0]][source_of(sensor.uri)] = Calibration(
            sensor.temp_offset_k, sensor.temp_gain, sensor.humidity_offset_pct, sensor.humidity_gain
        )
    air = settings.climate
    filters = {
        zone: ClimateFilter(
            zone,
            stale_after_s=air.stale_after_s,
            time_constant_s=air.time_constant_s,
            stuck_after_s=air.stuck_after_s,
            calibration=calibrations[zone],
        )
        for zone in zones
    }
    return filters, readers


def read(reader: PatientReader, climate: ClimateFilter, pulse: Pulse) -> None:
    """The worker of a sensor: its readings go to its zone's filter."""
    while not pulse.stopping:
        pulse.beat()
        reading = reader.poll(1.0)
        if reading is not None:
            climate.add(reading)
