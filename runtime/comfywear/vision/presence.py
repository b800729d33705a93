"""Who came into a zone and who left it, without the flicker of single frames. Pure: time is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from comfywear.errors import UsageError
from comfywear.records import Person, PresenceChange

__all__ = ["Presence"]


@dataclass(slots=True)
class _Stay:
    first_s: float
    last_s: float
    announced: bool = False
    gone: bool = False


_Change = tuple[str, int, _Stay]


class Presence:
    """Debounced counts a zone.

    Args:
        zones: Their names, in the order of the settings.
        enter_s: Somebody counts in a zone when they have been seen there for so long.
        leave_s: Somebody has left a zone when they have not been seen there for so long.
    """

    def __init__(self, zones: Sequence[str], *, enter_s: float = 2.0, leave_s: float = 8.0) -> None:
        if enter_s < 0.0 or leave_s < 0.0:
            raise UsageError("enter_s and leave_s are 0 or more")
        self._enter_s, self._leave_s = enter_s, leave_s
        self._stays: dict[str, dict[int, _Stay]] = {zone: {} for zone in zones}
        self._last_s: float | None = None

    def counts(self) -> dict[str, int]:
        """How many are in each zone."""
        return {zone: sum(stay.announced for stay in stays.values()) for zone, stays in self._stays.items()}

    def clear(self) -> list[PresenceChange]:
        """Everybody leaves: nobody will be looked at with these numbers any more."""
        left = [(zone, track, stay) for zone, stays in self._stays.items() for track, stay in sorted(stays.items())]
        for stays in self._stays.values():
            stays.clear()
        return [PresenceChange(zone, "left", track, _length(stay), 0) for zone, track, stay in left if stay.announced]

    def update(self, persons: Iterable[Person], now_s: float) -> list[PresenceChange]:
        """Take the persons of a frame; returns who entered and who left, in this order.

        Call it with frames only: while the camera is gone nobody is known to leave. A gap between frames that is longer
        than `leave_s` does not count as absence.
        """
        if self._last_s is not None and now_s - self._last_s > self._leave_s:
            for stays in self._stays.values():
                for stay in stays.values():
                    stay.last_s += now_s - self._last_s
                    stay.first_s += now_s - self._last_s
        self._last_s = now_s
        for person in persons:
            if person.zone in self._stays:
                stay = self._stays[person.zone].setdefault(person.track_id, _Stay(now_s, now_s))
                stay.last_s = now_s
        entered = self._settle(now_s)
        for zone, track, _ in entered:
            self._move(track, zone, now_s)
        left = self._end(now_s)
        counts = self.counts()
        return [
            *(PresenceChange(zone, "entered", track, _length(stay), counts[zone]) for zone, track, stay in entered),
            *(PresenceChange(zone, "left", track, _length(stay), counts[zone]) for zone, track, stay in left),
        ]

    def _settle(self, now_s: float) -> list[_Change]:
        """Those who now count, and were not yet announced."""
        found = []
        for zone, stays in self._stays.items():
            for track, stay in sorted(stays.items()):
                if not stay.announced and stay.last_s == now_s and _length(stay) >= self._enter_s:
                    stay.announced = True
                    found.append((zone, track, stay))
        return found

    def _move(self, track: int, to: str, now_s: float) -> None:
        """Whoever counts in one zone no longer counts in another."""
        for zone, stays in self._stays.items():
            if zone != to and track in stays and stays[track].last_s < now_s:
                stays[track].gone = True

    def _end(self, now_s: float) -> list[_Change]:
        """Those who left; the stays that are over are dropped."""
        left = []
        for zone, stays in self._stays.items():
            for track, stay in sorted(stays.items()):
                if stay.gone or now_s - stay.last_s > (self._leave_s if stay.announced else self._enter_s):
                    del stays[track]
                    if stay.announced:
                        left.append((zone, track, stay))
        return left


def _length(stay: _Stay) -> float:
    return stay.last_s - stay.first_s
