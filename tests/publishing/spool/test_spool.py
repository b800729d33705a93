from __future__ import annotations

import json
import sqlite3
import threading
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spools import BUILD, DAY_S, NOON, Time, everything, gone, memory, seqs

from comfywear.errors import StoreError, UsageError
from comfywear.publishing import Message, Spool, SpoolLimits, Stamp, climate_message
from comfywear.publishing.spool.commit import LARGEST_PAYLOAD_BYTES
from comfywear.publishing.spool.file import FIRST
from comfywear.publishing.spool.spool import MOST_OFFERS, Row
from comfywear.publishing.spool.thinning import RECENT_S
from comfywear.records import Climate
from comfywear.system.clock import WallTime


def test_a_message_is_committed_before_it_is_accepted_and_carries_its_key(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.sqlite", "dev", clock=lambda: NOON)
    seq = spool.accept("a/b", BUILD, retain=True)
    ((payload,),) = sqlite3.connect(tmp_path / "s.sqlite").execute("SELECT payload FROM messages")
    stamp = {"device": "dev", "epoch": spool.epoch, "seq": seq, "ts": NOON.ts, "time_ok": True}
    assert json.loads(payload).items() >= stamp.items()
    assert everything(spool) == [Row((spool.epoch, seq), "a/b", payload, True, 0)]


def test_while_the_clock_is_not_set_messages_have_no_time_and_keep_their_order() -> None:
    times = iter([WallTime(None, False), NOON, WallTime(None, False)])
    spool = Spool(None, "dev", clock=lambda: next(times))
    for _ in range(3):
        spool.accept("a", BUILD)
    said = [json.loads(row.payload) for row in everything(spool)]
    assert [(each["seq"], each["ts"], each["time_ok"]) for each in said] == [
        (1, None, False),
        (2, NOON.ts, True),
        (3, None, False),
    ]


def test_what_is_offered_is_committed_together_and_is_not_there_before(tmp_path: Path) -> None:
    times = iter([WallTime("first", True), WallTime("second", True), WallTime("third", True)])
    spool = Spool(tmp_path / "s.sqlite", "dev", clock=lambda: next(times))
    spool.offer("a", BUILD)
    spool.offer("b", BUILD, retain=True)
    assert everything(spool) == []
    assert spool.accept("vote", BUILD, event=True) == 3  # a vote takes along what waits
    assert [(row.topic, json.loads(row.payload)["ts"]) for row in everything(spool)] == [
        ("a", "first"),  # the moment of the offer, not of the commit
        ("b", "second"),
        ("vote", "third"),
    ]


def test_an_offer_that_cannot_be_made_is_said_and_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    spool = memory()

    def broken(stamp: Stamp) -> Message:
        raise TypeError("a bug")

    for topic, build in [("a", BUILD), ("b", broken), ("c", BUILD)]:
        spool.offer(topic, build)
    spool.flush()
    assert [(row.key[1], row.topic) for row in everything(spool)] == [(1, "a"), (2, "c")]
    assert "a message to b cannot be made" in caplog.text


def test_the_worker_commits_what_is_offered_and_what_waits_at_the_end() -> None:
    spool, stop, committed = memory(), threading.Event(), threading.Event()
    spool.on_commit = committed.set
    worker = threading.Thread(target=spool.run, args=(stop,))
    worker.start()
    spool.offer("a", BUILD)
    assert committed.wait(60)
    assert len(everything(spool)) == 1
    spool.offer("b", BUILD)
    stop.set()
    worker.join(60)
    assert len(everything(spool)) == 2


def test_a_number_never_comes_twice_even_when_its_row_is_gone(tmp_path: Path) -> None:
    numbers = []
    for _ in range(3):
        spool = Spool(tmp_path / "s.sqlite", "dev")
        numbers += [spool.accept("a/b", BUILD) for _ in range(3)]
        gone(spool, everything(spool))
        assert (spool.health().rows, spool.health().bytes) == (0, 0)
        spool.close()
    assert numbers == list(range(1, 10))


def test_rows_that_arrived_go_with_the_next_commit_and_are_not_shown_before(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    spool = Spool(path, "dev")
    for _ in range(3):
        spool.accept("a", BUILD)
    spool.arrived([row.key for row in everything(spool)[:2]] + [("another epoch", 3)])
    assert seqs(spool) == [3]
    assert sqlite3.connect(path).execute("SELECT count(*) FROM messages").fetchone() == (3,)
    spool.accept("a", BUILD)
    assert [row[0] for row in sqlite3.connect(path).execute("SELECT seq FROM messages")] == [3, 4]


def test_the_epoch_stays_with_the_file_and_a_new_file_has_another(tmp_path: Path) -> None:
    first = Spool(tmp_path / "s.sqlite", "dev").epoch
    assert Spool(tmp_path / "s.sqlite", "dev").epoch == first
    assert Spool(tmp_path / "other.sqlite", "dev").epoch != first


def test_only_the_newest_state_of_a_topic_may_be_retained_also_after_it_is_gone(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.sqlite", "dev")
    for topic in ["desk", "door", "desk", "desk", "vote"]:
        spool.accept(topic, BUILD, retain=topic != "vote")
    assert [row.key[1] for row in spool.live()] == [2, 4]
    assert [row.key[1] for row in everything(spool) if spool.is_newest(row)] == [2, 4]
    gone(spool, spool.live())  # live states went first; older ones still wait
    spool.close()
    spool = Spool(tmp_path / "s.sqlite", "dev")
    assert seqs(spool) == [1, 3, 5]
    assert [row for row in everything(spool) if spool.is_newest(row)] == []


def test_telemetry_is_thinned_to_coarser_intervals_before_any_is_dropped() -> None:
    time = Time()
    spool = memory(time, bytes=1_000_000)
    size = 0
    for second in range(0, 3 * 3600, 2):
        time.s = second
        for topic in ("climate", "people"):
            spool.accept(topic, BUILD)
        if not size:
            size = spool.health().bytes // 2
        if spool.health().thinned:
            break
    assert spool.health().dropped_telemetry == 0
    rows = everything(spool)
    ages = {row.key[1]: (row.key[1] - 1) // 2 * 2 for row in rows}
    oldest = [ages[row.key[1]] for row in rows if row.topic == "climate"][:5]
    if time.s > RECENT_S + 600:
        assert oldest == [58, 118, 178, 238, 298]  # the newest of each minute is kept
    assert spool.health().bytes <= 1_000_000
    assert len(rows) + spool.health().thinned == rows[-1].key[1]


def test_votes_go_last_of_all_and_every_loss_is_counted() -> None:
    spool = memory(bytes=20_000)
    votes = [spool.accept("vote", BUILD, event=True) for _ in range(5)]
    for number in range(200):
        spool.accept(f"topic {number}", BUILD)  # nothing to thin: one message a topic
    health = spool.health()
    assert health.bytes <= 20_000
    assert health.dropped_telemetry > 100
    assert (health.thinned, health.dropped_events) == (0, 0)
    assert seqs(spool)[:5] == votes
    assert seqs(spool)[-1] == 205
    for _ in range(100):
        spool.accept("vote", BUILD, event=True)
    health = spool.health()
    assert health.dropped_telemetry == 200
    assert health.dropped_events == 105 - len(everything(spool)) > 0
    assert all(row.topic == "vote" for row in everything(spool))


def test_losses_are_remembered_over_restarts(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.sqlite", "dev", limits=SpoolLimits(bytes=2000))
    for number in range(20):
        spool.accept(f"topic {number}", BUILD)
    lost = spool.health().dropped_telemetry
    assert lost > 0
    spool.close()
    assert Spool(tmp_path / "s.sqlite", "dev").health().dropped_telemetry == lost


def test_telemetry_that_waited_too_long_is_dropped_and_votes_and_newest_states_stay(tmp_path: Path) -> None:
    time = Time()
    spool = Spool(tmp_path / "s.sqlite", "dev", limits=SpoolLimits(age_s=10 * DAY_S), now=time)
    spool.accept("climate", BUILD)
    spool.accept("vote", BUILD, event=True)
    spool.accept("meta", BUILD, retain=True)
    time.s = 11 * DAY_S
    spool.accept("climate", BUILD)
    spool.close()
    spool = Spool(tmp_path / "s.sqlite", "dev", now=time)
    assert [row.topic for row in everything(spool)] == ["vote", "meta", "climate"]
    assert spool.health().dropped_telemetry == 1


Step = tuple[str, bool, int]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["accept", "accept", "arrive"]), st.booleans(), st.integers(0, 300)),
        min_size=1,
        max_size=40,
    ),
    st.integers(800, 6000),
)
def test_bounds_hold_and_the_books_balance(steps: list[Step], most: int) -> None:
    time = Time()
    spool = memory(time, bytes=most)
    accepted = {False: 0, True: 0}
    arrived = {False: 0, True: 0}
    for what, event, size in steps:
        time.s += size
        if what == "accept":
            reading = Climate("z", "missing", reason="r" * size)
            spool.accept("vote" if event else "climate", partial(climate_message, reading), event=event)
            accepted[event] += 1
        elif rows := spool.waiting(FIRST, 1):
            arrived[rows[0].topic == "vote"] += 1
            spool.arrived([rows[0].key, rows[0].key])
        health, left = spool.health(), everything(spool)
        assert health.rows == len(left)
        assert health.bytes <= most
        votes = sum(row.topic == "vote" for row in left)
        assert accepted[True] == votes + arrived[True] + health.dropped_events
        assert accepted[False] == len(left) - votes + arrived[False] + health.dropped_telemetry + health.thinned
    spool.close()


def test_the_order_is_oldest_first() -> None:
    spool = memory()
    for topic in ["a", "b", "a", "c"]:
        spool.accept(topic, BUILD)
    assert [row.key[1] for row in spool.waiting(0, 10)] == [1, 2, 3, 4]
    assert [row.key[1] for row in spool.waiting(2, 1)] == [3]


@pytest.mark.parametrize("topic", ["", "a/#", "a/+/b", "a\0b", "a" * 70_000])
def test_a_topic_that_can_never_be_published_is_refused(topic: str) -> None:
    spool = memory()
    with pytest.raises(UsageError):
        spool.accept(topic, BUILD)
    with pytest.raises(UsageError):
        spool.offer(topic, BUILD)
    assert spool.health().rows == 0


def test_a_message_that_is_too_large_is_refused_and_takes_no_number() -> None:
    spool = memory()
    huge = Climate("z", "missing", reason="x" * LARGEST_PAYLOAD_BYTES)
    with pytest.raises(UsageError, match="bytes are more than a message may have"):
        spool.accept("a", partial(climate_message, huge))
    assert spool.accept("a", BUILD) == 1


def test_threads_share_one_sequence_without_gaps(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.sqlite", "dev")
    threads = [
        threading.Thread(target=lambda: [(spool.accept("a", BUILD), spool.offer("b", BUILD)) for _ in range(10)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spool.flush()
    assert seqs(spool) == list(range(1, 81))


def test_while_nothing_can_be_committed_offers_wait_and_the_oldest_give_way(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    spool = memory()
    really = spool._database.write

    def full(work: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(spool._database, "write", full)
    for number in range(MOST_OFFERS + 5):
        spool.offer(f"topic {number}", BUILD)
    spool.flush()
    spool.flush()
    assert caplog.text.count("the disk is full") == 1
    assert spool.health().refused == 5
    with pytest.raises(StoreError):
        spool.accept("vote", BUILD, event=True)
    monkeypatch.setattr(spool._database, "write", really)
    spool.flush()
    assert "can be used again" in caplog.text
    assert [row.topic for row in everything(spool)] == [f"topic {number}" for number in range(5, MOST_OFFERS + 5)]


def test_a_builder_with_a_bug_is_dropped_and_said_and_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    spool = memory()

    def buggy(_: Stamp) -> Message:
        raise KeyError("words")

    spool.offer("a/b", buggy)
    assert spool.accept("a/vote", BUILD, event=True) == 1
    assert spool.accept("a/vote", BUILD, event=True) == 2
    assert "a message to a/b cannot be made and is not sent: KeyError: 'words'" in caplog.text
    with pytest.raises(UsageError, match="cannot be made: KeyError"):
        spool.accept("a/b", buggy)
