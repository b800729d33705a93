"""Sensors of a device that is made up, to be calibrated: what was asked can be looked at."""

from __future__ import annotations

from typing import Literal

from comfywear.calibration.points import BOUNDS, Compared, correction_of
from comfywear.errors import UsageError
from comfywear.web.calibrations import (
    CalibratedSensor,
    CalibrationNow,
    CompareSensor,
    CorrectionFound,
    FindResponse,
    FindSelfHeating,
    KeepCalibration,
    KeptCalibration,
    QuantityNow,
    ResponseFound,
    SelfHeatingFound,
)


class Bench:
    """Two sensors; the first has come to rest once `state` says so."""

    def __init__(self) -> None:
        self.state: Literal["few", "drifting", "steady"] = "drifting"
        self.value = 22.4
        self.version = "1"
        self.kept: list[KeepCalibration] = []
        self.compared: list[CompareSensor] = []
        self.heated: list[FindSelfHeating] = []
        self.stepped: list[FindResponse] = []

    def now(self) -> CalibrationNow:
        temperature = QuantityNow("air_temp_c", self.state, self.value, 0.03, 0.2, 0.0, self.value + 0.5)
        own = (temperature, QuantityNow("humidity_pct", self.state, 41.0, 0.4, 0.0, 0.0, 41.0))
        other = (QuantityNow("air_temp_c", "steady", 21.0, 0.05, 0.0, 0.0, 21.2), QuantityNow("humidity_pct", "silent"))
        sensors = (
            CalibratedSensor(0, "serial:///dev/ttyUSB0", "desk", own, 0.5, 1.0, 0.0, 1.0, None, 0.0, 240),
            CalibratedSensor(1, "i2c://sht4x", "desk", other, 0.0, 1.0, 0.0, 1.0, 0.08, 1.9, 240),
        )
        return CalibrationNow(self.version, True, 52.0, sensors)

    def compare(self, said: CompareSensor) -> CorrectionFound:
        points = [Compared(each.sensor, each.reference, each.sensor_u, each.reference_u) for each in said.points]
        found = correction_of(points, BOUNDS[said.quantity])
        self.compared.append(said)
        value_u = max(found.at(each.sensor)[1] for each in points)
        return CorrectionFound(found.offset, found.gain, found.offset_u, found.gain_u, value_u)

    def self_heating(self, said: FindSelfHeating) -> SelfHeatingFound:
        if said.reference == said.sensor:
            raise UsageError("a sensor is no reference of its own")
        self.heated.append(said)
        return SelfHeatingFound(0.08, 0.004, 2.3, 0.12, 11.0, None, 240.0, 3.5)

    def keep(self, said: KeepCalibration) -> KeptCalibration:
        if said.version != self.version:
            raise UsageError("the settings file was changed by somebody else meanwhile")
        self.kept.append(said)
        return KeptCalibration("sensor 1: temp_offset_k -0.5")

    def response(self, said: FindResponse) -> ResponseFound:
        self.stepped.append(said)
        return ResponseFound(95.0, 3.0, 284.6, 22.4, 31.0)
