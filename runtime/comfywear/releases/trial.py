"""Whether a model in its first minutes of service is as fast as it must be: a pure judgement of what it costs."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median

__all__ = ["LEAST_LOOKS", "TrialWatch", "Verdict"]

LEAST_LOOKS = 30
"""Calls of the engine that are judged together; with fewer, a model is neither kept nor rolled back."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of a trial: whether the model stays, and why."""

    good: bool
    said: str


class TrialWatch:
    """Follows what a picture costs inside the engine.

    One slow picture is nothing: the median of the last `LEAST_LOOKS` calls is what must hold. A model that is not
    needed for a while (nobody is there to look at) stays on trial.

    Args:
        limit_ms: What a picture may cost; None = there was no model to compare with, so that any time will do.
        lasts_s: For how long.
        now_s: The monotonic clock at the beginning.
    """

    def __init__(self, limit_ms: float | None, lasts_s: float, now_s: float) -> None:
        self._limit_ms, self._lasts_s, self._began_s = limit_ms, lasts_s, now_s
        self._costs: deque[float] = deque(maxlen=LEAST_LOOKS)
        self._seconds, self._pictures = 0.0, 0

    def add(self, seconds: float, pictures: int, now_s: float) -> Verdict | None:
        """Take the engine's counts so far; the verdict, once there is one.

        Args:
            seconds: Inside the engine since it was loaded.
            pictures: In that time.
            now_s: The monotonic clock.
        """
        if pictures > self._pictures:
            self._costs.append(1e3 * (seconds - self._seconds) / (pictures - self._pictures))
            self._seconds, self._pictures = seconds, pictures
        if len(self._costs) < LEAST_LOOKS:
            return None
        cost_ms = median(self._costs)
        if self._limit_ms is not None and cost_ms > self._limit_ms:
            return Verdict(False, f"too slow at work: {cost_ms:.3g} ms a picture, {self._limit_ms:.3g} ms is the limit")
        if now_s - self._began_s < self._lasts_s:
            return None
        return Verdict(True, f"{cost_ms:.3g} ms a picture at work")
