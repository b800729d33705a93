"""How old what is stored is, in seconds that never go back: not when the clock is set, not over a restart.

While the device runs they follow the clock that counts since boot. Over a restart of the process the same clock is
still there (the boot has an id). Over a reboot the wall clock says how long it was off, where it was set before and
after; where it was not, the time without power does not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from comfywear.system.clock import clock_is_set

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Moment(NamedTuple):
    """Now, by every clock there is: the boot's id, seconds since boot, and Unix time where it can be believed."""

    boot: str
    since_boot_s: float
    wall_s: float | None


def moment() -> Moment:
    """The moment of the call."""
    wall_s = time.time()
    return Moment(_boot(), time.clock_gettime(time.CLOCK_BOOTTIME), wall_s if clock_is_set(wall_s) else None)


class Anchor(msgspec.Struct, frozen=True):
    """A moment and the age that the store had then."""

    age_s: float
    boot: str
    since_boot_s: float
    wall_s: float | None


class StoreClock:
    """The age of a store.

    Args:
        anchor: What was remembered before the last stop, or None for a new store.
        at_least_s: An age that the store is known to have reached (its newest row's).
        now: Says the moment.
    """

    def __init__(
        self, anchor: Anchor | None = None, at_least_s: float = 0.0, now: Callable[[], Moment] = moment
    ) -> None:
        self._now = now
        self._start = now()
        self._age_s = max(at_least_s, _resumed_s(anchor, self._start) if anchor else 0.0)

    def age_s(self) -> float:
        """The store's age in seconds."""
        return self._age_s + max(0.0, self._now().since_boot_s - self._start.since_boot_s)

    def anchor(self) -> Anchor:
        """What to remember for the next start."""
        now = self._now()
        age_s = self._age_s + max(0.0, now.since_boot_s - self._start.since_boot_s)
        return Anchor(age_s, *now)


def _resumed_s(anchor: Anchor, now: Moment) -> float:
    """The age at `now` of a store that was `anchor.age_s` old at the anchor."""
    if anchor.boot and anchor.boot == now.boot:
        return anchor.age_s + max(0.0, now.since_boot_s - anchor.since_boot_s)
    if anchor.wall_s is not None and now.wall_s is not None:
        return anchor.age_s + max(0.0, now.wall_s - anchor.wall_s)
    return anchor.age_s


def _boot() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""
