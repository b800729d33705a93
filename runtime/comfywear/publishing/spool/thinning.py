"""What goes when the spool is full: telemetry becomes coarser before any is dropped, and votes go last of all.

Oldest first, each topic keeps its newest message a minute, then ten minutes, then an hour. The last hour stays as it
is while that is enough. Only then the oldest telemetry is dropped, then the oldest votes. The newest state of each
retained topic is kept throughout.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass, field

INTERVALS_S = (60, 600, 3600)
RECENT_S = 3600
_CHUNK = 4000


@dataclass(slots=True)
class Freed:
    """What was taken out, in all."""

    rows: int = 0
    bytes: int = 0
    thinned: int = 0
    dropped_telemetry: int = 0
    dropped_events: int = 0
    seqs: list[int] = field(default_factory=list)

    def add(self, seqs_and_sizes: Collection[tuple[int, int]]) -> None:
        """Count rows that were taken out."""
        self.rows += len(seqs_and_sizes)
        self.bytes += sum(size for _, size in seqs_and_sizes)
        self.seqs += [seq for seq, _ in seqs_and_sizes]


def make_room(connection: sqlite3.Connection, wanted_bytes: int, age_s: float, keep: Collection[int]) -> Freed:
    """Take out rows of at least `wanted_bytes` by the rule above.

    Args:
        connection: Of the spool, in a transaction.
        wanted_bytes: How much room is needed.
        age_s: The store's age now; rows have theirs in `at`.
        keep: Rows that must stay: the newest states of retained topics.
    """
    freed = Freed()
    recent = int(age_s) - RECENT_S
    for before in (recent, None):
        for interval_s in INTERVALS_S:
            if freed.bytes >= wanted_bytes:
                return freed
            _thin(connection, interval_s, before, wanted_bytes, keep, freed)
    _drop(connection, wanted_bytes, keep, freed)
    return freed


def drop_older(connection: sqlite3.Connection, before: int, keep: Collection[int]) -> Freed:
    """Take out the telemetry that was stored before the age `before`."""
    freed = Freed()
    after = -(2**62)
    while True:
        rows = connection.execute(
            "SELECT seq, size, at FROM messages WHERE seq > ? AND NOT event ORDER BY seq LIMIT ?", (after, _CHUNK)
        ).fetchall()
        # Ages ascend with the rows, so the first that is young enough ends it.
        old = [(seq, size) for seq, size, at in rows if at < before]
        out = [(seq, size) for seq, size in old if seq not in keep]
        _delete(connection, out, freed)
        freed.dropped_telemetry += len(out)
        if not old or len(old) < _CHUNK:
            return freed
        after = old[-1][0]


def _thin(
    connection: sqlite3.Connection,
    interval_s: int,
    before: int | None,
    wanted_bytes: int,
    keep: Collection[int],
    freed: Freed,
) -> None:
    """Leave each topic its newest message an interval, from where this was left off, as far as it is needed."""
    fact = f"thinned_{interval_s}"
    found = connection.execute("SELECT value FROM facts WHERE name = ?", (fact,)).fetchone()
    cursor = int(found[0]) if found else None
    limit = _CHUNK
    # Only whole intervals, except where nothing else is left.
    horizon = before // interval_s * interval_s if before is not None else 2**62
    while freed.bytes < wanted_bytes:
        rows = connection.execute(
            "SELECT seq, topic, at / ?, size FROM messages WHERE seq > ? AND NOT event AND at < ? ORDER BY seq LIMIT ?",
            (interval_s, -(2**62) if cursor is None else cursor, horizon, limit),
        ).fetchall()
        if not rows:
            break
        more = len(rows) == limit
        if more:
            whole = [row for row in rows if row[2] < rows[-1][2]]
            if not whole:
                limit *= 2
                continue
            rows, limit = whole, _CHUNK
        newest = {(topic, slot): seq for seq, topic, slot, _ in rows}
        out = [(seq, size) for seq, topic, slot, size in rows if newest[topic, slot] != seq and seq not in keep]
        _delete(connection, out, freed)
        freed.thinned += len(out)
        cursor = int(rows[-1][0])
        if not more:
            break
    if cursor is not None:
        connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (fact, cursor))


def _drop(connection: sqlite3.Connection, wanted_bytes: int, keep: Collection[int], freed: Freed) -> None:
    for event in (0, 1):
        after = -(2**62)
        while freed.bytes < wanted_bytes:
            rows = connection.execute(
                "SELECT seq, size FROM messages WHERE event = ? AND seq > ? ORDER BY seq LIMIT 100", (event, after)
            ).fetchall()
            if not rows:
                break
            after = rows[-1][0]
            out: list[tuple[int, int]] = []
            missing = wanted_bytes - freed.bytes
            for seq, size in rows:
                if missing <= 0:
                    break
                if event or seq not in keep:
                    out.append((seq, size))
                    missing -= size
            _delete(connection, out, freed)
            if event:
                freed.dropped_events += len(out)
            else:
                freed.dropped_telemetry += len(out)


def _delete(connection: sqlite3.Connection, rows: Collection[tuple[int, int]], freed: Freed) -> None:
    connection.executemany("DELETE FROM messages WHERE seq = ?", [(seq,) for seq, _ in rows])
    freed.add(rows)
