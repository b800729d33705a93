"""The plate: the room enters it, and nobody who is in the room, whether somebody finds them or not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from comfywear.records import Box
from comfywear.vision.drawing.plate import FADE_S, SETTLE_AGAIN_S, SETTLE_S, Plate
from comfywear.vision.drawing.room_view import RoomView
from comfywear.vision.motion import MotionMap

Image = NDArray[np.uint8]
PEOPLE: tuple[int, int, int] = (40, 40, 200)


def room() -> Image:
    image = np.full((240, 320, 3), (200, 210, 215), np.uint8)
    image[170:] = (90, 110, 130)
    image[50:170, 40:90] = (150, 90, 60)
    return image


def somebody(image: Image, x: int, nod: int = 0) -> Box:
    """Draw somebody in red who sits; their head is nodded so many pixels."""
    cv2.rectangle(image, (x - 22, 100), (x + 22, 190), PEOPLE, -1)
    cv2.circle(image, (x + nod, 80), 14, PEOPLE, -1)
    return (x - 24.0, 64.0, x + 24.0, 192.0)


class Watched:
    """A camera that sees a made room, a frame a second."""

    def __init__(self) -> None:
        self.view, self.motion, self.now_s = RoomView(), MotionMap(), 0.0
        self._noise = np.random.default_rng(4)

    @property
    def plate(self) -> Plate:
        return self.view.plate

    def see(self, seconds: float, draw: Callable[[Image, float], Sequence[Box]]) -> None:
        for _ in range(round(seconds)):
            self.now_s += 1.0
            image = room()
            people = draw(image, self.now_s)
            image = np.clip(image + self._noise.normal(0, 2, (240, 320, 1)), 0, 255).astype(np.uint8)
            self.motion.add(image, self.now_s)
            self.view.add(image, self.now_s, people, self.motion)

    def red(self) -> int:
        """Pixels of the plate with the colour of somebody."""
        apart = np.abs(self.plate.picture.astype(int) - PEOPLE).max(axis=2)
        return int(((apart < 60) & self.plate.known()).sum())


def nobody(_image: Image, _now_s: float) -> Sequence[Box]:
    return ()


def unseen(image: Image, now_s: float) -> Sequence[Box]:
    """Somebody whom no detector finds, and who nods twice a minute."""
    somebody(image, 200, nod=int(now_s // 30) % 2 * 3)
    return ()


def test_an_empty_room_enters_after_minutes_and_not_before() -> None:
    watched = Watched()
    watched.see(SETTLE_S - 5, nobody)
    assert not watched.plate.known().any()
    watched.see(10, nobody)
    assert watched.plate.known().all()
    assert np.abs(watched.plate.picture.astype(int) - room()).max() < 8


def test_somebody_who_sits_from_the_beginning_and_is_found_by_nothing_never_enters() -> None:
    watched = Watched()
    watched.see(2000, unseen)
    assert watched.red() == 0
    assert watched.plate.known().mean() > 0.5


def test_somebody_who_stays_wholly_still_never_enters_where_they_are_found() -> None:
    watched = Watched()
    watched.see(1500, lambda image, _: [somebody(image, 200)])
    assert watched.red() == 0
    assert watched.plate.known().mean() > 0.5


@pytest.mark.parametrize("found", [False, True])
def test_the_room_behind_somebody_who_comes_later_is_kept(found: bool) -> None:
    watched = Watched()
    watched.see(SETTLE_S + 5, nobody)

    def sits(image: Image, now_s: float) -> Sequence[Box]:
        box = somebody(image, 200, nod=int(now_s // 30) % 2 * 3)
        return [box] if found else ()

    watched.see(1500, sits)
    assert watched.red() == 0
    assert watched.plate.known().mean() > 0.9


def test_what_may_be_somebody_is_coarse_and_never_enters() -> None:
    watched = Watched()
    for _ in range(round(SETTLE_S) + 60):
        watched.now_s += 1.0
        image = room()
        weak = somebody(image, 200)
        watched.motion.add(image, watched.now_s)
        watched.view.add(image, watched.now_s, (), watched.motion, weak=[weak])
    assert watched.red() == 0
    view = watched.view.draw(())
    assert view is not None
    assert view[140, 200, 2] - int(view[140, 200, 1]) > 20, "its colour is seen"


def test_a_cupboard_that_arrives_takes_the_place_of_what_was_there() -> None:
    watched = Watched()
    watched.see(SETTLE_S + 5, nobody)

    def cupboard(image: Image, _now_s: float) -> Sequence[Box]:
        image[60:180, 230:290] = (60, 120, 60)
        return ()

    watched.see(FADE_S + 10, cupboard)
    assert not watched.plate.known()[120, 260]
    assert watched.plate.known()[120, 60]
    watched.see(SETTLE_AGAIN_S, cupboard)
    assert watched.plate.known().all()
    assert np.abs(watched.plate.picture[120, 260].astype(int) - (60, 120, 60)).max() < 8


def test_a_lamp_changes_the_light_and_the_room_stays_known() -> None:
    watched = Watched()
    watched.see(SETTLE_S + 5, nobody)

    def lit(image: Image, _now_s: float) -> Sequence[Box]:
        image[:] = (image * 0.6).astype(np.uint8)
        return ()

    watched.see(FADE_S + 20, lit)
    assert watched.plate.known().all()
    watched.see(SETTLE_S, lit)
    assert np.abs(watched.plate.picture.astype(int) - room() * 0.6).max() < 8


def test_while_nobody_looked_nothing_settles_and_another_size_begins_anew() -> None:
    watched = Watched()
    watched.see(SETTLE_S - 20, nobody)
    watched.now_s += 500.0
    watched.see(30, nobody)
    assert not watched.plate.known().any()
    watched.see(SETTLE_S, nobody)
    assert watched.plate.known().all()
    image = np.zeros((180, 200, 3), np.uint8)
    watched.motion.add(image, watched.now_s + 1)
    watched.view.add(image, watched.now_s + 1, (), watched.motion)
    assert watched.plate.known().shape == (180, 200)
    assert not watched.plate.known().any()


def test_the_view_shows_the_room_behind_somebody_and_of_the_unknown_nothing_that_moves() -> None:
    watched = Watched()
    assert watched.view.draw(()) is None
    watched.see(SETTLE_S + 5, nobody)
    empty = watched.view.draw(())
    watched.see(60, unseen)
    with_somebody = watched.view.draw(())
    assert empty is not None
    assert with_somebody is not None
    assert np.abs(with_somebody.astype(int) - empty).max() <= 30, "the light alone"

    begun = Watched()
    begun.see(40, unseen)
    view = begun.view.draw(())
    assert view is not None
    red = view[60:190, 170:230].astype(int)
    assert (red[:, :, 2] - red[:, :, 1]).max() < 30
