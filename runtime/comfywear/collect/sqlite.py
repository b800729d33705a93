"""Collected messages in an SQLite file: for one house or one building, no server needed."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from comfywear.collect.ledger import AckPace, Gap, Ledger, Range
from comfywear.collect.reading import DeviceStatus, Entry, Gone, RefusedPayload, Source, deleted_votes
from comfywear.collect.schema import VERSION, sqlite_statements
from comfywear.collect.store import (
    MOST_NUMBERS,
    REFUSED_BYTES,
    REFUSED_KEPT,
    Received,
    Review,
    Saved,
    SourceLedger,
    StoreAwayError,
    Totals,
    Turn,
    gap_of,
    review,
    unique,
)
from comfywear.errors import StoreError
from comfywear.system.database import Database

_OF_SITES = "(? = '[]' OR site IN (SELECT value FROM json_each(?)))"
_NOTHING = "kind = 'deleted', payload = NULL, ts = NULL, zone = NULL"
_THESE = "(SELECT value FROM json_each(?))"


class SqliteStore:
    """Messages in the SQLite file `path`, which is made where it is missing; see `comfywear.collect.store.Store`.

    A damaged file is set aside and a new one begins (see `comfywear.system.database`).

    Raises:
        StoreError: When it cannot be opened, or was written by a later version.
    """

    def __init__(self, path: str, pace: AckPace) -> None:
        if Path(path).is_dir():
            raise StoreError(f"{path} is a folder: name a file in it")
        self.place = path
        self._pace = pace
        self._streams: dict[Source, int] = {}
        self._database = Database(Path(path), "the store of collected messages", self._prepare)

    def save(self, batch: Sequence[Received]) -> Saved:
        """Commit a batch."""
        try:
            return self._database.write(lambda connection: self._save(connection, batch))
        except StoreError as error:
            self._streams.clear()  # what was learnt in a transaction that failed may not be so
            raise StoreAwayError(str(error)) from error

    def review(self, streams: Collection[int], *, again: bool = False) -> Review:
        """Bring the books up to date and find out what to say."""

        def work(connection: sqlite3.Connection) -> Review:
            @contextmanager
            def books() -> Iterator[_Books]:
                yield _Books(connection, self._pace)

            return review(books, streams, self._pace, again=again)

        try:
            return self._database.write(work)
        except StoreError as error:
            raise StoreAwayError(str(error)) from error

    def due(self, limit: int, sites: Sequence[str] = ()) -> tuple[list[int], list[int]]:
        """Sources with a gap to be asked for, and sources to be reminded."""
        now_s, pace, wanted = time.time(), self._pace, json.dumps(list(sites))
        asking = self._ids(
            f"SELECT DISTINCT stream FROM gaps JOIN streams ON id = stream WHERE ask_at_s <= ? AND {_OF_SITES} LIMIT ?",  # noqa: S608 - a constant
            now_s,
            wanted,
            wanted,
            limit,
        )
        reminding = self._ids(
            f"SELECT id FROM streams WHERE reviewed_s < ? AND advanced_s > ? AND {_OF_SITES} LIMIT ?",  # noqa: S608
            now_s - pace.remind_s,
            now_s - pace.remind_for_s,
            wanted,
            wanted,
            limit,
        )
        return asking, reminding

    def known(self, sites: Sequence[str] = ()) -> list[int]:
        """Sources that sent something lately."""
        wanted = json.dumps(list(sites))
        return self._ids(
            f"SELECT id FROM streams WHERE advanced_s > ? AND {_OF_SITES}",  # noqa: S608
            time.time() - self._pace.remind_for_s,
            wanted,
            wanted,
        )

    def totals(self) -> Totals:
        """What is missing."""
        query = "SELECT count(*), ifnull(sum(last_seq - first_seq + 1), 0) FROM gaps"
        return Totals(*self._read(query)[0])

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        for statement in sqlite_statements():
            connection.execute(statement)
        found = int(connection.execute("SELECT value FROM facts WHERE name = 'version'").fetchone()[0])
        if found != VERSION:
            raise StoreError(
                f"{self.place} was written by another version of comfywear (tables {found}, not {VERSION})"
            )
        self._streams = {}

    def _read(self, query: str, *values: object) -> list[tuple[int, ...]]:
        try:
            return self._database.read(lambda connection: connection.execute(query, values).fetchall())
        except StoreError as error:
            raise StoreAwayError(str(error)) from error

    def _ids(self, query: str, *values: object) -> list[int]:
        return [row[0] for row in self._read(query, *values)]

    def _save(self, connection: sqlite3.Connection, batch: Sequence[Received]) -> Saved:
        saved = Saved()
        entries = [(item, at) for item, at in batch if isinstance(item, Entry)]
        for item, at in batch:
            if isinstance(item, DeviceStatus):
                connection.execute(
                    "INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (site, device) DO UPDATE SET "
                    "state = excluded.state, reason = excluded.reason, version = excluded.version, "
                    "heard_at = excluded.heard_at WHERE heard_at <= excluded.heard_at",
                    (item.site, item.device, item.state, item.reason, item.version, _iso(at)),
                )
            elif isinstance(item, Gone):
                stream = self._stream(connection, item.source)
                saved.streams.add(stream)
                connection.executemany(
                    "INSERT INTO gone VALUES (?, ?, ?, 'gone', ?) ON CONFLICT DO NOTHING",
                    [(stream, first, last, time.time()) for first, last in item.ranges],
                )
            elif isinstance(item, RefusedPayload):
                saved.refused += 1
                connection.execute(
                    "INSERT INTO refused (received_at, topic, reason, payload) VALUES (?, ?, ?, ?)",
                    (_iso(at), item.topic, item.reason, item.payload[:REFUSED_BYTES]),
                )
                if item.entry is not None:
                    entries.append((item.entry, at))
        if saved.refused:
            connection.execute("DELETE FROM refused WHERE id <= (SELECT max(id) FROM refused) - ?", (REFUSED_KEPT,))
        rows = []
        for entry, at in unique(entries):
            stream = self._stream(connection, entry.source)
            saved.streams.add(stream)
            ts = None if entry.ts is None else _iso(entry.ts)
            rows.append((stream, entry.seq, _iso(at), ts, entry.zone, entry.kind, entry.payload))
        before = connection.total_changes
        connection.executemany(
            "INSERT INTO entries (stream, seq, received_at, ts, zone, kind, payload) VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            rows,
        )
        saved.new = connection.total_changes - before
        self._delete(connection, [entry for entry, _ in entries])
        saved.repeats = len(entries) - saved.new
        return saved

    def _delete(self, connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
        """Delete the votes that devices had deleted: those that are here, and those that have just come.

        The numbers stay, with nothing at them, so that nobody asks for them again.
        """
        named = [(entry.source, votes) for entry in entries if (votes := deleted_votes(entry))]
        for source, votes in named:
            connection.executemany(
                "INSERT INTO deleted VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [(source.site, source.device, vote) for vote in votes],
            )
        devices = {(source.site, source.device) for source, _ in named}
        come = {(entry.source.site, entry.source.device) for entry in entries if entry.kind == "vote"}
        if not devices and not come:
            return
        connection.execute("PRAGMA secure_delete = ON")
        for site, device in sorted(devices | come):
            newest = [entry.seq for entry in entries if (entry.source.site, entry.source.device) == (site, device)]
            connection.execute(
                f"UPDATE entries SET {_NOTHING} WHERE kind = 'vote' "  # noqa: S608 - a constant
                "AND stream IN (SELECT id FROM streams WHERE site = ? AND device = ?) "
                "AND json_extract(payload, '$.id') IN (SELECT vote FROM deleted WHERE site = ? AND device = ?) "
                f"AND (? OR seq IN {_THESE})",
                (site, device, site, device, (site, device) in devices, json.dumps(newest)),
            )

    def _stream(self, connection: sqlite3.Connection, source: Source) -> int:
        if source not in self._streams:
            key = (source.site, source.device, source.epoch)
            connection.execute(
                "INSERT INTO streams (site, device, epoch, advanced_s) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (*key, time.time()),
            )
            query = "SELECT id FROM streams WHERE site = ? AND device = ? AND epoch = ?"
            self._streams[source] = int(connection.execute(query, key).fetchone()[0])
        return self._streams[source]


class _Books:
    """The books within a transaction that somebody else ends; see `comfywear.collect.store.Books`."""

    def __init__(self, connection: sqlite3.Connection, pace: AckPace) -> None:
        self._connection = connection
        self._pace = pace

    def claim(self, streams: Collection[int]) -> tuple[float, list[SourceLedger]]:
        now_s, every_s = time.time(), self._pace.ack_every_s
        ids = json.dumps(list(streams))
        rows = self._connection.execute(
            f"SELECT id, site, device, epoch, scanned, confirmed FROM streams WHERE id IN {_THESE} "  # noqa: S608 - a constant
            "AND abs(? - reviewed_s) > ?",
            (ids, now_s, every_s),
        ).fetchall()
        gaps: dict[int, list[Gap]] = defaultdict(list)
        for stream, *columns in self._connection.execute(
            "SELECT stream, first_seq, last_seq, since_s, asked, ask_at_s FROM gaps "  # noqa: S608
            f"WHERE stream IN {_THESE} ORDER BY stream, first_seq",
            (ids,),
        ):
            gaps[stream].append(gap_of(*columns))
        return now_s, [
            SourceLedger(stream, Source(site, device, epoch), Ledger(scanned, confirmed, tuple(gaps[stream])))
            for stream, site, device, epoch, scanned, confirmed in rows
        ]

    def numbers(self, streams: Collection[int]) -> Mapping[int, Sequence[int]]:
        found: dict[int, list[int]] = {}
        for stream in streams:
            inside = self._connection.execute(
                "SELECT e.seq FROM gaps g JOIN entries e ON e.stream = g.stream AND e.seq BETWEEN g.first_seq AND "
                "g.last_seq WHERE g.stream = ? ORDER BY e.seq LIMIT ?",
                (stream, MOST_NUMBERS),
            )
            found[stream] = [row[0] for row in inside]
            above = self._connection.execute(
                "SELECT seq FROM entries WHERE stream = ? AND seq > (SELECT scanned FROM streams WHERE id = ?) "
                "ORDER BY seq LIMIT ?",
                (stream, stream, MOST_NUMBERS),
            )
            found[stream] += [row[0] for row in above]
        return found

    def gone(self, streams: Collection[int]) -> Mapping[int, Sequence[Range]]:
        found: dict[int, list[Range]] = defaultdict(list)
        for stream, first, last in self._connection.execute(
            "SELECT g.stream, g.first_seq, g.last_seq FROM gone g JOIN streams s ON s.id = g.stream "  # noqa: S608
            f"WHERE g.stream IN {_THESE} AND g.last_seq > s.contiguous ORDER BY g.stream, g.first_seq",
            (json.dumps(list(streams)),),
        ):
            found[stream].append((first, last))
        return found

    def put(self, turns: Sequence[Turn], now_s: float) -> None:
        run = self._connection.executemany
        run(
            "UPDATE streams SET reviewed_s = ?, scanned = ?, confirmed = ?, contiguous = ?, "
            "advanced_s = CASE WHEN ? THEN ? ELSE advanced_s END WHERE id = ?",
            [
                (now_s, t.ledger.scanned, t.ledger.confirmed, t.ledger.contiguous, t.moved, now_s, t.stream)
                for t in turns
            ],
        )
        changed = [turn for turn in turns if turn.gaps_changed]
        run("DELETE FROM gaps WHERE stream = ?", [(turn.stream,) for turn in changed])
        run(
            "INSERT INTO gaps (stream, first_seq, last_seq, since_s, asked, ask_at_s) VALUES (?, ?, ?, ?, ?, ?)",
            [(t.stream, g.first, g.last, g.since_s, g.asked, g.ask_at_s) for t in changed for g in t.ledger.gaps],
        )
        run(
            "INSERT INTO gone VALUES (?, ?, ?, 'unanswered', ?) ON CONFLICT DO NOTHING",
            [(turn.stream, first, last, now_s) for turn in turns for first, last in turn.lost],
        )


def _iso(moment: datetime) -> str:
    """A time as text that sorts like the time."""
    return moment.isoformat(timespec="microseconds")
