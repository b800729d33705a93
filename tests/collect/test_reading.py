from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from comfywear.collect.reading import DeviceStatus, Entry, Gone, RefusedPayload, Source, filters, read
from comfywear.publishing import Topics
from comfywear.publishing.messages.asyncapi import LATE, address

TOPICS = Topics("home", "dev")
CLIMATE: dict[str, Any] = {
    "device": "dev", "epoch": "e", "seq": 7, "ts": "2027-01-02T03:04:05.678+00:00", "air_temp_c": 21.5
}  # fmt: skip
NUMBERED = [
    re.sub(r"\{\w+\}", "x", address(name)).replace("/x/x/", "/home/dev/", 1)
    for kind in LATE
    for name in (kind, f"backlog-{kind}")
]


def heard(topic: str = TOPICS.climate("desk"), **changes: Any) -> Any:
    return read(topic, json.dumps({**CLIMATE, **changes}).encode(), "archive")


def test_a_message_is_named_by_its_topic_and_its_number() -> None:
    entry = heard()
    assert isinstance(entry, Entry)
    assert (entry.source, entry.seq, entry.zone, entry.kind) == (Source("home", "dev", "e"), 7, "desk", "climate")
    assert entry.ts == datetime(2027, 1, 2, 3, 4, 5, 678000, timezone.utc)
    assert json.loads(entry.payload or "") == CLIMATE
    assert heard(TOPICS.metrics).kind == "metrics"
    assert heard(TOPICS.meta).zone is None
    assert heard(ts=None).ts is None


@pytest.mark.parametrize("topic", NUMBERED)
def test_whatever_is_numbered_is_stored_so_that_no_number_is_missed(topic: str) -> None:
    item = heard(topic, votes=[])
    assert isinstance(item, Entry | RefusedPayload)
    kept = item if isinstance(item, Entry) else item.entry
    assert kept is not None
    assert kept.seq == 7


def test_a_camera_and_a_line_are_kinds_and_no_zones() -> None:
    camera, count, crossing = heard(TOPICS.camera("south")), heard(TOPICS.line("door")), heard(TOPICS.crossing("door"))
    assert [(each.kind, each.zone) for each in (camera, count, crossing)] == [
        ("camera", None),
        ("count", None),
        ("crossing", None),
    ]


def test_a_status_says_whether_the_device_is_there() -> None:
    assert heard(TOPICS.status, seq=None, state="offline", reason="connection lost") == DeviceStatus(
        "home", "dev", "offline", "connection lost", None
    )
    assert isinstance(heard(TOPICS.status, seq=None, state="asleep"), RefusedPayload)


def test_a_device_cannot_speak_for_another() -> None:
    refusal = heard(device="other")
    assert isinstance(refusal, RefusedPayload)
    assert "another device" in refusal.reason
    assert refusal.entry is None


def test_a_wrong_time_is_refused_but_its_number_is_dealt_with() -> None:
    refusal = heard(ts="yesterday")
    assert isinstance(refusal, RefusedPayload)
    assert refusal.entry == Entry(Source("home", "dev", "e"), 7, None, "desk", "refused", None)


@pytest.mark.parametrize(
    "wrong",
    [{"seq": 0}, {"seq": -1}, {"seq": 2**53 + 1}, {"seq": 1.5}, {"seq": True}, {"seq": "7"}]
    + [{"epoch": value} for value in (None, "", 7, "x" * 129, "a\nb", "\0")],
)
def test_a_message_without_a_usable_name_is_refused(wrong: dict[str, Any]) -> None:
    assert isinstance(heard(**wrong), RefusedPayload)


def test_what_a_device_no_longer_has() -> None:
    topic = TOPICS.gone("archive")
    assert heard(topic, seq=None, ranges=[[1, 4], [6, 6]]) == Gone(Source("home", "dev", "e"), ((1, 4), (6, 6)))
    assert heard(TOPICS.gone("another"), ranges=[[1, 4]]) is None
    for ranges in (None, 5, [5], [[1]], [[4, 1]], [[0, 1]], [["a", "b"]], [[1, 2, 3]]):
        assert isinstance(heard(topic, ranges=ranges), RefusedPayload)


def test_a_cleared_topic_is_nothing() -> None:
    assert read(TOPICS.climate("desk"), b"", "archive") is None


@settings(deadline=None)
@given(
    st.sampled_from([TOPICS.climate("desk"), TOPICS.status, TOPICS.gone("archive"), TOPICS.metrics, "x"]),
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["device", "epoch", "seq", "ts", "state", "ranges"]), inner, max_size=6),
    ).map(lambda value: json.dumps(value).encode()),
)  # fmt: skip
def test_whatever_comes_is_read_or_refused(topic: str, payload: bytes) -> None:
    item = read(topic, payload, "archive")
    assert item is None or isinstance(item, Entry | DeviceStatus | Gone | RefusedPayload)
    if isinstance(item, Entry):
        assert json.loads(item.payload or "")["seq"] == item.seq


@pytest.mark.parametrize("group", ["", "load"])
@pytest.mark.parametrize("sites", [(), ("home",), ("home", "elsewhere")])
def test_everything_that_is_numbered_is_heard_and_no_commands(sites: tuple[str, ...], group: str) -> None:
    wanted = [topic.removeprefix(f"$share/{group}/") for topic in filters("archive", sites, group)]

    def heard_times(topic: str) -> int:
        return sum(topic_matches_sub(topic_filter, topic) for topic_filter in wanted)

    heard_once = [TOPICS.status, TOPICS.gone("archive"), *NUMBERED]
    assert {topic: heard_times(topic) for topic in heard_once} == dict.fromkeys(heard_once, 1)
    others = [TOPICS.vote_set("desk"), TOPICS.ack("archive"), TOPICS.gone("another"), TOPICS.command("identify")]
    assert [heard_times(topic) for topic in others] == [0] * len(others)
    assert all(topic.startswith("$share/load/") for topic in filters("archive", sites, group)) is bool(group)
