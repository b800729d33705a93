"""Looking into what was collected, without changing anything: which devices there are, and what they said in a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

from comfywear.collect.schema import VERSION
from comfywear.errors import StoreError, UsageError
from comfywear.system.read_only import reading

__all__ = ["Said", "look_into"]

Query = Callable[[str, Sequence[object]], Iterator[tuple[Any, ...]]]

# What comes is received after it was made, but for clocks that go wrong by so much.
_CLOCKS = timedelta(hours=1)
_TURNED_AWAY = "is no database of `comfywear collect`: name the file or URL that its --db has"


class Said(NamedTuple):
    """A message: whose, of which zone (None: of the device), its kind, when it was made, its JSON."""

    site: str
    device: str
    zone: str | None
    kind: str
    unix_s: float
    payload: bytes


class Collected:
    """A database of collected messages, to be read; made by `look_into`."""

    def __init__(self, place: str, query: Query, *, numbered: bool) -> None:
        self.place = place
        self._query = query
        self._mark = "%s" if numbered else "?"
        self._time: Callable[[datetime], object] = (lambda at: at) if numbered else _iso
        self._check()

    def _check(self) -> None:
        try:
            found = list(self._query("SELECT value FROM facts WHERE name = 'version'", ()))
            version = int(found[0][0])
        except (_NoTableError, IndexError, TypeError, ValueError) as error:
            raise StoreError(f"{self.place} {_TURNED_AWAY}") from error
        if version != VERSION:
            later = "a later" if version > VERSION else "an earlier"
            raise StoreError(
                f"{self.place} was written by {later} version of comfywear (tables {version}, not {VERSION}): "
                "use that version here"
            )

    def devices(self) -> list[tuple[str, str]]:
        """Site and name of every device that ever said something."""
        return [
            (site, device)
            for site, device in self._query("SELECT DISTINCT site, device FROM streams ORDER BY 1, 2", ())
        ]

    def span(self) -> tuple[datetime, datetime] | None:
        """The times of the first and the last message; None without any."""
        ((first, last),) = self._query("SELECT min(ts), max(ts) FROM entries", ())
        return None if first is None else (_moment(first), _moment(last))

    def said(self, site: str, device: str, kinds: Sequence[str], since: datetime, until: datetime) -> Iterator[Said]:
        """What a device said from a time on until another, by its own clock, oldest first."""
        marks = ", ".join([self._mark] * len(kinds))
        query = (
            "SELECT e.zone, e.kind, e.ts, CAST(e.payload AS text) FROM entries e JOIN streams s ON s.id = e.stream "  # noqa: S608 - only marks are put in
            "WHERE s.site = ? AND s.device = ? AND e.received_at >= ? AND e.ts >= ? AND e.ts < ? "
            f"AND e.payload IS NOT NULL AND e.kind IN ({marks}) ORDER BY e.ts"
        ).replace("?", self._mark)
        times = [self._time(at) for at in (since - _CLOCKS, since, until)]
        for zone, kind, ts, payload in self._query(query, (site, device, *times, *kinds)):
            yield Said(site, device, zone, kind, _moment(ts).timestamp(), payload.encode())


class _NoTableError(Exception):
    """A table that every database of the collector has is not there."""


@contextmanager
def look_into(place: str) -> Iterator[Collected]:
    """The database that `place` names: a postgresql:// URL, or the path of an SQLite file.

    Raises:
        UsageError: When it is neither, or what PostgreSQL needs is not installed.
        StoreError: When it cannot be read, is another program's, damaged, or of another version.
    """
    scheme, mark, _ = place.partition("://")
    if mark and scheme not in ("postgresql", "postgres"):
        raise UsageError(f"{scheme}:// is no database known here: give postgresql://… or the path of an SQLite file")
    with _postgres(place) if mark else _sqlite(Path(place)) as found:
        yield found


@contextmanager
def _sqlite(file: Path) -> Iterator[Collected]:
    if not file.is_file():
        raise StoreError(f"{file}: there is no such file; `comfywear collect --db {file}` would make it")
    try:
        with reading(file) as connection:

            def query(text: str, values: Sequence[object]) -> Iterator[tuple[Any, ...]]:
                try:
                    yield from connection.execute(text, values)
                except sqlite3.OperationalError as error:
                    if "no such" in str(error):
                        raise _NoTableError from error
                    raise

            yield Collected(str(file), query, numbered=False)
    except sqlite3.DatabaseError as error:
        if "not a database" in str(error):
            raise StoreError(f"{file} {_TURNED_AWAY}") from error
        damaged = "; it is damaged: `sqlite3 FILE .recover` may save what is left" if "malformed" in str(error) else ""
        raise StoreError(f"{file}: the collected messages cannot be read ({error}){damaged}") from error
    except _NoTableError as error:
        raise StoreError(f"{file} {_TURNED_AWAY}") from error


@contextmanager
def _postgres(url: str) -> Iterator[Collected]:
    try:
        from comfywear.collect.postgres import reading_connection
    except ImportError as error:
        raise UsageError(f"PostgreSQL needs psycopg ({error}): pip install 'comfywear[collect]'") from error
    import psycopg

    place, connection = reading_connection(url)
    try:
        with closing(connection), connection.transaction():

            def query(text: str, values: Sequence[object]) -> Iterator[tuple[Any, ...]]:
                with connection.cursor(name="comfywear") as cursor:  # on the server: a month need not fit here
                    cursor.itersize = 5000
                    try:
                        yield from cursor.execute(text, values)
                    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
                        raise _NoTableError from error

            yield Collected(place, query, numbered=True)
    except psycopg.Error as error:
        said = str(error).strip().partition("\n")[0]
        raise StoreError(f"the database {place}: the collected messages cannot be read: {said}") from error
    except _NoTableError as error:
        raise StoreError(f"the database {place} {_TURNED_AWAY}") from error


def _iso(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat(timespec="microseconds")


def _moment(found: Any) -> datetime:
    return found if isinstance(found, datetime) else datetime.fromisoformat(found)
