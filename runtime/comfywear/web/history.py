"""The day's chart: a row a minute and zone, kept for two days in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from comfywear.database import Database

__all__ = ["KEEP_S", "History", "Point"]

KEEP_S = 2 * 86400.0
_TABLE = """
CREATE TABLE IF NOT EXISTS points (
    zone TEXT NOT NULL,
    unix_s REAL NOT NULL,
    air_temp_c REAL,
    humidity_pct REAL,
    expected_vote REAL,
    PRIMARY KEY (zone, unix_s)
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Point:
    """A zone at a Unix time: °C, % relative humidity, expected vote −3…+3; None where it was not known."""

    unix_s: float
    air_temp_c: float | None
    humidity_pct: float | None
    expected_vote: float | None


class History:
    """Points of the last two days; every method may be called from any thread.

    Args:
        path: The SQLite file, or None for memory alone.

    Raises:
        StoreError: When the file cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self._database = Database(path, "the history of the page", _prepare)

    def add(self, points: Iterable[tuple[str, Point]]) -> None:
        """Keep (zone, point) pairs, and forget what is older than two days before the newest or later than it.

        Points later than the newest are of a time when the clock was wrong.

        Raises:
            StoreError: When they could not be committed.
        """
        rows = [(zone, each.unix_s, each.air_temp_c, each.humidity_pct, each.expected_vote) for zone, each in points]
        if not rows:
            return
        newest_s = max(row[1] for row in rows)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM points WHERE unix_s < ? OR unix_s > ?", (newest_s - KEEP_S, newest_s))
            connection.executemany("INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?, ?)", rows)

        self._database.write(work)

    def since(self, zone: str, unix_s: float) -> tuple[Point, ...]:
        """The points of a zone from a time on, oldest first."""
        rows = self._database.read(
            lambda connection: connection.execute(
                "SELECT unix_s, air_temp_c, humidity_pct, expected_vote FROM points "
                "WHERE zone = ? AND unix_s >= ? ORDER BY unix_s",
                (zone, unix_s),
            ).fetchall()
        )
        return tuple(Point(*row) for row in rows)

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute(_TABLE)
