"""Readers of temperature and humidity sensors, and the climate of a zone that follows from them.

with open_reader("serial:///dev/ttyUSB0") as sensor:
    print(sensor.read().air_temp_c)

Names are imported when they are used: who only needs a record does not load the readers.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comfywear_sensors.climate import Calibration, ClimateFilter, ClimateState
    from comfywear_sensors.errors import (
        BadSensorURI,
        EndOfRecording,
        MissingPackage,
        NotAReading,
        ReaderTimeout,
        SensorError,
    )
    from comfywear_sensors.gate import DEFAULT_LIMITS, Limits, no_room
    from comfywear_sensors.patient import PatientReader
    from comfywear_sensors.reading import Reading
    from comfywear_sensors.redaction import redact
    from comfywear_sensors.registry import Reader, check_uri, open_reader
    from comfywear_sensors.uri import source_of

__all__ = [
    "DEFAULT_LIMITS",
    "BadSensorURI",
    "Calibration",
    "ClimateFilter",
    "ClimateState",
    "EndOfRecording",
    "Limits",
    "MissingPackage",
    "NotAReading",
    "PatientReader",
    "Reader",
    "ReaderTimeout",
    "Reading",
    "SensorError",
    "check_uri",
    "no_room",
    "open_reader",
    "redact",
    "source_of",
]

_HOMES = {
    "climate": ("Calibration", "ClimateFilter", "ClimateState"),
    "errors": ("BadSensorURI", "EndOfRecording", "MissingPackage", "NotAReading", "ReaderTimeout", "SensorError"),
    "gate": ("DEFAULT_LIMITS", "Limits", "no_room"),
    "patient": ("PatientReader",),
    "reading": ("Reading",),
    "redaction": ("redact",),
    "registry": ("Reader", "check_uri", "open_reader"),
    "uri": ("source_of",),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"comfywear_sensors.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
