"""Learning on a device, put together: what is usual in each zone, what votes taught, and when people are asked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from comfywear.comfort import Site
from comfywear.comfort.votes.asking import Question
from comfywear.comfort.votes.levels import Taught
from comfywear.errors import StoreError
from comfywear.learning.asking import Asking
from comfywear.learning.lessons import Lessons
from comfywear.learning.usual_air import UsualAir, site_of
from comfywear.records import Handler, Pressed, Vote, ZoneEstimate
from comfywear.settings import Settings
from comfywear.system.cadence import Cadence
from comfywear.system.clock import Clock, wall_time

__all__ = ["Learning"]

_log = logging.getLogger(__name__)
SAID_EVERY_S = 3600.0


class Votes(Protocol):
    """What learning hears of votes: each that was committed, each that was taken back, the ids of those deleted."""

    after_vote: list[Callable[[Vote], None]]
    after_undo: list[Callable[[Vote], None]]
    after_delete: list[Callable[[list[str]], None]]

    def pressed(self, limit: int = 100, zone: str | None = None) -> list[Pressed]:
        """The newest votes of a zone (None: of all) that were not undone, newest first."""


class Learning:
    """Follows every vote from the moment it is made.

    Args:
        folder: The state folder.
        settings: Of the device.
        votes: Those of the device.
        clock: The wall clock.
    """

    def __init__(self, folder: Path, settings: Settings, votes: Votes, clock: Clock = wall_time) -> None:
        zones = [zone.name for zone in settings.zones]
        self.lessons = Lessons(folder, zones, settings.learning, votes.pressed, clock=clock)
        self.asking = Asking(folder, zones, settings.learning, self.lessons.weight, clock)
        self._usual = UsualAir(folder, zones, settings.site.usual_days)
        self._site = settings.site
        self._hours = (settings.learning.ask_from_hour, settings.learning.ask_to_hour)
        self._clock = clock
        self._said = Cadence(SAID_EVERY_S, SAID_EVERY_S)
        votes.after_vote += [self.lessons.after_vote, self.asking.after_vote]
        votes.after_undo.append(self.lessons.after_undo)
        votes.after_delete.append(self.lessons.after_delete)

    def site(self, zone: str, outdoor_temp_c: float | None = None) -> Site:
        """All that is known of a zone's place; `outdoor_temp_c` is the running mean outdoors."""
        return site_of(self._site, self._usual.of(zone), self._local(), outdoor_temp_c)

    def taught(self, zone: str) -> Taught | None:
        """What bends the comfort model in a zone; None where nothing was learnt."""
        return self.lessons.taught(zone)

    def summary(self, zone: str) -> str | None:
        """One sentence on what was learnt about a zone; None: nothing."""
        return self.lessons.summary(zone)

    def question(self, zone: str) -> Question | None:
        """The question that the learning has for a zone now."""
        return self.asking.of(zone)

    def verbs(self) -> dict[str, Handler]:
        """What the control socket answers."""
        return self.lessons.verbs()

    def tick(self, now_s: float, estimates: Mapping[str, ZoneEstimate], *, camera: bool) -> None:
        """Learn, ask, and note the air at `now_s` (monotonic); a full disk is said, and stops nothing.

        Args:
            now_s: Monotonic seconds.
            estimates: The newest of each zone.
            camera: Whether a camera says now who is there.
        """
        self.lessons.tick(now_s)
        try:
            self._note_air(now_s, estimates, camera)
            self.asking.tick(now_s, estimates, camera)
        except StoreError as error:
            if self._said.due("store", str(error), now_s):
                _log.error("%s", error)

    def _note_air(self, now_s: float, estimates: Mapping[str, ZoneEstimate], camera: bool) -> None:
        """The air that people are in: with them in sight or, where no camera can say, in the hours of asking."""
        local = self._local()
        for zone, estimate in estimates.items():
            awake = local is None or self._hours[0] <= local.hour < self._hours[1]
            if bool(estimate.people) if camera else awake:
                self._usual.note(zone, estimate.climate.air_temp_c, now_s)
        self._usual.keep(now_s)

    def _local(self) -> datetime | None:
        ts, time_ok = self._clock()
        return datetime.fromisoformat(ts).astimezone() if ts and time_ok else None
