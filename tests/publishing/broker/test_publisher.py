from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from peers import ACCEPT, FAST, TOPICS, Consumer, StandIn, running

from comfywear.errors import StoreError, UsageError
from comfywear.publishing import (
    BrokerSettings,
    Pace,
    Publisher,
    Spool,
    climate_message,
    metrics_message,
)
from comfywear.publishing.messages.incoming import VoteSet
from comfywear.records import Climate, Delivery
from waiting import until

CLIMATE = partial(climate_message, Climate("desk", "fresh", 23.4, 45.0))
KEEPING = "persistence true\npersistence_location {folder}/\nmax_queued_messages 0\n"


def publisher_for(port: int, spool: Spool | None = None, pace: Pace = FAST, **options: Any) -> Publisher:
    broker = BrokerSettings("127.0.0.1", port, **options.pop("login", {}))
    return Publisher(broker, TOPICS, spool or Spool(None, "dev"), pace=pace, **options)


def drained(publisher: Publisher) -> Callable[[], bool]:
    return lambda: publisher.spool.health().rows == 0


def test_what_was_posted_without_a_broker_arrives_in_order_once_there_is_one(make_mosquitto: Any) -> None:
    broker = make_mosquitto()
    publisher = publisher_for(broker.port)
    with running(publisher):
        sent = [publisher.post(TOPICS.climate("desk"), CLIMATE, retain=True) for _ in range(100)]
        until(lambda: publisher.state.startswith("waiting: nothing listens"))
        broker.start()
        with Consumer(broker.port) as consumer:
            until(drained(publisher))
            sent += [publisher.post(TOPICS.climate("desk"), CLIMATE, retain=True) for _ in range(10)]
            until(lambda: sent[-1] in consumer.seqs())
            assert publisher.state == "connected"
    with Consumer(broker.port) as late:
        until(lambda: late.seqs() == [sent[-1]])
        assert [retained for topic, _, retained in late.came if topic == TOPICS.climate("desk")] == [True]


def test_nothing_is_lost_over_restarts_of_the_broker(make_mosquitto: Any, tmp_path: Path) -> None:
    broker = make_mosquitto(settings=KEEPING.format(folder=tmp_path))
    broker.start()
    publisher = publisher_for(broker.port)
    sent = []
    with Consumer(broker.port) as consumer, running(publisher):
        for _ in range(3):
            sent += [publisher.post(TOPICS.climate("desk"), CLIMATE) for _ in range(30)]
            broker.restart()
        until(drained(publisher))
        until(lambda: set(sent) <= set(consumer.seqs()))


