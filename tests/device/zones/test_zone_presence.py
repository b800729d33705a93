"""Zones that one camera sees, and zones that two see: counts, who is unknown, and what a lost camera leaves."""

from __future__ import annotations

import msgspec
import numpy as np

from comfywear.device.zones.presence import ZonePresence, id_step
from comfywear.records import Frame, Person
from comfywear.settings import Settings

FLOOR = [[0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 10.0, 0.0], [1.0, 1.0, 10.0, 10.0], [0.0, 1.0, 0.0, 10.0]]
SETTINGS = msgspec.convert(
    {
        "cameras": [{"name": name, "source": f"file:///{name}"} for name in ("desk", "door")],
        "zones": [
            {
                "name": "office",
                "leave_s": 4.0,
                "views": [{"camera": name, "floor": FLOOR} for name in ("desk", "door")],
            },
            {"name": "hall", "camera": "door", "leave_s": 4.0},
        ],
    },
    Settings,
)
IMAGE = np.zeros((100, 100, 3), np.uint8)


def standing(number: int, x_m: float, y_m: float, zone: str = "office") -> Person:
    x, y = 10 * x_m, 10 * y_m
    return Person(number, (x - 5, y - 30, x + 5, y), 0.9, (), {}, 0.0, zone)


class House:
    """Two cameras that take turns, twice a second each."""

    def __init__(self) -> None:
        self.zones, self.now_s, self.index = ZonePresence(SETTINGS), 100.0, 0

    def show(self, seconds: float, desk: list[Person] | None, door: list[Person] | None) -> str:
        """None = that camera is gone; returns the office's state and count."""
        for _ in range(int(seconds * 2)):
            for name, persons in (("desk", desk), ("door", door)):
                self.now_s += 0.25
                self.index += 1
                if persons is None:
                    self.zones.lost(name)
                else:
                    self.zones.take(name, Frame(IMAGE, self.index, self.now_s, name), persons)
        office = self.zones.occupancies()["office"]
        assert len(self.zones.persons("office")) == office.count
        return f"{office.state} {office.count}"


def test_numbers_of_two_cameras_and_of_those_whom_both_see_never_meet() -> None:
    assert id_step(SETTINGS) == 3
    assert id_step(Settings()) == 1


def test_who_is_seen_by_both_counts_once_and_who_is_seen_by_one_counts_too() -> None:
    house = House()
    both = [standing(1, 3, 3)], [standing(2, 3.4, 3.2)]
    assert house.show(4, *both) == "occupied 1"
    assert house.show(4, [*both[0], standing(4, 8, 3)], both[1]) == "occupied 2"
    assert house.show(4, [*both[0], standing(4, 8, 3)], [*both[1], standing(5, 6, 6)]) == "occupied 3"
    assert house.show(8, [], both[1]) == "occupied 1", "one view is enough"
    assert house.show(8, [], []) == "empty 0"
    said = [(change.kind, change.count) for change in house.zones.changes() if change.zone == "office"]
    assert said.count(("entered", 1)) == 1
    assert said[-1] == ("left", 0)


def test_two_numbers_that_turn_out_to_be_one_person_do_not_count_twice() -> None:
    house = House()
    assert house.show(4, [standing(1, 2, 2)], [standing(2, 6, 2)]) == "occupied 2"
    house.zones.changes()
    assert house.show(1, [standing(1, 4, 2)], [standing(2, 4.1, 2)]) == "occupied 1"
    assert [(change.kind, change.track_id, change.count) for change in house.zones.changes()] == [("left", 2, 1)]


def test_a_zone_is_not_empty_because_a_camera_is_gone() -> None:
    house = House()
    house.show(4, [standing(1, 2, 2)], [])
    assert house.show(60, None, []) == "occupied 1", "the one who saw them is gone"
    assert house.show(8, [], []) == "empty 0", "and is back"


def test_whom_the_other_camera_sees_too_is_that_ones_to_follow() -> None:
    house = House()
    house.show(4, [standing(1, 2, 2)], [standing(2, 2, 2.3)])
    assert house.show(8, None, [standing(2, 2, 2.3)]) == "occupied 1"
    assert house.show(8, None, []) == "empty 0"


def test_a_lost_camera_leaves_the_other_zones_alone_and_one_never_there_makes_nothing_unknown() -> None:
    house = House()
    assert house.show(6, None, []) == "empty 0"
    house.show(4, None, [standing(2, 2, 2, "hall")])
    assert house.zones.counts() == {"office": 0, "hall": 1}
    assert house.zones.occupancies()["hall"].state == "occupied"


def test_a_zone_of_a_lost_camera_does_not_empty_while_another_goes_on() -> None:
    house = House()
    house.show(4, [], [standing(2, 2, 2, "hall")])
    house.show(60, [], None)
    assert house.zones.occupancies()["hall"].count == 1


def test_when_nobody_looks_any_more_everybody_has_left() -> None:
    house = House()
    house.show(4, [standing(1, 2, 2)], [standing(2, 2, 2)])
    house.zones.clear()
    assert house.zones.changes()[-1].kind == "left"
    assert house.zones.occupancies() == {}
    assert list(house.zones.persons("office")) == []
