"""Calibrating the sensors of a running device: from what they said, into the settings; on the page and by command."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from comfywear.calibration.points import BOUNDS, Compared, correction_of
from comfywear.calibration.response import response_of
from comfywear.calibration.self_heating import fit_alone, fit_beside
from comfywear.calibration.steady import LIMITS, rest_of
from comfywear.device.air.climate_worker import calibration_of
from comfywear.device.air.reading_log import Heard, ReadingLog
from comfywear.device.upkeep.settings_file import SettingsFile
from comfywear.errors import UsageError
from comfywear.settings import SensorSettings, Settings
from comfywear.settings.edit import FieldPath
from comfywear.texts import Text, builtins
from comfywear.web.calibrations import (
    CalibratedSensor,
    CalibrationNow,
    CompareSensor,
    CorrectionFound,
    FindResponse,
    FindSelfHeating,
    KeepCalibration,
    KeptCalibration,
    Quantity,
    QuantityNow,
    ResponseFound,
    SelfHeatingFound,
)
from comfywear_sensors import Calibration, source_of

__all__ = ["PageCalibration"]

_QUANTITIES: tuple[Quantity, ...] = ("air_temp_c", "humidity_pct")
_SILENT_AFTER_S = 120.0
_LEAST_STEP: Mapping[Quantity, float] = {"air_temp_c": 2.0, "humidity_pct": 8.0}
_HEADROOM = 1.5  # of the most that self-heating may take, over what was seen
_FIELDS: Mapping[Quantity, tuple[str, str]] = {
    "air_temp_c": ("temp_offset_k", "temp_gain"),
    "humidity_pct": ("humidity_offset_pct", "humidity_gain"),
}


class PageCalibration:
    """What `comfywear.web.Calibrations` asks for.

    Args:
        file: The settings.
        running: Those that the device runs with.
        log: What the sensors said.
        clock: Of the log, s.
    """

    def __init__(
        self, file: SettingsFile, running: Settings, log: ReadingLog, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._file, self._running, self._log, self._clock = file, running, log, clock

    def now(self) -> CalibrationNow:
        """What the sensors say, and whether they have come to rest."""
        settings, _, version = self._file.read()
        board = self._log.board_temp_c(self._clock())
        sensors = tuple(self._sensor(place, each, board) for place, each in enumerate(self._running.sensors))
        return CalibrationNow(version, settings == self._running, board, sensors)

    def compare(self, said: CompareSensor) -> CorrectionFound:
        """The correction that points ask for."""
        self._named(said.sensor)
        points = [Compared(each.sensor, each.reference, each.sensor_u, each.reference_u) for each in said.points]
        found = correction_of(points, BOUNDS[said.quantity])
        value_u = max(found.at(each.sensor)[1] for each in points)
        offset, gain = round(found.offset, 3), round(found.gain, 5)
        return CorrectionFound(offset, gain, found.offset_u, found.gain_u, value_u)

    def self_heating(self, said: FindSelfHeating) -> SelfHeatingFound:
        """How much the board warms a sensor."""
        sensor = self._named(said.sensor)
        if said.reference == said.sensor:
            raise UsageError(Text("a sensor is no reference of its own"))
        since_s = self._clock() - 3600 * said.hours
        heard = [each for each in self._log.minutes(source_of(sensor.uri)) if each.at_s >= since_s]
        heard = [each for each in heard if not math.isnan(each.board_temp_c)]
        times, temperature, board = ([each[column] for each in heard] for column in (0, 1, 3))
        if said.reference is None:
            found = fit_alone(times, temperature, board)
        else:
            found = fit_beside(times, temperature, board, self._beside(said.reference, times))
        most_k = min(round(max(_HEADROOM * found.correction_k, 0.5), 1), 8.0)
        return SelfHeatingFound(
            found.gain,
            found.gain_u,
            found.correction_k,
            found.correction_u_k,
            found.span_k,
            found.offset_k,
            found.minutes,
            most_k,
        )

    def keep(self, said: KeepCalibration) -> KeptCalibration:
        """Keep in the settings what is found, and have the device start anew."""
        if (said.points is None) == (said.self_heating is None):
            raise UsageError(Text("say points or self_heating"))
        if said.points is not None:
            correction, (offset, gain) = self.compare(said.points), _FIELDS[said.points.quantity]
            place, values = said.points.sensor, {offset: correction.offset, gain: correction.gain}
            changes: dict[FieldPath, float] = {("sensors", place, name): value for name, value in values.items()}
        elif said.self_heating is not None:
            heat, place = self.self_heating(said.self_heating), said.self_heating.sensor
            values = {"gain": round(heat.gain, 4), "most_k": heat.most_k}
            changes = {("sensors", place, "self_heating", name): value for name, value in values.items()}
        if self._file.read().settings != self._running:
            raise UsageError(Text("the settings file holds other settings than the device runs with: reload it first"))
        self._file.change(changes, said.version)
        return KeptCalibration(
            f"sensor {place + 1}: " + ", ".join(f"{name} {value:g}" for name, value in values.items())
        )

    def response(self, said: FindResponse) -> ResponseFound:
        """How quickly a sensor follows."""
        since_s = self._clock() - said.since_s
        heard = self._log.recent(source_of(self._named(said.sensor).uri))
        times, values = _series([each for each in heard if each.at_s >= since_s], said.quantity)
        found = response_of(times, values, _LEAST_STEP[said.quantity])
        return ResponseFound(found.time_constant_s, found.time_constant_u_s, found.settles_s, found.start, found.end)

    def answer(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a command: `do` is "show", "compare", "self-heating", "response" or "keep", with the fields of that.

        Raises:
            UsageError: When it is not understood, or what was found cannot be meant.
        """
        doing: dict[str, tuple[Any, Callable[[Any], Any]]] = {
            "compare": (CompareSensor, self.compare),
            "self-heating": (FindSelfHeating, self.self_heating),
            "response": (FindResponse, self.response),
            "keep": (KeepCalibration, self.keep),
        }
        do = request.get("do")
        if do == "show":
            return dict(builtins(self.now()))
        if do not in doing:
            raise UsageError(Text("calibration takes do = show, compare, self-heating, response or keep"))
        kind, act = doing[do]
        try:
            said = msgspec.convert({name: value for name, value in request.items() if name not in ("verb", "do")}, kind)
        except msgspec.ValidationError as error:
            raise UsageError(Text("not understood: {why}", why=error)) from error
        return dict(builtins(act(said)))

    def _named(self, place: int) -> SensorSettings:
        if place >= len(self._running.sensors):
            raise UsageError(
                Text(
                    "there is no sensor {place}; the settings name {sensors}",
                    place=place + 1,
                    sensors=len(self._running.sensors),
                )
            )
        return self._running.sensors[place]

    def _beside(self, place: int, times: Sequence[float]) -> list[float]:
        """What a reference said at `times`, as the settings correct it."""
        sensor = self._named(place)
        calibration = calibration_of(sensor)
        heard = [_cooled(each, calibration) for each in self._log.minutes(source_of(sensor.uri))]
        at, said = _series(heard, "air_temp_c")
        if len(at) < 2:
            raise UsageError(Text("sensor {place} has not said enough to be the reference", place=place + 1))
        true = [calibration.apply("air_temp_c", value) for value in said]
        return [float(value) for value in np.interp(times, at, true, math.nan, math.nan)]

    def _sensor(self, place: int, sensor: SensorSettings, board: float | None) -> CalibratedSensor:
        source, calibration = source_of(sensor.uri), calibration_of(sensor)
        recent = self._log.recent(source)
        quantities = tuple(self._quantity(source, recent, name, calibration) for name in _QUANTITIES)
        warmed_k = calibration.warmed_k(recent[-1].air_temp_c if recent else None, board)
        heat = sensor.self_heating
        minutes = sum(not math.isnan(each.board_temp_c) for each in self._log.minutes(source))
        return CalibratedSensor(
            place,
            source,
            sensor.zone or self._running.zones[0].name,
            quantities,
            sensor.temp_offset_k,
            sensor.temp_gain,
            sensor.humidity_offset_pct,
            sensor.humidity_gain,
            heat.gain if heat else None,
            warmed_k,
            minutes,
        )

    def _quantity(self, source: str, recent: list[Heard], name: Quantity, calibration: Calibration) -> QuantityNow:
        times, values = _series([_cooled(each, calibration) for each in recent], name)
        if not times or self._clock() - times[-1] > _SILENT_AFTER_S:
            return QuantityNow(name, "silent")
        rest = rest_of(times, values, LIMITS[name], resolution=self._log.resolution(source, name))
        value = values[-1] if rest.value is None else rest.value
        corrected = calibration.apply(name, value)
        return QuantityNow(name, rest.state, value, rest.value_u, rest.drift_per_min, rest.wait_s, corrected)


def _cooled(heard: Heard, calibration: Calibration) -> Heard:
    """A reading less what the board warmed the sensor."""
    known: dict[str, float] = {name: value for name in _QUANTITIES if not math.isnan(value := getattr(heard, name))}
    board = None if math.isnan(heard.board_temp_c) else heard.board_temp_c
    return heard._replace(**calibration.cooled(known, board))


def _series(heard: list[Heard], name: Quantity) -> tuple[list[float], list[float]]:
    known = [(each.at_s, getattr(each, name)) for each in heard if not math.isnan(getattr(each, name))]
    return [at for at, _ in known], [value for _, value in known]
