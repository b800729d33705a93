from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from collected import rows

from comfywear.collect import AckPace, Store, StoreAwayError, open_store
from comfywear.collect.ledger import Acknowledgement
from comfywear.collect.reading import read
from comfywear.collect.store import Received, Totals
from comfywear.errors import StoreError, UsageError

NOW = AckPace(ack_every_s=0, grace_s=0, ask_again_s=1000)


def came(device: str, seq: int, *, tail: str = "zone/desk/climate", **fields: Any) -> Received:
    message = {"device": device, "epoch": "e", "seq": seq, "ts": "2027-01-02T03:04:05.678+00:00", **fields}
    return raw(device, json.dumps(message).encode(), tail)


def raw(device: str, payload: bytes, tail: str = "zone/desk/climate") -> Received:
    item = read(f"comfywear/v1/home/{device}/{tail}", payload, "archive")
    assert item is not None
    return Received(item, datetime.now(timezone.utc))


@contextmanager
def opened(database: str, pace: AckPace = NOW) -> Iterator[Store]:
    store = open_store(database, pace)
    try:
        yield store
    finally:
        store.close()


def say(store: Store, streams: set[int], *, again: bool = False) -> dict[str, Acknowledgement]:
    return {word.source.device: word.answer for word in store.review(streams, again=again).words}


def test_each_message_is_stored_once_however_often_it_comes(database: str) -> None:
    with opened(database) as store:
        first = store.save([came("a", 1), came("a", 2), came("a", 1), came("b", 1)])
        assert (first.new, first.repeats, len(first.streams)) == (3, 1, 2)
        second = store.save([came("a", 2), came("a", 3)])
        assert (second.new, second.repeats) == (1, 1)
    assert rows(database, "SELECT device, seq FROM messages ORDER BY 1, 2") == [("a", 1), ("a", 2), ("a", 3), ("b", 1)]


def test_views_have_typed_columns(database: str) -> None:
    with opened(database) as store:
        store.save(
            [
                came("a", 1, state="fresh", air_temp_c=21.5, simulated=True),
                came("a", 2, state="stale", air_temp_c="warm" if "://" in database else None),
                came("a", 3, tail="zone/desk/vote", level=4, climate={"air_temp_c": 22.0}),
                came("a", 4, tail="device/metrics", rss_mb=210.5),
            ]
        )
    climate = "SELECT site, device, zone, epoch, seq, state, air_temp_c FROM climate ORDER BY seq"
    assert rows(database, climate) == [
        ("home", "a", "desk", "e", 1, "fresh", 21.5),
        ("home", "a", "desk", "e", 2, "stale", None),
    ]
    assert rows(database, "SELECT level, climate_air_temp_c FROM votes") == [(4, 22.0)]
    assert rows(database, "SELECT zone, rss_mb FROM metrics") == [(None, 210.5)]
    assert rows(database, "SELECT count(*) FROM people") == [(0,)]
    (ts,) = rows(database, "SELECT ts FROM messages WHERE seq = 1")[0]
    moment = ts if isinstance(ts, datetime) else datetime.fromisoformat(ts)
    assert moment == datetime(2027, 1, 2, 3, 4, 5, 678000, timezone.utc)


def test_what_cannot_be_stored_is_set_aside_with_a_reason_and_leaves_no_gap(database: str) -> None:
    with opened(database) as store:
        batch = [came("a", seq) for seq in range(1, 20)]
        batch[4] = came("a", 5, note="a \0 that jsonb cannot hold", ts="never")
        batch[9] = came("a", 10, note="a \0 that jsonb cannot hold")
        batch += [raw("a", b"{"), raw("a", b'{"seq": 1}'), came("a", 20, number=1e300)]
        saved = store.save(batch)
        of_the_database = 1 if "://" in database else 0
        assert (saved.new, saved.refused) == (20, 3 + of_the_database)
        assert say(store, saved.streams) == {"a": Acknowledgement(20)}
    reasons = [reason for (reason,) in rows(database, "SELECT reason FROM refused ORDER BY id")]
    assert reasons[0].startswith("`ts`")
    assert reasons[1].startswith("not JSON")
    assert reasons[2].startswith("`epoch`")
    assert [reason for reason in reasons[3:] if "Unicode" not in reason] == []
    kept = rows(database, "SELECT count(*) FROM messages WHERE kind = 'refused'")
    assert kept == [(1 + of_the_database,)]


