"""How much the spool writes to the disk, and how long its next commit should wait so that a day's budget holds.

Memory cards wear with what is written. The kernel counts what a thread sends to storage, in whole pages
(`write_bytes` of proc(5)'s /proc/thread-self/io); the file system's own journal comes on top. A file system in memory
counts nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_IO = Path("/proc/thread-self/io")
DAY_S = 86_400.0
# So much of a day's budget may be spent at once: a burst is committed without waiting.
_BURST_S = 3600.0
# What is offered is committed after this at the latest, whatever the budget says.
LONGEST_PAUSE_S = 10.0
# Messages that come within this share one commit even while the budget is full.
SHORTEST_PAUSE_S = 0.05
_BIN_S = 3600.0


def thread_written_bytes() -> int | None:
    """Bytes that this thread has sent to storage since it began; None where the kernel does not say."""
    try:
        for line in _IO.read_text().splitlines():
            if line.startswith("write_bytes:"):
                return int(line.split()[1])
    except (OSError, ValueError):
        return None
    return None


class WriteBudget:
    """Counts what is written and says how long to wait before the next commit.

    Args:
        bytes_a_day: The budget; 0 = none.
        measure: Says how much the calling thread has written so far.
        now_s: Monotonic seconds.
    """

    def __init__(
        self,
        bytes_a_day: float,
        measure: Callable[[], int | None] = thread_written_bytes,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.bytes_a_day = bytes_a_day
        self.written_bytes: int | None = 0
        self._measure = measure
        self._now_s = now_s
        self._rate = bytes_a_day / DAY_S
        self._left = self._rate * _BURST_S
        self._at_s = now_s()
        self._bins: dict[int, int] = {}

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Count what the calling thread writes inside."""
        before = self._measure()
        try:
            yield
        finally:
            after = self._measure()
            if before is None or after is None:
                self.written_bytes = None
            else:
                self._spend(after - before)

    def pause_s(self) -> float:
        """Seconds between the last commit and the next."""
        if self._rate <= 0:
            return SHORTEST_PAUSE_S
        self._refill()
        return min(LONGEST_PAUSE_S, max(SHORTEST_PAUSE_S, -self._left / self._rate))

    def day_bytes(self) -> int | None:
        """Bytes written in the last 24 hours (to the hour)."""
        if self.written_bytes is None:
            return None
        oldest = int((self._now_s() - DAY_S) // _BIN_S)
        return sum(written for hour, written in self._bins.items() if hour > oldest)

    def _spend(self, count: int) -> None:
        self._refill()
        self._left = max(self._left - count, -self._rate * LONGEST_PAUSE_S)
        if self.written_bytes is not None:
            self.written_bytes += count
        hour = int(self._now_s() // _BIN_S)
        self._bins[hour] = self._bins.get(hour, 0) + count
        for old in [each for each in self._bins if each < hour - 24]:
            del self._bins[old]

    def _refill(self) -> None:
        now_s = self._now_s()
        self._left = min(self._rate * _BURST_S, self._left + self._rate * (now_s - self._at_s))
        self._at_s = now_s
