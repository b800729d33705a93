"""One commit of the spool: what is offered goes in, what is done goes out, and the bounds are kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from comfywear.errors import ComfyWearError, UsageError
from comfywear.publishing.messages.fields import Message, Stamp
from comfywear.publishing.spool import file as spool_file
from comfywear.publishing.spool import thinning
from comfywear.publishing.spool.ages import StoreClock
from comfywear.publishing.spool.file import ROW_BYTES, SpoolFacts
from comfywear.publishing.spool.ranges import Ranges
from comfywear.publishing.spool.salvage import checksum
from comfywear.publishing.spool.writes import DAY_S
from comfywear.texts import encode

# Larger payloads are refused by common brokers' defaults, and one that kills each connection would stop all others.
LARGEST_PAYLOAD_BYTES = 128 * 1024
# When the spool is full, this part of it is made free at once, so that room is not made for every message.
_SLACK = 50
_CHUNK = 1000

Build = Callable[[Stamp], Message]


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """How much is kept, how long, and how much is written for it.

    Attributes:
        bytes: Of topics, payloads and row overhead, at most.
        age_s: Telemetry that waited longer is dropped; votes stay.
        confirm_s: None: a row goes when the broker has it. Else it stays until it is confirmed, or so long at most.
        written_bytes_a_day: Commits are spaced out so that a day's writes stay below it; 0 = no limit.
    """

    bytes: int = 50_000_000
    age_s: float = 60 * DAY_S
    confirm_s: float | None = None
    written_bytes_a_day: float = 500e6


class Offer(NamedTuple):
    """A message that is to be committed, with the moment at which it was offered."""

    topic: str
    build: Build
    retain: bool
    event: bool
    ts: str | None
    time_ok: bool


@dataclass(slots=True)
class CommitOutcome:
    """What a commit leaves and what it cost; true once the transaction is committed."""

    last_seq: int
    rows: int
    bytes: int
    newest: dict[str, int]
    left: int | None = None  # a done row that stays for now
    thinned: int = 0
    dropped_telemetry: int = 0
    dropped_events: int = 0
    unconfirmed: int = 0
    gone: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def free(self, freed: thinning.Freed) -> None:
        """Count what was taken out to keep a bound."""
        self.rows -= freed.rows
        self.bytes -= freed.bytes
        self.thinned += freed.thinned
        self.dropped_telemetry += freed.dropped_telemetry
        self.dropped_events += freed.dropped_events
        self.gone += freed.seqs


class Commit:
    """The work of one commit.

    Args:
        device: The device's name.
        language: Of what messages say in words.
        limits: The bounds.
        offers: What goes in; one that cannot be made is left out and named in the outcome.
        extra: A message that the caller waits for; when it cannot be made, nothing is committed.
        care: Whether what is too old is looked for.
        last: Whether the file is closed afterwards.
    """

    def __init__(
        self,
        device: str,
        language: str,
        limits: SpoolLimits,
        offers: Sequence[Offer],
        extra: Offer | None,
        *,
        care: bool,
        last: bool,
    ) -> None:
        self._device = device
        self._language = language
        self._limits = limits
        self._offers = offers
        self._extra = extra
        self._care = care
        self._last = last

    def run(self, connection: sqlite3.Connection, books: SpoolFacts, ages: StoreClock) -> CommitOutcome:
        """Do it, in a transaction.

        Raises:
            UsageError: When `extra` can never be sent.
        """
        age_s = ages.age_s()
        outcome = CommitOutcome(books.last_seq, books.rows, books.bytes, dict(books.newest))
        for offer in self._offers:
            try:
                self._insert(connection, books.epoch, offer, age_s, outcome)
            except sqlite3.Error:  # noqa: PERF203 - one each; the file's fault, not the message's
                raise
            except Exception as error:  # whatever a builder raises: it would be built again and again
                why = str(error) if isinstance(error, ComfyWearError) else f"{type(error).__name__}: {error}"
                outcome.faults.append(f"a message to {offer.topic} cannot be made and is not sent: {why}")
        if self._extra is not None:
            try:
                self._insert(connection, books.epoch, self._extra, age_s, outcome)
            except (sqlite3.Error, ComfyWearError):
                raise
            except Exception as error:
                raise UsageError(
                    f"a message to {self._extra.topic} cannot be made: {type(error).__name__}: {error}"
                ) from error
        self._remove(connection, books, outcome)
        if self._care or self._last:
            keep = set(outcome.newest.values())
            outcome.free(thinning.drop_older(connection, int(age_s - self._limits.age_s), keep))
            if self._limits.confirm_s is not None:
                _give_up(connection, int(age_s - self._limits.confirm_s), books.sent, outcome)
            spool_file.remember(connection, "anchor", encode(ages.anchor()).decode())
        if (over := outcome.bytes - self._limits.bytes) > 0:
            wanted = over + self._limits.bytes // _SLACK
            outcome.free(thinning.make_room(connection, wanted, age_s, set(outcome.newest.values())))
        for name in ("thinned", "dropped_telemetry", "dropped_events", "unconfirmed"):
            spool_file.count(connection, name, getattr(outcome, name))
        self._remember(connection, books, outcome)
        return outcome

    def _insert(
        self, connection: sqlite3.Connection, epoch: str, offer: Offer, age_s: float, outcome: CommitOutcome
    ) -> None:
        seq = outcome.last_seq + 1
        message = offer.build(Stamp(self._device, epoch, seq, offer.ts, offer.time_ok))
        payload = encode(message, self._language)
        if len(payload) > LARGEST_PAYLOAD_BYTES:
            raise UsageError(f"{offer.topic}: {len(payload)} bytes are more than a message may have")
        size = len(payload) + len(offer.topic.encode()) + ROW_BYTES
        connection.execute(
            "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (seq, offer.topic, offer.retain, offer.event, int(age_s), size, checksum(offer.topic, payload), payload),
        )
        outcome.last_seq, outcome.rows, outcome.bytes = seq, outcome.rows + 1, outcome.bytes + size
        if offer.retain:
            outcome.newest[offer.topic] = seq

    def _remove(self, connection: sqlite3.Connection, books: SpoolFacts, outcome: CommitOutcome) -> None:
        # The newest row stays until there is a newer, so that its number need not be written elsewhere.
        leave = None if self._last or outcome.last_seq > books.last_seq else books.last_seq
        for first, last in books.done:
            if last == leave:
                outcome.left, last = leave, last - 1
            rows, size = connection.execute(
                "SELECT count(*), ifnull(sum(size), 0) FROM messages WHERE seq BETWEEN ? AND ?", (first, last)
            ).fetchone()
            if rows:
                connection.execute("DELETE FROM messages WHERE seq BETWEEN ? AND ?", (first, last))
                outcome.rows, outcome.bytes = outcome.rows - rows, outcome.bytes - size

    def _remember(self, connection: sqlite3.Connection, books: SpoolFacts, outcome: CommitOutcome) -> None:
        """Facts that the rows alone no longer show."""
        oldest, newest = connection.execute("SELECT min(seq), max(seq) FROM messages").fetchone()
        if newest is None or newest < outcome.last_seq:
            spool_file.remember(connection, "last_seq", outcome.last_seq)
        if oldest is not None:
            for topic, seq in outcome.newest.items():
                if seq > oldest and seq in books.done and seq != outcome.left:
                    connection.execute("INSERT OR REPLACE INTO live VALUES (?, ?)", (topic, seq))
        if self._limits.confirm_s is not None:
            text = spool_file.sent_text(books.sent)
            if text != books.sent_stored:
                spool_file.remember(connection, "sent", text)
                books.sent_stored = text


def _give_up(connection: sqlite3.Connection, before: int, sent: Ranges, outcome: CommitOutcome) -> None:
    """Take out what the broker has and nobody confirmed since the age `before`."""
    after = spool_file.FIRST
    while True:
        rows = connection.execute(
            "SELECT seq, size, at FROM messages WHERE seq > ? ORDER BY seq LIMIT ?", (after, _CHUNK)
        ).fetchall()
        old = [(seq, size) for seq, size, at in rows if at < before]
        out = [(seq, size) for seq, size in old if seq in sent]
        connection.executemany("DELETE FROM messages WHERE seq = ?", [(seq,) for seq, _ in out])
        outcome.rows -= len(out)
        outcome.bytes -= sum(size for _, size in out)
        outcome.unconfirmed += len(out)
        if len(old) < _CHUNK:
            return
        after = old[-1][0]
