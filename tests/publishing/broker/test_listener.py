from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest
from peers import ACCEPT, FAST, TOPICS, StandIn, running
from samples import CLIMATE

from comfywear.errors import BrokerError
from comfywear.publishing import BrokerSettings, Publisher, Spool, climate_message
from comfywear.publishing.broker.connection import Incoming
from comfywear.publishing.broker.listener import Listener, Sequences, covers_devices
from waiting import until


def test_gaps_late_arrivals_and_repeats_are_noticed() -> None:
    sequences = Sequences()
    assert sequences.note("dev", "e", 5) is None  # nobody knows what came before
    assert sequences.note("dev", "e", 6) is None
    assert sequences.note("dev", "e", 8) == "dev: message 7 did not come (yet)"
    assert sequences.note("dev", "e", 12) == "dev: messages 9–11 did not come (yet)"
    assert sequences.note("dev", "e", 10) is None
    assert sequences.missing["dev", "e"] == {7, 9, 11}
    assert sequences.note("dev", "e", 10) == "dev: message 10 came again"
    assert sequences.note("dev", "other", 1) is None
    assert sequences.note("two", "e", 9) is None


def test_a_huge_gap_costs_no_memory() -> None:
    sequences = Sequences()
    sequences.note("dev", "e", 1)
    assert sequences.note("dev", "e", 10**12) == f"dev: messages 2–{10**12 - 1} did not come (yet)"
    assert len(sequences.missing["dev", "e"]) <= 10_000


@pytest.mark.parametrize(
    ("topic_filter", "covers"),
    [
        ("#", True),
        ("comfywear/v1/#", True),
        ("comfywear/v1/home/dev/#", True),
        ("comfywear/v1/+/+/#", True),
        ("comfywear/v1/home/dev/zone/#", False),
        ("comfywear/v1/+/+/status", False),
    ],
)
def test_gaps_are_only_looked_for_where_everything_is_heard(topic_filter: str, covers: bool) -> None:
    assert covers_devices(topic_filter) is covers


def test_a_listener_hears_what_is_kept_and_what_comes_and_returns_after_a_restart(mosquitto: Any) -> None:
    settings = BrokerSettings("127.0.0.1", mosquitto.port)
    publisher = Publisher(settings, TOPICS, Spool(None, "dev"), pace=FAST)
    listener, stop, heard = Listener(settings), threading.Event(), list[Incoming]()
    climate = partial(climate_message, CLIMATE)

    thread = threading.Thread(target=lambda: heard.extend(listener.messages(stop)))
    with running(publisher):
        publisher.post(TOPICS.climate("desk"), climate, retain=True)
        until(lambda: publisher.spool.health().rows == 0)
        thread.start()
        until(lambda: {m.topic for m in heard if m.retained} == {TOPICS.status, TOPICS.climate("desk")})
        publisher.post(TOPICS.climate("desk"), climate, retain=True)
        until(lambda: any(not m.retained for m in heard))
        mosquitto.restart()
        before = len(heard)
        until(lambda: publisher.state == "connected" and len(heard) > before)
    stop.set()
    thread.join(60)
    assert not thread.is_alive()


def test_listening_ends_after_the_given_time(mosquitto: Any) -> None:
    assert list(Listener(BrokerSettings("127.0.0.1", mosquitto.port)).messages(seconds=0.3)) == []


def test_a_broker_that_is_not_there_is_an_error_at_once() -> None:
    with pytest.raises(BrokerError, match="nothing listens"):
        list(Listener(BrokerSettings("127.0.0.1", 1)).messages())


def test_a_denied_subscription_is_an_error() -> None:
    # Mosquitto grants subscriptions and filters what it delivers; a broker that denies one says 0x87.
    with (
        StandIn(lambda level: ACCEPT[level] + b"\x90\x04\x00\x01\x00\x87") as broker,
        pytest.raises(BrokerError, match="refuses the subscription"),
    ):
        list(Listener(BrokerSettings("127.0.0.1", broker.port)).messages(seconds=5))
