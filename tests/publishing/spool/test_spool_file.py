"""The spool's file: damage, strange files, and older versions."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from spools import BUILD, NOON, everything, gone

from comfywear.publishing import Spool, metrics_message
from comfywear.system.clock import WallTime


def filled(path: Path, rows: int = 120) -> str:
    """A spool file with rows, closed; returns its epoch."""
    spool = Spool(path, "dev", clock=lambda: NOON)
    for number in range(rows):
        spool.offer(f"topic {number}", partial(metrics_message, {"frames": number}), retain=True)
    spool.accept("vote", BUILD, event=True)
    spool.close()
    return spool.epoch


def damage(path: Path, kind: str) -> None:
    data = bytearray(path.read_bytes())
    if kind == "bit flips in rows":
        flip = random.Random(5)
        for _ in range(6):
            data[flip.randrange(3 * 4096, len(data))] ^= 1 << flip.randrange(8)
    elif kind == "a page of rubbish":
        data[5 * 4096 : 6 * 4096] = b"\xa5" * 4096
    elif kind == "cut off":
        del data[len(data) // 2 :]
    path.write_bytes(data)


@pytest.mark.parametrize("kind", ["bit flips in rows", "a page of rubbish", "cut off"])
def test_what_can_be_read_of_a_damaged_spool_is_kept(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    epoch = filled(path)
    before = path.read_bytes()
    damage(path, kind)
    assert path.read_bytes() != before
    spool = Spool(path, "dev", clock=lambda: NOON)
    rows = everything(spool)
    said = [json.loads(row.payload) for row in rows]
    assert len(said) > 40
    for row, each in zip(rows, said, strict=True):  # whole messages, each as it was
        assert each["epoch"] == epoch
        assert row.topic in ("vote", f"topic {each['frames']}")
    assert [each["seq"] for each in said] == sorted(each["seq"] for each in said)
    if spool.epoch != epoch:
        assert [path.name for path in spool.set_aside] == ["s.sqlite.damaged-2027-01-01T120000-1"]
        assert spool.accept("new", BUILD) == 1
        assert everything(spool)[-1].topic == "new"  # after those that were brought over
        keys, not_here = spool.held(epoch, [(1, 200)])
        assert keys == []  # they come by themselves
        assert sum(last - first + 1 for first, last in not_here) == 200 - len(rows)
        spool.release(epoch, [(1, 200)])
        spool.flush()
        assert [row.topic for row in everything(spool)] == ["new"]


@pytest.mark.parametrize("kind", ["not SQLite", "empty pages", "tables of something else"])
def test_a_file_that_is_no_spool_is_set_aside_and_replaced(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "s.sqlite"
    if kind == "tables of something else":
        with closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE messages (text TEXT)")
            other.execute("INSERT INTO messages VALUES ('a')")
            other.commit()
    else:
        path.write_bytes(b"rubbish" * 1000 if kind == "not SQLite" else b"SQLite format 3\0" + b"\0" * 8000)
    was = path.read_bytes()
    spool = Spool(path, "dev", clock=lambda: WallTime(None, False))
    assert spool.set_aside == [tmp_path / "s.sqlite.damaged-undated-1"]
    if kind != "tables of something else":  # opening that one as a database may write its header
        assert spool.set_aside[0].read_bytes() == was
    assert spool.accept("a", BUILD) == 1
    assert "was damaged" in caplog.text


def test_the_first_version_of_the_spool_is_brought_over(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    payload = json.dumps({"device": "dev", "epoch": "old", "seq": 7, "ts": None, "time_ok": False}).encode()
    with closing(sqlite3.connect(path)) as first:
        first.execute(
            "CREATE TABLE messages (seq INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, payload BLOB NOT NULL, "
            "retain INTEGER NOT NULL, event INTEGER NOT NULL, size INTEGER NOT NULL)"
        )
        first.execute("INSERT INTO messages VALUES (7, 'vote', ?, 0, 1, 100)", (payload,))
        first.commit()
    spool = Spool(path, "dev")
    assert [(row.topic, row.payload) for row in everything(spool)] == [("vote", payload)]


def test_a_late_acknowledgement_of_a_replaced_store_touches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    spool = Spool(path, "dev")
    spool.accept("a/b", BUILD)
    (old,) = everything(spool)
    spool.close()
    path.write_bytes(b"rubbish" * 100)
    spool = Spool(path, "dev")
    assert spool.accept("a/b", BUILD) == old.key[1]
    gone(spool, [old])
    assert spool.health().rows == 1
