"""What a collector has done, and a line about it once in a while."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace

from comfywear.collect.store import Totals

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Counts:
    """Since the start.

    Attributes:
        messages: Stored.
        repeats: Came, and were stored already.
        refused: Payloads set aside.
        batches: Commits of messages.
        answers: Confirmations and requests published.
    """

    messages: int = 0
    repeats: int = 0
    refused: int = 0
    batches: int = 0
    answers: int = 0


class Progress:
    """Says how it goes, at most every `every_s` seconds; never when that is 0."""

    def __init__(self, counts: Counts, every_s: float) -> None:
        self._counts = counts
        self._every_s = every_s
        self._before = replace(counts)
        self._since_s = time.monotonic()

    @property
    def due(self) -> bool:
        """True when a line is due."""
        return self._every_s > 0 and time.monotonic() - self._since_s >= self._every_s

    def say(self, totals: Totals | None) -> None:
        """One line about the time since the last; `totals` None when the database is away."""
        now_s = time.monotonic()
        new, old = self._counts, self._before
        rate = (new.messages - old.messages) / max(now_s - self._since_s, 1e-3)
        batches = max(1, new.batches - old.batches)
        missing = "the database is away" if totals is None else f"{totals.missing} missing in {totals.gaps} gaps"
        _log.info(
            "%d messages stored (%.1f/s, %.1f a commit), %d repeats, %d refused, %d confirmations; %s",
            new.messages,
            rate,
            (new.messages - old.messages) / batches,
            new.repeats,
            new.refused,
            new.answers,
            missing,
        )
        self._before, self._since_s = replace(new), now_s
