"""What a store of collected messages must do, and the books that all of them keep in the same way.

The books (what is stored of each device, what is missing) live in the database, never in a collector: several
collectors can share one database, and each can be killed at any moment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from comfywear.collect.ledger import Acknowledgement, AckPace, Gap, Ledger, Range, advance, answer, give_up
from comfywear.collect.reading import Entry, Item, Source
from comfywear.errors import StoreError

# Refused payloads that are kept, and bytes of each.
REFUSED_KEPT = 10_000
REFUSED_BYTES = 4096
# Stored numbers looked at in one go for a device, or for a gap.
MOST_NUMBERS = 100_000


class StoreAwayError(StoreError):
    """The database cannot be reached or cannot write now; what was to be stored is not, and may be tried again."""


class Received(NamedTuple):
    """What came, and when by the clock of the collector."""

    item: Item
    at: datetime


@dataclass(slots=True)
class Saved:
    """What became of a batch.

    Attributes:
        new: Messages stored.
        repeats: Messages that were stored already.
        refused: Payloads that were set aside.
        streams: Ids of the sources of which something came.
    """

    new: int = 0
    repeats: int = 0
    refused: int = 0
    streams: set[int] = field(default_factory=set)


class Word(NamedTuple):
    """What is to be published to a device."""

    source: Source
    answer: Acknowledgement


class Review(NamedTuple):
    """The sources that were looked at (others were too recently), and what is to be said to them."""

    streams: set[int]
    words: list[Word]


class Totals(NamedTuple):
    """Open gaps, and the numbers in them."""

    gaps: int
    missing: int


class Store(Protocol):
    """A database of collected messages. Every method raises `StoreAwayError` when the database cannot be used now."""

    place: str

    def save(self, batch: Sequence[Received]) -> Saved:
        """Commit a batch; when this returns, it survives kill -9 and loss of power."""

    def review(self, streams: Collection[int], *, again: bool = False) -> Review:
        """Bring the books of `streams` up to date and find out what to say to these devices.

        A source that any collector reviewed less than `AckPace.ack_every_s` ago is left out.
        """

    def due(self, limit: int, sites: Sequence[str] = ()) -> tuple[list[int], list[int]]:
        """Sources with a gap to be asked for now, and sources to be reminded of what is stored; `limit` of each.

        Only those of `sites`, where any are given: others may be at a broker that this collector does not speak with.
        """

    def known(self, sites: Sequence[str] = ()) -> list[int]:
        """Sources, of `sites` where any are given, that sent something within `AckPace.remind_for_s`."""

    def totals(self) -> Totals:
        """What is missing of all sources."""

    def close(self) -> None:
        """Let go of the database."""


class SourceLedger(NamedTuple):
    """The books of one source as they stand in the database."""

    stream: int
    source: Source
    ledger: Ledger


class Turn(NamedTuple):
    """The books of one source as they are to stand.

    Attributes:
        stream: Which.
        ledger: The new state.
        moved: True when newer messages were found.
        gaps_changed: True when the gaps are other ones.
        lost: Ranges that are given up.
    """

    stream: int
    ledger: Ledger
    moved: bool
    gaps_changed: bool
    lost: list[Range]


class Books(Protocol):
    """The books within one transaction, which ends with the context: committed, or undone by an error."""

    def claim(self, streams: Collection[int]) -> tuple[float, list[SourceLedger]]:
        """The time, and the pages of those of `streams` that are due, locked until the end of the transaction."""

    def numbers(self, streams: Collection[int]) -> Mapping[int, Sequence[int]]:
        """Stored numbers above `scanned` and inside gaps, ascending."""

    def gone(self, streams: Collection[int]) -> Mapping[int, Sequence[Range]]:
        """What the devices no longer have, above `contiguous`, ascending."""

    def put(self, turns: Sequence[Turn], now_s: float) -> None:
        """Write the new state."""


def review(
    books: Callable[[], AbstractContextManager[Books]], streams: Collection[int], pace: AckPace, *, again: bool
) -> Review:
    """What `Store.review` does, on the books of any database."""
    words: list[Word] = []
    with books() as book:
        now_s, pages = book.claim(streams)
        if not pages:
            return Review(set(), [])
        ids = [page.stream for page in pages]
        numbers, gone = book.numbers(ids), book.gone(ids)
        turns: list[Turn] = []
        for page in pages:
            before = page.ledger
            ledger = advance(before, numbers.get(page.stream, ()), gone.get(page.stream, ()), now_s, pace)
            ledger, lost = give_up(ledger, now_s, pace)
            said, ledger = answer(ledger, now_s, pace, again=again)
            turns.append(Turn(page.stream, ledger, ledger.scanned > before.scanned, ledger.gaps != before.gaps, lost))
            if said is not None:
                words.append(Word(page.source, said))
        book.put(turns, now_s)
    return Review(set(ids), words)


def gap_of(first: int, last: int, since_s: float, asked: int, ask_at_s: float) -> Gap:
    """A gap from the columns of a row."""
    return Gap(int(first), int(last), float(since_s), int(asked), float(ask_at_s))


def unique(entries: Sequence[tuple[Entry, datetime]]) -> list[tuple[Entry, datetime]]:
    """Each message once, by source and number: collectors that store the same ones then never wait in a circle."""
    found = {
        (entry.source.site, entry.source.device, entry.source.epoch, entry.seq): (entry, at) for entry, at in entries
    }
    return [found[key] for key in sorted(found)]
