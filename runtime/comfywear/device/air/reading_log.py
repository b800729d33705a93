"""What each sensor said, uncorrected, and how warm the board was meanwhile; in memory, for calibrating."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import fmean
from typing import NamedTuple

from comfywear_sensors import DEFAULT_LIMITS, Reading
from comfywear_sensors.gate import Gate
from comfywear_sensors.steadiness import Steadiness

__all__ = ["Heard", "ReadingLog"]

RECENT = 1800
MINUTES = 24 * 60
QUANTITIES = ("air_temp_c", "humidity_pct")
_BOARD_EVERY_S = 5.0
_AGAIN_S = 1.0  # readings nearer than this to the one before say nothing new


class Heard(NamedTuple):
    """One reading, or the mean of a minute's: time (monotonic, s), °C, %, °C of the board; NaN where not known."""

    at_s: float
    air_temp_c: float
    humidity_pct: float
    board_temp_c: float


@dataclass(slots=True)
class _Source:
    gate: Gate = field(default_factory=lambda: Gate(DEFAULT_LIMITS))
    recent: deque[Heard] = field(default_factory=lambda: deque(maxlen=RECENT))
    minutes: deque[Heard] = field(default_factory=lambda: deque(maxlen=MINUTES))
    minute: list[Heard] = field(default_factory=list)
    steps: dict[str, Steadiness] = field(default_factory=lambda: {name: Steadiness() for name in QUANTITIES})


class ReadingLog:
    """Every method may be called from any thread.

    Args:
        board_temp_c: The board's temperature, °C; None where it says none.
    """

    def __init__(self, board_temp_c: Callable[[], float | None]) -> None:
        self._ask_board = board_temp_c
        self._board: float | None = None
        self._asked_s = -math.inf
        self._sources: dict[str, _Source] = {}
        self._lock = threading.Lock()

    def add(self, reading: Reading) -> float | None:
        """Remember a reading, less what the gate refuses; returns the board's temperature beside it."""
        with self._lock:
            board = self._board_at(reading.monotonic_s)
            source = self._sources.setdefault(reading.source, _Source())
            said = source.gate.admit(reading)
            if said and (not source.recent or reading.monotonic_s - source.recent[-1].at_s >= _AGAIN_S):
                heard = Heard(
                    reading.monotonic_s,
                    said.get("air_temp_c", math.nan),
                    said.get("humidity_pct", math.nan),
                    math.nan if board is None else board,
                )
                self._keep(source, heard)
            return board

    def recent(self, source: str) -> list[Heard]:
        """The newest readings of a source, the oldest first."""
        with self._lock:
            return list(self._sources[source].recent) if source in self._sources else []

    def minutes(self, source: str) -> list[Heard]:
        """Means of each minute, of a day at most, the oldest first."""
        with self._lock:
            return list(self._sources[source].minutes) if source in self._sources else []

    def resolution(self, source: str, quantity: str) -> float | None:
        """The smallest step of a source's quantity; None before it spoke."""
        with self._lock:
            steps = self._sources[source].steps[quantity] if source in self._sources else None
            return None if steps is None or math.isnan(steps.value) else steps.resolution()

    def board_temp_c(self, now_s: float) -> float | None:
        """The board's temperature now."""
        with self._lock:
            return self._board_at(now_s)

    def _board_at(self, now_s: float) -> float | None:
        if now_s - self._asked_s >= _BOARD_EVERY_S:
            self._asked_s, self._board = now_s, self._ask_board()
        return self._board

    def _keep(self, source: _Source, heard: Heard) -> None:
        source.recent.append(heard)
        for name in QUANTITIES:
            if not math.isnan(value := getattr(heard, name)):
                source.steps[name].add(value, heard.at_s)
        if source.minute and heard.at_s // 60 != source.minute[0].at_s // 60:
            source.minutes.append(_mean(source.minute))
            source.minute = []
        source.minute.append(heard)


def _mean(every: list[Heard]) -> Heard:
    known = [[value for value in column if not math.isnan(value)] for column in zip(*every, strict=True)]
    return Heard(*(fmean(column) if column else math.nan for column in known))
