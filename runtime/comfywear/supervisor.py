"""Workers: the only place where the device starts threads, watches them, and starts them again.

A worker is a function of a `Pulse`. It beats the pulse in its loop and returns when the pulse says stop; whatever it
raises is said in one log line and the worker is started again, later each time. One that fails again and again is given
a long rest between its attempts, and never given up: what it waits for may come back after weeks.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from comfywear.errors import ComfyWearError

__all__ = ["Pulse", "Supervisor", "Work", "WorkerHealth", "summary"]

_log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
# After so many failures in a row it costs more than it can bring: it rests for so long between attempts.
TIRED_AFTER, RESTING_PAUSE_S = 20, 600.0
# A worker that ran this long before it failed begins again with the shortest pause.
SETTLED_AFTER_S = 60.0


class Pulse:
    """A worker's side of the supervisor: `beat()` says "alive", `wait(s)` sleeps, `stopping` says when to return."""

    def __init__(self, stop: threading.Event, clock: Callable[[], float]) -> None:
        self.stop = stop
        self._clock = clock
        self.last_beat_s = clock()

    @property
    def stopping(self) -> bool:
        """True when the worker should return."""
        return self.stop.is_set()

    def beat(self) -> None:
        """Say that the worker is alive."""
        self.last_beat_s = self._clock()

    def wait(self, seconds: float) -> bool:
        """Beat, sleep at most `seconds`, and return True when the worker should go on."""
        self.beat()
        return not self.stop.wait(seconds)


Work = Callable[[Pulse], None]


def pause_s(failures: int) -> float:
    """The pause, before jitter, after so many failures in a row (1 or more)."""
    if failures >= TIRED_AFTER:
        return RESTING_PAUSE_S
    return float(min(FIRST_PAUSE_S * 2 ** min(failures - 1, 30), LONGEST_PAUSE_S))


@dataclass(frozen=True, slots=True)
class WorkerHealth:
    """How a worker is: `beat_age_s` seconds since its last beat, `restarts` since the start, `failure` its last.

    `state` is "running", "waiting" (for its next attempt), "resting" (the same, after many failures), or "hung".
    """

    state: str
    beat_age_s: float
    restarts: int
    failure: str | None


def summary(health: Mapping[str, WorkerHealth]) -> str:
    """How the workers are, in one line; each that does not run is named with its last failure."""
    idle = {name: each for name, each in health.items() if each.state != "running"}
    said = [f"{name} {each.state}" + (f": {each.failure}" if each.failure else "") for name, each in idle.items()]
    return "; ".join([f"{len(health) - len(idle)} of {len(health)} workers run", *said])


class _Worker:
    def __init__(self, name: str, work: Work, hang_after_s: float, stop: threading.Event) -> None:
        self.name = name
        self.work = work
        self.hang_after_s = hang_after_s
        self.pulse = Pulse(stop, time.monotonic)
        self.restarts = 0
        self.failure: str | None = None
        self.running = self.resting = False
        self.thread = threading.Thread(target=self._live, name=name, daemon=True)

    def _live(self) -> None:
        in_a_row = 0
        while not self.pulse.stopping:
            started = time.monotonic()
            self.running = True
            self.pulse.beat()
            try:
                self.work(self.pulse)
                failure = "returned before it was asked to"
            except ComfyWearError as error:
                failure = str(error)
            except Exception as error:  # a worker's bug must not take the device down
                failure = f"{type(error).__name__}: {error}"
                _log.debug("worker %s failed", self.name, exc_info=True)
            self.running = False
            if self.pulse.stop.is_set():
                return
            in_a_row = 1 if time.monotonic() - started > SETTLED_AFTER_S else in_a_row + 1
            if failure != self.failure:
                _log.error("worker %s failed, starting again: %s", self.name, failure)
            self.failure = failure
            self.restarts += 1
            self.resting = in_a_row >= TIRED_AFTER
            if in_a_row == TIRED_AFTER:
                _log.error("worker %s failed %d times in a row: tried every %g s", self.name, in_a_row, RESTING_PAUSE_S)
            self.pulse.stop.wait(pause_s(in_a_row) * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret

    def health(self) -> WorkerHealth:
        age = time.monotonic() - self.pulse.last_beat_s
        state = "running" if self.running else "resting" if self.resting else "waiting"
        if self.running and age > self.hang_after_s:
            state = "hung"
        return WorkerHealth(state, age, self.restarts, self.failure)


class Supervisor:
    """Starts workers, starts failed ones again, says how each is, and stops them all."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._workers: dict[str, _Worker] = {}

    def add(self, name: str, work: Work, *, hang_after_s: float = 30.0) -> None:
        """Add a worker before `start()`; without a beat for `hang_after_s` it counts as hung."""
        self._workers[name] = _Worker(name, work, hang_after_s, self._stop)

    def start(self) -> None:
        """Start every worker."""
        for worker in self._workers.values():
            worker.thread.start()

    def health(self) -> Mapping[str, WorkerHealth]:
        """How each worker is."""
        return {name: worker.health() for name, worker in self._workers.items()}

    def stop(self, timeout_s: float = 5.0) -> list[str]:
        """Ask all workers to return and wait; returns the names of those that did not within `timeout_s`."""
        self._stop.set()
        deadline = time.monotonic() + timeout_s
        for worker in self._workers.values():
            if worker.thread.ident is not None:
                worker.thread.join(max(0.0, deadline - time.monotonic()))
        return [name for name, worker in self._workers.items() if worker.thread.is_alive()]
