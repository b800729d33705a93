"""What never moves fades from the counts and comes back; whoever breathes, shifts or turns a page stays, for hours."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from comfywear.errors import UsageError
from comfywear.records import Box
from comfywear.vision.motion import MotionMap
from comfywear.vision.still_finds import StillFinds, difference, signature

LOBBY = Path(__file__).parents[3] / "shared" / "data" / "rooms" / "office-lobby"
STEP_S = 4.0
BOX: Box = (60.0, 40.0, 110.0, 140.0)
RNG = np.random.default_rng(5)
WALL = cv2.GaussianBlur(RNG.integers(60, 180, (180, 240)).astype(np.float32), (0, 0), 3)
NOISE = RNG.normal(0, 1, (32, *WALL.shape)).astype(np.float32)
CLOTH = cv2.GaussianBlur(RNG.integers(0, 255, (100, 50)).astype(np.float32), (0, 0), 2)
CLOTH = np.clip((CLOTH - CLOTH.mean()) * 4 + 110, 10, 245)


def picture(shift_x: float = 0.0, shift_y: float = 0.0, *, gain: float = 1.0, noise: float = 2.5) -> np.ndarray:
    """A wall with something before it in `BOX`, moved by parts of a pixel."""
    place = np.array([[1, 0, BOX[0] + shift_x], [0, 1, BOX[1] + shift_y]], np.float32)
    size = (WALL.shape[1], WALL.shape[0])
    over = cv2.warpAffine(CLOTH.astype(np.float32), place, size)
    mask = cv2.warpAffine(np.ones_like(CLOTH, np.float32), place, size)
    grey = gain * (WALL * (1 - mask) + over * mask) + noise * NOISE[RNG.integers(len(NOISE))]
    return np.clip(grey, 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)


class Watched:
    """Frames go through the motion map and the memory, with one find in `BOX`."""

    def __init__(self, after_s: float = 7200.0) -> None:
        self.still, self.motion, self.now_s = StillFinds(after_s), MotionMap(), 50.0
        self.said: list[tuple[str, float]] = []

    def show(self, seconds: float, draw: Callable[[float], np.ndarray], *, found: bool = True) -> None:
        began_s = self.now_s
        while self.now_s < began_s + seconds:
            self.now_s += STEP_S
            image = draw(self.now_s - began_s)
            self.motion.add(image, self.now_s)
            for change in self.still.update(image, self.now_s, [BOX] if found else [], self.motion):
                self.said.append((change.kind, self.now_s))


def coat(t: float) -> np.ndarray:
    return picture(gain=1.0 + 0.25 * math.sin(t / 5000))


def covered(_: float) -> np.ndarray:
    image = picture()
    image[30:150, 50:90] = 20
    return image


def test_a_coat_fades_after_hours_and_not_before() -> None:
    room = Watched()
    room.show(7100, coat)
    assert room.said == []
    assert not room.still.faded(BOX)
    room.show(300, lambda t: coat(7100 + t))
    assert [kind for kind, _ in room.said] == ["faded"]
    assert room.still.faded((62.0, 41.0, 111.0, 139.0))
    assert not room.still.faded((120.0, 40.0, 170.0, 140.0))
    room.show(3000, lambda t: coat(7400 + t))
    assert len(room.said) == 1  # said once


def test_it_is_back_at_once_when_something_moves_in_the_box() -> None:
    room = Watched(after_s=600.0)
    room.show(800, coat)
    assert room.still.faded(BOX)
    room.show(STEP_S, lambda _: picture(6.0))
    assert not room.still.faded(BOX)
    assert [kind for kind, _ in room.said] == ["faded", "back"]


def test_covered_and_uncovered_it_is_back_and_fades_sooner_the_second_time_if_it_is_the_same() -> None:
    room = Watched(after_s=3600.0)
    room.show(3700, coat)
    room.show(30, covered)
    assert not room.still.faded(BOX)
    room.show(500, coat)
    assert not room.still.faded(BOX)
    room.show(300, coat)
    assert room.still.faded(BOX)
    other = Watched(after_s=3600.0)
    other.show(3700, coat)
    other.show(30, covered)
    other.show(3400, lambda _: picture(12.0))  # something else stands there now
    assert not other.still.faded(BOX)


SLEEPERS = {
    # breathing lifts the chest by half a pixel, and every quarter of an hour the sleeper turns a little
    "a sleeper": lambda t: picture(1.5 * (int(t / 900) % 3), 0.5 * math.sin(t * 1.6)),
    # no breath shows at this distance, and the posture changes by two pixels every twenty minutes
    "a far reader": lambda t: picture(2.0 * (int(t / 1200) % 2), 0.0),
    # leans slowly over, a pixel in five minutes, and back
    "somebody who leans": lambda t: picture(abs((t / 300) % 8 - 4), 0.0),
    # breathes and nothing else
    "somebody in deep sleep": lambda t: picture(0.0, 0.8 * math.sin(t * 1.3)),
}


@pytest.mark.parametrize("who", SLEEPERS)
def test_whoever_moves_a_little_is_never_lost(who: str) -> None:
    room = Watched()
    room.show(3 * 3600, SLEEPERS[who])
    assert room.said == []


def test_nobody_is_lost_within_an_hour_not_even_a_statue_of_a_person() -> None:
    room = Watched()
    room.show(3600, lambda _: picture(noise=0.0))
    assert room.said == []


def test_a_lamp_is_no_motion_and_an_hour_without_frames_does_not_count() -> None:
    room = Watched(after_s=1200.0)
    room.show(1300, lambda _: picture())
    room.show(60, lambda _: picture(gain=1.4))
    assert room.still.faded(BOX)
    gap = Watched(after_s=1200.0)
    gap.show(600, lambda _: picture())
    gap.now_s += 3600
    gap.show(400, lambda _: picture())
    assert not gap.still.faded(BOX)
    gap.show(300, lambda _: picture())
    assert gap.still.faded(BOX)


def test_places_are_bounded_and_one_where_nothing_is_found_any_more_is_forgotten() -> None:
    still, motion = StillFinds(), MotionMap()
    for index in range(300):
        image = picture()
        motion.add(image, index * 1.0)
        x = float(index % 100)
        still.update(image, index * 1.0, [(2 * x, 0.0, 2 * x + 1.5, 20.0)], motion)
    assert len(still._places) <= 64
    room = Watched(after_s=600.0)
    room.show(700, coat)
    room.show(3700, coat, found=False)
    assert not room.still.faded(BOX)
    with pytest.raises(UsageError, match="0 s"):
        StillFinds(0.0)


def test_whoever_walks_through_leaves_no_places_behind() -> None:
    still, motion = StillFinds(), MotionMap()
    for index in range(240):
        now_s, x = index * 0.5, float(2 * index % 190)
        image = picture(x - BOX[0])
        motion.add(image, now_s)
        still.update(image, now_s, [(x, BOX[1], x + 50, BOX[3])] if index < 160 else [], motion)
    assert still._places == []


def test_a_signature_does_not_know_brightness() -> None:
    a, b = picture(noise=0.0), picture(gain=0.6, noise=0.0)
    assert difference(signature(a, BOX), signature(b, BOX)) < 0.001
    assert difference(signature(a, BOX), signature(picture(5.0), BOX)) > 0.1
    assert signature(a, (-40.0, -40.0, 1.0, 1.0)).shape == (24, 24)


@pytest.mark.skipif(not LOBBY.is_dir(), reason="needs ../shared/data/rooms/office-lobby")
def test_in_minutes_of_an_office_no_person_stands_still_for_long_and_a_sculpture_does() -> None:
    """Persons by minute, four frames each: chains of one place, and how long each looked the same.

    One "person" of the labels never moves: it is a sculpture before a wall (183, 109, 198, 157).
    """
    data = json.loads((LOBBY / "instances.json").read_text())
    boxes: dict[int, list[Box]] = defaultdict(list)
    for row in data["annotations"]:
        x, y, w, h = row["bbox"]
        boxes[row["image_id"]].append((x, y, x + w, y + h))
    order: dict[str, int] = defaultdict(int)
    chains: list[tuple[list[float], Box, list[float]]] = []  # last time, box, [longest still, start of it]
    looks: list[np.ndarray] = []
    for photo in data["images"]:
        minute = datetime.strptime(photo["group"], "%Y%m%d%H%M").timestamp()  # noqa: DTZ007  # differences only
        now_s = minute + 15.0 * order[photo["group"]]
        order[photo["group"]] += 1
        image = cv2.imread(str(LOBBY / photo["file_name"]))
        for box in boxes[photo["id"]]:
            for index, (last, place, still) in enumerate(chains):
                if now_s - last[0] <= 300 and overlap(place, box) >= 0.5:
                    last[0] = now_s
                    if difference(looks[index], signature(image, place)) > 0.02:
                        chains[index] = (last, box, [still[0], now_s])
                        looks[index] = signature(image, box)
                    else:
                        still[0] = max(still[0], now_s - still[1])
                    break
            else:
                chains.append(([now_s], box, [0.0, now_s]))
                looks.append(signature(image, box))
    minutes = sorted(((still[0] / 60, place) for _, place, still in chains), reverse=True)
    assert minutes[0][0] > 30
    assert overlap(minutes[0][1], (183.0, 109.0, 198.0, 157.0)) > 0.8
    others = [m for m, place in minutes if overlap(place, (183.0, 109.0, 198.0, 157.0)) < 0.5]
    assert max(others) < 10, minutes[:8]


def overlap(a: Box, b: Box) -> float:
    width = max(min(a[2], b[2]) - max(a[0], b[0]), 0.0)
    both = width * max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)
