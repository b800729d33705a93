"""Collected messages in PostgreSQL, which any number of collectors can share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from comfywear.collect.ledger import AckPace
from comfywear.collect.postgres_books import Connection, PostgresBooks
from comfywear.collect.reading import DELETION, DeviceStatus, Entry, Gone, RefusedPayload, Source, deleted_votes
from comfywear.collect.schema import VERSION, postgres_statements
from comfywear.collect.store import (
    REFUSED_BYTES,
    REFUSED_KEPT,
    Received,
    Review,
    Saved,
    StoreAwayError,
    Totals,
    review,
    unique,
)
from comfywear.errors import StoreError, UsageError

T = TypeVar("T")
Rows = list[tuple[Any, ...]]

SCHEMA = "comfywear"
_LOCK = 0x636F6D66  # of the making of tables: two collectors may start at once
# A server that is silent (a network that swallows packets) is given up after so long; libpq's own words.
_PATIENCE = {
    "connect_timeout": "5",
    "tcp_user_timeout": "15000",
    "keepalives_idle": "15",
    "application_name": "comfywear collect",
    "options": "-c statement_timeout=60000 -c lock_timeout=15000",
}
# SQLSTATE classes of a row that PostgreSQL cannot hold (a zero character, a number out of range, too deep).
_OF_THE_DATA = ("22", "23", "54")
# A server that answers, but not yet or not now, says one of these; anything else that is FATAL will not change.
_PASSING = (
    "starting up",
    "shutting down",
    "in recovery",
    "too many",
    "not yet accepting",
    "remaining connection slots",
)


def reading_connection(url: str) -> tuple[str, Connection]:
    """What the database is called, and a connection to it that can change nothing; errors as `PostgresStore`."""
    place, conninfo = _read_url(url, " -c default_transaction_read_only=on")
    return place, _open(place, conninfo)


def _read_url(url: str, more: str = "") -> tuple[str, str]:
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise UsageError(f"the database URL cannot be read: {_line(error)}") from error
    if not all(port.isdigit() for port in str(given.get("port") or "5432").split(",")):
        raise UsageError(f"the database URL cannot be read: {given['port']!r} is no port")
    options = f"{given.pop('options', '')} {_PATIENCE['options']} -c search_path={SCHEMA}{more}".strip()
    place = f"{given.get('host', 'local server')}/{given.get('dbname', given.get('user', ''))}"
    return place, make_conninfo("", **{**_PATIENCE, **given, "options": options})


def _open(place: str, conninfo: str) -> Connection:
    try:
        return psycopg.connect(conninfo, autocommit=True)
    except psycopg.Error as error:
        said = _line(error)
        if "FATAL" in said and not any(words in said for words in _PASSING):
            raise StoreError(f"the database {place} does not let us in: {said}") from error
        raise StoreAwayError(f"the database {place} cannot be reached: {said}") from error


class PostgresStore:
    """Messages in the database that a postgresql:// URL names; see `comfywear.collect.store.Store`.

    The tables are in the schema `comfywear`, made where they are missing.

    Raises:
        UsageError: When the URL cannot be read.
        StoreAwayError: When the server cannot be reached now.
        StoreError: When it does not let us in, or the tables cannot be made or are of a later version.
    """

    def __init__(self, url: str, pace: AckPace) -> None:
        self.place, self._conninfo = _read_url(url)
        self._pace = pace
        self._streams: dict[Source, int] = {}
        self._connection: Connection | None = None
        self._connect()

    def save(self, batch: Sequence[Received]) -> Saved:
        """Commit a batch."""

        def work(connection: Connection) -> Saved:
            return self._save_plain(connection, batch) or self._save_carefully(connection, batch)

        try:
            return self._guarded(work)
        except BaseException:
            self._streams.clear()  # what was learnt in a transaction that failed may not be so
            raise

    def review(self, streams: Collection[int], *, again: bool = False) -> Review:
        """Bring the books up to date and find out what to say."""

        def work(connection: Connection) -> Review:
            @contextmanager
            def books() -> Iterator[PostgresBooks]:
                with connection.pipeline(), connection.transaction():
                    yield PostgresBooks(connection, self._pace)

            return review(books, streams, self._pace, again=again)

        return self._guarded(work)

    def due(self, limit: int, sites: Sequence[str] = ()) -> tuple[list[int], list[int]]:
        """Sources with a gap to be asked for, and sources to be reminded."""
        values = {"limit": limit, "sites": list(sites), "remind": self._pace.remind_s, "late": self._pace.remind_for_s}
        asking = self._rows(
            "SELECT DISTINCT stream FROM gaps JOIN streams ON id = stream WHERE ask_at_s <= extract(epoch FROM now()) "
            "AND (%(sites)s::text[] = '{}' OR site = ANY(%(sites)s)) LIMIT %(limit)s",
            values,
        )
        reminding = self._rows(
            "SELECT id FROM streams WHERE reviewed_s < extract(epoch FROM now()) - %(remind)s "
            "AND advanced_s > extract(epoch FROM now()) - %(late)s "
            "AND (%(sites)s::text[] = '{}' OR site = ANY(%(sites)s)) LIMIT %(limit)s",
            values,
        )
        return [row[0] for row in asking], [row[0] for row in reminding]

    def known(self, sites: Sequence[str] = ()) -> list[int]:
        """Sources that sent something lately."""
        query = (
            "SELECT id FROM streams WHERE advanced_s > extract(epoch FROM now()) - %(late)s "
            "AND (%(sites)s::text[] = '{}' OR site = ANY(%(sites)s))"
        )
        return [row[0] for row in self._rows(query, {"late": self._pace.remind_for_s, "sites": list(sites)})]

    def totals(self) -> Totals:
        """What is missing."""
        gaps, missing = self._rows("SELECT count(*), coalesce(sum(last_seq - first_seq + 1), 0) FROM gaps")[0]
        return Totals(gaps, int(missing))

    def close(self) -> None:
        """Let go of the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> Connection:
        if self._connection is not None:
            return self._connection
        connection = _open(self.place, self._conninfo)
        try:
            self._prepare(connection)
        except psycopg.Error as error:
            connection.close()
            raise self._verdict(error, "its tables cannot be made") from error
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _prepare(self, connection: Connection) -> None:
        self._streams = {}
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            found = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (SCHEMA,)).fetchone()
            if found is None:
                connection.execute(f"CREATE SCHEMA {SCHEMA}")
            if connection.execute("SELECT to_regclass('facts')").fetchone() == (None,):
                for statement in postgres_statements():
                    connection.execute(statement)
            version = connection.execute("SELECT value FROM facts WHERE name = 'version'").fetchone()
        if version != (VERSION,):
            raise StoreError(f"{self.place} has the tables of another version of comfywear ({version}, not {VERSION})")

    def _guarded(self, work: Callable[[Connection], T]) -> T:
        """Do `work`; an error of the server leaves nothing of it and, where it was lost, a new connection next time."""
        connection = self._connect()
        try:
            return work(connection)
        except psycopg.Error as error:
            if connection.closed or isinstance(error, psycopg.ProgrammingError):
                self.close()  # with the next connection the tables are looked at again
            raise self._verdict(error, "it cannot be used") from error

    def _verdict(self, error: psycopg.Error, what: str) -> StoreAwayError | StoreError:
        refused = isinstance(error, psycopg.ProgrammingError)  # not allowed, not there, of another form
        kind = StoreError if refused else StoreAwayError
        return kind(f"the database {self.place}: {what}: {_line(error)}")

    def _rows(self, query: str, values: Mapping[str, object] | None = None) -> Rows:
        return self._guarded(lambda connection: connection.execute(query, values).fetchall())

    def _save_plain(self, connection: Connection, batch: Sequence[Received]) -> Saved | None:
        """What nearly every batch is: messages and nothing else, in one statement that is a transaction of its own."""
        entries = [(item, at) for item, at in batch if isinstance(item, Entry)]
        if not entries or len(entries) < len(batch):
            return None
        if any(entry.kind in (DELETION, "vote") for entry, _ in entries):
            return None
        self._learn(connection, {entry.source for entry, _ in entries})
        try:
            new = self._insert(connection, unique(entries))
        except psycopg.Error as error:
            if _of_the_data(error):
                return None
            raise
        return Saved(new, len(entries) - new, 0, {self._streams[entry.source] for entry, _ in entries})

    def _save_carefully(self, connection: Connection, batch: Sequence[Received]) -> Saved:
        with connection.transaction():
            return self._save(connection, batch)

    def _save(self, connection: Connection, batch: Sequence[Received]) -> Saved:
        saved = Saved()
        entries = [(item, at) for item, at in batch if isinstance(item, Entry)]
        refusals = [(item, at) for item, at in batch if isinstance(item, RefusedPayload)]
        gone = [item for item, _ in batch if isinstance(item, Gone)]
        entries += [(item.entry, at) for item, at in refusals if item.entry is not None]
        self._learn(connection, {entry.source for entry, _ in entries} | {item.source for item in gone})
        self._put_presences(connection, [(item, at) for item, at in batch if isinstance(item, DeviceStatus)])
        for item in sorted(gone, key=lambda item: self._streams[item.source]):
            saved.streams.add(self._streams[item.source])
            connection.execute(
                "INSERT INTO gone SELECT %s, f, l, 'gone', extract(epoch FROM now()) "
                "FROM unnest(%s::bigint[], %s::bigint[]) AS r(f, l) ORDER BY f, l ON CONFLICT DO NOTHING",
                (self._streams[item.source], [r[0] for r in item.ranges], [r[1] for r in item.ranges]),
            )
        for refusal, at in refusals:
            self._refuse(connection, saved, at, refusal.topic, refusal.reason, refusal.payload)
        rows = unique(entries)
        saved.streams |= {self._streams[entry.source] for entry, _ in rows}
        saved.new = self._put_entries(connection, saved, rows)
        saved.repeats = len(entries) - saved.new
        self._delete(connection, [entry for entry, _ in rows])
        return saved

    def _delete(self, connection: Connection, entries: Sequence[Entry]) -> None:
        """Delete the votes that devices had deleted: those that are here, and those that have just come.

        The numbers stay, with nothing at them, so that nobody asks for them again.
        """
        named = [(entry.source, votes) for entry in entries if (votes := deleted_votes(entry))]
        for source, votes in named:
            connection.execute(
                "INSERT INTO deleted SELECT %s, %s, v FROM unnest(%s::text[]) AS n(v) ORDER BY v "
                "ON CONFLICT DO NOTHING",
                (source.site, source.device, votes),
            )
        devices = {(source.site, source.device) for source, _ in named}
        come = {(entry.source.site, entry.source.device) for entry in entries if entry.kind == "vote"}
        if devices:  # all that such a device ever sent is looked at, which may take longer than anything else here
            connection.execute("SET LOCAL statement_timeout = 0")
        for site, device in sorted(devices | come):
            newest = [entry.seq for entry in entries if (entry.source.site, entry.source.device) == (site, device)]
            connection.execute(
                "UPDATE entries AS e SET kind = 'deleted', payload = NULL, ts = NULL, zone = NULL "
                "FROM streams s, deleted d WHERE s.id = e.stream AND s.site = %s AND s.device = %s "
                "AND d.site = s.site AND d.device = s.device "
                "AND e.kind = 'vote' AND e.payload ->> 'id' = d.vote AND (%s OR e.seq = ANY(%s::bigint[]))",
                (site, device, (site, device) in devices, newest),
            )

    def _learn(self, connection: Connection, sources: set[Source]) -> None:
        """Look up, or make, the ids of `sources`."""
        unknown = sorted((s.site, s.device, s.epoch) for s in sources if s not in self._streams)
        if not unknown:
            return
        columns = [list(column) for column in zip(*unknown, strict=True)]
        connection.execute(
            "INSERT INTO streams (site, device, epoch, advanced_s) "
            "SELECT site, device, epoch, extract(epoch FROM now()) "
            "FROM unnest(%s::text[], %s::text[], %s::text[]) AS n(site, device, epoch) ON CONFLICT DO NOTHING",
            columns,
        )
        found = connection.execute(
            "SELECT id, site, device, epoch FROM streams "
            "JOIN unnest(%s::text[], %s::text[], %s::text[]) AS n(site, device, epoch) USING (site, device, epoch)",
            columns,
        )
        self._streams.update({Source(*source): stream for stream, *source in found})

    def _put_presences(self, connection: Connection, presences: Sequence[tuple[DeviceStatus, datetime]]) -> None:
        newest = {(item.site, item.device): (item, at) for item, at in presences}
        for key in sorted(newest):
            item, at = newest[key]
            connection.execute(
                "INSERT INTO devices VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (site, device) DO UPDATE SET "
                "state = excluded.state, reason = excluded.reason, version = excluded.version, "
                "heard_at = excluded.heard_at WHERE devices.heard_at <= excluded.heard_at",
                (*key, item.state, item.reason, item.version, at),
            )

    def _put_entries(self, connection: Connection, saved: Saved, rows: Sequence[tuple[Entry, datetime]]) -> int:
        """Insert what is not there yet and return how many; a row that cannot be held is found and set aside."""
        if not rows:
            return 0
        try:
            with connection.transaction():
                return self._insert(connection, rows)
        except psycopg.Error as error:
            if not _of_the_data(error):
                raise
            reason = _line(error)
        if len(rows) > 1:
            half = len(rows) // 2
            first = self._put_entries(connection, saved, rows[:half])
            return first + self._put_entries(connection, saved, rows[half:])
        entry, at = rows[0]
        topic = f"{entry.source.site}/{entry.source.device}/…/{entry.kind}"
        self._refuse(connection, saved, at, topic, f"PostgreSQL: {reason}", (entry.payload or "").encode())
        stand_in = Entry(entry.source, entry.seq, entry.ts, entry.zone, "refused", None)
        return self._put_entries(connection, saved, [(stand_in, at)])

    def _insert(self, connection: Connection, rows: Sequence[tuple[Entry, datetime]]) -> int:
        """Insert what is not there yet, all or nothing, and return how many."""
        columns = zip(
            *(
                (self._streams[entry.source], entry.seq, at, entry.ts, entry.zone, entry.kind, entry.payload)
                for entry, at in rows
            ),
            strict=True,
        )
        return connection.execute(
            "INSERT INTO entries (stream, seq, received_at, ts, zone, kind, payload) "
            "SELECT stream, seq, received_at, ts, zone, kind, payload::jsonb FROM unnest("
            "%s::int[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[], %s::text[]"
            ") AS n(stream, seq, received_at, ts, zone, kind, payload) "
            "ORDER BY stream, seq ON CONFLICT DO NOTHING",
            [list(column) for column in columns],
        ).rowcount

    def _refuse(
        self, connection: Connection, saved: Saved, at: datetime, topic: str, reason: str, payload: bytes
    ) -> None:
        saved.refused += 1
        connection.execute(
            "WITH new AS (INSERT INTO refused (received_at, topic, reason, payload) VALUES (%s, %s, %s, %s) "
            "RETURNING id) DELETE FROM refused WHERE id <= (SELECT id FROM new) - %s",
            (at, topic, reason, payload[:REFUSED_BYTES], REFUSED_KEPT),
        )


def _of_the_data(error: psycopg.Error) -> bool:
    return isinstance(error, psycopg.DataError) or (error.sqlstate or "")[:2] in _OF_THE_DATA


def _line(error: Exception) -> str:
    """The first line of what the server said, which never holds the password."""
    return " ".join(str(error).split("\n", 1)[0].split())