def test_only_the_latest_refused_payloads_are_kept(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(database) as store:
        monkeypatch.setattr(sys.modules[type(store).__module__], "REFUSED_KEPT", 3)
        for number in range(5):
            store.save([raw("a", b"nonsense %d" % number)])
    found = rows(database, "SELECT payload FROM refused ORDER BY id")
    assert [bytes(payload) for (payload,) in found] == [b"nonsense 2", b"nonsense 3", b"nonsense 4"]


def test_gaps_are_asked_for_filled_and_closed_and_survive_a_restart(database: str) -> None:
    with opened(database) as store:
        streams = store.save([came("a", seq) for seq in (1, 2, 5, 8)]).streams
        assert say(store, streams) == {"a": Acknowledgement(8, ((3, 4), (6, 7)))}
        assert store.totals() == Totals(2, 4)
    with opened(database) as store:
        assert set(store.known()) == streams
        assert say(store, streams) == {}
        assert say(store, streams, again=True) == {"a": Acknowledgement(8, ((3, 4), (6, 7)))}
        store.save([came("a", 3), came("a", 6)])
        assert say(store, streams) == {"a": Acknowledgement(3)}
        store.save([came("a", 4), raw("a", b'{"epoch": "e", "ranges": [[7, 7]]}', "gone/archive")])
        assert say(store, streams) == {"a": Acknowledgement(8)}
        assert store.totals() == Totals(0, 0)
    assert rows(database, "SELECT complete_to, newest, missing, gone FROM completeness") == [(8, 8, 0, 1)]


def test_a_gap_that_nobody_fills_is_given_up_and_written_down(database: str) -> None:
    with opened(database, AckPace(ack_every_s=0, grace_s=0, ask_again_s=0, give_up_s=0.05)) as store:
        streams = store.save([came("a", 1), came("a", 5)]).streams
        assert say(store, streams) == {"a": Acknowledgement(5, ((2, 4),))}
        assert set(store.due(10)[0]) == set(store.due(10, ["home"])[0]) == streams
        assert store.due(10, ["elsewhere"])[0] == []
        time.sleep(0.1)
        say(store, streams)
        assert store.totals() == Totals(0, 0)
    assert rows(database, "SELECT first_seq, last_seq, why FROM gone") == [(2, 4, "unanswered")]


def test_collectors_that_share_a_database_do_not_answer_twice(database: str) -> None:
    pace = AckPace(ack_every_s=3600)
    with opened(database, pace) as one, opened(database, pace) as two:
        streams = one.save([came("a", 1), came("b", 1)]).streams
        assert two.save([came("a", 1), came("a", 2), came("b", 2)]).streams == streams
        assert say(one, streams) == {"a": Acknowledgement(2), "b": Acknowledgement(2)}
        two.save([came("a", 3)])
        assert two.review(streams).streams == set()
    with opened(database, NOW) as later:
        assert say(later, streams) == {"a": Acknowledgement(3)}


def test_devices_are_reminded_of_what_is_stored_while_they_send(database: str) -> None:
    with opened(database, AckPace(ack_every_s=0, remind_s=0.1)) as store:
        streams = store.save([came("a", 1)]).streams
        assert say(store, streams) == {"a": Acknowledgement(1)}
        time.sleep(0.2)
        _, reminding = store.due(10)
        assert set(reminding) == set(store.due(10, ["elsewhere", "home"])[1]) == set(store.known(["home"])) == streams
        assert store.due(10, ["elsewhere"]) == ([], [])
        assert store.known(["elsewhere"]) == []
        assert say(store, streams, again=True) == {"a": Acknowledgement(1)}
    with opened(database, AckPace(remind_s=0.1, remind_for_s=0)) as store:
        assert store.due(10) == ([], [])
        assert store.known() == []


def test_the_latest_status_of_a_device_is_kept(database: str) -> None:
    online, offline = (
        raw("a", json.dumps({"seq": None, "state": s}).encode(), "status") for s in ("online", "offline")
    )
    later = offline._replace(at=online.at + timedelta(milliseconds=5))
    with opened(database) as store:
        store.save([online, later])
        store.save([online])  # older by its time, for it came through another collector
    assert rows(database, "SELECT site, device, state FROM devices") == [("home", "a", "offline")]


def test_tables_of_another_version_are_left_alone(database: str) -> None:
    with opened(database):
        pass
    if "://" in database:
        import psycopg

        with psycopg.connect(database) as connection:
            connection.execute("UPDATE comfywear.facts SET value = 99")
    else:
        with sqlite3.connect(database) as lite:
            lite.execute("UPDATE facts SET value = 99")
        lite.close()
    with pytest.raises(StoreError, match="another version"):
        open_store(database)


def test_a_database_that_goes_away_says_so_and_is_used_again_when_it_is_back(cluster: Any) -> None:
    with opened(cluster.url) as store:
        store.save([came("a", 1)])
        cluster.stop()
        try:
            with pytest.raises(StoreAwayError):
                store.save([came("a", 2)])
            with pytest.raises(StoreAwayError, match="cannot be reached"):
                store.save([came("a", 2)])
            with pytest.raises(StoreAwayError, match="cannot be reached"):
                open_store(cluster.url)
        finally:
            cluster.start()
        assert store.save([came("a", 2), came("b", 1)]).new == 2
    assert rows(cluster.url, "SELECT device, seq FROM messages ORDER BY 1, 2") == [("a", 1), ("a", 2), ("b", 1)]


def test_tables_that_somebody_dropped_are_made_again(cluster: Any) -> None:
    import psycopg

    with opened(cluster.url) as store:
        store.save([came("a", 1)])
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            connection.execute("DROP SCHEMA comfywear CASCADE")
        with pytest.raises(StoreError, match="cannot be used"):
            store.save([came("a", 2)])
        assert store.save([came("a", 2)]).new == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [("/nowhere", "does not let us in: .*nowhere"), ("?user=nobody", "does not let us in: .*nobody")],
)
def test_a_server_that_refuses_is_an_error_and_nothing_to_wait_for(cluster: Any, change: str, words: str) -> None:
    url = cluster.url.replace("/comfort", change) if change.startswith("/") else cluster.url + change
    with pytest.raises(StoreError, match=words) as caught:
        open_store(url)
    assert not isinstance(caught.value, StoreAwayError)


