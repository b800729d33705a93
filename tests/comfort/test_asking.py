"""When people are asked: something new to learn, somebody there, by day, and not often."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from comfywear.comfort.asking import AskingRules, Conditions, Occasion, question, worth

NOW = Conditions(24.0, 45.0, 0.6)
GOOD = Occasion(NOW, 1.0, True, 10, 0, None, None)


def test_a_zone_without_votes_is_asked() -> None:
    found = question(GOOD, [], AskingRules())
    assert found is not None
    assert "nobody has voted" in found.why


@pytest.mark.parametrize(
    "change",
    [
        {"hour": 23},
        {"hour": 7},
        {"hour": None},
        {"present": False},
        {"conditions": None},
        {"asked_today": 3},
        {"since_asked_s": 600.0},
        {"since_vote_s": 600.0},
    ],
)
def test_nobody_is_asked_at_night_too_often_or_in_an_empty_room(change: dict[str, Any]) -> None:
    assert question(GOOD._replace(**change), [], AskingRules()) is None


def test_without_a_camera_people_are_asked_by_day() -> None:
    assert question(GOOD._replace(present=None), [], AskingRules()) is not None


def test_known_conditions_are_not_asked_about_and_new_ones_are() -> None:
    assert question(GOOD, [NOW], AskingRules()) is None
    warm = question(GOOD._replace(conditions=Conditions(28.0, 45.0, 0.6)), [NOW], AskingRules())
    assert warm is not None
    assert "warm" in warm.why
    dressed = question(GOOD._replace(conditions=Conditions(24.0, 45.0, 1.1)), [NOW], AskingRules())
    assert dressed is not None
    assert "warmly dressed" in dressed.why


def test_diversity_comes_first_and_uncertainty_second() -> None:
    candidates = np.asarray([[24.0, 45.0, 0.6], [26.0, 45.0, 0.6], [22.0, 45.0, 0.6]])
    voted = np.asarray([NOW])
    order = np.argsort(-worth(candidates, voted, np.asarray([2.0, 1.0, 1.5])))
    assert order.tolist() == [2, 1, 0]


def test_0_questions_a_day_are_none() -> None:
    assert question(GOOD, [], AskingRules(per_day=0)) is None
