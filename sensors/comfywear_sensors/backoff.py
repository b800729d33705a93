"""Ever longer pauses between attempts, with chance in them, so that a thousand devices do not come back at once."""

from __future__ import annotations

import random
from collections.abc import Callable

__all__ = ["BackOff", "jittered", "pause_s"]

Share = tuple[float, float]
_MOST_DOUBLINGS = 30


def pause_s(first_s: float, longest_s: float, failures: int) -> float:
    """The pause, before jitter, after so many failures in a row (1 or more): it doubles up to the longest."""
    return min(first_s * 2.0 ** min(failures - 1, _MOST_DOUBLINGS), longest_s)


def jittered(seconds: float, share: Share, chance: Callable[[], float] = random.random) -> float:
    """Between the first and the second `share` of `seconds`, as `chance` (0…1) has it."""
    low, high = share
    return seconds * (low + (high - low) * chance())


class BackOff:
    """The pauses of one thing that is tried again and again.

    Args:
        first_s: The first pause, before jitter.
        longest_s: The longest.
        share: Which part of it is waited: from … to, by chance.
        chance: Numbers in 0…1.

    Attributes:
        failures: In a row, so far.
    """

    def __init__(
        self,
        first_s: float,
        longest_s: float,
        *,
        share: Share = (0.5, 1.0),
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.longest_s = longest_s
        self.failures = 0
        self._first_s = first_s
        self._share, self._chance = share, chance

    def fail(self) -> float:
        """It failed once more: how many seconds to wait now."""
        self.failures += 1
        return jittered(pause_s(self._first_s, self.longest_s, self.failures), self._share, self._chance)

    def settle(self) -> None:
        """It works: the next pause is the first again."""
        self.failures = 0
