"""Who came into a zone and who left it, without the flicker of single frames. Pure: time is given."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from comfywear.errors import UsageError
from comfywear.records import Occupancy, Person, PresenceChange

__all__ = ["Presence"]


@dataclass(slots=True)
class _Stay:
    first_s: float
    last_s: float
    announced: bool = False
    gone: bool = False
    doubtful: bool = False  # not seen again since nobody looked for long


_Change = tuple[str, int, _Stay]

# Frames come when they come: who counts after 2 s counts with the frame that is nearest to that, not the one after it.
_NEAR = 0.25
# A gap is one in which nobody looked when it is so many times the one before: a slow camera is no outage.
_OUTAGE = 3.0


class Presence:
    """Debounced counts a zone, and whether each is occupied, empty or not known.

    Args:
        zones: Their names, in the order of the settings.
        enter_s: Somebody counts in a zone when they have been seen there for so long; a number, or one by zone.
        leave_s: Somebody has left a zone when they have not been seen there for so long; likewise.
    """

    def __init__(
        self,
        zones: Sequence[str],
        *,
        enter_s: float | Mapping[str, float] = 2.0,
        leave_s: float | Mapping[str, float] = 8.0,
    ) -> None:
        self._enter_s = {zone: enter_s[zone] if isinstance(enter_s, Mapping) else enter_s for zone in zones}
        self._leave_s = {zone: leave_s[zone] if isinstance(leave_s, Mapping) else leave_s for zone in zones}
        if min((*self._enter_s.values(), *self._leave_s.values()), default=0.0) < 0.0:
            raise UsageError("enter_s and leave_s are 0 or more")
        self._stays: dict[str, dict[int, _Stay]] = {zone: {} for zone in zones}
        self._last_s: dict[str, float] = {}
        self._gap_s: dict[str, float] = {}  # between the last two frames of a zone, outages apart
        self._watched_from_s: dict[str, float] = {}
        self._occupied = dict[str, Occupancy]()

    def counts(self) -> dict[str, int]:
        """How many are in each zone."""
        return {zone: sum(stay.announced for stay in stays.values()) for zone, stays in self._stays.items()}

    def occupancies(self) -> dict[str, Occupancy]:
        """Each zone as it was with the last frame.

        Nobody seen means "empty" only once the zone has been watched for `enter_s` without a gap longer than
        `leave_s`: who sits there when the camera comes back was there all the time. Until one of those who were there
        before such a gap is seen again, or all have left, it is "unknown".
        """
        return {zone: self._occupancy(zone, stays.values()) for zone, stays in self._stays.items()}

    def _occupancy(self, zone: str, stays: Collection[_Stay]) -> Occupancy:
        found = self._occupied.get(zone)
        if found is None:
            return Occupancy("unknown", 0, self._last_s.get(zone, 0.0))
        if found.state == "occupied" and all(stay.doubtful for stay in stays if stay.announced):
            return Occupancy("unknown", 0, self._watched_from_s[zone])
        return found

    def clear(self, zones: Collection[str] | None = None) -> list[PresenceChange]:
        """Everybody leaves these zones (None = all): nobody will be looked at with these numbers any more."""
        left = []
        for zone in self._stays if zones is None else zones:
            left += [(zone, track, stay) for track, stay in sorted(self._stays[zone].items())]
            self._stays[zone].clear()
            self._watched_from_s.pop(zone, None)
            self._occupied.pop(zone, None)
        return [PresenceChange(zone, "left", track, _length(stay), 0) for zone, track, stay in left if stay.announced]

    def same(self, gone: int, kept: int) -> list[PresenceChange]:
        """Two numbers turned out to be one person's: who counted as `gone` leaves, and `kept` was there as long."""
        left = []
        for zone, stays in self._stays.items():
            stay = stays.pop(gone, None)
            if stay is None:
                continue
            there = stays.setdefault(kept, _Stay(stay.first_s, stay.last_s))
            there.first_s = min(there.first_s, stay.first_s)
            if stay.announced:
                count = sum(each.announced for each in stays.values())
                left.append(PresenceChange(zone, "left", gone, _length(stay), count))
        return left

    def update(
        self, persons: Iterable[Person], now_s: float, zones: Collection[str] | None = None
    ) -> list[PresenceChange]:
        """Take the persons of a frame; returns who entered and who left, in this order.

        Call it with frames only: while the camera is gone nobody is known to leave. A gap between frames that is longer
        than `leave_s` does not count as absence.

        Args:
            persons: Those who are in these zones.
            now_s: Monotonic time of the frame.
            zones: Those that it shows; None = all.
        """
        watched = self._stays.keys() if zones is None else zones
        gaps_s: dict[str, float] = {}
        for zone in watched:
            gap_s = now_s - self._last_s.get(zone, now_s)
            if gap_s > max(self._leave_s[zone], _OUTAGE * self._gap_s.get(zone, 0.0)):
                self._watched_from_s[zone] = now_s
                for stay in self._stays[zone].values():
                    stay.last_s += gap_s
                    stay.first_s += gap_s
                    stay.doubtful = True
                if zone not in self._gap_s:
                    self._gap_s[zone] = gap_s
                gap_s = 0.0
            elif gap_s > 0.0:
                self._gap_s[zone] = gap_s
            gaps_s[zone] = gap_s
            self._watched_from_s.setdefault(zone, now_s)
            self._last_s[zone] = now_s
        for person in persons:
            if person.zone in watched:
                stays = self._stays[person.zone]
                if person.track_id not in stays:
                    stays[person.track_id] = _Stay(now_s - self._seen_before(person, gaps_s[person.zone]), now_s)
                stay = stays[person.track_id]
                stay.last_s, stay.doubtful = now_s, False
        entered = self._settle(gaps_s, now_s)
        for zone, track, _ in entered:
            self._move(track, zone, now_s)
        left = self._end(watched, now_s)
        counts = self.counts()
        self._occupy({zone: counts[zone] for zone in watched}, now_s)
        return [
            *(PresenceChange(zone, "entered", track, _length(stay), counts[zone]) for zone, track, stay in entered),
            *(PresenceChange(zone, "left", track, _length(stay), counts[zone]) for zone, track, stay in left),
        ]

    def _seen_before(self, person: Person, gap_s: float) -> float:
        """For how long a newcomer was seen before this frame, s: a person is shown from the second frame on.

        Who comes from another zone was there.
        """
        elsewhere = any(person.track_id in stays for stays in self._stays.values())
        return 0.0 if elsewhere else min(person.seen_s, gap_s)

    def _occupy(self, counts: Mapping[str, int], now_s: float) -> None:
        """Take the states of this frame; each keeps the moment at which it began."""
        for zone, count in counts.items():
            before = self._occupied.get(zone)
            known = before is not None and before.state != "unknown"
            watched = now_s - self._watched_from_s[zone] >= self._enter_s[zone]
            state: Literal["occupied", "empty", "unknown"]
            if count:
                state = "occupied"
            elif watched and (known or not self._stays[zone]):
                state = "empty"
            else:
                state = "unknown"
            since_s = before.since_s if before is not None and before.state == state else now_s
            self._occupied[zone] = Occupancy(state, count, since_s)

    def _settle(self, gaps_s: Mapping[str, float], now_s: float) -> list[_Change]:
        """Those who now count, and were not yet announced; `gaps_s` are since the zones' frames before."""
        found = []
        for zone, gap_s in gaps_s.items():
            enough_s = self._enter_s[zone] - _NEAR * min(gap_s, self._enter_s[zone])
            for track, stay in sorted(self._stays[zone].items()):
                if not stay.announced and stay.last_s == now_s and _length(stay) >= enough_s:
                    stay.announced = True
                    found.append((zone, track, stay))
        return found

    def _move(self, track: int, to: str, now_s: float) -> None:
        """Whoever counts in one zone no longer counts in another."""
        for zone, stays in self._stays.items():
            if zone != to and track in stays and stays[track].last_s < now_s:
                stays[track].gone = True

    def _end(self, zones: Collection[str], now_s: float) -> list[_Change]:
        """Those who left; the stays that are over are dropped."""
        left = []
        for zone in zones:
            stays = self._stays[zone]
            for track, stay in sorted(stays.items()):
                if stay.gone or now_s - stay.last_s > (self._leave_s[zone] if stay.announced else self._enter_s[zone]):
                    del stays[track]
                    if stay.announced:
                        left.append((zone, track, stay))
        return left


def _length(stay: _Stay) -> float:
    return stay.last_s - stay.first_s
