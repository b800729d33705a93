"""Confirmed delivery at the device: what goes, what is sent again, what is said to be gone, and nonsense."""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peers import TOPICS

from comfywear.errors import StoreError
from comfywear.publishing import Aside, Pace, Spool, SpoolLimits, metrics_message
from comfywear.publishing.broker.confirming import Confirming
from comfywear.publishing.broker.connection import Incoming
from comfywear.publishing.spool.ages import Moment
from comfywear.publishing.spool.file import FIRST
from comfywear.publishing.spool.rows import Key

BUILD = partial(metrics_message, {"frames": 1})


class Device:
    """The device's side with a spool in memory, and what it sends."""

    def __init__(self, consumers: Collection[str] = ("a",), spool: Spool | None = None) -> None:
        self.spool = spool or Spool(None, "dev", limits=SpoolLimits(confirm_s=1e6))
        self.resent: list[int] = []
        self.said: list[Aside] = []
        self.confirming = Confirming(
            self.spool, TOPICS, consumers, resend=self._resend, say=self.said.append, pace=Pace(probe_s=0.0)
        )

    def _resend(self, keys: Any) -> None:
        self.resent += [number for _, number in keys]

    def accept(self, count: int, *, sent: bool = True) -> None:
        keys: list[Key] = [(self.spool.epoch, self.spool.accept("t", BUILD)) for _ in range(count)]
        if sent:
            self.spool.arrived(keys)
            self.spool.flush()

    def ack(self, seq: int, *missing: tuple[int, int], consumer: str = "a", epoch: str | None = None) -> None:
        body = {"epoch": epoch or self.spool.epoch, "seq": seq, "missing": missing}
        self.take(TOPICS.ack(consumer), json.dumps(body).encode())

    def take(self, topic: str, payload: bytes) -> None:
        self.confirming.take(Incoming(topic, payload, False, 1, 1))
        self.spool.flush()

    def kept(self) -> list[int]:
        return [row.key[1] for row in self.spool.again((self.spool.epoch, number) for number in range(1, 100))]

    def gone(self) -> list[tuple[str, str, list[list[int]]]]:
        return [(aside.topic, *_gone(aside.payload)) for aside in self.said]


def _gone(payload: bytes) -> tuple[str, list[list[int]]]:
    said = json.loads(payload)
    assert said["schema"] == "comfywear/v1/gone"
    return said["epoch"], said["ranges"]


def test_a_store_that_cannot_be_read_now_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a disk that became read-only: the soak saw the publisher's worker end by it."""

    def unreadable() -> Key | None:
        raise StoreError("attempt to write a readonly database")

    device = Device()
    device.accept(1)
    with monkeypatch.context() as disk:
        disk.setattr(device.spool, "last_unconfirmed", unreadable)
        device.confirming.tend()
    device.confirming.tend()
    device.confirming.tend()
    assert device.resent == [1]


def test_rows_stay_until_the_consumer_has_them_although_the_broker_does() -> None:
    device = Device()
    device.accept(5)
    assert device.spool.waiting(FIRST, 10) == []  # nothing is left to be sent…
    assert device.kept() == [1, 2, 3, 4, 5]  # …and everything is still there
    device.ack(3)
    assert device.kept() == [4, 5]
    device.ack(5)
    assert device.kept() == []


def test_without_a_consumer_in_the_settings_the_brokers_word_is_enough() -> None:
    device = Device(consumers=(), spool=Spool(None, "dev"))
    device.accept(5)
    device.accept(1, sent=False)
    assert device.kept() == [6]
    device.ack(5, (2, 3), consumer="somebody")  # answered all the same
    assert device.gone() == [(TOPICS.gone("somebody"), device.spool.epoch, [[2, 3]])]


def test_every_named_consumer_must_confirm_and_others_do_not_count() -> None:
    device = Device(consumers=("a", "b"))
    device.accept(5)
    device.ack(5)
    device.ack(5, consumer="c")
    assert device.kept() == [1, 2, 3, 4, 5]
    device.ack(4, (2, 2), consumer="b")
    assert device.kept() == [2, 5]


def test_what_was_never_sent_is_not_sent_again_and_a_long_gap_is_looked_at_in_parts() -> None:
    device = Device()
    device.accept(2)
    device.accept(3, sent=False)
    device.ack(5, (2, 5))
    assert device.resent == [2]
    assert device.said == []
    keys, not_here = device.spool.held(device.spool.epoch, [(1, 5)], limit=1)
    assert (keys, not_here) == ([(device.spool.epoch, 2)], [(1, 1)])


