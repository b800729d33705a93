"""The BACnet objects of a device: which they are, and what they say of a value that is none (ANSI/ASHRAE 135). Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from comfywear.buildings.points import NOT_KNOWN, POINTS, DataPoint
from comfywear.buildings.readings import Reading, Validity

__all__ = ["OBJECTS_OF_A_ZONE", "OBJECT_TYPES", "RELIABILITY", "ObjectPlan", "Shown", "plan", "shown", "state_words"]

OBJECTS_OF_A_ZONE = 100
OBJECT_TYPES = {"analog": "analog-input", "binary": "binary-input", "multi-state": "multi-state-input"}


class ObjectPlan(NamedTuple):
    """An object: its type, instance and name, the zone and the point that it shows."""

    type: str
    instance: int
    name: str
    zone: str
    point: DataPoint


def plan(zones: Mapping[int, str]) -> Iterator[ObjectPlan]:
    """The objects of zones by their numbers: instance = 100 × the zone's number + the point's, whatever the type."""
    for number, zone in sorted(zones.items()):
        for point in POINTS:
            instance = OBJECTS_OF_A_ZONE * number + point.number
            yield ObjectPlan(OBJECT_TYPES[point.kind], instance, f"{zone} {point.name}", zone, point)


class Shown(NamedTuple):
    """What an object shows.

    Attributes:
        value: Present_Value: a number; "active" or "inactive"; a state from 1 on.
        reliability: As the standard names it.
        out_of_service: Whether nothing feeds it.
    """

    value: float | int | str
    reliability: str
    out_of_service: bool


RELIABILITY = {
    Validity.GOOD: "no-fault-detected",
    Validity.STALE: "communication-failure",
    Validity.GONE: "no-sensor",
    Validity.NONE: "unreliable-other",
    # Nothing is broken where nothing is fitted: building management should raise no alarm.
    Validity.UNUSED: "no-fault-detected",
}


def shown(point: DataPoint, reading: Reading) -> Shown:
    """What the object of a point shows of a reading; NaN, "not known" or inactive where there is no value."""
    return Shown(_present(point, reading.value), RELIABILITY[reading.validity], reading.validity is Validity.UNUSED)


def _present(point: DataPoint, value: float | None) -> float | int | str:
    if point.kind == "binary":
        return "active" if value else "inactive"
    if point.kind == "multi-state":
        return len(state_words(point)) if value is None else int(value)
    return math.nan if value is None else value


def state_words(point: DataPoint) -> list[str]:
    """The words of a multi-state input: those of the point, and a last one for what is not known."""
    return [*point.states, NOT_KNOWN]
