"""What can still be read of a damaged spool: row by row, past the pages that are broken."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

# Rows between two broken places that are asked for one by one, at most.
_PROBED = 200_000
_HEADER_BYTES = 100


class SalvagedRow(NamedTuple):
    """A row of a damaged spool; `epoch` and `seq` are those in its payload."""

    epoch: str
    seq: int
    topic: str
    payload: bytes
    retain: bool
    event: bool


class _Key(msgspec.Struct):
    device: str
    epoch: str
    seq: int


def checksum(topic: str, payload: bytes) -> int:
    """What a row must still add up to when it is read."""
    return zlib.crc32(payload, zlib.crc32(topic.encode()))


def readable_rows(path: Path) -> list[SalvagedRow]:
    """Every sound row of a damaged spool, oldest first; an empty list when nothing can be read."""
    with suppress(OSError):
        _mend_length(path)
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        columns = {bytes(row[1]).decode() for row in connection.execute("PRAGMA table_info(messages)")}
        if {"seq", "topic", "payload"} <= columns:
            found = {saved[0]: saved[1] for saved in _rows(connection, columns)}
            return [found[number] for number in sorted(found)]
    return []


def _rows(connection: sqlite3.Connection, columns: set[str]) -> Iterator[tuple[int, SalvagedRow]]:
    """Rows from the front up to the first break, from the back down to the last, and one by one in between."""
    wanted = ", ".join(name if name in columns else "0" for name in ("retain", "event", "crc"))
    select = f"SELECT seq, topic, payload, {wanted} FROM messages"  # noqa: S608 - names of this file alone
    checked = "crc" in columns
    ends: list[int] = []
    for order in ("ASC", "DESC"):
        reached: int | None = None
        try:
            for row in connection.execute(f"{select} ORDER BY seq {order}"):
                reached = int(row[0])
                if saved := _saved(row, checked):
                    yield reached, saved
            return  # the end was reached: nothing is broken in between
        except sqlite3.Error:
            if reached is not None:
                ends.append(reached)
    if len(ends) < 2:
        return
    for number in range(ends[0] + 1, min(ends[1], ends[0] + _PROBED)):
        with suppress(sqlite3.Error):
            row = connection.execute(f"{select} WHERE seq = ?", (number,)).fetchone()
            if row and (saved := _saved(row, checked)):
                yield number, saved


def _saved(row: tuple[int, bytes, bytes, int, int, int], checked: bool) -> SalvagedRow | None:
    """The row, when it is what was once stored."""
    _, topic, payload, retain, event, crc = row
    try:
        key = msgspec.json.decode(payload, type=_Key)
        name = topic.decode()
        sound = bool(name) and (not checked or crc == checksum(name, payload))
    except (msgspec.DecodeError, UnicodeError, TypeError, AttributeError):
        return None
    return SalvagedRow(key.epoch, key.seq, name, bytes(payload), bool(retain), bool(event)) if sound else None


def _mend_length(path: Path) -> None:
    """Fill a file that was cut off with zeros up to the length in its header, which SQLite insists on."""
    with path.open("r+b") as file:
        header = file.read(_HEADER_BYTES)
        page = int.from_bytes(header[16:18], "big")
        length = (65536 if page == 1 else page) * int.from_bytes(header[28:32], "big")
        size = file.seek(0, 2)
        if header.startswith(b"SQLite format 3\0") and size < length < size + 2**31:
            file.truncate(length)
