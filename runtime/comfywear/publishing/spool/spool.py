"""Messages that wait for the broker, in SQLite: committed before they are accepted, bounded, counted when they go.

Telemetry is offered and committed in groups, so that a memory card sees few writes; votes are committed at once. The
sequence number never comes twice within an epoch, and the epoch is random and stored beside the rows: (device, epoch,
seq) names a message for ever.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from comfywear.errors import StoreError, UsageError
from comfywear.publishing.messages.fields import Stamp
from comfywear.publishing.spool import file as spool_file
from comfywear.publishing.spool.ages import Moment, StoreClock, moment
from comfywear.publishing.spool.commit import Build, Commit, CommitOutcome, Offer, SpoolLimits
from comfywear.publishing.spool.file import SpoolFacts
from comfywear.publishing.spool.ranges import Range
from comfywear.publishing.spool.rows import Key, Row, Rows
from comfywear.publishing.spool.writes import WriteBudget
from comfywear.system.clock import Clock, wall_time
from comfywear.system.database import Database
from comfywear.system.log_once import LogOnce
from comfywear.texts import ENGLISH

_log = logging.getLogger(__name__)

# Offers that wait in memory while nothing can be committed, at most.
MOST_OFFERS = 2000
# Rows that arrived are deleted with the next commit, or after this alone.
_DELETE_AFTER_S = 2.0
_DELETE_AT = 500
_RETRY_AFTER_S = 1.0
# So many offers are committed whatever the budget says.
_CROWD = 500
_CARE_S = 600.0
# A full file system would also refuse to delete: telemetry leaves it this much room.
_SPARE_SHARE = 0.05
_SPARE_BYTES = 32_000_000


@dataclass(frozen=True, slots=True)
class SpoolHealth:
    """How full the spool is; what was thinned, dropped or let go unconfirmed, ever; what was refused since the start.

    `written_day_bytes` were sent to storage in the last 24 hours; None where the kernel does not say.
    """

    rows: int
    bytes: int
    thinned: int
    dropped_telemetry: int
    dropped_events: int
    unconfirmed: int
    refused: int
    written_day_bytes: int | None


class Spool:
    """The waiting messages of one device; every method may be called from any thread.

    Args:
        path: The SQLite file, or None for memory alone.
        device: The device's name, stamped on every message.
        limits: Room, ages, and the budget of writes.
        clock: Says the time and whether it can be believed.
        now: Every clock, for ages.

    Raises:
        StoreError: When the file cannot be written.
    """

    def __init__(
        self,
        path: Path | None,
        device: str,
        *,
        limits: SpoolLimits | None = None,
        language: str = ENGLISH,
        clock: Clock = wall_time,
        now: Callable[[], Moment] = moment,
    ) -> None:
        self.device = device
        self.language = language
        self.limits = limits or SpoolLimits()
        self.on_commit: Callable[[], None] = lambda: None
        self._clock = clock
        self._now = now
        self._budget = WriteBudget(self.limits.written_bytes_a_day)
        self._offered: deque[Offer] = deque()
        self._wanted = threading.Condition()
        # What the broker took; from the publisher's thread, which must not wait for a commit to say so.
        self._taken: deque[Key] = deque()
        self._refused = 0
        self._done_since_s: float | None = None
        self._next_commit_s = 0.0
        self._retry_s = 0.0
        self._next_care_s = 0.0
        self._complaint = LogOnce(_log)
        self._database = Database(
            path, "the store of unsent messages", self._prepare, salvage=self._salvage, clock=clock
        )
        self._lock = self._database.lock
        self._rows = Rows(self._database, lambda: self._books)

    @property
    def epoch(self) -> str:
        """The random name of this store."""
        return self._books.epoch

    @property
    def last_seq(self) -> int:
        """The highest number accepted in this epoch; every number up to it was."""
        return self._books.last_seq

    @property
    def complaint(self) -> str | None:
        """Why nothing can be committed now, or None."""
        return self._complaint.standing

    @property
    def lasting(self) -> bool:
        """False where messages are kept in memory alone."""
        return self._database.path is not None

    @property
    def set_aside(self) -> list[Path]:
        """Damaged files that were replaced since the start."""
        return list(self._database.set_aside)

    def stamp(self, seq: int | None = None) -> Stamp:
        """A stamp of now; without `seq` for messages outside the sequence."""
        ts, time_ok = self._clock()
        return Stamp(self.device, self.epoch, seq, ts, time_ok)

    def accept(self, topic: str, build: Build, *, retain: bool = False, event: bool = False) -> int:
        """Commit the message that `build` makes, with all that was offered before, and return its sequence number.

        When there is no room, telemetry makes it (see `thinning`).

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
        with self._lock:
            return self._commit(Offer(topic, build, retain, event, *self._clock()))

    def offer(self, topic: str, build: Build, *, retain: bool = False) -> None:
        """Put a message into the next commit, which `tend` makes when it is due; it is accepted then, not before.

        Raises:
            UsageError: When nothing can be published to `topic`.
        """
        _check_topic(topic)
        offer = Offer(topic, build, retain, False, *self._clock())
        with self._wanted:
            if len(self._offered) >= MOST_OFFERS:
                self._offered.popleft()
                self._refused += 1
            self._offered.append(offer)
            self._wanted.notify_all()

    def run(self, stop: threading.Event, beat: Callable[[], None] = lambda: None) -> None:
        """Commit what is offered when it is due, until `stop` is set; in a thread of the supervisor."""
        while not stop.is_set():
            beat()
            with self._wanted:
                due_s = max(self._next_commit_s, self._retry_s) - time.monotonic() if self._offered else 1.0
                if due_s > 0 and (len(self._offered) < _CROWD or self._retry_s > time.monotonic()):
                    self._wanted.wait(min(due_s, 1.0))
            self.tend(wait=True)
        self.flush()

    def tend(self, *, wait: bool = False) -> None:
        """Commit what is due, and now and then let go what is too old; a failure is said once and tried again.

        Unless `wait` is set, it does nothing while another thread uses the file.
        """
        if not self._lock.acquire(blocking=wait):
            return
        try:
            now_s = time.monotonic()
            waited = self._done_since_s is not None and now_s - self._done_since_s > _DELETE_AFTER_S
            done = self._books.done.count() + len(self._taken)
            due = bool(self._offered) or waited or done >= _DELETE_AT or now_s >= self._next_care_s
            crowded = len(self._offered) >= _CROWD
            if now_s >= self._retry_s and (crowded or (due and now_s >= self._next_commit_s)):
                self.flush()
        finally:
            self._lock.release()

    def flush(self) -> None:
        """Commit what is offered now; a failure is logged once, and what was not committed stays offered."""
        with self._lock:
            try:
                self._commit(None)
            except StoreError as error:
                self._retry_s = time.monotonic() + _RETRY_AFTER_S
                self._complaint.trouble(error)
            else:
                self._complaint.over("the store of unsent messages can be used again")

    def waiting(self, after: int, limit: int) -> list[Row]:
        """At most `limit` unsent rows with a number above `after`, oldest first."""
        with self._lock:
            self._settle()
            return self._rows.waiting(after, limit)

    def live(self) -> list[Row]:
        """The newest state of each retained topic that is not sent yet, oldest first; none during a commit."""
        if not self._lock.acquire(blocking=False):
            return []
        try:
            self._settle()
            return self._rows.numbered(list(self._books.newest.values()), unsent=True)
        finally:
            self._lock.release()

    def again(self, keys: Iterable[Key]) -> list[Row]:
        """The rows of `keys` that are still there, whether they were sent or not, oldest first."""
        with self._lock:
            self._settle()
            return self._rows.numbered([number for epoch, number in keys if epoch == self.epoch], unsent=False)

    def is_newest(self, row: Row) -> bool:
        """True when no newer state of a row's topic was accepted: an older one must not be retained over it."""
        return self._books.newest.get(row.topic) == row.key[1]

    def waited_s(self, row: Row) -> float:
        """How long ago a row was committed, by the store's clock, which counts over restarts too; to a second."""
        return max(0.0, self._ages.age_s() - row.at_s)

    def arrived(self, keys: Iterable[Key]) -> None:
        """The broker has these: they go with the next commit, or once they are confirmed where that is awaited.

        Keys of another epoch and rows that are gone already are ignored.
        """
        self._taken.extend(keys)
        if self._done_since_s is None and self.limits.confirm_s is None:
            self._done_since_s = time.monotonic()

    def release(self, epoch: str, ranges: Iterable[Range]) -> None:
        """Rows that every consumer has confirmed go with the next commit; `epoch` may be that of a replaced store."""
        with self._lock:
            for first, last in ranges:
                if epoch == self.epoch:
                    self._let_go(max(first, 1), min(last, self._books.last_seq))
                else:
                    for number, _ in self._rows.salvaged(epoch, first, last):
                        self._let_go(number, number)

    def held(self, epoch: str, ranges: Iterable[Range], limit: int = 1000) -> tuple[list[Key], list[Range]]:
        """What of `ranges` is still here and was sent (keys, oldest first), and the ranges that are not here.

        Looks at `limit` rows at most, from the front.
        """
        with self._lock:
            self._settle()
            return self._rows.held(epoch, ranges, limit)

    def last_unconfirmed(self) -> Key | None:
        """The newest row, when the broker has it and its confirmation is awaited."""
        with self._lock:
            self._settle()
            found = self._rows.last_unconfirmed()
            return None if found is None else (self.epoch, found)

    def health(self) -> SpoolHealth:
        """How full it is and what went."""
        with self._lock:
            self._settle()
            facts = self._rows.facts()
            rows, size = self._rows.taken()
            return SpoolHealth(
                rows=rows,
                bytes=size,
                thinned=int(facts["thinned"]),
                dropped_telemetry=int(facts["dropped_telemetry"]),
                dropped_events=int(facts["dropped_events"]),
                unconfirmed=int(facts["unconfirmed"]),
                refused=self._refused,
                written_day_bytes=self._budget.day_bytes(),
            )

    def close(self) -> None:
        """Commit what waits and close the file."""
        with self._lock:
            try:
                self._commit(None, last=True)
            except StoreError as error:
                _log.error("%s", error)
            self._database.close()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        self._books: SpoolFacts = spool_file.prepare(connection)
        self._ages = StoreClock(self._books.anchor, self._books.oldest_age_s, self._now)

    def _salvage(self, connection: sqlite3.Connection, damaged: Path) -> int:
        kept = spool_file.bring_over(connection, damaged)
        self._books = spool_file.prepare(connection)
        return kept

    def _commit(self, extra: Offer | None, *, last: bool = False) -> int:
        """Put what is offered, and `extra`, into the file, and take out what is done; returns the last number."""
        self._settle()
        short = self._shortage()
        if short and extra is not None and not extra.event:
            raise StoreError(short)
        with self._wanted:
            offers = [] if short else list(self._offered)
            if not short:
                self._offered.clear()
        care = time.monotonic() >= self._next_care_s
        commit = Commit(self.device, self.language, self.limits, offers, extra, care=care, last=last)
        try:
            with self._budget.measured():
                outcome = self._database.write(lambda c: commit.run(c, self._books, self._ages))
        except BaseException:
            with self._wanted:
                self._offered.extendleft(reversed(offers))
            raise
        self._apply(outcome)
        if care:
            self._next_care_s = time.monotonic() + _CARE_S
        if offers or extra:
            self.on_commit()
        if short and self._offered:
            raise StoreError(short)
        return outcome.last_seq

    def _apply(self, outcome: CommitOutcome) -> None:
        """What was committed is true from now on."""
        books = self._books
        books.last_seq, books.rows, books.bytes = outcome.last_seq, outcome.rows, outcome.bytes
        books.newest = outcome.newest
        if self.limits.confirm_s is not None:
            for seq in outcome.gone:
                books.sent.add(seq)  # nothing is there to be sent
        books.done.clear()
        if outcome.left is not None:
            books.done.add(outcome.left)
        self._done_since_s = time.monotonic() if self._taken else None
        self._next_commit_s = time.monotonic() + self._budget.pause_s()
        for fault in outcome.faults:
            _log.error("%s", fault)

    def _shortage(self) -> str | None:
        """Why telemetry cannot be taken, when the disk is nearly full: what is left is needed to delete and to vote."""
        if self._database.path is None:
            return None
        folder = self._database.path.parent
        try:
            disk = os.statvfs(folder)
        except OSError:
            return None
        spare = min(_SPARE_BYTES, _SPARE_SHARE * disk.f_blocks * disk.f_frsize)
        if disk.f_bavail * disk.f_frsize >= spare:
            return None
        return f"the disk of {folder} is nearly full: telemetry is refused until there is room"

    def _settle(self) -> None:
        """Take in what the broker took."""
        while self._taken:
            epoch, number = self._taken.popleft()
            if epoch != self.epoch:
                continue
            if self.limits.confirm_s is None:
                self._let_go(number, number)
            else:
                self._books.sent.add(number)

    def _let_go(self, first: int, last: int) -> None:
        self._books.done.add(first, last)
        if self._done_since_s is None:
            self._done_since_s = time.monotonic()


def _check_topic(topic: str) -> None:
    if not topic or any(character in topic for character in "+#\0") or len(topic.encode()) > 65_535:
        raise UsageError(f"nothing can be published to the topic {topic!r}")