def test_rows_that_the_access_rules_deny_stay_and_the_others_go(
    make_mosquitto: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rules = tmp_path / "acl"
    rules.write_text(f"topic readwrite {TOPICS.status}\ntopic write {TOPICS.metrics}\n")
    broker = make_mosquitto(lines=["allow_anonymous true", f"acl_file {rules}"])
    broker.start()
    publisher = publisher_for(broker.port)
    denied = {publisher.post(TOPICS.climate("desk"), CLIMATE) for _ in range(30)}
    allowed = {publisher.post(TOPICS.metrics, partial(metrics_message, {"frames": n})) for n in range(30)}
    with running(publisher), caplog.at_level(logging.WARNING):
        until(lambda: publisher.health().denied > 0 and publisher.health().acknowledged == len(allowed))
        until(lambda: publisher.spool.health().rows == len(denied))
        assert {row.key[1] for row in publisher.spool.waiting(0, 100)} == denied
        assert publisher.health().denied_topics == (TOPICS.climate("desk"),)
        said = [record for record in caplog.records if "not authorised" in record.getMessage()]
        assert len(said) == 1
        tries = publisher.health().denied
        until(lambda: publisher.health().denied > tries)  # tried again later…
        assert publisher.health().denied < 10 * len(denied)  # …and not in a hurry
        rules.write_text("topic readwrite comfywear/v1/#\n")
        broker.restart()
        until(drained(publisher))


def test_a_wrong_password_is_said_in_one_line_and_mended_without_a_restart(
    make_mosquitto: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    passwords, mine = tmp_path / "passwd", tmp_path / "mine"
    subprocess.run(["mosquitto_passwd", "-c", "-b", passwords, "dev", "s3cret-right"], check=True)
    mine.write_text("s3cret-wrong\n")
    broker = make_mosquitto(lines=["allow_anonymous false", f"password_file {passwords}"])
    broker.start()
    publisher = publisher_for(broker.port, login={"username": "dev", "password_file": str(mine)})
    publisher.post(TOPICS.climate("desk"), CLIMATE)
    with running(publisher), caplog.at_level(logging.DEBUG):
        until(lambda: "not authorised" in publisher.state)
        time.sleep(0.5)  # several attempts
        assert len([record for record in caplog.records if "not authorised" in record.getMessage()]) == 1
        assert publisher.spool.health().rows == 1
        mine.write_text("s3cret-right\n")
        until(drained(publisher))
    assert "s3cret" not in caplog.text + repr(publisher.health())


def test_the_access_list_in_the_docs_gives_a_device_its_own_topics_alone(make_mosquitto: Any, tmp_path: Path) -> None:
    passwords, rules, mine = tmp_path / "passwd", tmp_path / "acl", tmp_path / "mine"
    lines = (Path(__file__).parents[3] / "docs" / "mqtt.md").read_text(encoding="utf-8").splitlines()
    (pattern,) = [line.strip() for line in lines if line.strip().startswith("pattern ")]
    rules.write_text(f"{pattern}\n\nuser watcher\ntopic read #\n")
    subprocess.run(["mosquitto_passwd", "-c", "-b", passwords, "dev", "secret"], check=True)
    subprocess.run(["mosquitto_passwd", "-b", passwords, "watcher", "secret"], check=True)
    mine.write_text("secret")
    broker = make_mosquitto(lines=["allow_anonymous false", f"password_file {passwords}", f"acl_file {rules}"])
    broker.start()
    login = {"username": "dev", "password_file": str(mine)}
    votes: list[int] = []
    publisher = publisher_for(broker.port, login=login, on_vote=lambda _zone, vote, _delivery: votes.append(vote.level))
    own = publisher.post(TOPICS.climate("desk"), CLIMATE)
    foreign = publisher.post("comfywear/v1/home/other/zone/desk/climate", CLIMATE)
    with Consumer(broker.port, username="watcher", password="secret") as consumer, running(publisher):
        until(lambda: publisher.health().denied >= 1 and publisher.spool.health().rows == 1)
        assert [row.key[1] for row in publisher.spool.waiting(0, 10)] == [foreign]
        until(lambda: consumer.seqs() == [own])
        assert consumer.states() == [("online", None)]


def test_at_most_twenty_messages_are_on_their_way_and_a_silent_broker_is_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pace = Pace(first_pause_s=0.05, longest_pause_s=0.1, ack_timeout_s=0.5, flush_s=0)
    with StandIn(ACCEPT.get, acknowledge=False) as broker:
        publisher = publisher_for(broker.port, pace=pace)
        for _ in range(50):
            publisher.post(TOPICS.climate("desk"), CLIMATE)
        with running(publisher):
            until(lambda: len(broker.published) >= 3)
            assert "no acknowledgement" in caplog.text
    for published in broker.published[:2]:
        assert [topic for _, topic in published] == [TOPICS.status] + [TOPICS.climate("desk")] * 19
    assert publisher.spool.health().rows == 50


def test_a_smaller_window_that_the_broker_asks_for_is_kept() -> None:
    small = b"\x20\x06\x00\x00\x03\x21\x00\x05"  # CONNACK with Receive Maximum 5
    with StandIn(lambda _level: small, acknowledge=False) as broker:
        publisher = publisher_for(broker.port, pace=Pace(ack_timeout_s=30, flush_s=0))
        for _ in range(50):
            publisher.post(TOPICS.climate("desk"), CLIMATE)
        with running(publisher):
            until(lambda: broker.published and len(broker.published[0]) >= 5)
            time.sleep(0.3)
            assert len(broker.published[0]) == 5


def test_rows_that_cannot_be_deleted_are_not_sent_again(mosquitto: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = publisher_for(mosquitto.port)
    really, full = publisher.spool._database.write, threading.Event()

    def write(work: Any) -> Any:
        if full.is_set():
            raise StoreError("the disk is full")
        return really(work)

    monkeypatch.setattr(publisher.spool._database, "write", write)
    with Consumer(mosquitto.port) as consumer:
        sent = [publisher.post(TOPICS.climate("desk"), CLIMATE) for _ in range(40)]
        full.set()
        with running(publisher):
            until(lambda: publisher.health().acknowledged == 40)
            with pytest.raises(StoreError):
                publisher.post(TOPICS.climate("desk"), CLIMATE)
            time.sleep(0.5)
            full.clear()
            sent += [publisher.post(TOPICS.climate("desk"), CLIMATE) for _ in range(5)]
            until(drained(publisher))
            until(lambda: len(consumer.seqs()) >= 45)
            assert consumer.seqs() == sent


def test_votes_come_in_and_nonsense_is_refused_and_counted(mosquitto: Any, caplog: pytest.LogCaptureFixture) -> None:
    votes: list[tuple[str, int]] = []

    def on_vote(zone: str, vote: VoteSet, _: Delivery) -> None:
        if zone != "desk":
            raise UsageError(f"no zone is named {zone!r}")
        votes.append((zone, vote.level))

    bad = [b"", b"6", b"0", b"4.5", b'"4"', b"{}", b'{"level": 9}', b"[" * 1000, b"\xff\xfe", b"1" * 5000, b"true"]
    with Consumer(mosquitto.port) as consumer:
        consumer.send(TOPICS.vote_set("desk"), b"1", retain=True)
        publisher = publisher_for(mosquitto.port, on_vote=on_vote)
        with running(publisher):
            until(lambda: publisher.health().votes_refused == 1)  # the retained one
            for payload in bad:
                consumer.send(TOPICS.vote_set("desk"), payload)
            consumer.send(TOPICS.vote_set("attic"), b"3")
            consumer.send(f"{TOPICS.base}/zone/a b/vote/set", b"3")
            consumer.send(TOPICS.vote_set("desk"), b'{"level": 4}')
            consumer.send(TOPICS.vote_set("desk"), b"5")
            consumer.send(TOPICS.vote_set("desk"), b"2.0")  # as Home Assistant's input_number says it
            consumer.send(TOPICS.vote_set("desk"), b'{"level": 3.0}')
            until(lambda: len(votes) == 4)
            assert votes == [("desk", 4), ("desk", 5), ("desk", 2), ("desk", 3)]
            assert publisher.health().votes_refused == len(bad) + 3
            assert publisher.state == "connected"
    assert "refused" in caplog.text


def test_an_orderly_stop_sends_what_waits_and_says_offline(mosquitto: Any) -> None:
    publisher = publisher_for(mosquitto.port)
    with Consumer(mosquitto.port) as consumer:
        with running(publisher):
            until(lambda: publisher.state == "connected")
            sent = [publisher.post(TOPICS.climate("desk"), CLIMATE) for _ in range(200)]
        assert publisher.state == "stopped"
        assert publisher.spool.health().rows == 0
        until(lambda: set(sent) <= set(consumer.seqs()))
        until(lambda: consumer.states() == [("online", None), ("offline", "stopped")])


def test_without_a_broker_in_the_settings_everything_stays(caplog: pytest.LogCaptureFixture) -> None:
    publisher = Publisher(BrokerSettings(""), TOPICS, Spool(None, "dev"))
    with running(publisher):
        publisher.post(TOPICS.climate("desk"), CLIMATE)
        until(lambda: publisher.state == "waiting: the settings name no broker")
    assert publisher.spool.health().rows == 1


# A device of a few lines: accepts numbered messages, and notes each number once it was accepted.
CHILD = """
import os, sys, threading, time
from functools import partial
from pathlib import Path
from comfywear.publishing import BrokerSettings, Pace, Publisher, Spool, Topics, metrics_message
port, folder, rounds = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
accepted = os.open(folder / "accepted", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
topics = Topics("home", "dev")
publisher = Publisher(BrokerSettings("127.0.0.1", port), topics, Spool(folder / "spool.sqlite", "dev"),
                      pace=Pace(first_pause_s=0.05, longest_pause_s=0.2, flush_s=20, will_delay_s=0))
stop = threading.Event()
thread = threading.Thread(target=publisher.run, args=(stop,))
thread.start()
for number in range(rounds):
    seq = publisher.post(topics.metrics, partial(metrics_message, {"frames": number}))
    os.write(accepted, f"{publisher.spool.epoch} {seq} {number}\\n".encode())
while publisher.spool.health().rows:
    time.sleep(0.01)
stop.set()
thread.join()
"""


def child(port: int, folder: Path, rounds: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CHILD, str(port), str(folder), str(rounds)])


def test_nothing_accepted_is_lost_when_the_device_is_killed_again_and_again(mosquitto: Any, tmp_path: Path) -> None:
    note = tmp_path / "accepted"
    with Consumer(mosquitto.port) as consumer:
        for _ in range(5):
            before = note.stat().st_size if note.exists() else 0
            device = child(mosquitto.port, tmp_path, 1_000_000)
            until(lambda: note.exists() and note.stat().st_size > before + 2000)  # noqa: B023 - called in this round
            device.send_signal(signal.SIGKILL)
            device.wait(90)
        assert child(mosquitto.port, tmp_path, 0).wait(30) == 0
        accepted = [line.split() for line in note.read_text().splitlines()]
        # A line may be half written when the process is killed; its message was accepted all the same.
        wanted = {
            (epoch, int(seq)): int(number) for epoch, seq, number in [line for line in accepted if len(line) == 3]
        }
        assert len(wanted) > 100

        def came() -> dict[tuple[str, int], int]:
            numbered = [message for _, message, _ in list(consumer.came) if message["seq"] is not None]
            return {(message["epoch"], message["seq"]): message["frames"] for message in numbered}

        until(lambda: wanted.keys() <= came().keys())
        assert wanted.items() <= came().items()
        assert len({epoch for epoch, _ in wanted}) == 1


def test_the_broker_says_offline_when_the_device_is_killed(mosquitto: Any, tmp_path: Path) -> None:
    with Consumer(mosquitto.port) as consumer:
        device = child(mosquitto.port, tmp_path, 1_000_000)
        until(lambda: ("online", None) in consumer.states())
        device.send_signal(signal.SIGKILL)
        device.wait(90)
        until(lambda: consumer.states() == [("online", None), ("offline", "connection lost")])
    with Consumer(mosquitto.port) as late:
        until(lambda: late.states() == [("offline", "connection lost")])
        (message,) = [message for topic, message, retained in late.came if topic == TOPICS.status and retained]
        assert message["ts"] is None
        assert message["time_ok"] is False


def test_messages_posted_from_several_threads_keep_one_sequence(mosquitto: Any) -> None:
    publisher = publisher_for(mosquitto.port)
    with Consumer(mosquitto.port) as consumer, running(publisher):
        threads = [
            threading.Thread(target=lambda: [publisher.post(TOPICS.metrics, METRICS) for _ in range(100)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        until(lambda: len(consumer.seqs()) >= 400)
        assert consumer.seqs() == list(range(1, 401))


METRICS = partial(metrics_message, {"frames": 1})
