"""Who crosses a line on the floor, from made walks with a known truth."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.records import Person
from comfywear.vision.people.lines import Crossing, LineCrossings, LineOnFloor

WIDE, HIGH = 1000, 800
DOOR = LineOnFloor("door", (0.5, 0.4), (0.5, 1.0), "right")  # downwards: its right is the picture's left

Place = tuple[float, float]


def at(place: Place, number: int = 1, tall: float = 0.4) -> Person:
    x, y = place[0] * WIDE, place[1] * HIGH
    return Person(number, (x - 50, y - tall * HIGH, x + 50, y), 0.9, (), {}, 1.0, "room")


def walked(places: Sequence[Place], line: LineOnFloor = DOOR, every_s: float = 0.5) -> list[str]:
    crossings = LineCrossings([line])
    found = []
    for index, place in enumerate(places):
        found += crossings.update([at(place)], WIDE, HIGH, index * every_s)
    return [each.kind for each in found]


def test_who_walks_over_the_line_is_counted_once_in_each_direction() -> None:
    way = [(x / 20, 0.8) for x in range(2, 19)]
    assert walked(way) == ["out"]
    assert walked(way[::-1]) == ["in"]
    assert walked([*way, *way[::-1]]) == ["out", "in"]


def test_inside_is_left_or_right_of_the_way_from_the_first_point_to_the_second() -> None:
    upwards = LineOnFloor("door", (0.5, 1.0), (0.5, 0.4), "right")
    assert walked([(0.2, 0.8), (0.8, 0.8)], upwards) == ["in"]
    assert walked([(0.2, 0.8), (0.8, 0.8)], LineOnFloor("door", (0.5, 1.0), (0.5, 0.4), "left")) == ["out"]


def test_who_stands_on_the_line_and_wobbles_has_not_crossed_it() -> None:
    wobble = [(0.5 + 0.01 * (-1) ** index, 0.8) for index in range(40)]
    assert walked([(0.3, 0.8), *wobble]) == []
    assert walked([(0.3, 0.8), *wobble, (0.3, 0.8)]) == []
    assert walked([(0.3, 0.8), *wobble, (0.7, 0.8)]) == ["out"], "in the end they did"


def test_who_walks_around_the_end_of_the_line_has_not_crossed_it() -> None:
    assert walked([(0.3, 0.8), (0.3, 0.3), (0.7, 0.3), (0.7, 0.8)]) == []


def test_whoever_was_away_for_long_begins_anew_and_each_person_is_one() -> None:
    crossings = LineCrossings([DOOR])
    assert crossings.update([at((0.3, 0.8), 1), at((0.7, 0.8), 2)], WIDE, HIGH, 0.0) == []
    assert crossings.update([at((0.7, 0.8), 1), at((0.7, 0.8), 2)], WIDE, HIGH, 0.5) == [Crossing("door", "out", 1)]
    assert crossings.update([], WIDE, HIGH, 12.0) == []
    assert crossings.update([at((0.3, 0.8), 2)], WIDE, HIGH, 12.5) == []


def test_without_lines_nothing_is_remembered() -> None:
    crossings = LineCrossings([])
    assert crossings.update([at((0.3, 0.8))], WIDE, HIGH, 0.0) == []


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.45, 0.95)), min_size=2, max_size=40))
def test_in_and_out_take_turns_and_end_on_the_side_where_somebody_stands(way: list[Place]) -> None:
    kinds = walked(way)  # no way leads around the line's ends
    assert all(one != other for one, other in pairwise(kinds))
    clear = [x for x, _ in way if abs(x - 0.5) * WIDE >= 0.05 * 0.4 * HIGH]
    if len(clear) >= 2:
        assert sum(1 if kind == "out" else -1 for kind in kinds) == (clear[-1] > 0.5) - (clear[0] > 0.5)


@pytest.mark.parametrize(("every_s", "kinds"), [(0.5, ["out"]), (9.0, ["out"]), (11.0, [])])
def test_two_looks_on_either_side_are_enough_while_they_are_near_in_time(every_s: float, kinds: list[str]) -> None:
    assert walked([(0.3, 0.8), (0.7, 0.8)], every_s=every_s) == kinds
