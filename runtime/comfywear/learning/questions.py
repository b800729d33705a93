"""Which question each zone shows now: one that somebody asked for, or one that the learning has."""

from __future__ import annotations

import time
from collections.abc import Callable

from comfywear.comfort.votes.asking import Question

# A question that was asked for stands until somebody votes in the zone, but not longer.
STANDS_S = 600.0
GENERAL = "How do you feel here right now? Please press 1 (uncomfortable) … 5 (comfortable)."


class Questions:
    """Questions by zone; every method may be called from any thread.

    Args:
        learnt: The question that the learning has for a zone, or None.
        clock: Monotonic seconds.
    """

    def __init__(
        self, learnt: Callable[[str], Question | None] = lambda _: None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._learnt = learnt
        self._clock = clock
        self._until_s: dict[str, float] = {}

    def ask_now(self, zone: str) -> Question:
        """Ask the people of `zone` now; returns the question that stands."""
        self._until_s[zone] = self._clock() + STANDS_S
        found = self.of(zone)
        assert found is not None
        return found

    def answered(self, zone: str) -> None:
        """Somebody voted in `zone`: what was asked for has its answer."""
        self._until_s.pop(zone, None)

    def of(self, zone: str) -> Question | None:
        """The question that stands in `zone`."""
        learnt = self._learnt(zone)
        if self._until_s.get(zone, float("-inf")) < self._clock():
            return learnt
        return Question(GENERAL, requested=True) if learnt is None else learnt._replace(requested=True)
