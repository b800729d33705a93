"""A reader that never gives up: it opens its sensor again after every fault, and says so once.

Quiet is no fault: a door through which a sensor speaks by itself stays open however long nothing comes. Whether what
was heard last is still of use is for the climate to say (`stale_after_s`).
"""

from __future__ import annotations

import logging
import random
from collections import deque
from collections.abc import Callable
from typing import Literal

from comfywear_sensors.backoff import BackOff
from comfywear_sensors.clock import SYSTEM_CLOCK, Clock
from comfywear_sensors.errors import (
    BadSensorURI,
    EndOfRecording,
    MissingPackage,
    NotAReading,
    ReaderTimeout,
    SensorError,
)
from comfywear_sensors.reading import Reading
from comfywear_sensors.redaction import redact
from comfywear_sensors.registry import DEFAULT_TIMEOUT_S, Reader, open_reader
from comfywear_sensors.texts import Text
from comfywear_sensors.uri import SensorURI

_log = logging.getLogger(__name__)

State = Literal["waiting", "up", "silent", "down", "ended"]

_FLAPS_WITHIN_S = 60.0


class PatientReader:
    """Polls one sensor, for a worker's loop: `while not stopping: reading = sensor.poll(1.0)`.

    Attributes:
        source: The URI without secrets.
        state: "waiting" (not open yet, or open and nothing heard since), "up", "silent" (asked, but without a usable
            answer for `silent_after_s`), "down" (cannot be opened or read; tried again), "ended" (a recording that has
            been played).
        error: The last fault, in words, or None while up or waiting.
        said: The newest words of the reader on why there is no reading, such as a line that it cannot read; None after
            a reading.
        faults: How many reads and openings have failed so far.
        hopeless: True when trying again cannot help: the URI must be changed, or an extra installed.
    """

    def __init__(
        self,
        uri: str,
        *,
        every_s: float = 1.0,
        read_timeout_s: float = DEFAULT_TIMEOUT_S,
        silent_after_s: float = 60.0,
        retry_s: tuple[float, float] = (1.0, 60.0),
        clock: Clock = SYSTEM_CLOCK,
        jitter: Callable[[], float] = random.random,
        opener: Callable[[str], Reader] | None = None,
    ) -> None:
        """Nothing is opened yet; `BadSensorURI` when `uri` is not one.

        Args:
            uri: The sensor.
            every_s: The pace of a sensor that has to be asked; others set their own.
            read_timeout_s: The deadline of one question.
            silent_after_s: A sensor that has to be asked is opened anew after so long without a usable answer.
            retry_s: First and longest pause between two openings; it doubles, less up to half of it by chance, and is
                short again after a good reading, unless the door keeps being lost within a minute.
            clock: Time and waiting.
            jitter: Numbers in 0…1.
            opener: Opens `uri`, in place of `open_reader`.
        """
        self.source = SensorURI(uri).source
        self.state: State = "waiting"
        self.error: str | None = None
        self.said: str | None = None
        self.faults = 0
        self.hopeless = False
        self._uri = uri
        self._every_s = every_s
        self._read_timeout_s = read_timeout_s
        self._silent_after_s = silent_after_s
        self._back_off = BackOff(*retry_s, share=(1.0, 0.5), chance=jitter)
        self._clock = clock
        self._open = opener or (lambda text: open_reader(text, clock=clock))
        self._reader: Reader | None = None
        self._due_s = clock.monotonic()
        self._heard_s = clock.monotonic()
        self._answered_s = clock.monotonic()
        self._lost_at_s: deque[float] = deque(maxlen=30)
        self._in_the_log: State = "waiting"

    def quiet_s(self) -> float:
        """Seconds since the last reading, or since the start where there was none."""
        return self._clock.monotonic() - self._heard_s

    def poll(self, timeout_s: float = 1.0) -> Reading | None:
        """The next reading, or None after about `timeout_s` seconds without one; never raises."""
        wait_s = self._due_s - self._clock.monotonic()
        if self.state == "ended" or wait_s > timeout_s:
            self._clock.sleep(timeout_s)
            return None
        self._clock.sleep(wait_s)
        try:
            if self._reader is None:
                self._reader = self._open(self._uri)
                self._answered_s = self._clock.monotonic()
                if self.state == "down" and not self._reader.polled:
                    self._change("waiting", None)
            started_s = self._clock.monotonic()
            if self._reader.polled:
                self._due_s = started_s + self._every_s
            reading = self._reader.read(self._read_timeout_s if self._reader.polled else timeout_s)
        except EndOfRecording as error:
            self._change("ended", str(error))
            self.close()
        except (ReaderTimeout, NotAReading) as error:
            self._unheard(str(error))
        except SensorError as error:
            self.hopeless = isinstance(error, (BadSensorURI, MissingPackage))
            self._lost(str(error))
        except Exception as error:  # a reader's own mistake must not end the worker
            _log.debug("%s: a fault inside the reader", self.source, exc_info=True)
            fault = f"{type(error).__name__}: {error}"
            self._lost(redact(Text("{source}: a fault inside the reader: {why}", source=self.source, why=fault)))
        else:
            self._heard()
            return reading
        return None

    def _heard(self) -> None:
        self._heard_s = self._answered_s = self._clock.monotonic()
        self._back_off.settle()
        self.said = None
        self._change("up", None)

    def _unheard(self, error: str) -> None:
        self.said = error
        if self._reader is None or not self._reader.polled:
            return
        self.faults += 1
        if self._clock.monotonic() - self._answered_s >= self._silent_after_s:
            self._change("silent", error)
            self._close_reader()
            self._pause()

    def _lost(self, error: str) -> None:
        self.faults += 1
        self.said = error
        if self.state == "up":
            self._lost_at_s.append(self._clock.monotonic())
        self._change("down", error)
        self._close_reader()
        self._pause()

    def _pause(self) -> None:
        now_s = self._clock.monotonic()
        flaps = sum(now_s - lost_s < _FLAPS_WITHIN_S for lost_s in self._lost_at_s)
        self._back_off.failures = max(self._back_off.failures, flaps - 1)
        self._due_s = now_s + self._back_off.fail()

    def _change(self, state: State, error: str | None) -> None:
        self.error = error
        self.state = state
        if state in ("waiting", self._in_the_log):
            return
        self._in_the_log = state
        if error is None:
            _log.info("sensor up: %s", self.source)
        else:
            _log.warning("sensor %s: %s", state, error)

    def _close_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            try:
                reader.close()
            except Exception:  # a port that is already gone
                _log.debug("%s: closing failed", self.source, exc_info=True)

    def close(self) -> None:
        """Give the sensor back."""
        self._close_reader()
