"""What is known of each point now, from the messages of a zone; and the board where the servers look it up.

Pure: time is given (monotonic seconds). The messages are handed in by their kinds, as the device says them over MQTT.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from comfywear.buildings.points import POINTS, DataPoint

__all__ = ["PATIENCE_S", "Board", "Reading", "Validity", "readings_of"]

PATIENCE_S = 30.0
"""When nothing was handed to the board for so long, whoever hands it over hangs: all that stands there is stale."""


class Validity(IntEnum):
    """Whether a value counts, and why not: the validity register of Modbus. Only GOOD is a value."""

    NONE = 0
    """Its source works and gave none: the device is starting, or the inputs are outside the model's range."""
    GOOD = 1
    STALE = 2
    """There was one, too long ago."""
    GONE = 3
    """Its camera or sensor is not there."""
    UNUSED = 4
    """Nothing feeds it: no camera in the settings, a quantity that no sensor measures."""


class Reading(NamedTuple):
    """A point's value (None unless it is good), whether it counts, and when its source last spoke (monotonic)."""

    value: float | None
    validity: Validity
    at_s: float | None = None

    def age_s(self, now_s: float) -> float | None:
        """Seconds since its source last spoke; None when it never did."""
        return None if self.at_s is None else max(0.0, now_s - self.at_s)


_NOTHING = Reading(None, Validity.NONE)


def readings_of(messages: Mapping[str, object], now_s: float, *, seen: bool) -> dict[str, Reading]:
    """What is known of each point, by its name.

    Args:
        messages: The zone's newest, by kind ("climate", "people", "occupancy", "comfort", "setpoint"). A kind that is
            not there is not in use.
        now_s: Monotonic seconds.
        seen: Whether a camera is in the settings.
    """
    age_s = getattr(messages.get("climate"), "age_s", None)
    spoke_s = {"air": None if age_s is None else now_s - age_s, "eyes": now_s}
    found = {}
    for point in POINTS:
        value = _value(point, messages)
        if value is not None:
            validity = Validity.GOOD
        elif point.message not in messages:
            validity = Validity.UNUSED
        else:
            validity = _WHY[point.message](messages, seen)
        by_eyes = point.message in ("people", "occupancy")
        at_s = spoke_s["eyes" if by_eyes else "air"] if validity in (Validity.GOOD, Validity.STALE) else None
        found[point.name] = Reading(value, validity, at_s)
    return found


def _value(point: DataPoint, messages: Mapping[str, object]) -> float | None:
    value = getattr(messages.get(point.message), point.field, None)
    if isinstance(value, str):
        return float(point.states.index(value)) if value in point.states else None
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _air(messages: Mapping[str, object], _: bool) -> Validity:
    """Why there is no value of the air."""
    state = getattr(messages.get("climate"), "state", "missing")
    return {"stale": Validity.STALE, "missing": Validity.GONE}.get(state, Validity.UNUSED)


def _comfort(messages: Mapping[str, object], seen: bool) -> Validity:
    """Why comfort has no value: for want of air, or the model has none."""
    air = _air(messages, seen)
    return air if air in (Validity.STALE, Validity.GONE) else Validity.NONE


def _eyes(messages: Mapping[str, object], seen: bool) -> Validity:
    """Why nothing is known of who is there: no camera, one that is gone, or nobody to be said anything of."""
    if not seen:
        return Validity.UNUSED
    return Validity.GONE if getattr(messages.get("people"), "state", "missing") == "missing" else Validity.NONE


_WHY = {"climate": _air, "comfort": _comfort, "setpoint": _comfort, "people": _eyes, "occupancy": _eyes}


class Board:
    """The newest readings of each zone: one thread hands them over, any may look."""

    def __init__(self) -> None:
        self._zones: Mapping[str, Mapping[str, Reading]] = {}
        self._handed_s = -math.inf

    def hand(self, zones: Mapping[str, Mapping[str, Reading]], now_s: float) -> None:
        """These are the newest, by zone and point."""
        self._handed_s = now_s  # first: a reader between the two lines sees old readings with their own ages
        self._zones = zones

    def look(self, zone: str, now_s: float) -> dict[str, Reading]:
        """The readings of a zone by the points' names; what was handed over too long ago is stale."""
        found = self._zones.get(zone, {})
        late = now_s - self._handed_s > PATIENCE_S
        return {point.name: _late(reading) if late else reading for point, reading in _all(found)}


def _all(found: Mapping[str, Reading]) -> list[tuple[DataPoint, Reading]]:
    return [(point, found.get(point.name, _NOTHING)) for point in POINTS]


def _late(reading: Reading) -> Reading:
    return Reading(None, Validity.STALE, reading.at_s) if reading.validity is Validity.GOOD else reading
