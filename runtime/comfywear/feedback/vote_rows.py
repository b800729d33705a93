"""How a vote stands in SQLite: the table, its earlier versions, and the way from a row to a record and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import msgspec
import numpy as np

from comfywear.errors import StoreError, UsageError
from comfywear.records import Climate, Clothing, Comfort, Delivery, Person, Pressed, SkinTemperature, Vote
from comfywear.texts import Text

# PRAGMA user_version of the file. 0: the first version, or a new file; 2: with person and undone.
VERSION = 2

_FIRST = """
CREATE TABLE IF NOT EXISTS votes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    zone TEXT NOT NULL,
    level INTEGER NOT NULL,
    scale TEXT NOT NULL,
    words TEXT NOT NULL,
    source TEXT NOT NULL,
    ts TEXT,
    time_ok INTEGER NOT NULL,
    snapshot TEXT NOT NULL,
    published INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS unpublished ON votes (number) WHERE NOT published;
"""
_SECOND = """
ALTER TABLE votes ADD COLUMN person TEXT;
ALTER TABLE votes ADD COLUMN undone INTEGER NOT NULL DEFAULT 0;
"""
# Which votes came over MQTT last, by packet id: a broker brings one again whose acknowledgement was lost. It never has
# more than its window of 20 to bring again.
_DELIVERIES = (
    "CREATE TABLE IF NOT EXISTS deliveries (number INTEGER PRIMARY KEY AUTOINCREMENT, packet INTEGER UNIQUE, vote TEXT)"
)
_MOST_DELIVERIES = 64
# Counting reads this alone, never the snapshots.
_INDEX = "CREATE INDEX IF NOT EXISTS standing ON votes (undone, zone)"

PRESSED_COLUMNS = ("ts", "level", "source", "person", "snapshot")
COLUMNS = ("id", "zone", "level", "scale", "words", "source", "ts", "time_ok", "snapshot", "person", "undone")
_SINCE_SECOND = {"person": "NULL", "undone": "0"}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The moment of a vote: what was measured, seen and computed for its zone, and the models' ids by role."""

    climate: Climate | None = None
    persons: tuple[Person, ...] = ()
    clothing: Clothing | None = None
    comfort: Comfort | None = None
    worn: tuple[Clothing, ...] = ()
    skin: tuple[SkinTemperature | None, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)


class _Asked(msgspec.Struct, frozen=True):
    inputs: dict[str, float] = {}
    probabilities: tuple[float, ...] = ()


class _Moment(msgspec.Struct, frozen=True):
    comfort: _Asked | None = None


_MOMENT = msgspec.json.Decoder(_Moment)


@dataclass(frozen=True, slots=True)
class Selection:
    """Some of the votes: of a zone, a person, or a period (`since` ≤ time < `until`, ISO 8601).

    Votes that were pressed before the clock was set have no time and are in no period.
    """

    zone: str | None = None
    person: str | None = None
    since: str | None = None
    until: str | None = None

    def clause(self) -> tuple[str, list[str]]:
        """The SQL condition and its values."""
        terms = {
            "zone = ?": self.zone,
            "person = ?": self.person,
            "ts >= ?": None if self.since is None else as_stamp(self.since),
            "ts < ?": None if self.until is None else as_stamp(self.until),
        }
        chosen = {term: value for term, value in terms.items() if value is not None}
        return " AND ".join(chosen) or "1", list(chosen.values())

    def __post_init__(self) -> None:
        """An empty text is no choice: it would mean every vote.

        Raises:
            UsageError: When a field is an empty text, or a time that is none.
        """
        for name in ("zone", "person", "since", "until"):
            if getattr(self, name) == "":
                raise UsageError(Text("{name} is empty; leave it out, or say which", name=name))
        for text in (self.since, self.until):
            if text is not None:
                as_stamp(text)

    def empty(self) -> bool:
        """Whether it leaves no vote out."""
        return self == Selection()


def as_stamp(text: str) -> str:
    """An ISO 8601 date or time as stamps are stored: UTC with milliseconds; without a zone it is UTC.

    Raises:
        UsageError: When it is none.
    """
    try:
        when = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    except ValueError:
        raise UsageError(
            Text("{text} is no date or time; write 2027-01-31 or 2027-01-31T08:30+01:00", text=repr(text))
        ) from None
    when = when if when.tzinfo else when.replace(tzinfo=timezone.utc)
    return when.astimezone(timezone.utc).isoformat(timespec="milliseconds")


