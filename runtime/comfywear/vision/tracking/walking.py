"""Who walks, from how tracks move: in body heights a second, which needs no measures of the room.

The top of the box (a desk hides legs, seldom heads) follows a straight line for a second and a half while somebody
walks. Movement towards the camera or away from it is seen only as far as it moves the box. Figures on real tracks, and
what cannot be told from a box: docs/comfort.md, Activity.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from comfywear.records import Box, Person

__all__ = ["SLOWEST_HEIGHTS_S", "Gait", "Walked", "Walking"]

WINDOW_S = 1.6
SLOWEST_HEIGHTS_S = 0.25
"""From here on it is a walk: 0.4 m/s for somebody of 1.7 m. Slower is fidgeting, or the box's own unrest."""

_LEAST_LOOKS, _LEAST_SHARE = 3, 0.6
# What is not a straight line is somebody who leans and comes back, or a box that jumps to a neighbour.
_LEAST_STRAIGHT = 0.85
_MEMORY_S = 600.0
# Before the camera has watched somebody for so long in all, it says nothing of a zone.
_LEAST_WATCHED_S = 60.0
_LONGEST_STEP_S = 1.0


class Walked(NamedTuple):
    """How people walked in a zone over the last ten minutes or so, the last ones most.

    Attributes:
        share: Part of the time, 0…1.
        heights_s: Speed while walking, body heights a second; None where nobody walked.
    """

    share: float
    heights_s: float | None


class Gait:
    """How one track moves."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float, float, float]] = deque()

    def add(self, box: Box, at_s: float) -> float | None:
        """Take the box of a moment; its speed in body heights a second, 0 while it stays; None: not known yet."""
        left, top, right, bottom = box
        self._seen.append((at_s, 0.5 * (left + right), top, bottom - top))
        while at_s - self._seen[0][0] > WINDOW_S:
            self._seen.popleft()
        if len(self._seen) < _LEAST_LOOKS or at_s - self._seen[0][0] < _LEAST_SHARE * WINDOW_S:
            return None
        times, xs, ys, heights = zip(*self._seen, strict=True)
        body = median(heights)
        if not body > 0.0:
            return None
        middle_s = sum(times) / len(times)
        since = [each - middle_s for each in times]
        moved = explained = 0.0
        speeds = []
        for places in (xs, ys):
            middle = sum(places) / len(places)
            along = sum(t * (place - middle) for t, place in zip(since, places, strict=True))
            spread = sum(t * t for t in since)
            speeds.append(along / spread)
            moved += sum((place - middle) ** 2 for place in places)
            explained += along * along / spread
        speed = math.hypot(*speeds) / body
        straight = moved > 0.0 and explained >= _LEAST_STRAIGHT * moved
        return speed if straight and speed >= SLOWEST_HEIGHTS_S else 0.0

    def last_s(self) -> float:
        """When it was seen last, monotonic; long ago where it never was."""
        return self._seen[-1][0] if self._seen else -math.inf


@dataclass(slots=True)
class _Zone:
    """Seconds of persons' time that fade, of them walking, and the way that was walked, body heights."""

    at_s: float
    watched_s: float = 0.0
    walking_s: float = 0.0
    way: float = 0.0

    def fade(self, now_s: float) -> None:
        kept = math.exp(-max(now_s - self.at_s, 0.0) / _MEMORY_S)
        self.at_s = max(now_s, self.at_s)
        self.watched_s, self.walking_s, self.way = kept * self.watched_s, kept * self.walking_s, kept * self.way


@dataclass(slots=True)
class Walking:
    """How people walk in each zone; `take` from one thread, any may ask `of`."""

    _gaits: dict[int, Gait] = field(default_factory=dict)
    _zones: dict[str, _Zone] = field(default_factory=dict)
    _said: dict[str, tuple[Walked, float, float]] = field(default_factory=dict)

    def take(self, persons: Sequence[Person], now_s: float) -> None:
        """The persons of a frame of a camera at `now_s` (monotonic)."""
        for person in persons:
            gait = self._gaits.setdefault(person.track_id, Gait())
            step_s = now_s - gait.last_s()
            speed = gait.add(person.box, now_s)
            if speed is None or not 0.0 < step_s <= _LONGEST_STEP_S:
                continue
            zone = self._zones.setdefault(person.zone, _Zone(now_s))
            zone.fade(now_s)
            zone.watched_s += step_s
            if speed:
                zone.walking_s += step_s
                zone.way += speed * step_s
        self._gaits = {number: gait for number, gait in self._gaits.items() if now_s - gait.last_s() <= 2 * WINDOW_S}
        for name in {person.zone for person in persons} & self._zones.keys():
            zone = self._zones[name]
            speed = zone.way / zone.walking_s if zone.walking_s > 0.0 else None
            self._said[name] = (Walked(zone.walking_s / zone.watched_s, speed), zone.watched_s, zone.at_s)

    def of(self, zone: str, now_s: float) -> Walked | None:
        """How they walked in `zone` up to `now_s` (monotonic); None before a minute was watched, and long after."""
        said = self._said.get(zone)
        if said is None:
            return None
        walked, watched_s, at_s = said
        return walked if watched_s * math.exp(-max(now_s - at_s, 0.0) / _MEMORY_S) >= _LEAST_WATCHED_S else None
