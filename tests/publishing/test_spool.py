from __future__ import annotations

import json
import sqlite3
import threading
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.clock import WallTime
from comfywear.errors import UsageError
from comfywear.publishing import Spool, climate_message, metrics_message
from comfywear.publishing.spool import LARGEST_PAYLOAD_BYTES, Row
from comfywear.records import Climate

BUILD = partial(metrics_message, {"frames": 1})


def everything(spool: Spool) -> list[Row]:
    return spool.waiting(0, 100_000)


def test_a_message_is_committed_before_it_is_accepted_and_carries_its_key(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.sqlite", "dev", clock=lambda: WallTime("2027-01-01T00:00:00.000+00:00", True))
    seq = spool.accept("a/b", BUILD, retain=True)
    ((payload,),) = sqlite3.connect(tmp_path / "s.sqlite").execute("SELECT payload FROM messages")
    stamp = {"device": "dev", "epoch": spool.epoch, "seq": seq, "ts": "2027-01-01T00:00:00.000+00:00", "time_ok": True}
    assert json.loads(payload).items() >= stamp.items()
    assert everything(spool) == [Row((spool.epoch, seq), "a/b", payload, True)]


def test_a_number_never_comes_twice_even_when_its_row_is_gone(tmp_path: Path) -> None:
    seqs = []
    for _ in range(3):
        spool = Spool(tmp_path / "s.sqlite", "dev")
        seqs += [spool.accept("a/b", BUILD) for _ in range(3)]
        spool.delete([row.key for row in everything(spool)])
        assert spool.health().rows == 0
        assert spool.health().bytes == 0
        spool.close()
    assert seqs == list(range(1, 10))


def test_the_epoch_stays_with_the_file_and_a_new_file_has_another(tmp_path: Path) -> None:
    first = Spool(tmp_path / "s.sqlite", "dev").epoch
    assert Spool(tmp_path / "s.sqlite", "dev").epoch == first
    assert Spool(tmp_path / "other.sqlite", "dev").epoch != first


def test_a_replaced_store_begins_a_new_epoch_and_is_safe_from_late_acknowledgements(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    spool = Spool(path, "dev")
    spool.accept("a/b", BUILD)
    (old,) = everything(spool)
    spool.close()
    path.write_bytes(b"rubbish" * 100)
    spool = Spool(path, "dev")
    assert spool.set_aside == [tmp_path / "s.sqlite.damaged-1"]
    assert spool.epoch != old.key[0]
    assert spool.accept("a/b", BUILD) == old.key[1]
    spool.delete([old.key])
    assert spool.health().rows == 1


def test_telemetry_is_dropped_before_votes_and_every_loss_is_counted() -> None:
    spool = Spool(None, "dev", max_rows=10)
    votes = [spool.accept("vote", BUILD, event=True) for _ in range(4)]
    telemetry = [spool.accept("climate", BUILD) for _ in range(20)]
    assert [row.key[1] for row in everything(spool)] == votes + telemetry[-6:]
    assert spool.health().dropped_telemetry == 14
    more = [spool.accept("vote", BUILD, event=True) for _ in range(8)]
    assert [row.key[1] for row in everything(spool)] == (votes + more)[-10:]
    spool.accept("climate", BUILD)  # no room for telemetry among votes
    assert [row.key[1] for row in everything(spool)] == (votes + more)[-10:]
    assert (spool.health().dropped_telemetry, spool.health().dropped_events) == (21, 2)


def test_losses_are_remembered_over_restarts(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.sqlite", "dev", max_rows=1)
    for _ in range(3):
        spool.accept("a", BUILD)
    spool.close()
    assert Spool(tmp_path / "s.sqlite", "dev").health().dropped_telemetry == 2


Step = tuple[str, bool, int]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["accept", "delete"]), st.booleans(), st.integers(0, 300)), min_size=1, max_size=60
    ),
    st.integers(1, 12),
    st.integers(500, 4000),
)
def test_bounds_hold_and_the_books_balance(steps: list[Step], max_rows: int, max_bytes: int) -> None:
    spool = Spool(None, "dev", max_rows=max_rows, max_bytes=max_bytes)
    accepted = {False: 0, True: 0}
    deleted = {False: 0, True: 0}
    for what, event, size in steps:
        if what == "accept":
            reading = Climate("z", "missing", reason="r" * size)
            spool.accept("vote" if event else "climate", partial(climate_message, reading), event=event)
            accepted[event] += 1
        elif rows := spool.waiting(0, 1):
            deleted[rows[0].topic == "vote"] += 1
            spool.delete([rows[0].key, rows[0].key])
        health, left = spool.health(), everything(spool)
        assert health.rows == len(left) <= max_rows
        assert health.bytes <= max_bytes
        votes = sum(row.topic == "vote" for row in left)
        assert accepted[True] == votes + deleted[True] + health.dropped_events
        assert accepted[False] == len(left) - votes + deleted[False] + health.dropped_telemetry
    spool.close()


def test_topics_can_be_left_out_and_order_is_oldest_first() -> None:
    spool = Spool(None, "dev")
    for topic in ["a", "b", "a", "c"]:
        spool.accept(topic, BUILD)
    assert [row.key[1] for row in spool.waiting(0, 10, without_topics=["a", "x"])] == [2, 4]
    assert [row.key[1] for row in spool.waiting(2, 1)] == [3]


@pytest.mark.parametrize("topic", ["", "a/#", "a/+/b", "a\0b", "a" * 70_000])
def test_a_topic_that_can_never_be_published_is_refused(topic: str) -> None:
    spool = Spool(None, "dev")
    with pytest.raises(UsageError):
        spool.accept(topic, BUILD)
    assert spool.health().rows == 0


def test_a_message_that_is_too_large_is_refused_and_takes_no_number() -> None:
    spool = Spool(None, "dev")
    huge = Climate("z", "missing", reason="x" * LARGEST_PAYLOAD_BYTES)
    with pytest.raises(UsageError, match="bytes are more than a message may have"):
        spool.accept("a", partial(climate_message, huge))
    assert spool.accept("a", BUILD) == 1


def test_threads_share_one_sequence_without_gaps(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.sqlite", "dev")
    seqs: list[int] = []
    threads = [
        threading.Thread(target=lambda: seqs.extend([spool.accept("a", BUILD) for _ in range(20)])) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seqs) == list(range(1, 81))
