"""Sensors that are calibrated on the page: what goes over HTTP, and what the page asks of a device for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

__all__ = [
    "CalibratedSensor",
    "CalibrationNow",
    "Calibrations",
    "CompareSensor",
    "ComparedPoint",
    "CorrectionFound",
    "FindResponse",
    "FindSelfHeating",
    "KeepCalibration",
    "KeptCalibration",
    "Quantity",
    "QuantityNow",
    "ResponseFound",
    "SelfHeatingFound",
]

Quantity = Literal["air_temp_c", "humidity_pct"]
SaidValue = Annotated[float, Meta(ge=-100, le=200)]
Uncertainty = Annotated[float, Meta(ge=0, le=20)]
SensorPlace = Annotated[
    int, Meta(ge=0, le=1000, description="Its place among the [[sensors]] of the settings, from 0.")
]


class ComparedPoint(msgspec.Struct, forbid_unknown_fields=True):
    """What a sensor said uncorrected (`value` of /api/calibration), and what was true."""

    sensor: SaidValue
    reference: SaidValue
    sensor_u: Annotated[Uncertainty, Meta(description="Standard uncertainty.")] = 0.0
    reference_u: Annotated[Uncertainty, Meta(description="Standard uncertainty.")] = 0.0


class CompareSensor(msgspec.Struct, forbid_unknown_fields=True):
    """A sensor at one or two points."""

    sensor: SensorPlace
    quantity: Quantity
    points: Annotated[list[ComparedPoint], Meta(min_length=1, max_length=2)]


class FindSelfHeating(msgspec.Struct, forbid_unknown_fields=True):
    """How much a board warms a sensor, from the last hours."""

    sensor: SensorPlace
    reference: Annotated[SensorPlace | None, Meta(description="A sensor apart from the board; null = none.")] = None
    hours: Annotated[float, Meta(gt=0, le=24)] = 4.0


class KeepCalibration(msgspec.Struct, forbid_unknown_fields=True):
    """What is found, to be kept in the settings: one of the two; the device then starts anew."""

    version: Annotated[str, Meta(description="Of the settings.")]
    points: CompareSensor | None = None
    self_heating: FindSelfHeating | None = None


class FindResponse(msgspec.Struct, forbid_unknown_fields=True):
    """How quickly a sensor follows, from a step of so many seconds ago."""

    sensor: SensorPlace
    since_s: Annotated[float, Meta(gt=0, le=3600)]
    quantity: Quantity = "air_temp_c"


@dataclass(frozen=True, slots=True)
class QuantityNow:
    """A sensor's quantity, uncorrected but for what its board warms it.

    Attributes:
        quantity: Which.
        state: "silent", "few" values to say, "drifting", "noisy" or "steady".
        value: Its newest value; once there are enough the mean of the last minutes.
        value_u: The mean's standard uncertainty.
        drift_per_min: How it changes.
        wait_s: How long it takes at least until that can be said.
        corrected: What the settings make of the value.
    """

    quantity: Quantity
    state: Literal["silent", "few", "drifting", "noisy", "steady"]
    value: float | None = None
    value_u: float | None = None
    drift_per_min: float | None = None
    wait_s: float = 0.0
    corrected: float | None = None


@dataclass(frozen=True, slots=True)
class CalibratedSensor:
    """A sensor, what it says, and its corrections in the settings.

    Attributes:
        sensor: Its place in the settings.
        source: Its address, without secrets.
        zone: Whose air it measures.
        quantities: What it says.
        temp_offset_k, temp_gain, humidity_offset_pct, humidity_gain: Of the settings.
        self_heating_gain: Of the settings; null = switched off.
        warmed_k: What is taken from its temperature now, K.
        minutes: For how long minutes with the board's temperature are remembered.
    """

    sensor: int
    source: str
    zone: str
    quantities: tuple[QuantityNow, ...]
    temp_offset_k: float
    temp_gain: float
    humidity_offset_pct: float
    humidity_gain: float
    self_heating_gain: float | None
    warmed_k: float
    minutes: int


@dataclass(frozen=True, slots=True)
class CalibrationNow:
    """All sensors; the version of the settings and whether the device runs with them; the board's temperature, °C."""

    version: str
    in_use: bool
    board_temp_c: float | None
    sensors: tuple[CalibratedSensor, ...]


@dataclass(frozen=True, slots=True)
class CorrectionFound:
    """True = gain × said + offset; standard uncertainties; `value_u` is the corrected value's at the points."""

    offset: float
    gain: float
    offset_u: float
    gain_u: float
    value_u: float


@dataclass(frozen=True, slots=True)
class SelfHeatingFound:
    """How a board warms a sensor: see `comfywear.calibration.self_heating.SelfHeating`; `most_k` bounds it."""

    gain: float
    gain_u: float
    correction_k: float
    correction_u_k: float
    span_k: float
    offset_k: float | None
    minutes: float
    most_k: float


@dataclass(frozen=True, slots=True)
class ResponseFound:
    """The time constant of a sensor in s and its standard uncertainty; after `settles_s` 95 % of a step are shown."""

    time_constant_s: float
    time_constant_u_s: float
    settles_s: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class KeptCalibration:
    """It is kept, in words."""

    kept: str


class Calibrations(Protocol):
    """What the page asks of a device; every method may be called from any thread, and may raise a ComfyWearError."""

    def now(self) -> CalibrationNow:
        """What the sensors say, and whether they have come to rest."""

    def compare(self, said: CompareSensor) -> CorrectionFound:
        """The correction that points ask for."""

    def self_heating(self, said: FindSelfHeating) -> SelfHeatingFound:
        """How much the board warms a sensor."""

    def keep(self, said: KeepCalibration) -> KeptCalibration:
        """Keep in the settings what is found."""

    def response(self, said: FindResponse) -> ResponseFound:
        """How quickly a sensor follows."""
