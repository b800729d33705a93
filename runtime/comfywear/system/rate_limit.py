"""How often something may happen: so much at once and so much in the long run, or so often a client in a window."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

__all__ = ["Bucket", "Limiter"]

_MANY_CLIENTS = 1000


class Bucket:
    """Lets `burst` through at once, and `per_s` a second in the long run."""

    def __init__(self, burst: int, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst, self._per_s, self._clock = burst, per_s, clock
        self._left, self._last_s = float(burst), clock()

    def take(self) -> bool:
        """True when one more may pass."""
        now_s = self._clock()
        self._left = min(self._burst, self._left + (now_s - self._last_s) * self._per_s)
        self._last_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Limiter:
    """So many events of a client within a window.

    Args:
        most: Events of one client within the window.
        window_s: Its length.
        clock: Monotonic seconds.
    """

    def __init__(self, most: int, window_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._window_s = window_s
        self._clock = clock
        self._events: dict[str, deque[float]] = {}

    def wait_s(self, client: str) -> float:
        """How long the client must wait; 0 when it need not."""
        events = self._recent(client)
        return 0.0 if len(events) < self._most else events[0] + self._window_s - self._clock()

    def note(self, client: str) -> None:
        """One more event."""
        if len(self._events) >= _MANY_CLIENTS:
            self._events = {known: events for known in list(self._events) if (events := self._recent(known))}
        while len(self._events) >= _MANY_CLIENTS:
            self._events.pop(next(iter(self._events)))
        events = self._events.pop(client, deque(maxlen=self._most))
        events.append(self._clock())
        self._events[client] = events  # last: who was quiet longest is forgotten first

    def _recent(self, client: str) -> deque[float]:
        events = self._events.get(client, deque())
        while events and self._clock() - events[0] >= self._window_s:
            events.popleft()
        return events
