"""Live states go out when they change and at an interval."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from comfywear.system.cadence import Cadence


def test_a_change_goes_out_at_once_but_not_within_the_gap() -> None:
    cadence = Cadence(interval_s=30, gap_s=1)
    assert cadence.due("climate", 20.0, 0.0)
    assert not cadence.due("climate", 20.0, 1.0)
    assert cadence.due("climate", 20.5, 1.5)
    assert not cadence.due("climate", 21.0, 2.0)
    assert cadence.due("climate", 21.0, 2.5)


def test_what_does_not_change_is_said_again_at_the_interval() -> None:
    cadence = Cadence(interval_s=30, gap_s=1)
    assert cadence.due("climate", 20.0, 0.0)
    assert not cadence.due("climate", 20.0, 29.9)
    assert cadence.due("climate", 20.0, 30.0)


@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(0, 3)), max_size=60))
def test_never_more_often_than_the_gap_and_no_change_is_lost_for_ever(steps: list[tuple[float, int]]) -> None:
    cadence, now, sent = Cadence(interval_s=30, gap_s=1), 0.0, []
    for pause, content in steps:
        now += pause
        if cadence.due("x", content, now):
            sent.append(now)
    assert all(later - earlier >= 1 - 1e-9 for earlier, later in itertools.pairwise(sent))
    if steps:
        assert cadence.due("x", object(), now + 1.01)
