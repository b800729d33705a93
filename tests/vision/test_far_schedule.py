"""When which tile is looked at, on a hand-made clock."""

from __future__ import annotations

import itertools
import math

import pytest

from comfywear.vision.far_look import Tile, tiles_of
from comfywear.vision.far_schedule import FarSchedule, tiles_in_zones
from comfywear.vision.people.zones import ZoneArea


def run(schedule: FarSchedule, seconds: int, *, new: bool = False, changed: bool = False, cost_s: float = 0.03,
        farther: float = 1.0, first_s: int = 1000) -> list[int]:  # fmt: skip
    """Looks at tile 0 by second."""
    looks = []
    for now_s in range(first_s, first_s + seconds):
        for tile in schedule.due(now_s, {0} if changed else (), farther=farther):
            schedule.looked(tile, now_s, new=int(new), cost_s=cost_s)
            looks += [now_s - first_s] if tile == 0 else []
    return looks


def test_an_interval_of_the_settings_is_kept_and_halved_where_something_changed() -> None:
    assert run(FarSchedule(4, 10.0), 60) == [0, 10, 20, 30, 40, 50]
    assert run(FarSchedule(4, 10.0), 30, changed=True) == [0, 5, 10, 15, 20, 25]


def test_auto_looks_often_while_somebody_new_shows_and_seldom_where_nobody_does() -> None:
    assert run(FarSchedule(4), 60, new=True) == list(range(0, 60, 5))
    quiet = run(FarSchedule(4), 600)
    gaps = [b - a for a, b in itertools.pairwise(quiet)]
    assert gaps == sorted(gaps)
    assert gaps[-1] == 30


def test_auto_looks_soon_at_a_change_in_a_quiet_room_and_not_for_ever_at_what_always_moves() -> None:
    schedule = FarSchedule(4)
    run(schedule, 600)
    assert run(schedule, 3, changed=True, first_s=1603) != []
    busy = run(schedule, 600, changed=True, first_s=1700)
    assert busy[-1] - busy[-2] == 15


def test_auto_takes_a_tenth_of_the_time_on_a_slow_machine() -> None:
    schedule = FarSchedule(4)
    run(schedule, 10, new=True, cost_s=0.5)
    looks = run(schedule, 600, new=True, cost_s=0.5, first_s=2000)
    assert 4 * 0.5 * len(looks) == pytest.approx(60, rel=0.1)


def test_where_somebody_may_have_left_is_looked_at_soon_whatever_was_found_before() -> None:
    schedule = FarSchedule(4)
    run(schedule, 600)
    schedule.looked(0, 2000.0, new=0, cost_s=0.03)
    assert schedule.due(2003.0, (), {0})[:1] != []
    assert 0 in schedule.due(2003.0, (), {0})
    assert 0 not in schedule.due(2003.0)


def test_shed_it_is_seldom_or_never_and_who_waited_longest_comes_first() -> None:
    assert run(FarSchedule(4, 10.0), 100, farther=4.0) == [0, 40, 80]
    assert run(FarSchedule(4, 10.0), 100, farther=math.inf) == []
    schedule = FarSchedule(3, 10.0)
    for tile, looked_s in ((0, 100.0), (1, 90.0), (2, 95.0)):
        schedule.looked(tile, looked_s, new=0, cost_s=0.1)
    assert schedule.due(120.0) == [1, 2, 0]


def test_only_tiles_that_touch_a_zone_are_looked_at() -> None:
    tiles = tiles_of(640, 480)
    right = ZoneArea("right", ((0.7, 0.1), (0.9, 0.1), (0.9, 0.9)))
    assert tiles_in_zones(tiles, 640, 480, [right]) == [tiles[1], tiles[3]]
    assert tiles_in_zones(tiles, 640, 480, [right, ZoneArea("room")]) == tiles
    around = ZoneArea("all", ((-0.1, -0.1), (1.1, -0.1), (1.1, 1.1), (-0.1, 1.1)))
    assert tiles_in_zones(tiles, 640, 480, [around]) == tiles
    small = ZoneArea("desk", ((0.1, 0.1), (0.12, 0.1), (0.12, 0.12), (0.1, 0.12)))
    assert tiles_in_zones(tiles, 640, 480, [small]) == [Tile(0, 0, 356, 267)]
