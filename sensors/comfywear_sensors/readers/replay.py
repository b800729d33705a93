"""`replay:///path/room.csv?speed=60&loop=1`: recorded readings, paced as they were recorded.

CSV with a header line, or JSON lines. A column `time` (`timestamp`, `ts`, `date`) holds ISO 8601 or seconds; without
one, rows are `every` seconds (1) apart. Options: `speed` (1; 0 plays as fast as it is read), `loop` (0), `every`,
`unit` (C or F where the column does not say it). Readings are marked as simulated.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from comfywear_sensors.clock import Clock
from comfywear_sensors.errors import BadSensorURI, EndOfRecording, NotAReading, ReaderTimeout, SensorError
from comfywear_sensors.lines import json_values, load_json
from comfywear_sensors.quantities import Values, named_values, reading_of, to_number
from comfywear_sensors.reading import Reading
from comfywear_sensors.registry import DEFAULT_TIMEOUT_S
from comfywear_sensors.uri import SensorURI

_TIME_NAMES = ("time", "timestamp", "ts", "date", "datetime", "wall_time_s")


def open_uri(uri: SensorURI, clock: Clock) -> ReplayReader:
    """Read the recording; `BadSensorURI` or `SensorError` when that cannot be."""
    if uri.host or not uri.path:
        raise BadSensorURI(f"{uri.source}: name the file with three slashes, such as replay:///home/me/room.csv")
    speed = uri.number("speed", 1.0, 0.0, 1e6)
    every = uri.number("every", 1.0, 0.0, 86400.0)
    loop = uri.flag("loop")
    unit = uri.choice("unit", ("C", "F"), "C")
    uri.finish()
    rows = load_recording(Path(uri.path), unit)
    return ReplayReader(rows, uri.source, clock, speed=speed, every_s=every, loop=loop)


def parse_time(value: object) -> float | None:
    """Seconds since 1970 (or since the recording's own start) from seconds or ISO 8601; None when it is neither.

    A time without a zone is taken as UTC.
    """
    number = to_number(value)
    if number is not None or not isinstance(value, str):
        return number
    try:
        moment = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        return None


def load_recording(path: Path, unit: str = "C") -> list[tuple[float | None, Values]]:
    """The rows of a CSV or JSON-lines file: time in seconds (or None) and values; rows that say nothing are dropped."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise SensorError(f"{path}: the recording cannot be read: {reason}") from None
    rows = [row for row in (_json_rows(lines, unit) if _is_json(lines) else _csv_rows(lines, unit)) if row[1]]
    if not rows:
        raise SensorError(
            f"{path}: no row with a temperature or humidity; the first line should name the columns, such as "
            "time,temperature,humidity"
        )
    return rows


def _is_json(lines: list[str]) -> bool:
    return next((line.lstrip().startswith("{") for line in lines if line.strip()), False)


def _json_rows(lines: list[str], unit: str) -> list[tuple[float | None, Values]]:
    return [row for line in lines if (row := _json_row(line, unit)) is not None]


def _json_row(line: str, unit: str) -> tuple[float | None, Values] | None:
    try:
        document = load_json(line)
        return _time_in(document), json_values(document, unit)
    except NotAReading:
        return None


def _csv_rows(lines: list[str], unit: str) -> list[tuple[float | None, Values]]:
    mark = next((sign for sign in (";", "\t") if lines and sign in lines[0]), ",")
    try:
        table = list(csv.DictReader(lines, delimiter=mark, restval=""))
    except csv.Error:
        return []
    named = [{str(name).strip(): value for name, value in row.items() if isinstance(value, str)} for row in table]
    return [(_time_in(row), named_values(row, unit)) for row in named]


def _time_in(row: object) -> float | None:
    if not isinstance(row, Mapping):
        return None
    lowered = {str(name).lower(): value for name, value in row.items()}
    return next((parse_time(lowered[name]) for name in _TIME_NAMES if name in lowered), None)


class ReplayReader:
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
            raise EndOfRecording(f"{self.source}: the recording has ended; add loop=1 to play it again")
        wait_s = self._due_s - self._clock.monotonic()
        self._clock.sleep(min(wait_s, timeout_s))
        if wait_s > timeout_s:
            raise ReaderTimeout(f"{self.source}: the next row is due in {wait_s - timeout_s:.1f} s")
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
