from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.errors import UsageError
from comfywear.publishing import Topics

TOPICS = Topics("home", "lab-1")


def test_topics_are_those_of_the_contract() -> None:
    assert TOPICS.status == "comfywear/v1/home/lab-1/status"
    assert TOPICS.meta == "comfywear/v1/home/lab-1/meta"
    assert TOPICS.metrics == "comfywear/v1/home/lab-1/device/metrics"
    assert [TOPICS.climate("desk"), TOPICS.people("desk"), TOPICS.comfort("desk"), TOPICS.vote("desk")] == [
        f"comfywear/v1/home/lab-1/zone/desk/{what}" for what in ("climate", "people", "comfort", "vote")
    ]


@pytest.mark.parametrize("name", ["", "+", "#", "a/b", "a b", "ä", "a\n", "a\0"])
def test_names_that_cannot_stand_in_a_topic_are_refused(name: str) -> None:
    for wrong in (lambda: Topics(name, "x"), lambda: Topics("x", name), lambda: TOPICS.vote(name)):
        with pytest.raises(UsageError, match="letters, digits"):
            wrong()


@given(st.from_regex(r"[A-Za-z0-9_-]+", fullmatch=True))
def test_the_zone_of_an_incoming_vote_is_read_back(zone: str) -> None:
    assert TOPICS.zone_of_vote_set(TOPICS.vote_set(zone)) == zone


@given(st.text())
def test_other_topics_are_no_votes(topic: str) -> None:
    assert TOPICS.zone_of_vote_set(topic) is None
    assert TOPICS.zone_of_vote_set(f"{TOPICS.base}/zone//vote/set") is None
    assert TOPICS.zone_of_vote_set(f"{TOPICS.base}/zone/a/b/vote/set") is None
