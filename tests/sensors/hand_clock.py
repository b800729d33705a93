"""A clock that tests move by hand."""

from __future__ import annotations


class HandClock:
    """Moves only when told to, or slept on."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.slept.append(seconds)
            self.now_s += seconds
