"""Where a picture moved: noise and slow light are no motion, a small thing is, and a lamp is a flash."""

from __future__ import annotations

import math

import numpy as np
import pytest

from comfywear.vision.motion import MotionMap

RNG = np.random.default_rng(3)
ROOM = RNG.integers(30, 200, (48, 64, 3)).astype(np.float64).repeat(10, axis=0).repeat(10, axis=1)
SEAT = (100.0, 100.0, 140.0, 180.0)
WALL = (400.0, 100.0, 440.0, 180.0)


def picture(*, gain: float = 1.0, noise: float = 3.0, moved: bool = False) -> np.ndarray:
    image = gain * ROOM + RNG.normal(0, noise, ROOM.shape)
    if moved:
        image[110:140, 110:130] = 255 - image[110:140, 110:130]
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("noise", [0.0, 3.0, 12.0])
def test_only_where_something_moved_it_moved(noise: float) -> None:
    motion = MotionMap()
    for second in range(20):
        motion.add(picture(noise=noise, moved=second in (7, 8)), float(second))
    assert motion.moved(SEAT, 6.0) > 0.1
    assert motion.moved(SEAT, 9.0) < 0.01  # it came back to rest at 9
    assert motion.moved(WALL, 0.0) < 0.01
    assert motion.moved(WALL, -math.inf) == 0.0
    assert motion.moved(SEAT, 8.0) > 0.1


def test_light_that_changes_slowly_is_no_motion_and_a_lamp_is_a_flash() -> None:
    motion = MotionMap()
    for second in range(100):
        motion.add(picture(gain=1.0 - second / 300), float(second))
    assert motion.moved((0, 0, 640, 480), 1.0) < 0.001
    assert motion.flashed_s == 0.0
    motion.add(picture(gain=1.3), 100.0)
    assert motion.flashed_s == 100.0
    assert motion.moved((0, 0, 640, 480), 1.0) < 0.001


def test_a_picture_of_another_size_begins_anew_and_before_the_first_nothing_moved() -> None:
    motion = MotionMap()
    assert motion.moved(SEAT, 0.0) == 0.0
    motion.add(picture(), 1.0)
    motion.add(picture(moved=True), 2.0)
    assert motion.moved(SEAT, 0.0) > 0.0
    motion.add(picture()[:240], 3.0)
    assert motion.moved(SEAT, 0.0) == 0.0
    assert motion.moved((-50.0, -50.0, 9000.0, 9000.0), 0.0) == 0.0  # a box may be anywhere
