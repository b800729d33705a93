"""What the spool's readers are given: rows that are sound, not done, and not sent where that is asked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from comfywear.publishing.spool.file import SpoolFacts
from comfywear.publishing.spool.ranges import Range, Ranges
from comfywear.publishing.spool.salvage import checksum
from comfywear.system.database import Database

_log = logging.getLogger(__name__)

_ROW = "seq, topic, payload, retain, at, crc"

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Row:
    """A waiting message.

    Attributes:
        key: (epoch, number), which names it within this store.
        topic: Where it goes.
        payload: What it says.
        retain: Whether it is a live state, of which the broker keeps the newest.
        at_s: The store's age when it was committed.
    """

    key: Key
    topic: str
    payload: bytes
    retain: bool
    at_s: int


class Rows:
    """Reads the rows; the caller holds the database's lock.

    Args:
        database: The spool's file.
        books: What is known of it now.
    """

    def __init__(self, database: Database, books: Callable[[], SpoolFacts]) -> None:
        self._database = database
        self._books = books

    def waiting(self, after: int, limit: int) -> list[Row]:
        """At most `limit` unsent rows with a number above `after`, oldest first."""
        query = f"SELECT {_ROW} FROM messages WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - names of columns are put in
        rows: list[Row] = []
        while len(rows) < limit:
            found = self._select(query, (self._first_open(after + 1) - 1, limit))
            rows += self._sound(found, unsent=True)
            if len(found) < limit:
                break
            after = found[-1][0]
        return rows[:limit]

    def numbered(self, numbers: Sequence[int], *, unsent: bool) -> list[Row]:
        """The rows with these numbers that are there, oldest first."""
        marks = ",".join("?" * len(numbers))
        query = f"SELECT {_ROW} FROM messages WHERE seq IN ({marks}) ORDER BY seq"  # noqa: S608 - only question marks are put in
        return self._sound(self._select(query, tuple(numbers)), unsent=unsent)

    def held(self, epoch: str, ranges: Iterable[Range], limit: int) -> tuple[list[Key], list[Range]]:
        """What of `ranges` is here and was sent (keys, oldest first), and the ranges that are not here.

        Looks at `limit` rows at most, from the front: who asks for more asks again. What is here and was never sent is
        left out, since it comes by itself.
        """
        books = self._books()
        keys: list[Key] = []
        gone: list[Range] = []
        for first, last in ranges:
            if limit <= 0:
                break
            if epoch == books.epoch:
                last = min(last, books.last_seq)  # what is still to come is not gone
                query = "SELECT seq, seq FROM messages WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT ?"
                found = self._select(query, (max(first, 1), last, limit))
            else:
                found = self.salvaged(epoch, first, last)[:limit]
            limit -= len(found)
            here = [(number, seq) for number, seq in found if number not in books.done]
            keys += [(books.epoch, number) for number, _ in here if number in books.sent]
            if limit <= 0:
                last = found[-1][1]
            gone += Ranges((seq, seq) for _, seq in here).gaps(first, last)
        return keys, gone

    def salvaged(self, epoch: str, first: int, last: int) -> list[tuple[int, int]]:
        """(number, seq) of the rows of a replaced store with these numbers in it."""
        query = (
            "SELECT number, salvaged.seq FROM salvaged JOIN messages ON messages.seq = number "
            "WHERE epoch = ? AND salvaged.seq BETWEEN ? AND ? ORDER BY number"
        )
        return self._select(query, (epoch, first, last))

    def last_unconfirmed(self) -> int | None:
        """The newest row's number, when the broker has it and its confirmation is awaited."""
        books = self._books()
        found: int | None = self._select("SELECT max(seq) FROM messages", ())[0][0]
        return None if found is None or found in books.done or found not in books.sent else found

    def taken(self) -> tuple[int, int]:
        """Rows, and their bytes, without those that are done."""
        books = self._books()
        rows, size = books.rows, books.bytes
        for first, last in books.done:
            query = "SELECT count(*), ifnull(sum(size), 0) FROM messages WHERE seq BETWEEN ? AND ?"
            out, out_size = self._select(query, (first, last))[0]
            rows, size = rows - out, size - out_size
        return rows, size

    def facts(self) -> dict[str, Any]:
        """What the file remembers."""
        return dict(self._select("SELECT name, value FROM facts", ()))

    def _first_open(self, number: int) -> int:
        """The first number from `number` on that is neither done nor sent."""
        done, sent = self._books().done, self._books().sent
        while number in done or number in sent:
            number = max(done.end_of(number), sent.end_of(number)) + 1
        return number

    def _sound(self, found: Iterable[tuple[int, str, bytes, int, int, int]], *, unsent: bool) -> list[Row]:
        """Rows that are what was once stored; others are reported and go."""
        books = self._books()
        rows: list[Row] = []
        for number, topic, payload, retain, at_s, crc in found:
            if number in books.done or (unsent and number in books.sent):
                continue
            if crc != checksum(topic, payload):
                _log.error("%s: message %d is damaged and is not sent", self._database.what, number)
                books.done.add(number)
                continue
            rows.append(Row((books.epoch, number), topic, payload, bool(retain), at_s))
        return rows

    def _select(self, query: str, values: tuple[object, ...]) -> list[Any]:
        return self._database.read(lambda c: c.execute(query, values).fetchall())
