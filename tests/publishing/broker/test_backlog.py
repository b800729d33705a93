"""What comes late is heard by collectors, and is not taken for what is now: seen at a real broker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from peers import FAST, TOPICS, Consumer, running
from samples import CLIMATE, VOTE
from spools import Time

from comfywear.collect.reading import Entry, filters, read
from comfywear.publishing import BrokerSettings, Publisher, Spool, climate_message, metrics_message, vote_message
from waiting import until

DESK, VOTED = TOPICS.climate("desk"), TOPICS.vote("desk")


class Day:
    """A device on a clock moved by hand: each second of it its air is another."""

    def __init__(self, port: int, time: Time, spool: Spool) -> None:
        self.time, self.spool = time, spool
        self.publisher = Publisher(BrokerSettings("127.0.0.1", port), TOPICS, spool, pace=FAST)

    def air(self, seconds: int) -> None:
        for _ in range(seconds):
            self.time.s += 1
            air = replace(CLIMATE, air_temp_c=20.0 + self.time.s / 100)
            self.spool.offer(DESK, partial(climate_message, air), retain=True)
            self.spool.offer(TOPICS.metrics, partial(metrics_message, {"uptime_s": self.time.s}))
            self.spool.flush()

    def vote(self, level: int) -> None:
        vote = replace(VOTE, id=f"v{level}", level=level)
        self.publisher.post(VOTED, partial(vote_message, vote), event=True)

    def sent(self) -> bool:
        return self.spool.health().rows == 0


@pytest.fixture
def day(mosquitto: Any, tmp_path: Path) -> Iterator[Day]:
    time = Time()
    spool = Spool(tmp_path / "s.sqlite", "dev", now=time)
    yield Day(mosquitto.port, time, spool)
    spool.close()


def on(consumer: Consumer, topic: str) -> list[Any]:
    return [message for heard, message, _ in list(consumer.came) if heard == topic]


def test_after_an_outage_live_topics_show_the_newest_alone_and_collectors_get_all(mosquitto: Any, day: Day) -> None:
    with Consumer(mosquitto.port) as consumer:
        with running(day.publisher):
            day.air(3)
            day.vote(5)
            until(day.sent)
        day.vote(1)
        day.air(150)  # nobody carries: the broker is away
        with running(day.publisher):
            until(day.sent)
            day.air(2)
            day.vote(2)
            until(day.sent)
        until(lambda: len(consumer.seqs()) == 155 * 2 + 3)
        shown = [message["seq"] for message in on(consumer, DESK)]
        temperatures = [message["air_temp_c"] for message in on(consumer, DESK)]
        assert shown == sorted(shown), "a state older than the one shown"
        assert temperatures[-3:] == [21.53, 21.54, 21.55], "the newest of the outage, then what is now"
        assert all(each <= 20.03 for each in temperatures[:-3])
        assert len(temperatures) <= 6
        assert [message["level"] for message in on(consumer, VOTED)] == [5, 2], "a vote of the outage is not one of now"
        assert [message["level"] for message in on(consumer, TOPICS.backlog(VOTED))] == [1]
        late = [message["uptime_s"] for message in on(consumer, TOPICS.metrics)]
        assert late == sorted(late)
        assert not [each for each in late if 3 < each < 143]
        read_by_collectors = [
            item
            for topic, message, _ in consumer.came
            if isinstance(item := read(topic, json.dumps(message).encode(), "archive"), Entry)
        ]
    assert sorted(item.seq for item in read_by_collectors) == [*range(1, 155 * 2 + 4)]
    kinds = {(item.kind, item.zone) for item in read_by_collectors}
    assert kinds == {("climate", "desk"), ("metrics", None), ("vote", "desk")}, "stored the same, late or not"


def test_the_newest_state_goes_first_also_after_a_short_outage(mosquitto: Any, day: Day) -> None:
    day.air(20)
    with Consumer(mosquitto.port) as consumer, running(day.publisher):
        until(lambda: len(consumer.seqs()) == 40)
        assert consumer.seqs()[0] == 39
        assert [message["seq"] for message in on(consumer, DESK)] == [39]


def test_a_vote_of_an_earlier_run_does_not_happen_again(mosquitto: Any, day: Day) -> None:
    """It may have arrived before the kill: the broker's word was lost with the process."""
    day.vote(4)
    again = Publisher(BrokerSettings("127.0.0.1", mosquitto.port), TOPICS, day.spool, pace=FAST)
    with Consumer(mosquitto.port) as consumer, running(again):
        until(lambda: consumer.seqs() == [1])
        assert [topic for topic, message, _ in consumer.came if message["seq"]] == [TOPICS.backlog(VOTED)]


def test_a_backlog_that_the_access_rules_deny_is_kept_and_what_is_now_goes_on(
    make_mosquitto: Any, tmp_path: Path
) -> None:
    rules = tmp_path / "acl"
    rules.write_text(f"topic readwrite {TOPICS.status}\ntopic readwrite {TOPICS.base}/zone/#\n")
    broker = make_mosquitto(lines=["allow_anonymous true", f"acl_file {rules}"])
    broker.start()
    time = Time()
    day = Day(broker.port, time, Spool(None, "dev", now=time))
    for _ in range(450):  # more than is read at once stands in front
        day.spool.offer(DESK, partial(climate_message, CLIMATE), retain=True)
    day.spool.flush()
    day.time.s += 60
    with running(day.publisher):
        until(lambda: day.publisher.health().denied_topics == (TOPICS.backlog(DESK),))
        seq = day.publisher.post(DESK, partial(climate_message, CLIMATE), retain=True)
        until(lambda: seq not in [row.key[1] for row in day.spool.waiting(0, 1000)])
        assert day.spool.health().rows == 449
        rules.write_text("topic readwrite comfywear/v1/#\n")
        broker.restart()
        until(day.sent)


def test_collectors_ask_for_the_backlog_too() -> None:
    assert any(each.endswith("/backlog/zone/+/+") for each in filters("archive"))
    assert TOPICS.backlog(TOPICS.backlog(DESK)) == TOPICS.backlog(DESK) == f"{TOPICS.base}/backlog/zone/desk/climate"
    assert TOPICS.backlog("elsewhere/x") == "elsewhere/x"
