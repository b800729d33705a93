"""An event that a signal's handler may set."""

from __future__ import annotations

import queue
import threading
from contextlib import suppress

__all__ = ["SignalEvent"]


class SignalEvent(threading.Event):
    """A `threading.Event` whose `set()` may be called from a signal's handler.

    Python runs a handler between two instructions of the main thread. Where that thread is just inside `wait()` of a
    plain event, it holds the event's lock, and a handler that sets the event waits for that lock for ever. Putting
    something on a `SimpleQueue` is what the standard library promises to be safe there.
    """

    def __init__(self) -> None:
        super().__init__()
        self._rung = False
        self._words: queue.SimpleQueue[None] = queue.SimpleQueue()

    def is_set(self) -> bool:
        """Whether it was set, and not cleared since."""
        return self._rung

    def set(self) -> None:
        """Set it: from any thread, or a signal's handler."""
        self._rung = True
        self._words.put(None)

    def clear(self) -> None:
        """Clear it: from the thread that waits."""
        self._rung = False
        with suppress(queue.Empty):
            while True:
                self._words.get_nowait()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` seconds; returns whether it is set."""
        if not self._rung:
            with suppress(queue.Empty):
                self._words.get(timeout=timeout)
                self._words.put(None)  # for another thread that waits
        return self._rung
