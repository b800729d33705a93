"""Looking into what was collected, in either database, past the code that wrote it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from typing import Any

from devices import Device


def rows(place: str, query: str) -> list[tuple[Any, ...]]:
    """What a query finds."""
    if "://" in place:
        import psycopg

        with psycopg.connect(place, options="-c search_path=comfywear") as connection:
            return connection.execute(query).fetchall()
    with closing(sqlite3.connect(place)) as lite:
        return lite.execute(query).fetchall()


def check_complete(place: str, devices: list[Device], *, without: int = 0) -> None:
    """Everything that `devices` accepted is there once, except for `without` messages in all."""
    found = Counter(rows(place, "SELECT device, epoch, seq FROM messages"))
    accepted = {(device.name, device.epoch, seq) for device in devices for seq in range(1, device.seq + 1)}
    assert [key for key, times in found.items() if times > 1] == []
    assert found.keys() - accepted == set()
    assert len(accepted - found.keys()) == without
