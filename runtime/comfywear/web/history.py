"""What the charts show: a row a minute and zone for two days, a row a quarter of an hour for two months, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from comfywear.system.database import Database

__all__ = ["KEEP_S", "QUARTER_S", "History", "Point", "Quarter", "quarters_in"]

KEEP_S = 2 * 86400.0
QUARTER_S = 900.0
KEEP_QUARTERS_S = 63 * 86400.0
"""A month can be looked at for a month after its end."""

_TABLES = """
CREATE TABLE IF NOT EXISTS points (
    zone TEXT NOT NULL,
    unix_s REAL NOT NULL,
    air_temp_c REAL,
    humidity_pct REAL,
    expected_vote REAL,
    PRIMARY KEY (zone, unix_s)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quarters (
    zone TEXT NOT NULL,
    unix_s REAL NOT NULL,
    air_temp_c REAL,
    humidity_pct REAL,
    expected_vote REAL,
    pmv REAL,
    occupied REAL,
    PRIMARY KEY (zone, unix_s)
) WITHOUT ROWID
"""
_SINCE_FIRST = ("pmv", "occupied")
_POINT = "unix_s, air_temp_c, humidity_pct, expected_vote, pmv, occupied"
# The quarters that are over and not yet in their table; avg() passes over what was not known.
_NEW_QUARTERS = f"""
INSERT OR REPLACE INTO quarters
SELECT zone, CAST(unix_s / {QUARTER_S:g} AS INTEGER) * {QUARTER_S} AS begun, avg(air_temp_c), avg(humidity_pct),
    avg(expected_vote), avg(pmv), avg(occupied)
FROM points WHERE unix_s >= ? AND unix_s < ? GROUP BY zone, begun
"""  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True)
class Point:
    """A zone at a Unix time: °C, % relative humidity, expected vote −3…+3; None where it was not known.

    `pmv` is the standard's predicted mean vote, `occupied` 1 with people and 0 without.
    """

    unix_s: float
    air_temp_c: float | None
    humidity_pct: float | None
    expected_vote: float | None
    pmv: float | None = None
    occupied: float | None = None


Quarter = Point
"""The means of a quarter of an hour that begins at `unix_s`; `occupied` is then the share of it with people, 0…1."""


class History:
    """Points of the last two days and quarters of the last two months; every method may be called from any thread.

    Args:
        path: The SQLite file, or None for memory alone.

    Raises:
        StoreError: When the file cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self._database = Database(path, "the history of the page", _prepare)

    def add(self, points: Iterable[tuple[str, Point]]) -> None:
        """Keep (zone, point) pairs and the quarters that they complete, and forget what is too old.

        Points later than the newest are of a time when the clock was wrong, and go as well.

        Raises:
            StoreError: When they could not be committed.
        """
        rows = [
            (zone, p.unix_s, p.air_temp_c, p.humidity_pct, p.expected_vote, p.pmv, p.occupied) for zone, p in points
        ]
        if not rows:
            return
        newest_s = max(row[1] for row in rows)

        def work(connection: sqlite3.Connection) -> None:
            run = connection.execute
            connection.executemany(
                "INSERT OR REPLACE INTO points (zone, unix_s, air_temp_c, humidity_pct, expected_vote, pmv, occupied) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            begun_s = newest_s // QUARTER_S * QUARTER_S
            run("DELETE FROM quarters WHERE unix_s < ? OR unix_s >= ?", (newest_s - KEEP_QUARTERS_S, begun_s))
            last_s = run("SELECT max(unix_s) FROM quarters").fetchone()[0]
            since_s = newest_s - KEEP_S if last_s is None else last_s + QUARTER_S
            if since_s < begun_s:
                run(_NEW_QUARTERS, (since_s, begun_s))
            run("DELETE FROM points WHERE unix_s < ? OR unix_s > ?", (newest_s - KEEP_S, newest_s))

        self._database.write(work)

    def since(self, zone: str, unix_s: float) -> tuple[Point, ...]:
        """The points of a zone from a time on, oldest first."""
        return self._database.read(lambda connection: _rows(connection, "points", zone, unix_s))

    def quarters(self, zone: str, unix_s: float, every_s: float = QUARTER_S) -> tuple[Quarter, ...]:
        """The quarters of a zone that began at a time or later, oldest first; means of longer times by `every_s`."""
        return self._database.read(
            lambda connection: tuple(
                Point(*row)
                for row in connection.execute(
                    "SELECT CAST(unix_s / ? AS INTEGER) * ? AS begun, avg(air_temp_c), avg(humidity_pct), "
                    "avg(expected_vote), avg(pmv), avg(occupied) FROM quarters "
                    "WHERE zone = ? AND unix_s >= ? GROUP BY begun ORDER BY begun",
                    (every_s, every_s, zone, unix_s),
                )
            )
        )

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def quarters_in(connection: sqlite3.Connection) -> dict[str, tuple[Quarter, ...]]:
    """All quarters of a page's file by zone; none where it is of an earlier version."""
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'quarters'").fetchone() is None:
        return {}
    zones = [row[0] for row in connection.execute("SELECT DISTINCT zone FROM quarters")]
    return {zone: _rows(connection, "quarters", zone, 0.0) for zone in zones}


def _rows(connection: sqlite3.Connection, table: str, zone: str, unix_s: float) -> tuple[Point, ...]:
    query = f"SELECT {_POINT} FROM {table} WHERE zone = ? AND unix_s >= ? ORDER BY unix_s"  # noqa: S608 - names of this file alone
    return tuple(Point(*row) for row in connection.execute(query, (zone, unix_s)))


def _prepare(connection: sqlite3.Connection) -> None:
    for statement in _TABLES.split(";"):
        connection.execute(statement)
    present = {row[1] for row in connection.execute("PRAGMA table_info(points)")}
    for name in _SINCE_FIRST:
        if name not in present:
            connection.execute(f"ALTER TABLE points ADD COLUMN {name} REAL")
