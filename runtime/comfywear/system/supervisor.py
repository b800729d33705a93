"""Workers: the only place where the device starts threads, watches them, and starts them again.

A worker is a function of a `Pulse`. It beats the pulse in its loop and returns when the pulse says stop; whatever it
raises is said in one log line and the worker is started again, later each time. One that fails again and again is given
a long rest between its attempts, and never given up: what it waits for may come back after weeks.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Queue
from typing import TypeVar, cast

from comfywear.errors import ComfyWearError
from comfywear_sensors import backoff
from comfywear_sensors.redaction import redact

__all__ = ["Pulse", "Supervisor", "WorkerHealth", "WorkerLoop", "attend", "summary"]

_log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
# After so many failures in a row it costs more than it can bring: it rests for so long between attempts.
TIRED_AFTER, RESTING_PAUSE_S = 20, 600.0
JITTER = (0.8, 1.2)
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


WorkerLoop = Callable[[Pulse], None]
T = TypeVar("T")
_ATTEND_S = 0.5


def pause_s(failures: int) -> float:
    """The pause, before jitter, after so many failures in a row (1 or more)."""
    return RESTING_PAUSE_S if failures >= TIRED_AFTER else backoff.pause_s(FIRST_PAUSE_S, LONGEST_PAUSE_S, failures)


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
    def __init__(self, name: str, work: WorkerLoop, hang_after_s: float, stop: threading.Event) -> None:
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
                failure = redact(f"{type(error).__name__}: {error}")
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
            self.pulse.stop.wait(backoff.jittered(pause_s(in_a_row), JITTER))

    def health(self) -> WorkerHealth:
        age = time.monotonic() - self.pulse.last_beat_s
        state = "running" if self.running else "resting" if self.resting else "waiting"
        if self.running and age > self.hang_after_s:
            state = "hung"
        return WorkerHealth(state, age, self.restarts, self.failure)


def attend(
    work: Callable[[], T],
    stop: threading.Event,
    beat: Callable[[], None],
    *,
    late: Callable[[T], object] = lambda _: None,
    patience_s: float = 180.0,
) -> T:
    """What `work` returns, done in a thread of its own while its worker gives signs of life.

    For what may wait for long without being broken: a name server, a connection, a slow card.

    Args:
        work: Called once; whatever it raises is raised here.
        stop: When it is set, nothing is waited for any longer.
        beat: Called about every second.
        late: Called with the result of `work` that nobody waits for any more, to let go of it.
        patience_s: After so long it counts as hung.

    Raises:
        ComfyWearError: When `stop` was set, or `work` took longer than `patience_s`; its thread ends by itself.
    """
    result: Queue[tuple[T | None, BaseException | None]] = Queue(1)
    given_up = threading.Event()

    def do() -> None:
        try:
            found = work()
        except BaseException as error:  # raised where it is waited for
            result.put((None, error))
            return
        result.put((found, None))
        if given_up.is_set():
            with suppress(Empty):
                result.get_nowait()
                late(found)

    threading.Thread(target=do, name=f"{threading.current_thread().name} (waiting)", daemon=True).start()
    deadline = time.monotonic() + patience_s
    while True:
        beat()
        try:
            found, error = result.get(timeout=_ATTEND_S)
        except Empty:
            if not stop.is_set() and time.monotonic() < deadline:
                continue
            given_up.set()
            try:  # it may have come to an end right now
                found, error = result.get_nowait()
            except Empty:
                why = "stopped" if stop.is_set() else f"no answer within {patience_s:.0f} s"
                raise ComfyWearError(f"given up: {why}") from None
        if error is not None:
            raise error
        return cast(T, found)


class Supervisor:
    """Starts workers, starts failed ones again, says how each is, and stops them all."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._workers: dict[str, _Worker] = {}

    def add(self, name: str, work: WorkerLoop, *, hang_after_s: float = 30.0) -> None:
        """Add a worker before `start()`; without a beat for `hang_after_s` it counts as hung.

        Raises:
            ValueError: When there is a worker of this name: it would never run.
        """
        if name in self._workers:
            raise ValueError(f"two workers are named {name!r}")
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
