"""Presence: who came and who left, without the flicker of single frames."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.errors import UsageError
from comfywear.records import Person, PresenceChange
from comfywear.vision.presence import Presence


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
