"""The collector as a process, between a real broker and a real database, with simulated devices."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from collected import check_complete, rows
from devices import Device, Figures, drive

from comfywear.cli import main
from waiting import until


@contextmanager
def fleet(port: int, devices: list[Device], rate: float, seconds: float, settle_s: float = 90) -> Iterator[None]:
    """The devices at work in a thread; ends when all is confirmed, or no more is to be sent."""
    work = drive(devices, "127.0.0.1", port, rate, seconds, settle_s=settle_s)
    thread = threading.Thread(target=lambda: asyncio.run(work))
    thread.start()
    try:
        yield
    finally:
        thread.join(seconds + settle_s + 30)
        assert not thread.is_alive()


def collecting(process: Any) -> Callable[[], bool]:
    return lambda: "collecting from" in process.said()


def test_what_brokers_lose_and_repeat_is_asked_for_and_stored_once(mosquitto: Any, collect: Any, tmp_path: Any) -> None:
    place, figures = str(tmp_path / "collected.db"), Figures()
    arguments = ["--db", place, "--broker", f"127.0.0.1:{mosquitto.port}", "--ack-every", 0.2]

    def send(seq: int) -> int:
        return 0 if seq % 7 == 0 else 2 if seq % 5 == 0 else 1

    devices = [Device(f"d{number}", "collect", figures, send=send) for number in range(5)]
    forgetful = Device("forgetful", "collect", figures, send=lambda seq: 0 if seq in (3, 4) else 1)
    collector = collect(*arguments)
    until(collecting(collector))
    with fleet(mosquitto.port, [*devices, forgetful], rate=150, seconds=3):
        until(lambda: forgetful.seq >= 4)
        forgetful.forget(3, 4)
        until(lambda: figures.accepted > 200)
        collector.end(signal.SIGKILL)
        collector = collect(*arguments)
        until(collecting(collector))
        mosquitto.stop(signal.SIGKILL)  # it forgets every session and what was queued
        mosquitto.start()
    assert figures.unconfirmed == 0
    assert figures.asked_again > 0
    assert collector.end() == 0
    check_complete(place, [*devices, forgetful], without=2)
    assert rows(place, "SELECT device, complete_to - newest, missing, gone FROM completeness WHERE gone > 0") == [
        ("forgetful", 0, 0, 2)
    ]


def test_collectors_share_a_database_and_one_may_die_and_the_database_be_away(
    mosquitto: Any, collect: Any, cluster: Any
) -> None:
    figures = Figures()
    arguments = ["--db", cluster.url, "--broker", f"127.0.0.1:{mosquitto.port}", "--share", "load"]
    arguments += ["--ack-every", 0.5, "--session-days", 0.00001]
    devices = [Device(f"d{number}", "collect", figures) for number in range(10)]
    one, two = (collect(*arguments, "--instance", name) for name in ("one", "two"))
    until(collecting(one))
    until(collecting(two))
    with fleet(mosquitto.port, devices, rate=100, seconds=4):
        until(lambda: figures.accepted > 100)
        one.end(signal.SIGKILL)
        cluster.stop()
        until(lambda: "trying again" in two.said())
        cluster.start()
        until(lambda: "the database is back" in two.said())
        one = collect(*arguments, "--instance", "one")
        until(collecting(one))
    assert figures.unconfirmed == 0
    assert one.end() == 0
    assert two.end() == 0
    check_complete(cluster.url, devices)
    assert "messages wait at the broker" in two.said()


def test_messages_of_the_time_away_come_from_the_broker_where_nobody_confirms(
    make_mosquitto: Any, collect: Any, tmp_path: Any
) -> None:
    mosquitto = make_mosquitto(settings="log_type all\n")
    mosquitto.start()
    place, figures = str(tmp_path / "collected.db"), Figures()
    arguments = ["--db", place, "--broker", f"127.0.0.1:{mosquitto.port}"]
    first = collect(*arguments)
    until(collecting(first))
    until(lambda: "Sending SUBACK" in mosquitto.log())
    assert first.end() == 0
    devices = [Device(f"d{number}", "", figures) for number in range(3)]
    with fleet(mosquitto.port, devices, rate=100, seconds=1):
        pass
    second = collect(*arguments)
    until(lambda: rows(place, "SELECT count(*) FROM messages") == [(figures.accepted,)])
    assert second.end() == 0
    check_complete(place, devices)
    assert "0 refused" in second.said()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("", 2, "--db"),
        ("--db mysql://host/x", 2, "is no database known here"),
        ("--db x.db --share load", 2, "--share needs one database"),
        ("--db x.db --name a/b", 2, "cannot stand in a topic"),
        ("--db x.db --site +", 2, "cannot stand in a topic"),
        ("--db x.db --ack-every 0", 2, "argument --ack-every: '0'"),
        ("--db x.db --broker host:port", 2, "is no broker"),
        ("--db x.db --ca-file ca.pem", 2, "give --tls too"),
        ("--db .", 1, "is a folder"),
    ],
)
def test_wrong_arguments_are_named_in_a_line(
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: str,
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # these belong to pytest
    try:
        found = main(["collect", *arguments.split()])
    except SystemExit as ended:  # argparse's own refusal
        found = int(ended.code or 0)
    assert found == code
    assert words in capsys.readouterr().err


def test_a_broker_that_is_not_there_is_said_and_waited_for(make_mosquitto: Any, collect: Any, tmp_path: Any) -> None:
    broker = make_mosquitto()
    collector = collect("--db", tmp_path / "x.db", "--broker", f"127.0.0.1:{broker.port}")
    until(lambda: "nothing listens" in collector.said())
    broker.start()
    until(collecting(collector))
    assert collector.end() == 0


def test_a_broker_that_lets_nobody_in_is_said_and_tried_again(make_mosquitto: Any, collect: Any, tmp_path: Any) -> None:
    broker = make_mosquitto(lines=["allow_anonymous false"])
    broker.start()
    collector = collect("--db", tmp_path / "x.db", "--broker", f"127.0.0.1:{broker.port}")
    until(lambda: collector.said().count("not authorised") >= 2)
    assert collector.end() == 0
    assert "Traceback" not in collector.said()
