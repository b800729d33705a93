"""Learning on a device, put together: what is usual in each zone, what votes taught, and when people are asked."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from comfywear.asked import Asking
from comfywear.cadence import Cadence
from comfywear.clock import Clock, wall_time
from comfywear.comfort import Site
from comfywear.comfort.levels import Taught
from comfywear.errors import StoreError
from comfywear.estimates import ZoneEstimate
from comfywear.feedback.control import Handler
from comfywear.lessons import Lessons
from comfywear.questions import Asked
from comfywear.settings import Settings
from comfywear.usual import Usual, site_of
from comfywear.voting import Voting

__all__ = ["Learning"]

_log = logging.getLogger(__name__)
SAID_EVERY_S = 3600.0


class Learning:
    """Follows every vote of `voting` from the moment it is made.

    Args:
        folder: The state folder.
        settings: Of the device.
        voting: Takes the votes, and keeps them.
        clock: The wall clock.
    """

    def __init__(self, folder: Path, settings: Settings, voting: Voting, clock: Clock = wall_time) -> None:
        zones = [zone.name for zone in settings.zones]
        self.lessons = Lessons(folder, zones, settings.learning, voting.store.pressed, clock=clock)
        self.asking = Asking(folder, zones, settings.learning, self.lessons.voted, clock)
        self._usual = Usual(folder, zones, settings.site.usual_days)
        self._site = settings.site
        self._hours = (settings.learning.ask_from_hour, settings.learning.ask_to_hour)
        self._clock = clock
        self._said = Cadence(SAID_EVERY_S, SAID_EVERY_S)
        voting.after_vote += [self.lessons.after_vote, self.asking.after_vote]
        voting.after_undo.append(self.lessons.after_undo)
        voting.after_delete.append(self.lessons.after_delete)

    def site(self, zone: str) -> Site:
        """All that is known of a zone's place."""
        return site_of(self._site, self._usual.of(zone), self._local())

    def taught(self, zone: str) -> Taught | None:
        """What bends the comfort model in a zone; None where nothing was learnt."""
        return self.lessons.taught(zone)

    def summary(self, zone: str, person: str | None = None) -> str | None:
        """One sentence on what was learnt about a zone, or about a person who said who they are; None: nothing."""
        return self.lessons.summary(zone, person)

    def question(self, zone: str) -> Asked | None:
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
