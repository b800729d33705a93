"""The questions that learning has: when one begins to stand, how long it does, and how many a day were asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from comfywear.comfort.votes.asking import AskingRules, Occasion, Question, question
from comfywear.errors import StoreError
from comfywear.records import Vote, ZoneEstimate
from comfywear.settings.learning import LearningSettings
from comfywear.system.clock import Clock, wall_time
from comfywear.system.json_file import load_json, save_json

__all__ = ["FILE_NAME", "Asking"]

FILE_NAME = "asked.json"


class _Day(msgspec.Struct, frozen=True):
    day: str = ""
    count: int = 0


class _File(msgspec.Struct, frozen=True):
    zones: dict[str, _Day] = {}


class Asking:
    """Decides at every tick whether a zone is asked; `of` may be called from any thread.

    Args:
        folder: The state folder, where the questions of the day are counted: a restart asks no more.
        zones: The zones that there are.
        settings: When people may be asked.
        votes: As how many of now the votes count that a zone has learnt from.
        clock: The wall clock; while it is not set nobody is asked.

    Attributes:
        on_change: Each is called with a zone and its question, or None when that ends: a light that is to be switched.
    """

    def __init__(
        self,
        folder: Path,
        zones: Collection[str],
        settings: LearningSettings,
        votes: Callable[[str], float],
        clock: Clock = wall_time,
    ) -> None:
        self._path = folder / FILE_NAME
        self._rules = AskingRules(settings.questions_per_day, settings.ask_from_hour, settings.ask_to_hour)
        self._enabled = settings.enabled and settings.questions_per_day > 0
        self._stands_s = settings.question_stands_s
        self.on_change: list[Callable[[str, Question | None], None]] = []
        self._votes = votes
        self._clock = clock
        known = load_json(self._path, _File()).zones
        self._days = {zone: known.get(zone, _Day()) for zone in zones}
        self._lock = threading.Lock()
        self._standing: Mapping[str, tuple[Question, float]] = {}
        self._asked_s: dict[str, float] = {}
        self._vote_s: dict[str, float] = {}
        self._now_s = float("-inf")

    def of(self, zone: str) -> Question | None:
        """The question that stands in a zone."""
        found = self._standing.get(zone)
        return found[0] if found else None

    def after_vote(self, vote: Vote) -> None:
        """The question of the zone has its answer."""
        self._vote_s[vote.zone] = self._now_s
        self._end(vote.zone)

    def tick(self, now_s: float, estimates: Mapping[str, ZoneEstimate], camera: bool) -> None:
        """Begin and end questions at `now_s` (monotonic); `camera`: whether it is known who is there.

        Raises:
            StoreError: When the count of the day could not be kept; nothing new is then asked.
        """
        self._now_s = now_s
        if not self._enabled:
            return
        for zone, estimate in estimates.items():
            present = bool(estimate.people) if camera else None
            standing = self._standing.get(zone)
            if standing is None:
                self._begin(zone, estimate, present, now_s)
            elif now_s >= standing[1] or present is False:
                self._end(zone)

    def _begin(self, zone: str, estimate: ZoneEstimate, present: bool | None, now_s: float) -> None:
        ts, time_ok = self._clock()
        local = datetime.fromisoformat(ts).astimezone() if ts and time_ok else None
        today = _Day(local.date().isoformat()) if local else _Day()
        if self._days[zone].day == today.day:
            today = self._days[zone]
        asked_s, vote_s = self._asked_s.get(zone), self._vote_s.get(zone)
        occasion = Occasion(
            known=bool(estimate.comfort.probabilities),
            present=present,
            hour=local.hour if local else None,
            asked_today=today.count,
            since_asked_s=None if asked_s is None else now_s - asked_s,
            since_vote_s=None if vote_s is None else now_s - vote_s,
            votes=self._votes(zone),
        )
        asked = question(occasion, self._rules)
        if asked is None:
            return
        days = self._days | {zone: _Day(today.day, today.count + 1)}
        try:
            save_json(self._path, _File(days))
        except StoreError:
            self._asked_s[zone] = now_s  # not again at every tick
            raise
        self._days, self._asked_s[zone] = days, now_s
        with self._lock:
            self._standing = {**self._standing, zone: (asked, now_s + self._stands_s)}
        self._tell(zone, asked)

    def _end(self, zone: str) -> None:
        with self._lock:
            stood = zone in self._standing
            self._standing = {name: each for name, each in self._standing.items() if name != zone}
        if stood:
            self._tell(zone, None)

    def _tell(self, zone: str, asked: Question | None) -> None:
        for listener in self.on_change:
            listener(zone, asked)
