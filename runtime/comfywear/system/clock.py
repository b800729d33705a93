"""The wall clock, read only where something is stamped, and whether it can be believed."""

from __future__ import annotations

import ctypes
import functools
import platform
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

from comfywear.system.files import matching
from comfywear.system.libc import libc

# No clock of a device that runs this code can truly show an earlier year.
EARLIEST_YEAR = 2026
JUMP_S, LASTING_S = 3600.0, 86_400.0
"""A clock that is so far ahead has jumped; so long it must stay there to be believed."""
_HARDWARE_CLOCKS = Path("/sys/class/rtc")
_TIMEX_BYTES = 512  # larger than struct timex of any Linux; zeroed, so that `modes` asks for reading alone
_REMEMBERED = 200  # moments that are said at the same time are fewer
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
# systemd-timesyncd makes this file when it has set the clock. The service may not ask the kernel: the system call that
# tells is the one that sets (docs/service.md).
_SET_BY_TIMESYNCD = Path("/run/systemd/timesync/synchronized")


class WallTime(NamedTuple):
    """A stamp: `ts` is ISO 8601 UTC with milliseconds, or None while the clock is not set (`time_ok` false)."""

    ts: str | None
    time_ok: bool


Clock = Callable[[], WallTime]


def wall_time() -> WallTime:
    """The time now, or (None, False) while this machine's clock is not known to be set."""
    now = time.time()
    if not clock_is_set(now):
        return WallTime(None, False)
    return WallTime(datetime.fromtimestamp(now, timezone.utc).isoformat(timespec="milliseconds"), True)


class WallMoments:
    """The wall-clock times of monotonic moments, each worked out once: what is said again is the same to the second.

    Args:
        clock: Says the time and whether it can be believed.
    """

    def __init__(self, clock: Clock = wall_time) -> None:
        self._clock = clock
        self._known: OrderedDict[float, str] = OrderedDict()

    def of(self, monotonic_s: float, now_s: float) -> str | None:
        """ISO 8601 UTC of `monotonic_s`; `now_s` is now. None while the clock is not known to be set."""
        found = self._known.get(monotonic_s)
        if found is not None:
            self._known.move_to_end(monotonic_s)  # what is still said is not the one that is forgotten
        else:
            ts = self._clock().ts
            if ts is None:
                return None
            moment = datetime.fromisoformat(ts) - timedelta(seconds=now_s - monotonic_s)
            found = self._known[monotonic_s] = moment.isoformat(timespec="seconds")
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found


def clock_is_set(unix_time_s: float) -> bool:
    """True when the year is plausible and the time came from somewhere: the network or a clock that runs while off."""
    if datetime.fromtimestamp(unix_time_s, timezone.utc).year < EARLIEST_YEAR:
        return False
    return _SET_BY_TIMESYNCD.exists() or _kernel_is_synchronised() or _has_hardware_clock()


def _kernel_is_synchronised() -> bool:
    """What the kernel says of NTP, by adjtimex(2); False where it cannot be asked."""
    try:
        state: int = libc().adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return False
    return 0 <= state < _TIME_ERROR


@functools.cache
def _has_hardware_clock() -> bool:
    """True when a battery-backed clock set the time at boot: every PC has one, most single boards have none."""
    if platform.machine() in ("x86_64", "AMD64"):
        return True
    for setter in matching(_HARDWARE_CLOCKS, "*/hctosys"):
        with suppress(OSError):
            if setter.read_text().strip() == "1":
                return True
    return False


class SteadyTime:
    """Unix time for ages, which no jump of the clock makes older: a jump ahead counts once it has lasted for a day.

    Args:
        wall: Unix time.
        monotonic: Seconds that no setting of the clock moves.
    """

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._believed_s, self._at_s = wall(), monotonic()
        self._ahead_since_s: float | None = None

    def __call__(self) -> float:
        """The time that can be believed now."""
        wall_s, now_s = self._wall(), self._monotonic()
        due_s = self._believed_s + now_s - self._at_s
        if wall_s - due_s <= JUMP_S:
            self._ahead_since_s = None
            due_s = wall_s
        else:
            self._ahead_since_s = now_s if self._ahead_since_s is None else self._ahead_since_s
            if now_s - self._ahead_since_s >= LASTING_S:
                due_s, self._ahead_since_s = wall_s, None
        self._believed_s, self._at_s = due_s, now_s
        return due_s
