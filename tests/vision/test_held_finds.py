"""Whom only closer looks find: held while nothing moves, let go when they have left."""

from __future__ import annotations

from comfywear.records import Box, Detection
from comfywear.vision.far_look import Tile
from comfywear.vision.held_finds import HeldFinds

TILE, SIZE = Tile(0, 0, 356, 267), (640, 480)
SEATED = Detection((50.0, 50.0, 80.0, 110.0), 0.5, "person")
TOP = Detection((52.0, 60.0, 78.0, 90.0), 0.6, "top")


def still(box: Box, since_s: float) -> float:
    del box, since_s
    return 0.0


class Fidget:
    """Something moves in every box from a time on."""

    def __init__(self, at_s: float) -> None:
        self.at_s = at_s

    def __call__(self, box: Box, since_s: float) -> float:
        del box
        return 0.2 if self.at_s > since_s else 0.0


def held(*finds: Detection) -> HeldFinds:
    finder = HeldFinds(0.3)
    assert finder.take(TILE, SIZE, finds, [], 100.0) == 1
    return finder


def test_who_is_found_close_up_is_there_between_looks_with_their_garments() -> None:
    finder = held(SEATED, TOP, Detection((200.0, 60.0, 230.0, 90.0), 0.9, "bag"))
    for now_s in range(100, 3600):
        assert finder.settle(still, float(now_s)) == []
    assert finder.beside([]) == [SEATED, TOP]


def test_whom_the_quick_look_finds_too_is_not_there_twice() -> None:
    finder = held(SEATED)
    quick = Detection((51.0, 51.0, 82.0, 112.0), 0.6, "person")
    assert finder.beside([quick]) == []
    assert finder.beside([Detection(quick.box, 0.15, "person")]) == [SEATED]  # too weak to count
    assert finder.take(TILE, SIZE, [SEATED, quick], [quick], 101.0) == 0
    assert HeldFinds(0.3).take(TILE, SIZE, [SEATED], [quick], 100.0) == 0


def test_a_still_person_outlives_looks_that_miss_them_but_not_many() -> None:
    finder = held(SEATED)
    for look in range(3):
        finder.take(TILE, SIZE, [], [], 101.0 + look)
        finder.settle(still, 101.0 + look)
    assert len(finder) == 1
    finder.take(TILE, SIZE, [Detection((52.0, 52.0, 82.0, 112.0), 0.12, "person")], [], 105.0)  # a weak one will do
    for look in range(3):
        finder.take(TILE, SIZE, [], [], 106.0 + look)
        finder.settle(still, 106.0 + look)
    assert finder.beside([])[0].box == (52.0, 52.0, 82.0, 112.0)
    assert finder.beside([])[0].score >= 0.3
    finder.take(TILE, SIZE, [], [], 110.0)
    finder.settle(still, 110.0)
    assert len(finder) == 0


def test_where_something_moved_a_look_is_wanted_and_two_that_find_nobody_end_it() -> None:
    finder = held(SEATED)
    moved = Fidget(at_s=105.0)
    assert finder.settle(moved, 105.0) == [SEATED.box]
    finder.take(TILE, SIZE, [], [], 106.0)
    assert finder.settle(moved, 106.0) == [SEATED.box]
    finder.take(TILE, SIZE, [], [], 107.0)
    assert finder.settle(moved, 107.0) == []
    assert finder.beside([]) == []


def test_who_fidgets_and_is_found_again_stays() -> None:
    finder = held(SEATED)
    for second in range(101, 400):
        finder.settle(Fidget(at_s=float(second)), float(second))
        if second % 5 == 0:
            finder.take(TILE, SIZE, [] if second % 2 else [SEATED], [], float(second))
    assert finder.beside([]) == [SEATED]


def test_without_a_closer_look_who_may_have_left_is_let_go_after_a_while() -> None:
    finder = held(SEATED)
    moved = Fidget(at_s=105.0)
    finder.settle(moved, 105.0)
    finder.settle(moved, 119.0)
    assert len(finder) == 1
    finder.settle(moved, 121.0)
    assert len(finder) == 0


def test_a_look_at_a_tile_that_cuts_somebody_says_nothing_of_them() -> None:
    finder = held(SEATED)
    for look in range(9):
        finder.take(Tile(60, 0, 416, 267), SIZE, [], [], 101.0 + look)
        finder.settle(still, 101.0 + look)
    assert len(finder) == 1
