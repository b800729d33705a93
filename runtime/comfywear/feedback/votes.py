"""The store of votes: a press is accepted when it is committed, raw, with the moment it belongs to."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from comfywear.clock import Clock, wall_time
from comfywear.database import Database
from comfywear.errors import UsageError
from comfywear.records import Climate, Clothing, Comfort, Person, Vote

LOWEST_LEVEL, HIGHEST_LEVEL = 1, 5

_TABLES = """
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


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The moment of a vote: what was measured, seen and computed for its zone."""

    climate: Climate | None = None
    persons: tuple[Person, ...] = ()
    clothing: Clothing | None = None
    comfort: Comfort | None = None


class VoteStore:
    """Votes in SQLite; every method may be called from any thread.

    Args:
        path: The SQLite file, or None for memory alone.
        zones: Names of the zones that can be voted for.
        scale_id: Id of the scale that is shown.
        scale_words: The words shown for the levels 1…5.
        clock: Says the time and whether it can be believed.

    Raises:
        StoreError: When the file cannot be written.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        zones: Collection[str],
        scale_id: str,
        scale_words: Mapping[int, str],
        clock: Clock = wall_time,
    ) -> None:
        self._zones = tuple(zones)
        self._scale_id = scale_id
        self._words = dict(scale_words)
        self._clock = clock
        self._database = Database(path, "the store of votes", _prepare)

    def check(self, zone: str | None, level: int) -> str:
        """The zone that a vote is for; None means the only zone.

        Raises:
            UsageError: When the level is not 1…5, the zone is not one of this device's, or it must be said.
        """
        if isinstance(level, bool) or not isinstance(level, int) or not LOWEST_LEVEL <= level <= HIGHEST_LEVEL:
            raise UsageError(f"{level!r} is no vote: press 1 (uncomfortable) … 5 (comfortable)")
        if zone is None and len(self._zones) == 1:
            return self._zones[0]
        if zone is None:
            raise UsageError(f"say which zone the vote is for: {', '.join(self._zones)}")
        if zone not in self._zones:
            raise UsageError(f"no zone is named {zone!r}; the zones are: {', '.join(self._zones)}")
        return zone

    def accept(self, zone: str | None, level: int, source: str, snapshot: Snapshot) -> Vote:
        """Store a press and return it once it is committed.

        Raises:
            UsageError: As `check`.
            StoreError: When it could not be committed; it is then not accepted.
        """
        zone = self.check(zone, level)
        ts, time_ok = self._clock()
        vote = Vote(
            id=uuid.uuid4().hex,
            zone=zone,
            level=level,
            scale=self._scale_id,
            words=self._words[level],
            source=source,
            ts=ts,
            time_ok=time_ok,
            climate=snapshot.climate,
            persons=snapshot.persons,
            clothing=snapshot.clothing,
            comfort=snapshot.comfort,
        )
        row = (vote.id, zone, level, vote.scale, vote.words, source, ts, time_ok, _text(snapshot))
        self._database.write(
            lambda connection: connection.execute(
                "INSERT INTO votes (id, zone, level, scale, words, source, ts, time_ok, snapshot) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        )
        return vote

    def count(self, zone: str | None = None) -> int:
        """Votes stored, of all zones or of one."""
        query, values = "SELECT count(*) FROM votes", tuple[str, ...]()
        if zone is not None:
            query, values = f"{query} WHERE zone = ?", (zone,)
        return int(self._database.read(lambda connection: connection.execute(query, values).fetchone()[0]))

    def newest(self, limit: int = 100) -> list[Vote]:
        """The newest votes, newest first."""
        return self._select("ORDER BY number DESC LIMIT ?", limit)

    def unpublished(self, limit: int = 1000) -> list[Vote]:
        """Votes that were not handed to publishing yet (the device stopped in between), oldest first."""
        return self._select("WHERE NOT published ORDER BY number LIMIT ?", limit)

    def mark_published(self, vote_id: str) -> None:
        """Remember that a vote was handed to publishing.

        Raises:
            StoreError: When that could not be committed; the vote is then handed on once more after a restart.
        """
        self._database.write(
            lambda connection: connection.execute("UPDATE votes SET published = 1 WHERE id = ?", (vote_id,))
        )

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _select(self, clause: str, limit: int) -> list[Vote]:
        query = f"SELECT id, zone, level, scale, words, source, ts, time_ok, snapshot FROM votes {clause}"  # noqa: S608 - clauses of this file alone
        rows = self._database.read(lambda connection: connection.execute(query, (limit,)).fetchall())
        return [_vote(row) for row in rows]


def _prepare(connection: sqlite3.Connection) -> None:
    for statement in _TABLES.split(";"):
        connection.execute(statement)


def _text(snapshot: Snapshot) -> str:
    """JSON of the snapshot, NaN kept as Python's json writes it: nothing in a snapshot may make a vote unreadable."""
    return json.dumps(msgspec.to_builtins(snapshot, enc_hook=_plain), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise NotImplementedError(f"{type(value).__name__} in a vote's snapshot")


def _vote(row: tuple[str, str, int, str, str, str, str | None, int, str]) -> Vote:
    vote_id, zone, level, scale, words, source, ts, time_ok, text = row
    snapshot = msgspec.convert(json.loads(text), Snapshot)
    return Vote(
        id=vote_id,
        zone=zone,
        level=level,
        scale=scale,
        words=words,
        source=source,
        ts=ts,
        time_ok=bool(time_ok),
        climate=snapshot.climate,
        persons=snapshot.persons,
        clothing=snapshot.clothing,
        comfort=snapshot.comfort,
    )
