"""Who is in each zone, put together from what the cameras see: persons, debounced counts, who came and who left."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from comfywear.records import Frame, Occupancy, Person, PresenceChange
from comfywear.settings import Settings
from comfywear.settings.views import cameras_of, views_of, zones_of
from comfywear.vision.tracking.presence import Presence

if TYPE_CHECKING:
    from comfywear.vision.people.floor import Floor
    from comfywear.vision.people.two_views import Seen
    from comfywear.vision.tracking.reid import Description

__all__ = ["ZonePresence"]

# Changes of presence that nobody fetches are kept up to so many.
MOST_CHANGES = 1000


@dataclass(slots=True)
class _View:
    """The newest picture of a camera: its persons, and those of zones that another camera sees too, to compare."""

    monotonic_s: float
    persons: list[Person]
    seen: dict[int, Seen]
    lost: bool = False
    settled: frozenset[int] = frozenset()  # whom the others saw when it was lost


class ZonePresence:
    """Presence in the zones of the settings; the vision worker tells it of frames, any thread may ask.

    In a zone that two cameras see, whoever is seen by both counts once. While one of them gives no picture, those whom
    it alone saw stay: a zone is not empty because a camera is gone.
    """

    def __init__(self, settings: Settings) -> None:
        from comfywear.vision.people.floor import Floor
        from comfywear.vision.people.two_views import SamePersons

        zones = settings.zones
        self._presence = Presence(
            [zone.name for zone in zones],
            enter_s={zone.name: zone.enter_s for zone in zones},
            leave_s={zone.name: zone.leave_s for zone in zones},
        )
        self._cameras = zones_of(settings)
        self._views: dict[str, _View] = {}
        self._same = SamePersons(len(cameras_of(settings)) + 1, id_step(settings))
        self._floors: dict[tuple[str, str], Floor] = {
            (camera, zone): Floor(view.floor)
            for camera in cameras_of(settings)
            for zone, view in views_of(settings, camera).items()
            if view.floor
        }
        self._now_s = 0.0
        self._lock = threading.Lock()
        self._persons: Mapping[str, Sequence[Person]] = {}
        self._present: Mapping[str, int] = {}
        self._occupied: Mapping[str, Occupancy] = {}
        self._changes: deque[PresenceChange] = deque(maxlen=MOST_CHANGES)

    def take(
        self,
        camera: str,
        frame: Frame,
        persons: Sequence[Person],
        describe: Callable[[int], Description | None] = lambda _: None,
    ) -> None:
        """A frame of a camera was looked at, with these persons; `describe` says what one of them looks like."""
        self._now_s = max(self._now_s, frame.monotonic_s)
        zones = [zone for zone, cameras in self._cameras.items() if camera in cameras]
        self._views[camera] = _View(
            frame.monotonic_s, list(persons), self._comparable(camera, frame, persons, describe)
        )
        changes = []
        for zone in zones:
            for gone, kept in self._compare(zone):
                changes += self._presence.same(gone, kept)
        found = {zone: self._together(zone) for zone in zones}
        seen = [person for each in found.values() for person in each]
        changes += self._presence.update(seen, self._now_s, zones)
        with self._lock:
            self._changes.extend(changes)
            self._persons = {**self._persons, **found}
            self._present, self._occupied = self._presence.counts(), self._presence.occupancies()

    def lost(self, camera: str) -> None:
        """A camera gives no picture: whom another sees too is that one's to follow, the others stay as they were."""
        view = self._views.get(camera)
        if view is None or view.lost:
            return
        view.lost = True
        living = {person.track_id for each in self._views.values() if not each.lost for person in each.persons}
        view.settled = frozenset(living)
        view.persons = [each for each in view.persons if self._same.partner(each.track_id) not in living]
        view.seen = {
            each.track_id: replace(view.seen[each.track_id], place=None)
            for each in view.persons
            if each.track_id in view.seen
        }

    def forget(self, camera: str) -> None:
        """A camera may not look any more: whom it alone saw leaves, and whether its zones are empty is not known."""
        self._views.pop(camera, None)
        alone = [
            zone
            for zone, cameras in self._cameras.items()
            if camera in cameras and not any(each in self._views for each in cameras)
        ]
        left = self._presence.clear(alone)
        with self._lock:
            self._changes.extend(left)
            self._persons = {zone: persons for zone, persons in self._persons.items() if zone not in alone}
            self._present, self._occupied = self._presence.counts(), self._presence.occupancies()

    def clear(self) -> None:
        """Nobody looks any more: everybody leaves, and whether a zone is empty is not known."""
        left = self._presence.clear()
        self._views.clear()
        with self._lock:
            self._changes.extend(left)
            self._persons, self._present, self._occupied = {}, {}, {}

    def persons(self, zone: str) -> Sequence[Person]:
        """Those of the newest frames who are in a zone, each once."""
        return self._persons.get(zone, ())

    def counts(self) -> Mapping[str, int]:
        """How many are in each zone."""
        return self._present

    def occupancies(self) -> Mapping[str, Occupancy]:
        """Whether anybody is in each zone; empty while nobody looks."""
        return self._occupied

    def changes(self) -> list[PresenceChange]:
        """Who entered and left since this was last asked."""
        with self._lock:
            found = list(self._changes)
            self._changes.clear()
        return found

    def _comparable(
        self, camera: str, frame: Frame, persons: Sequence[Person], describe: Callable[[int], Description | None]
    ) -> dict[int, Seen]:
        """Those of the zones that another camera sees too."""
        from comfywear.vision.people.two_views import Seen

        height, width = frame.image.shape[:2]
        found = {}
        for person in persons:
            if len(self._cameras.get(person.zone, ())) > 1:
                floor = self._floors.get((camera, person.zone))
                place = floor.place(person.box, width, height) if floor else None
                since_s = frame.monotonic_s - person.seen_s
                found[person.track_id] = Seen(person.track_id, since_s, place, describe(person.track_id))
        return found

    def _compare(self, zone: str) -> list[tuple[int, int]]:
        """Find who of a zone that two cameras see is the same; numbers `(gone, kept)` that are one person's."""
        views = [view for camera in self._cameras[zone] if (view := self._views.get(camera))]
        if len(views) < 2:
            return []
        mine, others = ([view.seen[each.track_id] for each in view.persons if each.zone == zone] for view in views)
        apart_s = abs(views[0].monotonic_s - views[1].monotonic_s)
        # Who was in sight of the other when a camera was lost was somebody else, or is their like already.
        settled = frozenset[int]().union(*(view.settled for view in views if view.lost))
        merged = self._same.update(mine, others, self._now_s, apart_s, settled)
        for view, other in (views, views[::-1]):
            if view.lost:  # somebody whom it alone had seen has come into sight of the other
                now = {each.track_id for each in other.persons}
                view.persons = [each for each in view.persons if self._same.partner(each.track_id) not in now]
        return merged

    def _together(self, zone: str) -> list[Person]:
        """Everybody in a zone once; whoever is seen twice as the camera shows them that saw them first."""
        found: dict[int, Person] = {}
        for camera in self._cameras[zone]:
            view = self._views.get(camera)
            for person in view.persons if view else ():
                number = self._same.number(person.track_id)
                if person.zone == zone and (number not in found or number == person.track_id):
                    found[number] = person if number == person.track_id else replace(person, track_id=number)
        return [found[number] for number in sorted(found)]


def id_step(settings: Settings) -> int:
    """From one person's number to the next of the same camera: cameras take turns, and so do those seen by two."""
    several = any(len(cameras) > 1 for cameras in zones_of(settings).values())
    return max(len(cameras_of(settings)), 1) + several
