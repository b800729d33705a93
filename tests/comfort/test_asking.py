"""When people are asked: somebody there, by day, not often, and while votes are few."""

from __future__ import annotations

from typing import Any

import pytest

from comfywear.comfort.votes.asking import AskingRules, Occasion, question

GOOD = Occasion(True, True, 10, 0, None, None, 0.0)


def test_a_zone_without_votes_is_asked() -> None:
    found = question(GOOD, AskingRules())
    assert found is not None
    assert "nobody has voted" in found.why


@pytest.mark.parametrize(
    "change",
    [
        {"hour": 23},
        {"hour": 7},
        {"hour": None},
        {"present": False},
        {"known": False},
        {"asked_today": 3},
        {"since_asked_s": 600.0},
        {"since_vote_s": 600.0},
        {"votes": 20.0},
    ],
)
def test_nobody_is_asked_at_night_too_often_in_an_empty_room_or_with_votes_enough(change: dict[str, Any]) -> None:
    assert question(GOOD._replace(**change), AskingRules()) is None


def test_without_a_camera_people_are_asked_by_day() -> None:
    assert question(GOOD._replace(present=None), AskingRules()) is not None


def test_a_zone_whose_votes_have_faded_is_asked_again() -> None:
    found = question(GOOD._replace(votes=19.9), AskingRules())
    assert found is not None
    assert "few votes" in found.why


def test_0_questions_a_day_are_none() -> None:
    assert question(GOOD, AskingRules(per_day=0)) is None


@pytest.mark.parametrize(
    ("begin", "end", "hours"),
    [
        (8, 20, list(range(8, 20))),
        (22, 6, [0, 1, 2, 3, 4, 5, 22, 23]),
        (0, 24, list(range(24))),
        (24, 2, [0, 1]),
        (9, 9, []),
    ],
)
def test_the_hours_of_asking_may_pass_midnight(begin: int, end: int, hours: list[int]) -> None:
    rules = AskingRules(3, begin, end)
    asked = [hour for hour in range(24) if question(GOOD._replace(hour=hour), rules) is not None]
    assert asked == hours