@pytest.mark.parametrize("place", ["", "mysql://host/db", "postgresql://host:port:port/x", "postgresql://h/x?what=1"])
def test_what_names_no_database_is_a_wrong_use(place: str) -> None:
    if place.startswith("postgresql"):
        pytest.importorskip("psycopg")
    with pytest.raises(UsageError, match=r"--db is empty|no database known|cannot be read"):
        open_store(place)


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder"):
        open_store(str(tmp_path))


def test_without_psycopg_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "comfywear.collect.postgres", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError, match=r"pip install 'comfywear\[collect\]'"):
        open_store("postgresql://localhost/x")


def voted(device: str, seq: int, vote: str, **fields: Any) -> Received:
    return came(device, seq, tail="zone/desk/vote", id=vote, level=2, source="Ada's phone", **fields)


def deleted(device: str, seq: int, *votes: str, tail: str = "deletion") -> Received:
    return came(device, seq, tail=tail, schema="comfywear/v1/deletion", time_ok=True, votes=list(votes))


def test_what_a_device_had_deleted_is_deleted_whenever_it_comes(database: str) -> None:
    with opened(database) as store:
        store.save([voted("a", 1, "v1"), came("a", 2), voted("a", 3, "v2"), voted("b", 1, "v1")])
        store.save([deleted("a", 4, "v1", "v9")])
        assert rows(database, "SELECT device, id FROM votes ORDER BY device, id") == [("a", "v2"), ("b", "v1")]
        # One that comes later, also as a repeat, under another number or in another epoch.
        store.save([voted("a", 5, "v9"), voted("a", 1, "v1"), came("a", 6), voted("a", 1, "v1", epoch="f")])
        store.save([voted("b", 2, "v9"), deleted("a", 7, "v2", tail="backlog/deletion")])
        assert rows(database, "SELECT device, id FROM votes ORDER BY device, id") == [("b", "v1"), ("b", "v9")]
        assert rows(database, "SELECT count(*) FROM entries WHERE kind = 'climate'") == [(2,)]
        gone = rows(database, "SELECT payload, ts, zone FROM entries WHERE kind = 'deleted'")
        assert gone == [(None, None, None)] * 4
        streams = set(store.known())
        assert say(store, streams)["b"].seq == 2
        assert (7, ()) in [
            (word.answer.seq, tuple(word.answer.missing)) for word in store.review(streams, again=True).words
        ]
        again = store.save([voted("a", 3, "v2"), deleted("a", 7, "v2")])
        assert (again.new, again.repeats) == (0, 2)


def test_in_one_batch_it_does_not_matter_which_comes_first(database: str) -> None:
    with opened(database) as store:
        store.save([deleted("a", 2, "v1"), voted("a", 1, "v1"), voted("a", 3, "v3")])
        assert rows(database, "SELECT id FROM votes") == [("v3",)]


@pytest.mark.parametrize("votes", [[], "v1", [""], [1], ["v"] * 201, None])
def test_a_deletion_that_cannot_be_read_is_set_aside_and_deletes_nothing(database: str, votes: object) -> None:
    with opened(database) as store:
        store.save([voted("a", 1, "v1")])
        saved = store.save([came("a", 2, tail="deletion", schema="comfywear/v1/deletion", time_ok=True, votes=votes)])
        assert saved.refused == 1
        assert rows(database, "SELECT id FROM votes") == [("v1",)]
        assert "deletion" in rows(database, "SELECT reason FROM refused")[0][0]
