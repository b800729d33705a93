"""The limit of the device's memory: above it, looking is closed and opened anew, and not too often."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from comfywear.system.libc import libc
from comfywear.texts import Text

__all__ = ["MemoryGuard", "give_back", "limit_mb"]

_log = logging.getLogger(__name__)

_SHARE = 2 / 3
FIRST_PAUSE_S, LONGEST_PAUSE_S = 600.0, 6 * 3600.0


class MemoryGuard:
    """Says when memory is above its limit, and has looking opened anew; pure but for the call of `reopen`.

    Where that did not help, it is tried again later each time: what else has grown is not in looking's hands.

    Attributes:
        limit_mb: The limit in MB; None where it is not known.
        reopened: How often looking was opened anew so far.
    """

    def __init__(self, limit_mb: float | None, reopen: Callable[[str], None] | None) -> None:
        self.limit_mb = limit_mb
        self.reopened = 0
        self._reopen = reopen
        self._pause_s = FIRST_PAUSE_S
        self._next_s = float("-inf")
        self._calm_since_s: float | None = None

    def check(self, now_s: float, rss_mb: float | None) -> str | None:
        """What is wrong with `rss_mb` at `now_s` (monotonic), in words; None while it is below the limit."""
        if self.limit_mb is None or rss_mb is None:
            return None
        if rss_mb <= self.limit_mb:
            self._calm_since_s = now_s if self._calm_since_s is None else self._calm_since_s
            if now_s - self._calm_since_s > LONGEST_PAUSE_S:
                self._pause_s = FIRST_PAUSE_S
            return None
        self._calm_since_s = None
        said = Text("{rss} MB of {limit} MB", rss=f"{rss_mb:.0f}", limit=f"{self.limit_mb:.0f}")
        if self._reopen is not None and now_s >= self._next_s:
            self._next_s = now_s + self._pause_s
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            self.reopened += 1
            self._reopen(said)
        return Text("{said} are used; looking was opened anew {reopened} times", said=said, reopened=self.reopened)


def limit_mb(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Two thirds of what this process may have, in MB (10⁶ bytes): of the machine's memory or its control group's."""
    found = []
    with suppress(OSError, ValueError, IndexError):
        line = next(line for line in (proc / "meminfo").read_text().splitlines() if line.startswith("MemTotal:"))
        found.append(1024 * int(line.split()[1]))
    with suppress(OSError, ValueError, IndexError):
        for line in (proc / "self" / "cgroup").read_text().splitlines():
            group = line.split(":", 2)[2].lstrip("/")
            found.append(int((groups / group / "memory.max").read_text()))
    return _SHARE * min(found) / 1e6 if found else None


def give_back() -> None:
    """Return freed memory to the system: the C library keeps it otherwise."""
    gc.collect()
    with suppress(OSError, AttributeError):
        libc().malloc_trim(0)
