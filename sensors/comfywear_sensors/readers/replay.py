"""`replay:///path/room.csv?speed=60&loop=1`: recorded readings, paced as they were recorded.

CSV of loggers and apps, Home Assistant's history, or JSON lines (`recordings`). Options: `speed` (1; 0 plays as fast
as it is read), `loop` (0), `every` (1 s between rows that have no time), `unit` (C or F where the column does not say
it), `decimal` (auto, point, comma), `columns` (names of all columns, where the header says too little), `time` (the
column of times), `format` (how they are written: iso, ymd, dmy, mdy, s, ms, or a pattern such as %d.%m.%Y %H:%M).
Readings are marked as simulated.
"""

from __future__ import annotations

from pathlib import Path

from comfywear_sensors.clock import Clock
from comfywear_sensors.errors import BadSensorURI, EndOfRecording, ReaderTimeout
from comfywear_sensors.measured import DECIMALS
from comfywear_sensors.quantities import Values, reading_of
from comfywear_sensors.reading import Reading
from comfywear_sensors.recordings import HowToRead, load_recording
from comfywear_sensors.registry import DEFAULT_TIMEOUT_S, Opener, Reader
from comfywear_sensors.texts import Text
from comfywear_sensors.times import FORMATS
from comfywear_sensors.uri import SensorURI


def plan(uri: SensorURI, clock: Clock) -> Opener:
    """What reads the recording; `BadSensorURI` when the URI cannot be meant."""
    if uri.host or not uri.path:
        raise BadSensorURI(
            Text("{source}: name the file with three slashes, such as replay:///home/me/room.csv", source=uri.source)
        )
    speed = uri.number("speed", 1.0, 0.0, 1e6)
    every = uri.number("every", 1.0, 0.0, 86400.0)
    loop = uri.flag("loop")
    form = uri.text("format")
    how = HowToRead(
        unit=uri.choice("unit", ("C", "F"), "C"),
        decimal=uri.choice("decimal", DECIMALS, "auto"),
        columns=uri.names("columns"),
        time=uri.text("time"),
        form=form if "%" in form else uri.choice("format", ("", *FORMATS), ""),
    )
    uri.finish()
    return lambda: ReplayReader(
        load_recording(Path(uri.path), how), uri.source, clock, speed=speed, every_s=every, loop=loop
    )


class ReplayReader(Reader):
    """Rows of a recording, each when its time has come."""

    polled = False

    def __init__(
        self,
        rows: list[tuple[float | None, Values]],
        source: str,
        clock: Clock,
        *,
        speed: float = 1.0,
        every_s: float = 1.0,
        loop: bool = False,
    ) -> None:
        self.source = source
        self._rows = rows
        self._clock = clock
        self._speed = speed
        self._every_s = every_s
        self._loop = loop
        self._next = 0
        self._due_s = clock.monotonic()

    def read(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> Reading:
        """The next row when it is due; `ReaderTimeout` before that, `EndOfRecording` after the last."""
        if self._next == len(self._rows):
            raise EndOfRecording(
                Text("{source}: the recording has ended; add loop=1 to play it again", source=self.source)
            )
        wait_s = self._due_s - self._clock.monotonic()
        self._clock.sleep(min(wait_s, timeout_s))
        if wait_s > timeout_s:
            raise ReaderTimeout(
                Text("{source}: the next row is due in {wait} s", source=self.source, wait=f"{wait_s - timeout_s:.1f}")
            )
        time_s, values = self._rows[self._next]
        self._advance(time_s)
        return reading_of(values, self._clock.monotonic(), self.source, wall_time_s=time_s, simulated=True)

    def _advance(self, time_s: float | None) -> None:
        self._next += 1
        gap_s = self._every_s
        if self._next < len(self._rows):
            following = self._rows[self._next][0]
            if time_s is not None and following is not None:
                gap_s = max(0.0, following - time_s)  # a recorder's clock may have been set back
        elif self._loop:
            self._next = 0
        self._due_s += gap_s / self._speed if self._speed else 0.0

    def close(self) -> None:
        """Nothing to give back."""
