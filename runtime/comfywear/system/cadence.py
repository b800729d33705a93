"""When something is said: at once when it changes, not more often than a gap, and now and then all the same."""

from __future__ import annotations

from collections.abc import Hashable


class Cadence:
    """Remembers what was said last about each key.

    Args:
        interval_s: What does not change is said again after so long.
        gap_s: What changes is said at most so often.
    """

    def __init__(self, interval_s: float, gap_s: float) -> None:
        self._interval_s = interval_s
        self._gap_s = gap_s
        self._said: dict[str, tuple[float, Hashable]] = {}

    def forget(self) -> None:
        """Everything is due again, as at the start."""
        self._said.clear()

    def due(self, key: str, content: Hashable, now_s: float) -> bool:
        """True when `content` of `key` should go out at `now_s` (monotonic seconds); it then counts as said."""
        last = self._said.get(key)
        if last is not None:
            age_s = now_s - last[0]
            wait_s = self._gap_s if content != last[1] else self._interval_s
            if age_s < wait_s:
                return False
        self._said[key] = (now_s, content)
        return True
