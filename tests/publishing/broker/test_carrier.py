"""The order after an outage, seen at a real broker; and what names the cause of a connection that keeps breaking."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from peers import ACCEPT, FAST, TOPICS, Consumer, StandIn, running

from comfywear.publishing import BrokerSettings, Pace, Publisher, Spool, Topics, metrics_message
from comfywear.publishing.broker import carrier
from comfywear.publishing.broker.credentials import client_id, machine_id
from comfywear.publishing.broker.flapping import Losses
from comfywear.publishing.spool.rows import Row
from waiting import until

BUILD = partial(metrics_message, {"frames": 1})


def publisher_for(port: int, spool: Spool | None = None, pace: Pace = FAST) -> Publisher:
    return Publisher(BrokerSettings("127.0.0.1", port), TOPICS, spool or Spool(None, "dev"), pace=pace)


def retained(port: int) -> dict[str, int]:
    """What somebody hears who comes late: sequence numbers by topic."""
    with Consumer(port) as late:
        until(lambda: len({topic for topic, _, _ in late.came}) >= 3)
        return {topic: message["seq"] for topic, message, kept in late.came if kept and message["seq"]}


def test_after_an_outage_the_newest_states_go_first_and_stay_the_retained_ones(mosquitto: Any) -> None:
    publisher = publisher_for(mosquitto.port)
    desk, door = TOPICS.climate("desk"), TOPICS.climate("door")
    for number in range(300):
        publisher.spool.offer(desk if number % 2 else door, BUILD, retain=True)
    for _ in range(100):
        publisher.spool.offer(TOPICS.metrics, BUILD)
    publisher.spool.flush()
    with Consumer(mosquitto.port) as consumer, running(publisher):
        until(lambda: publisher.spool.health().rows == 0)
        until(lambda: len(consumer.seqs()) == 400)
        seqs = consumer.seqs()
    assert seqs[:2] == [299, 300]  # live first…
    assert seqs[2:] == [*range(1, 299), *range(301, 401)]  # …then the oldest first, nothing twice
    assert retained(mosquitto.port) == {door: 299, desk: 300}


def test_no_older_state_is_retained_when_the_device_stops_in_the_middle(mosquitto: Any, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.sqlite", "dev")
    desk = TOPICS.climate("desk")
    for _ in range(300):
        spool.offer(desk, BUILD, retain=True)
    spool.accept(TOPICS.climate("door"), BUILD, retain=True)
    held = publisher_for(mosquitto.port, spool, Pace(backlog_spread_s=1e6, flush_s=0))  # the backlog never begins
    with running(held):
        until(lambda: held.health().acknowledged == 2)
    spool.close()
    assert retained(mosquitto.port)[desk] == 300
    again = publisher_for(mosquitto.port, Spool(tmp_path / "s.sqlite", "dev"))
    with running(again):
        until(lambda: again.spool.health().rows == 0)
    assert retained(mosquitto.port)[desk] == 300


def test_the_backlog_of_many_devices_begins_at_different_moments(mosquitto: Any) -> None:
    publisher = publisher_for(mosquitto.port, pace=Pace(backlog_spread_s=1e6, flush_s=0))
    for number in range(300):
        publisher.spool.offer(TOPICS.metrics, BUILD, retain=number == 0)
    publisher.spool.flush()
    with running(publisher):
        until(lambda: publisher.health().acknowledged == 1)
        assert publisher.spool.health().rows == 299


def test_another_device_of_the_same_name_is_noticed(mosquitto: Any, caplog: pytest.LogCaptureFixture) -> None:
    publisher = publisher_for(mosquitto.port)
    other = paho.Client(paho.CallbackAPIVersion.VERSION2, "from-another-machine")
    other.connect("127.0.0.1", mosquitto.port)
    other.loop_start()
    status = b'{"schema":"comfywear/v1/status","device":"dev","epoch":"other","seq":null,"ts":null,"time_ok":false,'
    with running(publisher):
        until(lambda: publisher.state == "connected")
        for nonsense in (b"", b"[", b"{}"):
            other.publish(TOPICS.status, nonsense, qos=1).wait_for_publish(60)
        for _ in range(2):
            other.publish(TOPICS.status, status + b'"state":"online"}', qos=1).wait_for_publish(60)
        until(lambda: "another device has the name dev" in caplog.text)
    other.disconnect()
    other.loop_stop()
    assert caplog.text.count("another device has the name dev") == 1


def test_a_message_that_breaks_each_connection_is_named_and_the_others_go(caplog: pytest.LogCaptureFixture) -> None:
    poison = TOPICS.climate("desk")
    with StandIn(ACCEPT.get, breaks_on=poison) as broker:
        publisher = publisher_for(broker.port, pace=Pace(first_pause_s=0.01, longest_pause_s=0.02, flush_s=0))
        publisher.post(poison, BUILD)
        for _ in range(3):
            publisher.post(TOPICS.metrics, BUILD)
        with running(publisher):
            until(lambda: publisher.spool.health().rows == 1)
    assert [row.topic for row in publisher.spool.waiting(0, 10)] == [poison]
    assert f"each time while message 1 to {poison}" in caplog.text


def test_a_connection_that_breaks_for_other_reasons_is_not_blamed_on_a_message() -> None:
    losses = Losses("me")
    for number in range(3):
        said = losses.note("the connection broke", Row(("e", number), "t", b"", False, 0))
    assert "does another client have the id me?" in said
    assert "copied" in losses.note("another client with the same id has taken the session", None)
    assert "copied" in losses.note("the connection broke", None)  # the broker's word is lost with most connections


def test_the_client_id_is_the_same_over_restarts_and_another_on_another_machine() -> None:
    mine = client_id(TOPICS, "epoch")
    assert mine == client_id(TOPICS, "epoch")
    assert mine.startswith("comfywear-dev-")
    assert len({mine, client_id(Topics("home", "other"), "epoch"), client_id(Topics("office", "dev"), "epoch")}) == 3
    found = machine_id()
    if found is None:
        assert mine != client_id(TOPICS, "another epoch")
    else:
        assert found not in mine


def test_what_went_ahead_is_not_remembered_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Taking:
        """A broker that takes everything, six at a time."""

        sent: list[int] = []  # noqa: RUF012 - of this test alone

        def publish(self, *_: object, **__: object) -> int:
            self.sent.append(len(self.sent) + 1)
            return self.sent[-1]

    monkeypatch.setattr(carrier, "_LIVE_EVERY_S", 0.0)
    spool = Spool(tmp_path / "s.sqlite", "dev")
    carrying, link = carrier.Carrier(spool, TOPICS, Pace(backlog_spread_s=0)), Taking()
    for number in range(2000):
        spool.offer(f"a/t{number % 7}", BUILD)
    spool.flush()
    carrying.renew()
    taken = 0
    for _ in range(300):
        for zone in range(5):
            spool.offer(f"a/live{zone}", BUILD, retain=True)
        spool.flush()
        carrying.fill(link, 6)  # type: ignore[arg-type]  # all of a connection that is needed here
        for mid in link.sent[taken:]:
            carrying.acknowledge(mid, None)
        taken = len(link.sent)
        carrying.settle()
    assert len(carrying._ahead) <= 600
