"""Waits until the next frame is due."""

from __future__ import annotations

import time

__all__ = ["FramePace"]


class FramePace:
    """A beat of `fps` a second; a late frame doesn't make the following ones hurry."""

    def __init__(self, fps: float) -> None:
        self._step = 1.0 / fps
        self._due = time.monotonic()

    def wait(self) -> None:
        """Sleep until the next beat."""
        now = time.monotonic()
        self._due = max(self._due + self._step, now)
        time.sleep(self._due - now)
