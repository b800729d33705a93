"""What people said of finds: excluded while the place looks so, and whoever stands there counts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from comfywear.records import Box, Detection
from comfywear.vision.corrections import CorrectedFinds, Correction, packed, parts_of, pixels_of, unpacked
from comfywear.vision.motion import MotionMap
from comfywear.vision.still_finds import signature

RNG = np.random.default_rng(11)
SIZE = (640, 480)
COAT: Box = (100.0, 100.0, 180.0, 300.0)
WALL = cv2.GaussianBlur(RNG.integers(0, 255, (480, 640)).astype(np.float32), (0, 0), 6)
WALL = 3 * (WALL - WALL.mean()) + 120
CLOTHES = [cv2.GaussianBlur(RNG.integers(0, 255, (200, 80)).astype(np.float32), (0, 0), 5) for _ in range(3)]


def picture(worn: int | None = 0, *, gain: float = 1.0, shade: float = 0.0) -> np.ndarray:
    """A wall with a coat (0) or somebody (1, 2) before it."""
    grey = WALL.copy()
    if worn is not None:
        cloth = CLOTHES[worn]
        grey[100:300, 100:180] = 4 * (cloth - cloth.mean()) + 110
    grey += shade * np.linspace(-40, 40, 640)
    grey = gain * grey + RNG.normal(0, 2, grey.shape)
    return np.clip(grey, 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)


REJECTED = Correction(3, "reject", parts_of(COAT, *SIZE), packed(signature(picture(), COAT)))
MISSED = Correction(4, "miss", parts_of(COAT, *SIZE))


class Camera:
    def __init__(self, *corrections: Correction) -> None:
        self.finds, self.motion, self.now_s = CorrectedFinds(), MotionMap(), 10.0
        self.corrections = corrections

    def show(self, image: np.ndarray, seconds: float = 0.5, box: Box = COAT) -> bool:
        """Whether what is found in `box` is excluded at the end."""
        for _ in range(round(2 * seconds)):
            self.now_s += 0.5
            self.motion.add(image, self.now_s)
            self.finds.begin(image, self.now_s, self.corrections, self.motion)
        return self.finds.excluded(box)


def test_what_was_rejected_is_excluded_at_once_there_and_nowhere_else() -> None:
    room = Camera(REJECTED)
    assert room.show(picture())
    assert room.finds.excluded((105.0, 95.0, 185.0, 290.0))
    assert not room.finds.excluded((300.0, 100.0, 380.0, 300.0))
    assert not room.finds.excluded((100.0, 100.0, 130.0, 200.0))  # somebody small before a part of it
    room.corrections = ()
    assert not room.show(picture())


def test_somebody_who_stands_there_counts_and_the_coat_does_not_when_they_leave() -> None:
    room = Camera(REJECTED)
    assert room.show(picture(), 5)
    assert not room.show(picture(1), 0.5)
    assert not room.show(picture(1), 60)  # they stand still
    assert room.show(picture(), 0.5)


def test_another_coat_or_somebody_at_the_start_counts() -> None:
    assert not Camera(REJECTED).show(picture(2))
    assert not Camera(REJECTED).show(picture(None))


def test_somebody_who_came_while_nobody_looked_counts_and_is_not_learnt() -> None:
    room = Camera(REJECTED)
    assert room.show(picture(), 5)
    room.now_s += 900  # no picture meanwhile, and then another light: nothing says what moved
    assert not room.show(picture(1, gain=0.6), 0.5)
    assert not room.show(picture(1, gain=0.6), 5)
    assert room.show(picture(gain=0.6), 0.5)


def test_whoever_came_with_a_flash_is_not_learnt() -> None:
    room = Camera(REJECTED)
    assert room.show(picture(), 5)
    room.show(picture(1, gain=0.6), 900)
    assert room.show(picture(gain=0.6), 0.5), "the coat is still known"


def test_light_that_changes_slowly_or_a_lamp_does_not_bring_it_back() -> None:
    room = Camera(REJECTED)
    for step in range(60):
        assert room.show(picture(gain=1 - step / 150, shade=step / 30), 20)
    assert room.show(picture(gain=1.2), 10)


def test_where_somebody_was_missed_a_weak_find_is_believed() -> None:
    room = Camera(MISSED)
    room.show(picture(1))
    weak = Detection((104.0, 104.0, 184.0, 300.0), 0.12, "person")
    away, bag = Detection((300.0, 100.0, 380.0, 300.0), 0.12, "person"), Detection(COAT, 0.12, "bag")
    strong = Detection(COAT, 0.9, "person")
    found = room.finds.believed([weak, away, bag, strong], *SIZE, 0.36)
    assert [find.score for find in found] == [0.36, 0.12, 0.12, 0.9]
    assert not room.finds.excluded(COAT)


def test_a_kept_look_is_as_good_as_the_look_itself() -> None:
    look = signature(picture(), COAT)
    np.testing.assert_allclose(unpacked(packed(look)), np.clip(look, -4, 4), atol=1 / 32)
    assert pixels_of(parts_of(COAT, *SIZE), *SIZE) == pytest.approx(COAT)
    assert parts_of((-10.0, 5.0, 9000.0, 240.0), *SIZE) == pytest.approx((0, 5 / 480, 1, 0.5))
