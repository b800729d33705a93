"""Messages that wait for the broker, in SQLite: committed before they are accepted, bounded, counted when dropped.

The sequence number is an AUTOINCREMENT key, so it never comes twice within an epoch, and the epoch is random and
stored beside the rows: (device, epoch, seq) names a message for ever.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from comfywear.clock import Clock, wall_time
from comfywear.database import Database
from comfywear.errors import UsageError
from comfywear.publishing.messages import Message, Stamp

# Room that a row takes beside its topic and payload (key, index entry, page overhead), in bytes.
ROW_BYTES = 64
# Larger payloads are refused by common brokers' defaults, and one that kills each connection would stop all others.
LARGEST_PAYLOAD_BYTES = 128 * 1024

Build = Callable[[Stamp], Message]
Key = tuple[str, int]

_TABLES = """
CREATE TABLE IF NOT EXISTS messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    retain INTEGER NOT NULL,
    event INTEGER NOT NULL,
    size INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS droppable ON messages (event, seq);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value NOT NULL);
INSERT OR IGNORE INTO facts VALUES ('dropped_telemetry', 0), ('dropped_events', 0);
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A waiting message; `key` is (epoch, seq)."""

    key: Key
    topic: str
    payload: bytes
    retain: bool


@dataclass(frozen=True, slots=True)
class SpoolHealth:
    """How full the spool is, and what was dropped for lack of room since it was begun."""

    rows: int
    bytes: int
    dropped_telemetry: int
    dropped_events: int


class Spool:
    """The waiting messages of one device; every method may be called from any thread.

    Args:
        path: The SQLite file, or None for memory alone.
        device: The device's name, stamped on every message.
        max_rows: Rows kept at most.
        max_bytes: Bytes of topics, payloads and row overhead kept at most.
        clock: Says the time and whether it can be believed.

    Raises:
        StoreError: When the file cannot be written.
    """

    def __init__(
        self,
        path: Path | None,
        device: str,
        *,
        max_rows: int = 1_000_000,
        max_bytes: int = 50_000_000,
        clock: Clock = wall_time,
    ) -> None:
        self.device = device
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._clock = clock
        self._epoch = ""
        self._rows = 0
        self._bytes = 0
        self._database = Database(path, "the store of unsent messages", self._prepare)

    @property
    def epoch(self) -> str:
        """The random name of this store."""
        return self._epoch

    @property
    def set_aside(self) -> list[Path]:
        """Damaged files that were replaced since the start."""
        return list(self._database.set_aside)

    def stamp(self, seq: int | None = None) -> Stamp:
        """A stamp of now; without `seq` for messages outside the sequence."""
        ts, time_ok = self._clock()
        return Stamp(self.device, self._epoch, seq, ts, time_ok)

    def accept(self, topic: str, build: Build, *, retain: bool = False, event: bool = False) -> int:
        """Commit the message that `build` makes and return its sequence number.

        When there is no room, the oldest telemetry makes it; events (votes) go last of all, oldest first. What was
        dropped is counted in the same transaction.

        Args:
            topic: Where it goes.
            build: Makes the message from its stamp; must be quick and must not use the spool.
            retain: The broker keeps it for those who come later (live states).
            event: True for votes: dropped last.

        Raises:
            StoreError: When it could not be committed; it is then not accepted.
            UsageError: When topic or payload can never be sent.
        """
        _check_topic(topic)

        def insert(connection: sqlite3.Connection) -> tuple[int, int, int]:
            found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").fetchone()
            seq = int(found[0]) + 1 if found else 1
            payload = msgspec.json.encode(build(self.stamp(seq)))
            if len(payload) > LARGEST_PAYLOAD_BYTES:
                raise UsageError(f"{topic}: {len(payload)} bytes are more than a message may have")
            size = len(payload) + len(topic.encode()) + ROW_BYTES
            connection.execute(
                "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?)", (seq, topic, payload, retain, event, size)
            )
            rows, taken = self._drop(connection, self._rows + 1, self._bytes + size)
            return seq, rows, taken

        with self._database.lock:
            seq, self._rows, self._bytes = self._database.write(insert)
            return seq

    def waiting(self, after: int, limit: int, *, without_topics: Collection[str] = ()) -> list[Row]:
        """At most `limit` rows with a sequence number above `after`, oldest first, none of `without_topics`."""
        marks = ",".join("?" * len(without_topics))
        query = (
            f"SELECT seq, topic, payload, retain FROM messages WHERE seq > ? AND topic NOT IN ({marks}) "  # noqa: S608 - only question marks are put in
            "ORDER BY seq LIMIT ?"
        )
        with self._database.lock:
            found = self._database.read(lambda c: c.execute(query, (after, *without_topics, limit)).fetchall())
            return [Row((self._epoch, seq), topic, payload, bool(retain)) for seq, topic, payload, retain in found]

    def delete(self, keys: Iterable[Key]) -> None:
        """Forget rows that arrived; keys of another epoch and rows that are gone already are ignored.

        Raises:
            StoreError: When it could not be committed; the rows are then still there.
        """

        def remove(connection: sqlite3.Connection) -> tuple[int, int]:
            rows, taken = self._rows, self._bytes
            for epoch, seq in keys:
                if epoch != self._epoch:
                    continue
                found = connection.execute("SELECT size FROM messages WHERE seq = ?", (seq,)).fetchone()
                if found:
                    connection.execute("DELETE FROM messages WHERE seq = ?", (seq,))
                    rows, taken = rows - 1, taken - found[0]
            return rows, taken

        with self._database.lock:
            self._rows, self._bytes = self._database.write(remove)

    def health(self) -> SpoolHealth:
        """How full it is and what was dropped."""
        with self._database.lock:
            facts = dict(self._database.read(lambda c: c.execute("SELECT name, value FROM facts").fetchall()))
            return SpoolHealth(self._rows, self._bytes, int(facts["dropped_telemetry"]), int(facts["dropped_events"]))

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute("INSERT OR IGNORE INTO facts VALUES ('epoch', ?)", (secrets.token_hex(8),))
        self._epoch = str(connection.execute("SELECT value FROM facts WHERE name = 'epoch'").fetchone()[0])
        self._rows, self._bytes = connection.execute("SELECT count(*), ifnull(sum(size), 0) FROM messages").fetchone()

    def _drop(self, connection: sqlite3.Connection, rows: int, taken: int) -> tuple[int, int]:
        """Make room by rule; returns rows and bytes that are left."""
        while rows > self._max_rows or taken > self._max_bytes:
            seq, event, size = connection.execute(
                "SELECT seq, event, size FROM messages ORDER BY event, seq LIMIT 1"
            ).fetchone()
            connection.execute("DELETE FROM messages WHERE seq = ?", (seq,))
            name = "dropped_events" if event else "dropped_telemetry"
            connection.execute("UPDATE facts SET value = value + 1 WHERE name = ?", (name,))
            rows, taken = rows - 1, taken - size
        return rows, taken


def _check_topic(topic: str) -> None:
    if not topic or any(character in topic for character in "+#\0") or len(topic.encode()) > 65_535:
        raise UsageError(f"nothing can be published to the topic {topic!r}")
