"""What is not as it should be, from when to when. Pure: time is given.

Something counts only once it has lasted for a while, and is over only once it has been gone for a while, so that a
connection that flickers is one trouble and not a hundred.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from comfywear.records import Trouble, TroubleName

__all__ = ["MOST_ENDED", "PATIENCE", "Patience", "TroubleBook", "sentence"]

MOST_ENDED = 10
"""Troubles that are over are remembered up to so many."""


class Patience(NamedTuple):
    """A trouble counts after `before_s`, and is over after `after_s` without it."""

    before_s: float
    after_s: float


PATIENCE: Mapping[TroubleName, Patience] = {
    "no-camera": Patience(10.0, 2.0),
    "no-sensor": Patience(10.0, 2.0),
    "no-broker": Patience(10.0, 2.0),
    "hot": Patience(0.0, 60.0),
    "slow": Patience(30.0, 30.0),
    "disk-full": Patience(0.0, 10.0),
    "no-storage": Patience(5.0, 2.0),
    "memory": Patience(0.0, 10.0),
    # A worker runs for a moment between two failures.
    "worker": Patience(2.0, 90.0),
    "no-clock": Patience(60.0, 0.0),
}

_Key = tuple[TroubleName, str | None]


class _Seen:
    """One trouble: the newest word of it, since when, when it was last so, and whether it counts."""

    def __init__(self, trouble: Trouble, now_s: float) -> None:
        self.trouble = replace(trouble, since_s=now_s, until_s=None)
        self.last_s = now_s
        self.counts = False


class TroubleBook:
    """Remembers what is wrong now, and the last things that were; any thread may ask."""

    def __init__(self, patience: Mapping[TroubleName, Patience] = PATIENCE) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._seen: dict[_Key, _Seen] = {}
        self._ended: deque[Trouble] = deque(maxlen=MOST_ENDED)
        self.begun = 0
        """Troubles that have begun to count so far."""

    def now(self) -> tuple[Trouble, ...]:
        """What counts now, oldest first."""
        with self._lock:
            return tuple(each.trouble for each in self._seen.values() if each.counts)

    def ended(self) -> tuple[Trouble, ...]:
        """What is over, newest first."""
        with self._lock:
            return tuple(reversed(self._ended))

    def update(self, found: Iterable[Trouble], now_s: float) -> list[Trouble]:
        """Take all that is wrong at `now_s`; returns what began to count and what ended with it (`until_s` is set)."""
        with self._lock:
            return self._update(found, now_s)

    def _update(self, found: Iterable[Trouble], now_s: float) -> list[Trouble]:
        changes = []
        for trouble in found:
            seen = self._seen.setdefault((trouble.name, trouble.about), _Seen(trouble, now_s))
            seen.trouble = replace(trouble, since_s=seen.trouble.since_s, until_s=None)
            seen.last_s = now_s
            if not seen.counts and now_s - seen.trouble.since_s >= self._patience[trouble.name].before_s:
                seen.counts = True
                self.begun += 1
                changes.append(seen.trouble)
        for key, seen in list(self._seen.items()):
            gone_s = now_s - seen.last_s
            if gone_s > 0.0 and (not seen.counts or gone_s >= self._patience[key[0]].after_s):
                del self._seen[key]
                if seen.counts:
                    self._ended.append(replace(seen.trouble, until_s=seen.last_s))
                    changes.append(self._ended[-1])
        return changes


def sentence(trouble: Trouble) -> str:
    """A trouble in a line, without its times."""
    return f"{trouble.name}{f' ({trouble.about})' if trouble.about else ''}: {trouble.reason}"
