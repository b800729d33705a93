"""Presence: who came and who left, without the flicker of single frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.errors import UsageError
from comfywear.records import Person, PresenceChange
from comfywear.vision.tracking.presence import Presence


def person(track: int, zone: str) -> Person:
    return Person(track, (0.0, 0.0, 10.0, 30.0), 0.9, (), {}, 0.0, zone)


class Room:
    """A presence that is shown frames every half second."""

    def __init__(self, *zones: str) -> None:
        self.presence = Presence(zones or ("room",), enter_s=2.0, leave_s=5.0)
        self.now_s = 50.0

    def show(self, persons: Mapping[int, str], times: int = 1) -> list[PresenceChange]:
        out = []
        for _ in range(times):
            out += self.presence.update([person(track, zone) for track, zone in persons.items()], self.now_s)
            self.now_s += 0.5
        return out


def test_somebody_enters_after_a_while_and_leaves_after_a_longer_one() -> None:
    room = Room()
    assert room.show({1: "room"}, 4) == []
    assert room.presence.counts() == {"room": 0}
    assert room.show({1: "room"}) == [PresenceChange("room", "entered", 1, 2.0, 1)]
    assert room.show({1: "room"}, 20) == []
    assert room.show({}, 10) == []
    assert room.presence.counts() == {"room": 1}
    assert room.show({}) == [PresenceChange("room", "left", 1, 12.0, 0)]
    assert room.presence.counts() == {"room": 0}


def test_at_the_end_everybody_who_was_announced_leaves() -> None:
    room = Room("left", "right")
    room.show({1: "left", 2: "right"}, 6)
    room.show({1: "left", 2: "right", 3: "right"})
    assert room.presence.clear() == [
        PresenceChange("left", "left", 1, 3.0, 0),
        PresenceChange("right", "left", 2, 3.0, 0),
    ]
    assert room.presence.counts() == {"left": 0, "right": 0}
    assert room.presence.clear() == []


def test_flicker_neither_enters_nor_leaves() -> None:
    room = Room()
    for _ in range(10):
        assert room.show({1: "room"}, 2) == []
        assert room.show({}, 6) == []
    room.show({1: "room"}, 6)
    for _ in range(10):
        assert room.show({}, 9) + room.show({1: "room"}) == []


def test_who_walks_to_another_zone_leaves_the_first_when_they_count_in_the_second() -> None:
    room = Room("desk", "window")
    room.show({1: "desk", 2: "desk"}, 6)
    changes = room.show({1: "window", 2: "desk"}, 5)
    assert [(c.zone, c.kind, c.track_id, c.count) for c in changes] == [
        ("window", "entered", 1, 1),
        ("desk", "left", 1, 1),
    ]
    assert room.presence.counts() == {"desk": 1, "window": 1}


def test_nobody_leaves_while_the_camera_is_gone() -> None:
    room = Room()
    room.show({1: "room"}, 6)
    room.now_s += 3600
    assert room.show({1: "room"}) == []
    room.now_s += 3600
    assert room.show({}, 10) == []
    (left,) = room.show({}, 2)
    assert left.kind == "left"
    assert left.seen_s == pytest.approx(3.0, abs=0.6)


def test_zones_that_are_not_in_the_settings_do_not_count() -> None:
    room = Room()
    assert room.show({1: ""}, 20) == []
    with pytest.raises(UsageError, match="0 or more"):
        Presence(["room"], enter_s=-1.0)


@given(st.lists(st.dictionaries(st.integers(1, 3), st.sampled_from(["desk", "window"])), max_size=120))
def test_the_counts_are_those_of_the_events(frames: list[dict[int, str]]) -> None:
    room = Room("desk", "window")
    inside: dict[str, set[int]] = {"desk": set(), "window": set()}
    for frame in frames:
        changes = room.show(frame)
        for change in changes:
            if change.kind == "entered":
                assert change.track_id not in inside[change.zone]
                inside[change.zone].add(change.track_id)
            else:
                inside[change.zone].remove(change.track_id)
        assert room.presence.counts() == {zone: len(tracks) for zone, tracks in inside.items()}
        for change in changes:
            assert change.count == len(inside[change.zone])
    assert not inside["desk"] & inside["window"]


def test_a_zone_is_empty_only_once_it_has_been_watched_for_a_moment() -> None:
    room = Room()
    assert room.presence.occupancies()["room"].state == "unknown"
    said = []
    for _ in range(6):
        room.show({})
        said.append(room.presence.occupancies()["room"].state)
    assert said == ["unknown"] * 4 + ["empty"] * 2


def test_who_sits_there_when_looking_begins_is_never_an_empty_room() -> None:
    room = Room()
    said = set()
    for _ in range(8):
        room.show({1: "room"})
        said.add(room.presence.occupancies()["room"].state)
    assert said == {"unknown", "occupied"}


def test_a_camera_that_was_gone_leaves_no_empty_room_behind() -> None:
    room = Room("a", "b")
    room.show({1: "a"}, 20)
    before = room.presence.occupancies()
    assert [before[zone].state for zone in "ab"] == ["occupied", "empty"]
    room.now_s += 600  # pulled out
    room.show({1: "a", 2: "b"})
    found = room.presence.occupancies()
    assert found["a"] == before["a"], "still there, and since when"
    assert found["b"].state == "unknown", "nobody was seen coming"
    room.show({1: "a", 2: "b"}, 5)
    assert room.presence.occupancies()["b"].state == "occupied"
    room.presence.clear()
    assert {each.state for each in room.presence.occupancies().values()} == {"unknown"}


def test_after_a_night_without_pictures_nobody_is_said_to_be_there_whom_nobody_sees() -> None:
    room = Room()
    room.show({1: "room", 2: "room"}, 8)
    before = room.presence.occupancies()["room"]
    room.now_s += 30_000
    said = []
    for _ in range(14):
        room.show({})
        said.append(room.presence.occupancies()["room"].state)
    assert said == ["unknown"] * 11 + ["empty"] * 3
    room.show({1: "room"}, 8)
    room.now_s += 60
    room.show({})
    assert room.presence.occupancies()["room"].state == "unknown"
    room.show({1: "room"})
    after = room.presence.occupancies()["room"]
    assert (after.state, after.count) == ("occupied", 1), "one who was there is enough"
    assert after.since_s > before.since_s


def test_a_person_shown_from_the_second_look_on_counts_from_the_first() -> None:
    room = Room("desk", "window")
    room.show({}, 4)
    for index in range(4):
        seen = replace(person(1, "desk"), seen_s=0.5 * (index + 1))
        assert (room.presence.update([seen], room.now_s) != []) == (index == 3), "2 s after the first look"
        room.now_s += 0.5
    moved = replace(person(1, "window"), seen_s=60.0)
    assert room.presence.update([moved], room.now_s) == [], "in the other zone they are new"


def test_frames_that_come_a_little_early_do_not_cost_another_frame() -> None:
    presence = Presence(["room"], enter_s=2.0)
    counts = []
    for now_s in (0.0, 0.52, 1.01, 1.49, 1.98):
        presence.update([person(1, "room")], now_s)
        counts.append(presence.counts()["room"])
    assert counts == [0, 0, 0, 0, 1]


def test_people_leave_before_a_camera_that_is_slower_than_they_are_waited_for() -> None:
    presence = Presence(["room"], enter_s=2.0, leave_s=8.0)
    said = []
    for minute in range(8):
        presence.update([person(1, "room")] if minute < 4 else [], 60.0 * minute)
        said.append(presence.occupancies()["room"].state)
    assert said[2:] == ["occupied"] * 2 + ["empty"] * 4


def test_each_zone_has_its_own_patience_and_since_is_kept() -> None:
    presence = Presence(["bed", "door"], enter_s={"bed": 4.0, "door": 0.0}, leave_s={"bed": 60.0, "door": 1.0})
    for second in range(10):
        presence.update([person(1, "bed"), person(2, "door")], float(second))
    found = presence.occupancies()
    assert (found["bed"].since_s, found["door"].since_s) == (4.0, 0.0)
    for second in range(10, 40):
        presence.update([], float(second))
    found = presence.occupancies()
    assert (found["bed"].state, found["bed"].count, found["bed"].since_s) == ("occupied", 1, 4.0)
    assert (found["door"].state, found["door"].count, found["door"].since_s) == ("empty", 0, 11.0)
