"""Walking from tracks: straight and fast enough, in body heights; the unrest of a box is none."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.records import Box, Person
from comfywear.vision.tracking.walking import SLOWEST_HEIGHTS_S, Gait, Walking


def box(x: float, y: float = 100.0, height: float = 200.0) -> Box:
    return (x - 0.2 * height, y, x + 0.2 * height, y + height)


def speed_of(places: list[Box], fps: float) -> float | None:
    gait, said = Gait(), None
    for number, place in enumerate(places):
        said = gait.add(place, 10.0 + number / fps)
    return said


@given(st.floats(0.3, 2.0), st.floats(2.0, 30.0), st.floats(20.0, 900.0), st.booleans())
def test_somebody_who_walks_has_their_speed_in_body_heights(
    speed: float, fps: float, height: float, upwards: bool
) -> None:
    steps = [speed * height * number / fps for number in range(int(2 * fps) + 2)]
    places = [box(500.0, 2000.0 - way, height) if upwards else box(way, 100.0, height) for way in steps]
    assert speed_of(places, fps) == pytest.approx(speed, rel=1e-6)


@given(st.floats(0.0, 0.9 * SLOWEST_HEIGHTS_S), st.floats(2.0, 30.0))
def test_what_creeps_does_not_walk(speed: float, fps: float) -> None:
    assert speed_of([box(200.0 * speed * number / fps) for number in range(int(2 * fps) + 2)], fps) == 0.0


@given(st.integers(0, 10_000), st.sampled_from([2.0, 5.0, 15.0]))
def test_the_unrest_of_a_box_is_no_walk(seed: int, fps: float) -> None:
    dice = random.Random(seed)
    places = [box(300.0 + dice.gauss(0, 4), 100.0 + dice.gauss(0, 4), 200.0) for _ in range(int(60 * fps))]
    gait = Gait()
    speeds = [gait.add(place, number / fps) for number, place in enumerate(places)]
    assert sum(bool(speed) for speed in speeds) <= 0.02 * len(speeds)


def test_somebody_who_leans_over_and_comes_back_does_not_walk() -> None:
    lean = [300.0, 300.0, 380.0, 380.0, 300.0, 300.0]
    assert speed_of([box(x) for x in lean], 2.0) == 0.0


def test_legs_that_a_desk_hides_make_no_walk_of_standing_up() -> None:
    hidden, whole = (280.0, 100.0, 320.0, 200.0), (280.0, 100.0, 320.0, 300.0)
    assert speed_of([hidden, hidden, whole, whole, hidden, whole], 2.0) == 0.0


@pytest.mark.parametrize("fps", [0.2, 1.0])
def test_fewer_than_two_looks_a_second_say_nothing(fps: float) -> None:
    assert speed_of([box(100.0 * number) for number in range(10)], fps) is None


def test_boxes_without_a_height_say_nothing() -> None:
    assert speed_of([(0.0, 5.0, 9.0, 5.0)] * 8, 4.0) is None


def person(number: int, x: float, zone: str = "desk") -> Person:
    return Person(number, box(x), 0.9, (), {}, 1.0, zone)


def test_a_zone_has_the_share_and_the_speed_of_its_people() -> None:
    walking = Walking()
    assert walking.of("desk", 0.0) is None
    for step in range(4 * 120):  # one sits, one walks to and fro, two minutes at four looks a second
        at_s, lap = step / 4.0, (step / 4.0) % 20.0
        x = 40.0 + 120.0 * (lap if lap < 10.0 else 20.0 - lap)  # 0.6 heights a second
        walking.take([person(1, 500.0), person(2, x)], at_s)
    found = walking.of("desk", 120.0)
    assert found is not None
    assert found.share == pytest.approx(0.5, abs=0.1)
    assert found.heights_s == pytest.approx(0.6, abs=0.08)
    assert walking.of("sofa", 120.0) is None


def test_a_zone_says_nothing_before_a_minute_and_forgets_what_is_long_ago() -> None:
    walking = Walking()
    for step in range(4 * 50):
        walking.take([person(1, 500.0)], step / 4.0)
    assert walking.of("desk", 50.0) is None
    for step in range(4 * 50, 4 * 90):
        walking.take([person(1, 500.0)], step / 4.0)
    assert walking.of("desk", 90.0) == (0.0, None)
    assert walking.of("desk", 90.0 + 3600.0) is None
    for step in range(8):
        walking.take([person(2, 100.0 * step)], 3690.0 + step / 4.0)
    assert walking.of("desk", 3692.0) is None, "nobody was watched for long enough since"


def test_tracks_that_are_gone_are_let_go() -> None:
    walking = Walking()
    for number in range(1000):
        walking.take([person(number, 10.0)], number * 1.0)
    assert len(walking._gaits) < 10