def prepare(connection: sqlite3.Connection) -> None:
    """Create the table, or bring that of an earlier version to this one; what was stored stays.

    Raises:
        StoreError: When a later version of the software wrote the file.
    """
    connection.execute("PRAGMA secure_delete = ON")  # what a person has deleted leaves no trace in the file
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise StoreError(
            Text(
                "the store of votes was written by a later version (its layout is {version}, this one knows "
                "{version_2}): install that version again, or set device.state_dir to another folder",
                version=version,
                version_2=VERSION,
            )
        )
    _run(connection, _FIRST)
    if version < VERSION:
        _run(connection, _SECOND)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute(_INDEX)
    connection.execute(_DELIVERIES)


def merge(file: sqlite3.Connection, memory: sqlite3.Connection) -> None:
    """Bring the votes that were kept in memory into the file, in the order in which they were pressed."""
    names = ", ".join((*COLUMNS, "published"))
    marks = ", ".join("?" * (len(COLUMNS) + 1))
    rows = memory.execute(f"SELECT {names} FROM votes ORDER BY number").fetchall()  # noqa: S608 - names of this file alone
    file.executemany(f"INSERT OR IGNORE INTO votes ({names}) VALUES ({marks})", rows)  # noqa: S608 - as above
    for packet, vote_id in memory.execute("SELECT packet, vote FROM deliveries ORDER BY number").fetchall():
        note_delivery(file, Delivery(packet, again=True), vote_id)


def note_delivery(connection: sqlite3.Connection, delivery: Delivery, vote_id: str) -> None:
    """Remember by which packet a vote came, in the transaction that stores it."""
    values = (delivery.packet_id, vote_id)
    number = connection.execute("INSERT OR REPLACE INTO deliveries (packet, vote) VALUES (?, ?)", values).lastrowid
    connection.execute("DELETE FROM deliveries WHERE number <= ?", ((number or 0) - _MOST_DELIVERIES,))


def _run(connection: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";"):
        connection.execute(statement)


def columns_of(connection: sqlite3.Connection) -> str:
    """`COLUMNS` for a SELECT; what a file of an earlier version does not have yet stands there as its default."""
    present = {row[1] for row in connection.execute("PRAGMA table_info(votes)")}
    return ", ".join(name if name in present else f"{_SINCE_SECOND[name]} AS {name}" for name in COLUMNS)


def snapshot_text(snapshot: Snapshot) -> str:
    """JSON of the snapshot, NaN kept as Python's json writes it: nothing in a snapshot may make a vote unreadable."""
    return json.dumps(msgspec.to_builtins(snapshot, enc_hook=_plain), ensure_ascii=False)


LONGEST_THIN = 4000
"""Characters of a thinned moment at most; one that is longer although it is thinned is emptied."""


def thinned(text: str) -> str:
    """A stored moment without persons: air, clothing, comfort and the models stay."""
    found = json.loads(text)
    kept = {name: found[name] for name in ("climate", "clothing", "comfort", "models") if found.get(name) is not None}
    short = json.dumps(kept, ensure_ascii=False)
    return short if len(short) <= LONGEST_THIN else "{}"


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Text):
        return value[:]
    raise NotImplementedError(f"{type(value).__name__} in a vote's snapshot")


def vote_of(row: tuple[Any, ...]) -> Vote:
    """The vote of a row of `COLUMNS`."""
    vote_id, zone, level, scale, words, source, ts, time_ok, text, person, undone = row
    moment = msgspec.convert(json.loads(text), Snapshot)
    return Vote(
        id=vote_id,
        zone=zone,
        level=level,
        scale=scale,
        words=words,
        source=source,
        ts=ts,
        time_ok=bool(time_ok),
        climate=moment.climate,
        persons=moment.persons,
        clothing=moment.clothing,
        comfort=moment.comfort,
        worn=moment.worn,
        skin=moment.skin,
        models=moment.models,
        person=person,
        undone=bool(undone),
    )


def pressed_of(row: tuple[Any, ...]) -> Pressed:
    """What learning needs of a row of `PRESSED_COLUMNS`; the rest of its snapshot never becomes an object."""
    ts, level, source, person, text = row
    try:
        comfort = _MOMENT.decode(text).comfort
    except msgspec.DecodeError:  # NaN, which only Python's json reads
        comfort = msgspec.convert(json.loads(text), _Moment).comfort
    return Pressed(ts, level, source, person, comfort.inputs if comfort and comfort.probabilities else {})
