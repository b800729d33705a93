"""The spool's tables: what is remembered in the file, how it is opened, and how a damaged one is brought over."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from comfywear.publishing.spool.ages import Anchor
from comfywear.publishing.spool.ranges import Ranges
from comfywear.publishing.spool.salvage import checksum, readable_rows
from comfywear.texts import encode

VERSION = 2
# Room that a row takes beside its topic and payload (key, page overhead), in bytes.
ROW_BYTES = 64
FIRST = -(2**62)
_REMEMBERED_RANGES = 200

# The payload stands last, so that what is decided from the other columns never reads it. Rows of a store that was
# replaced have numbers below 1 here, and their own epoch and number in `salvaged`.
_TABLES = """
CREATE TABLE IF NOT EXISTS messages (
    seq INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    retain INTEGER NOT NULL,
    event INTEGER NOT NULL,
    at INTEGER NOT NULL,
    size INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    payload BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value NOT NULL);
CREATE TABLE IF NOT EXISTS live (topic TEXT PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS salvaged (number INTEGER PRIMARY KEY, epoch TEXT NOT NULL, seq INTEGER NOT NULL);
INSERT OR IGNORE INTO facts VALUES
    ('dropped_telemetry', 0), ('dropped_events', 0), ('thinned', 0), ('unconfirmed', 0), ('last_seq', 0);
"""


@dataclass(slots=True)
class SpoolFacts:
    """What the spool knows of its file without asking it.

    Attributes:
        epoch: The store's random name.
        last_seq: The highest number ever given.
        rows: Rows in the file.
        bytes: Their size.
        newest: The newest row of each retained topic.
        done: Rows that may go with the next commit, and are gone to everybody who asks.
        sent: Rows that the broker has, while a consumer's confirmation is awaited.
        sent_stored: What of `sent` the file remembers.
        anchor: The store's age at the last stop.
        oldest_age_s: An age that the store has certainly reached.
    """

    epoch: str = ""
    last_seq: int = 0
    rows: int = 0
    bytes: int = 0
    newest: dict[str, int] = field(default_factory=dict)
    done: Ranges = field(default_factory=Ranges)
    sent: Ranges = field(default_factory=Ranges)
    sent_stored: str = ""
    anchor: Anchor | None = None
    oldest_age_s: float = 0.0


def prepare(connection: sqlite3.Connection) -> SpoolFacts:
    """Make the tables where they are missing, and read what must be known.

    Raises:
        sqlite3.DatabaseError: When the file holds tables of another kind.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema WHERE type = 'table'").fetchone()[0]
    if version != VERSION and tables:
        raise sqlite3.DatabaseError(f"its tables are of version {version}, not {VERSION}")
    for statement in _TABLES.split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("INSERT OR IGNORE INTO facts VALUES ('epoch', ?)", (secrets.token_hex(8),))
    facts = dict(connection.execute("SELECT name, value FROM facts").fetchall())
    rows, taken, last, age = connection.execute(
        "SELECT count(*), ifnull(sum(size), 0), ifnull(max(seq), 0), ifnull(max(at), 0) FROM messages"
    ).fetchone()
    newest = dict(connection.execute("SELECT topic, max(seq) FROM messages WHERE retain GROUP BY topic").fetchall())
    for topic, seq in connection.execute("SELECT topic, seq FROM live"):
        newest[topic] = max(seq, newest.get(topic, seq))
    return SpoolFacts(
        epoch=str(facts["epoch"]),
        last_seq=max(int(facts["last_seq"]), last),
        rows=rows,
        bytes=taken,
        newest=newest,
        sent=Ranges(msgspec.json.decode(facts.get("sent", "[]"), type=list[tuple[int, int]])),
        anchor=msgspec.json.decode(facts["anchor"], type=Anchor) if "anchor" in facts else None,
        oldest_age_s=float(age),
    )


def remember(connection: sqlite3.Connection, name: str, value: object) -> None:
    """Note a fact."""
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))


def count(connection: sqlite3.Connection, name: str, more: int) -> None:
    """Add to a fact that counts."""
    if more:
        connection.execute("UPDATE facts SET value = value + ? WHERE name = ?", (more, name))


def sent_text(sent: Ranges) -> str:
    """`sent` for a fact; of very many ranges the first are kept, and rows of the others are sent again."""
    return encode(list(sent)[:_REMEMBERED_RANGES]).decode()


def bring_over(connection: sqlite3.Connection, damaged: Path) -> int:
    """Put the sound rows of a damaged spool in front of this one's; returns how many."""
    saved = readable_rows(damaged)
    for number, row in enumerate(saved, start=1 - len(saved)):
        size = len(row.payload) + len(row.topic.encode()) + ROW_BYTES
        connection.execute(
            "INSERT INTO messages VALUES (?, ?, ?, ?, 0, ?, ?, ?)",
            (number, row.topic, row.retain, row.event, size, checksum(row.topic, row.payload), row.payload),
        )
        connection.execute("INSERT INTO salvaged VALUES (?, ?, ?)", (number, row.epoch, row.seq))
    return len(saved)
