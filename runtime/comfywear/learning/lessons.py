"""What a device learns from votes: for each zone anew from the stored ones, so that undo and deletion cannot spoil it.

The comfort worker calls `tick`; presses only mark their zone, so that nobody waits for arithmetic.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from comfywear.comfort import ComfyWear
from comfywear.comfort.votes.influence import InfluenceLimits, VoteOrigin, influences
from comfywear.comfort.votes.levels import Taught, learn_levels
from comfywear.comfort.votes.personal import Evidence, Population
from comfywear.comfort.votes.populations import load_populations
from comfywear.errors import StoreError, UsageError
from comfywear.learning.log import LearningLog, LearningSnapshot
from comfywear.records import Handler, Pressed, Vote
from comfywear.settings.learning import LearningSettings
from comfywear.settings.zones import which_zone
from comfywear.system.clock import Clock, wall_time
from comfywear.system.log_once import LogOnce
from comfywear.texts import Text

__all__ = ["Lesson", "Lessons"]

_log = logging.getLogger(__name__)

MOST_VOTES = 1000
REFRESH_S = 6 * 3600.0
_AGAIN_S = 10.0


class Lesson:
    """What one zone's or person's votes taught, and what it rests on.

    Attributes:
        taught: The bend of the model, and the table of levels.
        votes: Votes that were learnt from: with the air of their moment, not undone, not reset.
        likes_warmer_k: By how many K warmer than the model says it is liked here.
        weight: As how many votes of now they count (`influences`).
    """

    def __init__(self, taught: Taught, votes: int, likes_warmer_k: float, weight: float) -> None:
        self.taught = taught
        self.votes = votes
        self.likes_warmer_k = likes_warmer_k
        self.weight = weight

    def words(self) -> str:
        """One sentence: "learnt from 23 votes; your zone likes it 0.8 K cooler than the model"."""
        votes = Text("{n} vote" if self.votes == 1 else "{n} votes", n=self.votes)
        amount = abs(self.likes_warmer_k)
        if amount < 0.05:
            return Text("learnt from {votes}; your zone likes it as the model says", votes=votes)
        side = "warmer" if self.likes_warmer_k > 0 else "cooler"
        return Text(
            "learnt from {votes}; your zone likes it {kelvin} K {side} than the model",
            votes=votes,
            kelvin=f"{amount:.1f}",
            side=side,
        )


class Lessons:
    """The lessons of each zone; every method may be called from any thread.

    Args:
        folder: The state folder, where resets and snapshots are kept.
        zones: The zones that there are.
        settings: How votes count.
        newest: The newest votes of a zone that were not undone, newest first: `VoteStore.pressed`.
        clock: Says the time and whether it can be believed.
        limits: How much a place can say; the half-life is that of the settings.
    """

    def __init__(
        self,
        folder: Path,
        zones: Collection[str],
        settings: LearningSettings,
        newest: Callable[[int, str], list[Pressed]],
        *,
        clock: Clock = wall_time,
        limits: InfluenceLimits | None = None,
    ) -> None:
        self._zones = tuple(zones)
        self._enabled = settings.enabled
        self._limits = (limits or InfluenceLimits())._replace(half_life_days=settings.half_life_days)
        self._newest = newest
        self._clock = clock
        self._model = ComfyWear()
        self._known = load_populations()
        self.log = LearningLog(folder, self._zones)
        self._lock = threading.Lock()
        self._stale = set(self._zones)
        self._learnt_s: float | None = None
        self._again_s = -math.inf  # until then what cannot be read is not tried again
        self._trouble = LogOnce(_log)
        self._lessons: Mapping[str, Lesson] = {}

    def after_vote(self, vote: Vote) -> None:
        """A vote was committed: its zone is learnt anew at the next tick."""
        self._forget([vote.zone])

    def after_undo(self, vote: Vote) -> None:
        """A vote was taken back."""
        self._forget([vote.zone])

    def after_delete(self, _: list[str]) -> None:
        """Votes were deleted, of whichever zones."""
        self._forget(self._zones)

    def tick(self, now_s: float) -> None:
        """Learn what has changed, and every few hours everything, since old votes fade; `now_s` is monotonic."""
        if self._learnt_s is None or now_s - self._learnt_s >= REFRESH_S:
            self._learnt_s = now_s
            self._forget(self._zones)
        with self._lock:
            if now_s < self._again_s:
                return
            stale, self._stale = self._stale, set()
        for zone in sorted(stale) if self._enabled else ():
            if not self._try_zone(zone):
                self._again_s = now_s + _AGAIN_S
                self._forget([zone])

    def taught(self, zone: str) -> Taught | None:
        """What bends the model in a zone; None where nothing was learnt."""
        lesson = self._lessons.get(zone)
        return lesson.taught if lesson else None

    def lesson(self, zone: str) -> Lesson | None:
        """What was learnt about a zone; None where no vote could be learnt from."""
        return self._lessons.get(zone)

    def summary(self, zone: str) -> str | None:
        """One sentence about a zone, for the page; None while there is nothing to say."""
        lesson = self._lessons.get(zone)
        return lesson.words() if lesson else None

    def reset(self, zone: str) -> str:
        """Let the votes up to now teach nothing more (they stay stored); returns a sentence.

        Raises:
            UsageError: While the clock is not set: votes could not be told apart by time.
            StoreError: When it could not be kept; nothing has then changed.
        """
        now = self._now()
        self.log.snapshot(zone, self._snapshot(zone, now), force=True)
        self.log.ignore(zone, "", now)
        self._learn_zone(zone)
        return f"{zone}: forgotten; votes from now on count. `comfywear learning rollback` brings it back"

    def rollback(self, zone: str, to: int | None = None) -> str:
        """Learn again what had been learnt at a snapshot: the votes since then teach nothing; returns a sentence.

        Args:
            zone: Which zone.
            to: Place in the list of snapshots, oldest first from 1; None: the newest one.

        Raises:
            UsageError: When there is no such snapshot, or the clock is not set.
            StoreError: When it could not be kept; nothing has then changed.
        """
        now = self._now()
        past = self.log.snapshots(zone)
        number = len(past) if to is None else to
        if not 1 <= number <= len(past):
            there = f"there are {len(past)}, oldest first" if past else "there is none yet"
            raise UsageError(Text("{zone} has no snapshot {number}; {there}", zone=zone, number=number, there=there))
        chosen = past[number - 1]
        before = self._snapshot(zone, now)
        self.log.restore(zone, chosen, now)
        if to is not None:
            self.log.snapshot(zone, before, force=True)
        self._learn_zone(zone)
        return f"{zone}: as on {chosen.ts}: {self.summary(zone) or 'nothing learnt'}"

    def check(self, zone: str | None) -> str:
        """The zone that is meant; None means the only one.

        Raises:
            UsageError: When there is no such zone, or it must be said.
        """
        return which_zone(zone, self._zones)

    def show(self, zone: str) -> dict[str, Any]:
        """All that is known about a zone, for the command."""
        lesson = self._lessons.get(zone)
        shown: dict[str, Any] = {"zone": zone, "summary": self.summary(zone), "snapshots": []}
        for each in self.log.snapshots(zone):
            shown["snapshots"].append({"ts": each.ts, "votes": each.votes, "likes_warmer_k": each.likes_warmer_k})
        if lesson:
            learnt = lesson.taught.learnt
            shown |= {
                "votes": lesson.votes,
                "weight": learnt.weight,
                "likes_warmer_k": lesson.likes_warmer_k,
                "offset": learnt.offset,
                "offset_sd": learnt.offset_sd,
                "scale": float(np.exp(learnt.mean[1])),
                "tilt": learnt.mean[2:].tolist(),
                "levels": lesson.taught.table.tolist(),
            }
        return shown

    def weight(self, zone: str) -> float:
        """As how many votes of now those count that a zone has learnt from."""
        lesson = self._lessons.get(zone)
        return lesson.weight if lesson else 0.0

    def verbs(self) -> dict[str, Handler]:
        """What the control socket answers."""

        def show(request: Mapping[str, Any]) -> dict[str, Any]:
            zone = request.get("zone")
            return {"zones": [self.show(name) for name in ([self.check(zone)] if zone else self._zones)]}

        def rollback(request: Mapping[str, Any]) -> dict[str, Any]:
            to = request.get("to")
            if to is not None and (isinstance(to, bool) or not isinstance(to, int)):
                raise UsageError(Text("to is the number of a snapshot, not {to}", to=repr(to)))
            return {"said": self.rollback(self.check(request.get("zone")), to)}

        return {
            "learning-show": show,
            "learning-reset": lambda request: {"said": self.reset(self.check(request.get("zone")))},
            "learning-rollback": rollback,
        }

    def _forget(self, zones: Collection[str]) -> None:
        with self._lock:
            self._stale |= set(zones) & set(self._zones)

    def _try_zone(self, zone: str) -> bool:
        """Whether the zone's votes could be read; a snapshot that could not be kept is kept another time."""
        try:
            self._learn_zone(zone)
        except StoreError as error:
            self._trouble.trouble(StoreError(f"votes cannot be learnt from now: {error}"))
            return False
        self._trouble.over("votes are learnt from again")
        ts, time_ok = self._clock()
        try:
            if time_ok and ts and zone in self._lessons:
                self.log.snapshot(zone, self._snapshot(zone, ts))
        except StoreError as error:
            _log.error("no snapshot of what %s has learnt is kept: %s", zone, error)
        return True

    def _learn_zone(self, zone: str) -> None:
        votes = self.log.heeded(zone, self._newest(MOST_VOTES, zone)[::-1])
        lesson = self._lesson(votes, self._known.zones, self._limits)
        lessons = {name: each for name, each in self._lessons.items() if name != zone}
        self._lessons = lessons if lesson is None else lessons | {zone: lesson}

    def _lesson(self, votes: Sequence[Pressed], population: Population, limits: InfluenceLimits) -> Lesson | None:
        usable = [vote for vote in votes if vote.inputs]
        if not usable:
            return None
        ts, _ = self._clock()
        times = _times(usable, _seconds(ts) if ts else None)
        presses = [VoteOrigin(vote.source, time, vote.person) for vote, time in zip(usable, times, strict=True)]
        weight = influences(presses, _seconds(ts) if ts else max(times), limits)
        inputs = [vote.inputs for vote in usable]
        evidence = Evidence(
            np.asarray([self._model.eta(each) for each in inputs]),
            np.asarray([vote.level - 1 for vote in usable]),
            weight,
        )
        taught = learn_levels(population, np.asarray(self._model.cutpoints), evidence, self._known.levels)
        felt_k = self._model.felt_warmer_k(inputs[int(np.argmax(times))], taught)
        return Lesson(taught, len(usable), -felt_k, float(weight.sum()))

    def _snapshot(self, zone: str, ts: str) -> LearningSnapshot:
        lesson = self._lessons.get(zone)
        ignored = self.log.ignored(zone)
        if lesson is None:
            return LearningSnapshot(ts, ignored)
        learnt = lesson.taught.learnt
        mean, covariance = learnt.mean.tolist(), learnt.covariance.tolist()
        return LearningSnapshot(ts, ignored, lesson.votes, lesson.likes_warmer_k, mean, covariance)

    def _now(self) -> str:
        ts, time_ok = self._clock()
        if not time_ok or ts is None:
            raise UsageError(
                Text("the clock is not set yet: votes before and after now could not be told apart; try later")
            )
        return ts


def _seconds(ts: str) -> float:
    return datetime.fromisoformat(ts).timestamp()


def _times(votes: Sequence[Pressed], now_s: float | None) -> list[float]:
    """Unix seconds of each vote; one from before the clock was set has the time of a neighbour, or now."""
    known = [_seconds(vote.ts) for vote in votes if vote.ts]
    last = known[0] if known else now_s or 0.0
    times = []
    for vote in votes:
        last = _seconds(vote.ts) if vote.ts else last
        times.append(last)
    return times
