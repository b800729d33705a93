"""The wall clock, read only where something is stamped, and whether it can be believed."""

from __future__ import annotations

import ctypes
import functools
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from comfywear.libc import libc

# No clock of a device that runs this code can truly show an earlier year.
EARLIEST_YEAR = 2026
_HARDWARE_CLOCKS = Path("/sys/class/rtc")
_TIMEX_BYTES = 512  # larger than struct timex of any Linux; zeroed, so that `modes` asks for reading alone
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
    for setter in _HARDWARE_CLOCKS.glob("*/hctosys"):
        with suppress(OSError):
            if setter.read_text().strip() == "1":
                return True
    return False
