"""Which votes a zone heeds, and snapshots of what it had learnt: kept in the state folder, bounded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import msgspec

from comfywear.records import Pressed
from comfywear.system.json_file import load_json, save_json

__all__ = ["FILE_NAME", "LearningLog", "LearningSnapshot"]

FILE_NAME = "learning.json"
MOST_SNAPSHOTS = 30
MOST_PERIODS = 30

Period = tuple[str, str]


class LearningSnapshot(msgspec.Struct, frozen=True):
    """What had been learnt at a moment.

    Attributes:
        ts: ISO 8601 UTC.
        ignored: The periods whose votes taught nothing.
        votes: How many votes it rested on.
        likes_warmer_k: By how many K warmer than the model it was liked.
        mean: Of the posterior.
        covariance: Of the posterior.
    """

    ts: str
    ignored: tuple[Period, ...] = ()
    votes: int = 0
    likes_warmer_k: float = 0.0
    mean: list[float] = []
    covariance: list[list[float]] = []


class _Zone(msgspec.Struct, frozen=True):
    ignored: tuple[Period, ...] = ()
    snapshots: tuple[LearningSnapshot, ...] = ()


class _File(msgspec.Struct, frozen=True):
    zones: dict[str, _Zone] = {}


class LearningLog:
    """The file `learning.json`; every method may be called from any thread.

    A period (`from`, `to`] of votes is ignored; "" is before all votes. Methods that change something raise StoreError
    when it could not be kept, and have then changed nothing.
    """

    def __init__(self, folder: Path, zones: Collection[str]) -> None:
        self._path = folder / FILE_NAME
        self._lock = threading.RLock()
        known = load_json(self._path, _File()).zones
        self._zones = known | {zone: known.get(zone, _Zone()) for zone in zones}

    def ignored(self, zone: str) -> tuple[Period, ...]:
        """The periods whose votes teach nothing."""
        return self._zones[zone].ignored

    def snapshots(self, zone: str) -> tuple[LearningSnapshot, ...]:
        """Oldest first."""
        return self._zones[zone].snapshots

    def heeded(self, zone: str, votes: Sequence[Pressed]) -> list[Pressed]:
        """The votes that teach, of votes oldest first; one without a time belongs to the moment of the one before."""
        chosen, last = [], ""
        for vote in votes:
            last = vote.ts or last
            if not any(begin < (last or "!") <= end for begin, end in self._zones[zone].ignored):
                chosen.append(vote)
        return chosen

    def ignore(self, zone: str, begin: str, end: str) -> None:
        """Let the votes of a period teach nothing."""
        self._change(zone, lambda now: _Zone(_merged((*now.ignored, (begin, end))), now.snapshots))

    def restore(self, zone: str, snapshot: LearningSnapshot, now: str) -> None:
        """Heed what was heeded at a snapshot, and no vote from then until now; later snapshots are dropped."""

        def restored(found: _Zone) -> _Zone:
            kept_ones = found.snapshots[: found.snapshots.index(snapshot)]
            return _Zone(_merged((*snapshot.ignored, (snapshot.ts, now))), kept_ones)

        self._change(zone, restored)

    def snapshot(self, zone: str, snapshot: LearningSnapshot, *, force: bool = False) -> None:
        """Keep a snapshot: one a day, the day's first, unless `force`."""

        def added(now: _Zone) -> _Zone:
            if not force and now.snapshots and now.snapshots[-1].ts[:10] == snapshot.ts[:10]:
                return now
            return _Zone(now.ignored, (*now.snapshots, snapshot)[-MOST_SNAPSHOTS:])

        self._change(zone, added)

    def _change(self, zone: str, change: Callable[[_Zone], _Zone]) -> None:
        """Read, change and write in one breath."""
        with self._lock:
            now = self._zones[zone]
            value = change(now)
            if value is now:
                return
            zones = self._zones | {zone: value}
            save_json(self._path, _File(zones))
            self._zones = zones


def _merged(periods: tuple[Period, ...]) -> tuple[Period, ...]:
    """The same votes in as few periods as possible; of too many, the oldest go."""
    merged: list[Period] = []
    for begin, end in sorted(periods):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return tuple(merged[-MOST_PERIODS:])
