"""The store of votes: a press is accepted when it is committed, raw, with the moment it belongs to."""

from __future__ import annotations

import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from comfywear.errors import UsageError
from comfywear.feedback.limits import Place, PressLimits
from comfywear.feedback.vote_rows import (
    COLUMNS,
    LONGEST_THIN,
    PRESSED_COLUMNS,
    Selection,
    Snapshot,
    merge,
    note_delivery,
    prepare,
    pressed_of,
    snapshot_text,
    thinned,
    vote_of,
)
from comfywear.records import Delivery, Pressed, Vote
from comfywear.settings.zones import which_zone
from comfywear.system.clock import Clock, wall_time
from comfywear.system.database import Database
from comfywear.texts import Text

__all__ = ["HIGHEST_LEVEL", "LOWEST_LEVEL", "Snapshot", "VoteStore"]

LOWEST_LEVEL, HIGHEST_LEVEL = 1, 5
LONGEST_PERSON = 64
_COLUMNS, _PRESSED_COLUMNS = ", ".join(COLUMNS), ", ".join(PRESSED_COLUMNS)


class VoteStore:
    """Votes in SQLite; every method may be called from any thread. A file of an earlier version is brought up to date.

    Args:
        path: The SQLite file, or None for memory alone.
        zones: Names of the zones that can be voted for.
        scale_id: Id of the scale that is shown.
        scale_words: The words shown for the levels 1…5.
        clock: Says the time and whether it can be believed.
        repeat_s: A press of the same level at the same place within so many seconds counts once.
        per_minute: Votes of one place in 60 s at most; 0 = any number.
        undo_s: How long a vote can be taken back.
        monotonic: Seconds that no setting of the clock moves.
        stand_in: Where the file cannot be used, votes are kept in memory and that is logged; they go into the file once
            it can be.

    Raises:
        StoreError: When the file cannot be written, or a later version wrote it, and nothing stands in.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        zones: Collection[str],
        scale_id: str,
        scale_words: Mapping[int, str],
        clock: Clock = wall_time,
        repeat_s: float = 0.0,
        per_minute: int = 0,
        undo_s: float = 60.0,
        monotonic: Callable[[], float] = time.monotonic,
        stand_in: bool = False,
    ) -> None:
        self._zones = tuple(zones)
        self._scale_id = scale_id
        self._words = dict(scale_words)
        self._clock = clock
        self._monotonic = monotonic
        self._limits = PressLimits(repeat_s, per_minute, undo_s)
        self._lock = threading.Lock()
        self._database = Database(path, "the store of votes", prepare, merge=merge if stand_in else None)

    @property
    def lasting(self) -> bool:
        """False where votes are kept in memory alone."""
        return self._database.lasting

    def check(self, zone: str | None, level: int) -> str:
        """The zone that a vote is for; None means the only zone.

        Raises:
            UsageError: When the level is not 1…5, the zone is not one of this device's, or it must be said.
        """
        if isinstance(level, bool) or not isinstance(level, int) or not LOWEST_LEVEL <= level <= HIGHEST_LEVEL:
            raise UsageError(Text("{level} is no vote: press 1 (uncomfortable) … 5 (comfortable)", level=repr(level)))
        return self.check_zone(zone)

    def check_zone(self, zone: str | None) -> str:
        """The zone that is meant; None means the only one.

        Raises:
            UsageError: When it is not one of this device's, or it must be said.
        """
        return which_zone(zone, self._zones, "say which zone the vote is for")

    def accept(
        self, zone: str | None, level: int, source: str, snapshot: Snapshot, *, person: str | None = None
    ) -> Vote:
        """Store a press and return it once it is committed; a repeated press returns the vote that it repeats.

        Raises:
            UsageError: As `check`; or the place has had its votes of this minute.
            StoreError: When it could not be committed; it is then not accepted.
        """
        return self.accept_once(zone, level, source, snapshot, person=person)[0]

    def accept_once(
        self,
        zone: str | None,
        level: int,
        source: str,
        snapshot: Snapshot,
        *,
        person: str | None = None,
        vote_id: str | None = None,
        delivery: Delivery | None = None,
        age_s: float = 0.0,
    ) -> tuple[Vote, bool]:
        """As `accept`; also says whether the vote is new (true) or repeats that one (false).

        Args:
            zone: As `check`.
            level: As `check`.
            source: Where it was pressed.
            snapshot: The moment it belongs to.
            person: Who pressed, if that was said.
            vote_id: The sender's own id of this vote; sent again, it is the vote that was stored.
            delivery: How it came over MQTT; brought again by the broker, it is the vote that was stored.
            age_s: How long ago it was pressed.
        """
        zone = self.check(zone, level)
        if person is not None and not 0 < len(person) <= LONGEST_PERSON:
            raise UsageError(
                Text(
                    "a person's name has 1…{longest_person} characters, not {person}",
                    longest_person=LONGEST_PERSON,
                    person=len(person),
                )
            )
        place = Place(zone, source, person)
        with self._lock:
            if (known := self._known(zone, level, vote_id, delivery)) is not None:
                return known, False
            now_s = self._monotonic() - age_s
            if (earlier := self._limits.repeated(place, level, now_s)) is not None:
                return earlier, False
            self._limits.check(place, now_s)
            vote = self._commit(zone, level, source, snapshot, person, vote_id, delivery, age_s)
            self._limits.note(place, vote, now_s)
        return vote, True

    def _known(self, zone: str, level: int, vote_id: str | None, delivery: Delivery | None) -> Vote | None:
        """The vote that was stored when this one came before."""
        if vote_id is None and delivery is not None and delivery.again:
            row = self._database.read(
                lambda c: c.execute("SELECT vote FROM deliveries WHERE packet = ?", (delivery.packet_id,)).fetchone()
            )
            vote_id = row[0] if row else None
            if vote_id is not None and self.find(vote_id) is None:
                raise UsageError(Text("this vote was stored and has been deleted since"))
        vote = None if vote_id is None else self.find(vote_id)
        if vote is not None and (vote.zone, vote.level) != (zone, level):
            raise UsageError(
                Text("the id {vote_id} was given to another vote: each needs an id of its own", vote_id=repr(vote_id))
            )
        return vote

    def _commit(
        self,
        zone: str,
        level: int,
        source: str,
        snapshot: Snapshot,
        person: str | None,
        vote_id: str | None,
        delivery: Delivery | None,
        age_s: float,
    ) -> Vote:
        ts, time_ok = self._clock()
        if ts is not None and age_s:
            ts = (datetime.fromisoformat(ts) - timedelta(seconds=age_s)).isoformat(timespec="milliseconds")
        vote = Vote(
            id=vote_id or uuid.uuid4().hex,
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
            worn=snapshot.worn,
            skin=snapshot.skin,
            models=snapshot.models,
            person=person,
        )
        text = snapshot_text(snapshot)
        row = (vote.id, zone, level, vote.scale, vote.words, source, ts, time_ok, text, person, False)
        marks = ", ".join("?" * len(COLUMNS))

        def insert(connection: sqlite3.Connection) -> None:
            connection.execute(f"INSERT INTO votes ({_COLUMNS}) VALUES ({marks})", row)  # noqa: S608 - names and marks of this file alone
            if delivery is not None:
                note_delivery(connection, delivery, vote.id)

        self._database.write(insert)
        return vote

    def forget_deliveries(self) -> None:
        """A new session with the broker: its packet ids begin anew.

        Raises:
            StoreError: When that could not be committed.
        """
        self._database.write(lambda connection: connection.execute("DELETE FROM deliveries"))

    def undo(self, vote_id: str) -> Vote:
        """Take a vote back and return it, marked undone, once that is committed; a second time changes nothing.

        Raises:
            UsageError: When there is no such vote, or it is older than `undo_s` (or than this start of the device).
            StoreError: When it could not be committed; the vote then still counts.
        """
        with self._lock:
            vote = self.find(vote_id)
            if vote is None:
                raise UsageError(Text("no vote has the id {vote_id}", vote_id=repr(vote_id)))
            if vote.undone:
                return vote
            if not self._limits.can_undo(vote_id, self._monotonic()):
                raise UsageError(
                    Text(
                        "the vote can no longer be undone: that is possible for {undo} s",
                        undo=f"{self._limits.undo_s:.0f}",
                    )
                )
            self._database.write(
                lambda connection: connection.execute(
                    "UPDATE votes SET undone = 1, published = 0 WHERE id = ?", (vote_id,)
                )
            )
            undone = replace(vote, undone=True)
            self._limits.forget(undone)
        return undone

    def last(self, zone: str | None, source: str) -> Vote:
        """The newest vote of a source in a zone, if it can still be undone.

        Raises:
            UsageError: When there is none.
        """
        zone = self.check_zone(zone)
        with self._lock:
            vote = self._limits.last(zone, source, self._monotonic())
        if vote is None:
            raise UsageError(
                Text(
                    "nothing to undo: no vote from {source} in {zone} within {undo} s",
                    source=source,
                    zone=zone,
                    undo=f"{self._limits.undo_s:.0f}",
                )
            )
        return vote

    def count(self, zone: str | None = None) -> int:
        """Votes stored that were not undone, of all zones or of one."""
        query, values = "SELECT count(*) FROM votes WHERE undone = 0", tuple[str, ...]()
        if zone is not None:
            query, values = f"{query} AND zone = ?", (zone,)
        return int(self._database.read(lambda connection: connection.execute(query, values).fetchone()[0]))

    def newest(self, limit: int = 100, zone: str | None = None) -> list[Vote]:
        """The newest votes that were not undone, of all zones or of one, newest first."""
        if zone is None:
            return self._select("WHERE NOT undone ORDER BY number DESC LIMIT ?", limit)
        return self._select("WHERE NOT undone AND zone = ? ORDER BY number DESC LIMIT ?", zone, limit)

    def pressed(self, limit: int = 100, zone: str | None = None) -> list[Pressed]:
        """What learning needs of the votes of `newest`, newest first; a thousand take little memory."""
        clause, values = ("AND zone = ?", (zone,)) if zone is not None else ("", ())
        query = f"SELECT {_PRESSED_COLUMNS} FROM votes WHERE NOT undone {clause} ORDER BY number DESC LIMIT ?"  # noqa: S608 - names of this file alone
        return self._database.read(
            lambda connection: [pressed_of(row) for row in connection.execute(query, (*values, limit))]
        )

    def find(self, vote_id: str) -> Vote | None:
        """The vote with this id as it is now; None when there is none."""
        found = self._select("WHERE id = ?", vote_id)
        return found[0] if found else None

    def unpublished(self, limit: int = 100) -> list[str]:
        """Ids of votes and undoings that were not handed to publishing yet, oldest first; ask again for the rest."""
        query = "SELECT id FROM votes WHERE NOT published ORDER BY number LIMIT ?"
        return [row[0] for row in self._database.read(lambda c: c.execute(query, (limit,)).fetchall())]

    def mark_published(self, vote: Vote) -> None:
        """Remember that a vote was handed to publishing as it is in `vote`; not when it was undone since.

        A loss of power may take that back, too; the disk is not waited for.

        Raises:
            StoreError: When that could not be committed; the vote is then handed on once more after a restart.
        """
        self._database.write(
            lambda connection: connection.execute(
                "UPDATE votes SET published = 1 WHERE id = ? AND undone = ?", (vote.id, vote.undone)
            ),
            durable=False,
        )

    def delete(self, selection: Selection) -> list[str]:
        """Delete votes so that no part of them stays in the file; returns their ids once that is committed.

        Raises:
            UsageError: When the selection leaves no vote out: all of them are deleted by deleting the file.
            StoreError: When it could not be done.
        """
        if selection.empty():
            raise UsageError(Text("say which votes to delete: a person, a zone or a period"))
        clause, values = selection.clause()
        query = f"DELETE FROM votes WHERE {clause} RETURNING id"  # noqa: S608 - the clause holds marks alone
        with self._lock:
            rows = self._database.write(lambda connection: connection.execute(query, values).fetchall())
            ids = [str(row[0]) for row in rows]
            self._limits.drop(ids)
        self._database.read(lambda connection: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
        return ids

    def expired(self, keep_days: float) -> Selection | None:
        """The votes that are older than `keep_days`; None where there is none, or the time is not known.

        The age is counted up to now, but not further than 30 days after the newest vote: a clock that jumps ahead
        makes nothing old.
        """
        ts, time_ok = self._clock()
        query = "SELECT max(ts), min(ts) FROM votes WHERE time_ok"
        newest, oldest = self._database.read(lambda connection: connection.execute(query).fetchone())
        if not keep_days or not time_ok or ts is None or newest is None:
            return None
        now = min(datetime.fromisoformat(ts), datetime.fromisoformat(newest) + timedelta(days=30))
        before = (now - timedelta(days=keep_days)).isoformat(timespec="milliseconds")
        return Selection(until=before) if oldest < before else None

    def thin(self, keep: int, at_once: int = 200) -> int:
        """Leave of the moments of all but the newest `keep` votes what learning and charts need; returns how many.

        Raises:
            StoreError: When that could not be committed; nothing is then changed.
        """

        def work(connection: sqlite3.Connection) -> int:
            rows = connection.execute(
                "SELECT number, snapshot FROM votes WHERE length(snapshot) > ? AND number <= "
                "(SELECT max(number) FROM votes) - ? ORDER BY number LIMIT ?",
                (LONGEST_THIN, keep, at_once),
            ).fetchall()
            connection.executemany(
                "UPDATE votes SET snapshot = ? WHERE number = ?", [(thinned(text), number) for number, text in rows]
            )
            return len(rows)

        return self._database.write(work)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _select(self, clause: str, *values: object) -> list[Vote]:
        query = f"SELECT {_COLUMNS} FROM votes {clause}"  # noqa: S608 - clauses of this file alone
        rows = self._database.read(lambda connection: connection.execute(query, values).fetchall())
        return [vote_of(row) for row in rows]
