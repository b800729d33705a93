"""Frames with quick looks and closer ones: a far person is found, carried, and let go; what it may cost is held."""

from __future__ import annotations

import math

import numpy as np
from blobs import Blobs, room

from comfywear.device.sight.frame_step import FrameStep
from comfywear.records import Frame, Person
from comfywear.settings import BudgetSettings, Settings, VisionSettings, ZoneSettings
from comfywear.vision.budget import LEVELS, Budget

FAR, NEAR = (40, 30, 60, 70), (500, 100, 580, 440)


class Net(Blobs):
    """Sees what is at least an eighth of the picture high, and says the size of its input."""

    side = 320

    def __init__(self) -> None:
        super().__init__(sees=0.12)
        self.thresholds = {"person": 0.1, "bag": 0.1}

    def tiles(self) -> int:
        return sum(shape[0] < 480 for shape in self.shapes)


class Room:
    """A step that is shown pictures, twice a second."""

    def __init__(self, settings: Settings) -> None:
        self.net = Net()
        self.step = FrameStep(settings, self.net, None)
        self.index = 0

    def show(self, image: np.ndarray, seconds: float) -> list[list[Person]]:
        out = []
        for _ in range(round(2 * seconds)):
            out.append(self.step.take(Frame(image, self.index, 100.0 + self.index / 2, "made")))
            self.index += 1
        return out


def looking(far_look_s: float | str = "auto", **budget: float) -> Settings:
    vision = VisionSettings(far_look_s=far_look_s)  # type: ignore[arg-type]  # "auto" is the only word
    return Settings(vision=vision, budget=BudgetSettings(**budget))


def test_a_far_person_is_counted_for_long_and_one_number_is_theirs() -> None:
    place = Room(looking())
    seen = place.show(room(FAR, NEAR), 600)
    assert {len(people) for people in seen[12:]} == {2}
    assert len({person.track_id for people in seen for person in people}) == 2
    assert place.net.tiles() < 4 * 600 / 15  # ever more seldom where nothing happens


def test_without_closer_looks_the_far_person_is_not_seen() -> None:
    place = Room(looking(0.0))
    assert {len(people) for people in place.show(room(FAR, NEAR), 30)} == {1}
    assert place.net.tiles() == 0


def test_who_comes_into_a_quiet_room_is_found_within_seconds_and_who_leaves_is_gone_within_seconds() -> None:
    place = Room(looking())
    place.show(room(), 120)
    came = place.show(room(FAR), 10)
    assert len(came[-1]) == 1
    left = place.show(room(), 20)
    assert left[-1] == []


def test_only_tiles_that_touch_a_zone_are_looked_at() -> None:
    zones = [ZoneSettings("desk", [(0.0, 0.0), (0.2, 0.0), (0.2, 0.2), (0.0, 0.2)])]
    place = Room(Settings(vision=VisionSettings(far_look_s=5.0), zones=zones))
    place.show(room(FAR), 20)
    assert place.net.tiles() == 4  # one tile, four times


def test_a_picture_that_is_no_larger_than_the_detectors_is_looked_at_closely_only_when_the_settings_say_so() -> None:
    small = np.zeros((240, 320, 3), np.uint8)
    place = Room(looking())
    place.show(small, 20)
    assert {shape[0] for shape in place.net.shapes} == {240}
    place = Room(looking(5.0))
    place.show(small, 20)
    assert min(shape[0] for shape in place.net.shapes) < 240


def tiled(budget: Budget, *, seconds: float, tile_s: float, detect_s: float = 0.1, fps: float = 2.0) -> tuple[int, int]:
    """Frames with a detection and looks at tiles when one is always due."""
    detections = looks = 0
    for index in range(round(seconds * fps)):
        plan = budget.plan(100.0 + index / fps, tiles=4, tiles_per_s=0.8)
        budget.spent("frame", 0.001, 0.001)
        budget.spent("detect", detect_s, detect_s, int(plan.detect))
        budget.spent("tile", tile_s * plan.tiles, tile_s * plan.tiles, plan.tiles)
        detections, looks = detections + plan.detect, looks + plan.tiles
    return detections, looks


def test_tiles_are_spread_over_frames_where_they_do_not_fit_into_one() -> None:
    assert tiled(Budget(), seconds=60, tile_s=0.2) == (120, 120)
    detections, looks = tiled(Budget(latency_s=0.15), seconds=60, tile_s=0.1)
    assert 20 <= looks <= 60  # in place of a detection now and then
    assert detections + looks <= 121  # before a tile's cost is known one is looked at
    assert tiled(Budget(latency_s=0.25), seconds=60, tile_s=0.1)[0] == 120


def test_closer_looks_are_shed_first_and_that_is_said() -> None:
    assert [level.farther for level in LEVELS[:4]] == [1.0, 4.0, math.inf, math.inf]
    assert [level.slower for level in LEVELS[:4]] == [1.0, 1.0, 1.0, 2.0]
    budget = Budget(cpu_share=0.21)
    tiled(budget, seconds=60, tile_s=0.1)
    assert budget.load().level in (1, 2)
    assert budget.load().shed in (
        ("far people are looked at 4 times as seldom",),
        ("far people are not looked at",),
    )
    assert budget.load().every == 1
