"""The table of points from which the Modbus registers and the BACnet objects are made.

A point is one number that is said of a zone. Where it comes from is the field of a message; its meaning and its unit
are those that the message's schema says. Its number places it in both maps and is never given to another point: new
points are added at the end.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["NOT_KNOWN", "POINTS", "DataPoint"]

NOT_KNOWN = "not known"


class DataPoint(NamedTuple):
    """One number that is said of a zone.

    Attributes:
        number: Its place in both maps.
        name: Of its BACnet object, behind the zone's.
        message: The kind of message that has it.
        field: The field there.
        meaning: In a sentence.
        unit: As the message has it; "" for a plain number.
        bacnet_unit: BACnet's engineering unit; "" where the object has none.
        increment: BACnet subscribers hear of changes of so much.
        kind: The BACnet object: analog input, binary input, or multi-state input.
        states: The words of a field that is a word, or of the numbers 1, 2, … of a multi-state input.
    """

    number: int
    name: str
    message: str
    field: str
    meaning: str
    unit: str = ""
    bacnet_unit: str = ""
    increment: float = 0.0
    kind: Literal["analog", "binary", "multi-state"] = "analog"
    states: tuple[str, ...] = ()


_LEVELS = ("very uncomfortable", "uncomfortable", "just comfortable", "comfortable", "very comfortable")

POINTS = (
    DataPoint(1, "air-temperature", "climate", "air_temp_c", "Air temperature.", "°C", "degreesCelsius", 0.1),
    DataPoint(2, "humidity", "climate", "humidity_pct", "Relative humidity.", "%", "percentRelativeHumidity", 1.0),
    DataPoint(3, "co2", "climate", "co2_ppm", "Carbon dioxide, where it is measured.", "ppm", "partsPerMillion", 25.0),
    DataPoint(4, "people", "occupancy", "count", "Persons in the zone.", "", "noUnits", 1.0),
    DataPoint(
        5,
        "occupied",
        "occupancy",
        "state",
        "Whether anybody is there: 0 empty, 1 occupied.",
        kind="binary",
        states=("empty", "occupied"),
    ),
    DataPoint(
        6,
        "expected-vote",
        "comfort",
        "expected_vote",
        "Expected thermal sensation, −3 cold … +3 hot.",
        "",
        "noUnits",
        0.1,
    ),
    DataPoint(
        7,
        "comfort-level",
        "comfort",
        "level",
        "Comfort, 1 very uncomfortable … 5 very comfortable.",
        kind="multi-state",
        states=_LEVELS,
    ),
    DataPoint(8, "ppd", "comfort", "ppd_pct", "Predicted percentage dissatisfied (ISO 7730).", "%", "percent", 1.0),
    DataPoint(
        9,
        "preferred-temperature",
        "setpoint",
        "preferred_c",
        "The air temperature that would please most.",
        "°C",
        "degreesCelsius",
        0.1,
    ),
    DataPoint(10, "pmv", "comfort", "pmv", "Predicted mean vote (ISO 7730), −3 … +3.", "", "noUnits", 0.1),
    DataPoint(
        11, "set", "comfort", "set_c", "Standard effective temperature (ASHRAE 55).", "°C", "degreesCelsius", 0.1
    ),
    DataPoint(12, "dew-point", "climate", "dew_point_c", "Dew point.", "°C", "degreesCelsius", 0.5),
    DataPoint(
        13, "illuminance", "climate", "illuminance_lx", "Illuminance, where it is measured.", "lx", "luxes", 50.0
    ),
    DataPoint(14, "clothing", "people", "mean_clo", "Mean insulation of the clothing, clo.", "clo", "noUnits", 0.1),
    DataPoint(
        15, "setpoint", "setpoint", "setpoint_c", "What a thermostat should be set to.", "°C", "degreesCelsius", 0.1
    ),
)
