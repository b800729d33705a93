"""Persons of two cameras: who is the same by place and clothes, and the numbers that they have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.errors import UsageError
from comfywear.records import ColourShare, Garment
from comfywear.vision.people.floor import Floor, Place
from comfywear.vision.people.two_views import SamePersons, Seen
from comfywear.vision.tracking.reid import Description, describe

RED, BLUE = [0.95, 0.05, 0.9], [0.05, 0.95, 0.1]
COLOURS = {0.95: "red", 0.05: "blue"}


def look(attributes: Sequence[float]) -> Description:
    colour = COLOURS[attributes[0]]
    worn = [Garment(kind, 0.9, None, (ColourShare(colour, 1.0, (1, 2, 3)),)) for kind in ("top", "trousers")]
    found = describe(attributes, worn)
    assert found is not None
    return found


def seen(
    number: int, place: Place | None = None, attributes: Sequence[float] | None = None, since_s: float = 0.0
) -> Seen:
    return Seen(number, since_s, place, look(attributes) if attributes else None)


class Room:
    """Two views, shown twice a second."""

    def __init__(self) -> None:
        self.same, self.now_s = SamePersons(3, 3), 100.0

    def show(self, mine: Sequence[Seen], others: Sequence[Seen], times: int = 1) -> set[int]:
        for _ in range(times):
            self.same.update(mine, others, self.now_s)
            self.now_s += 0.5
        return {self.same.number(each.id) for each in (*mine, *others)}


def test_whoever_stands_on_the_same_spot_is_one_and_has_the_older_number() -> None:
    room = Room()
    assert room.show([seen(1, (1.0, 1.0))], []) == {1}
    assert room.same.update([seen(1, (1.0, 1.0))], [seen(2, (1.4, 1.2), since_s=5.0)], 101.0) == [(2, 1)]
    assert room.show([seen(1, (1.0, 1.0))], [seen(2, (1.4, 1.2), since_s=5.0)]) == {1}
    assert room.same.partner(2) == 1
    assert room.show([], [seen(2, (1.4, 1.2))]) == {1}, "who goes out of one view keeps the number in the other"


def test_who_is_settled_is_paired_with_nobody_anew_and_keeps_their_like_and_number() -> None:
    room = Room()
    assert room.show([seen(1, (1.0, 1.0), RED)], [seen(2, (1.0, 1.0), RED)]) == {1}
    alone = [seen(4, None, RED)]  # in red, too; whom the first view alone had seen when it was lost
    for _ in range(200):  # longer than anybody unseen is remembered
        room.same.update(alone, [seen(2, (1.0, 1.0), RED)], room.now_s, settled={2})
        room.now_s += 0.5
    assert (room.same.partner(4), room.same.number(2)) == (None, 1)
    assert room.same.update(alone, [seen(2, (1.0, 1.0), RED)], room.now_s) == [(4, 1)], "without it they are one"


def test_two_who_stand_apart_are_two_whatever_they_wear() -> None:
    assert Room().show([seen(1, (1.0, 1.0), RED)], [seen(2, (4.0, 1.0), RED)]) == {1, 2}


def test_two_on_one_spot_who_are_quite_unlike_are_two() -> None:
    assert Room().show([seen(1, (1.0, 1.0), RED)], [seen(2, (1.1, 1.0), BLUE)]) == {1, 2}


def test_without_a_floor_the_clothes_tell_and_without_both_nobody_is_guessed_to_be_another() -> None:
    assert Room().show([seen(1, None, RED), seen(4, None, BLUE)], [seen(2, None, BLUE), seen(5, None, RED)]) == {1, 2}
    assert Room().show([seen(1)], [seen(2)]) == {1, 2}
    assert Room().show([seen(1, None, RED)], [seen(2)]) == {1, 2}, "until the first look"


def test_two_in_the_same_uniform_seen_by_both_are_two_and_a_third_that_one_sees_alone_makes_three() -> None:
    room = Room()
    assert len(room.show([seen(1, None, RED), seen(4, None, RED)], [seen(2, None, RED), seen(5, None, RED)])) == 2
    assert len(room.show([seen(1, None, RED), seen(4, None, RED), seen(7, None, BLUE)], [seen(2, None, RED)])) == 3


def test_who_walks_between_two_pictures_is_the_same() -> None:
    pair = [seen(1, (0.0, 0.0))], [seen(2, (1.6, 0.0))]
    assert SamePersons(3, 3).update(*pair, 100.0) == []
    assert SamePersons(3, 3).update(*pair, 100.0, apart_s=0.5) == [(2, 1)]


def test_two_taken_for_one_are_two_again_when_they_have_walked_apart_for_a_while() -> None:
    room = Room()
    assert room.show([seen(1, (1.0, 1.0))], [seen(2, (1.5, 1.0), since_s=3.0)], 4) == {1}
    assert room.show([seen(1, (1.0, 1.0))], [seen(2, (4.0, 1.0), since_s=3.0)], 6) == {1}, "a moment is no doubt"
    assert room.show([seen(1, (1.0, 1.0))], [seen(2, (4.0, 1.0), since_s=3.0)], 3) == {1, 2}


def test_who_comes_back_to_find_their_number_given_away_gets_one_that_nobody_had() -> None:
    room = Room()
    room.show([seen(1, None, RED)], [seen(2, None, RED, 1.0)])
    assert room.show([], [seen(2, None, RED)]) == {1}
    assert room.show([seen(4, None, RED)], [seen(2, None, RED)]) == {1}, "the tracker lost them: the same pair"
    assert room.show([seen(1, None, BLUE), seen(4, None, RED)], [seen(2, None, RED)], 3) == {1, 3}


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans(), st.booleans()), max_size=40))
def test_no_number_is_two_persons_of_one_view_and_the_count_is_between_most_and_sum(
    moments: list[tuple[int, int, bool, bool]],
) -> None:
    room = Room()
    for mine, others, red, floor in moments:
        worn = RED if red else BLUE
        views = [
            [seen(first + 3 * n, (float(n), 0.0) if floor else None, worn) for n in range(count)]
            for first, count in ((1, mine), (2, others))
        ]
        numbers = room.show(*views)
        assert max(mine, others) <= len(numbers) <= mine + others
        for view in views:
            assert len({room.same.number(each.id) for each in view}) == len(view)


def test_who_is_long_gone_is_forgotten() -> None:
    room = Room()
    room.show([seen(1, (1.0, 1.0))], [seen(2, (1.0, 1.0), since_s=1.0)])
    room.now_s += 61.0
    room.show([], [])
    assert (room.same.number(2), room.same.partner(2)) == (2, None)


CORNERS = ((0.1, 0.5, 0.0, 0.0), (0.9, 0.5, 4.0, 0.0), (1.0, 0.9, 4.0, 3.0), (0.0, 0.9, 0.0, 3.0))


def test_a_floor_leads_from_the_feet_to_metres() -> None:
    floor = Floor(CORNERS)
    for x, y, east, north in CORNERS:
        assert floor.place((640 * x - 30, 10, 640 * x + 30, 480 * y), 640, 480) == pytest.approx((east, north))
    middle = floor.place((300, 10, 340, 480 * 0.7), 640, 480)
    assert middle is not None
    assert middle[0] == pytest.approx(2.0)
    assert 0.0 < middle[1] < 3.0
    assert floor.place((300, 10, 340, 479), 640, 480) is None, "the feet are cut off"
    assert floor.place((300, -900, 340, -700), 640, 480) is None, "there is no floor above the horizon"


@given(st.lists(st.floats(-1, 1), min_size=8, max_size=8), st.floats(0, 1), st.floats(0.5, 0.98))
def test_a_floor_is_known_through_any_camera(tilt: list[float], x: float, y: float) -> None:
    matrix = np.array([*[0.1 * each for each in tilt[:8]], 0.0]).reshape(3, 3) + np.diag([3.0, 5.0, 1.0])

    def truth(u: float, v: float) -> tuple[float, float]:
        east, north, depth = (matrix @ (u, v, 1.0)).tolist()
        return east / depth, north / depth

    floor = Floor([(u, v, *truth(u, v)) for u, v in ((0.0, 0.4), (1.0, 0.5), (0.9, 1.0), (0.1, 0.9))])
    assert floor.place((100 * x - 1, 0, 100 * x + 1, 100 * y), 100, 100) == pytest.approx(truth(x, y), abs=1e-6)


def test_points_that_are_no_floor_are_refused() -> None:
    for points in (CORNERS[:3], (*CORNERS[:3], CORNERS[2])):
        with pytest.raises(UsageError, match="four points"):
            Floor(points)