def test_what_is_missed_is_sent_again_and_what_is_gone_is_said() -> None:
    device = Device()
    device.accept(10)
    device.ack(4)
    device.ack(10, (2, 3), (6, 7), (9, 9))
    assert device.resent == [6, 7, 9]
    assert device.gone() == [(TOPICS.gone("a"), device.spool.epoch, [[2, 3]])]
    assert device.kept() == [6, 7, 9]


def test_questions_in_a_hurry_are_answered_once() -> None:
    device = Device()
    device.accept(3)
    for _ in range(5):
        device.ack(3, (2, 2))
    assert device.resent == [2]


def test_questions_about_a_store_that_is_gone_are_answered() -> None:
    device = Device()
    device.ack(9, (1, 9), epoch="long ago")
    assert device.gone() == [(TOPICS.gone("a"), "long ago", [[1, 9]])]


def test_a_store_that_went_back_in_time_is_noticed(caplog: pytest.LogCaptureFixture) -> None:
    device = Device()
    device.accept(3)
    device.ack(9, (8, 9))
    assert "restored from an old copy" in caplog.text
    assert device.kept() == [1, 2, 3]
    assert device.said == []


def test_the_last_message_is_sent_again_while_nobody_confirms_it() -> None:
    device = Device()
    device.accept(3)
    device.confirming.tend()
    device.confirming.tend()
    device.confirming.tend()
    assert set(device.resent) == {3}
    device.ack(3)
    device.resent.clear()
    device.confirming.tend()
    device.confirming.tend()
    assert device.resent == []


def test_what_nobody_confirms_goes_after_the_days_of_the_settings_and_is_counted(tmp_path: Path) -> None:
    now_s = 0.0
    spool = Spool(tmp_path / "s", "dev", limits=SpoolLimits(confirm_s=7 * 86_400), now=lambda: Moment("b", now_s, None))
    device = Device(spool=spool)
    device.accept(3)
    device.accept(1, sent=False)
    now_s = 8 * 86_400.0
    spool.close()
    spool = Spool(tmp_path / "s", "dev", limits=SpoolLimits(confirm_s=7 * 86_400), now=lambda: Moment("b", now_s, None))
    assert [row.key[1] for row in spool.waiting(FIRST, 10)] == [4]  # the broker never had it
    assert spool.health().unconfirmed == 3


def test_after_a_restart_only_what_the_broker_does_not_have_is_sent(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", "dev", limits=SpoolLimits(confirm_s=1e6))
    device = Device(spool=spool)
    device.accept(5)
    device.accept(2, sent=False)
    spool.close()
    again = Device(spool=Spool(tmp_path / "s", "dev", limits=SpoolLimits(confirm_s=1e6)))
    assert [row.key[1] for row in again.spool.waiting(FIRST, 10)] == [6, 7]
    assert again.kept() == [1, 2, 3, 4, 5, 6, 7]
    again.ack(7, (2, 2))
    assert again.resent == [2]


NUMBER = st.one_of(st.integers(-3, 12), st.integers(), st.floats(), st.none(), st.text(max_size=3))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)
ACK = st.fixed_dictionaries(
    {"epoch": st.one_of(st.just("own"), JSON), "seq": NUMBER},
    optional={"missing": st.one_of(JSON, st.lists(st.tuples(NUMBER, NUMBER), max_size=4)), "more": JSON},
)
PAYLOAD = st.one_of(
    st.binary(max_size=40),
    JSON.map(lambda value: json.dumps(value).encode()),
    ACK.map(lambda value: json.dumps(value).encode()),
    st.sampled_from([b"[" * 20_000, b"{" * 10_000, b"\xff\xfe", b"9" * 400, b'{"epoch":"own","seq":1e400}']),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "", "a/b", "x" * 300, "+", "ä"]), PAYLOAD), max_size=4))
def test_nonsense_never_stops_the_device_and_frees_only_what_was_confirmed(said: list[tuple[str, bytes]]) -> None:
    device = Device()
    device.accept(6)
    for consumer, payload in said:
        text = payload.replace(b'"own"', json.dumps(device.spool.epoch).encode())
        device.take(f"{TOPICS.base}/ack/{consumer}", text)
        device.confirming.tend()
    device.accept(1, sent=False)
    assert device.kept()[-1] == 7  # what was never sent is never let go by a word about something else…
    device.ack(7)
    assert device.kept() == []  # …and a true word is still understood


@pytest.mark.parametrize(
    "payload", [b"", b"4", b'{"seq": 4}', b'{"epoch": "", "seq": 4}', b'{"epoch": "e", "seq": -1}']
)
def test_what_cannot_be_read_is_counted_and_said_once(payload: bytes, caplog: pytest.LogCaptureFixture) -> None:
    device = Device()
    for _ in range(3):
        device.take(TOPICS.ack("a"), payload)
    assert device.confirming.refused == 3
    assert caplog.text.count("refused") == 1
