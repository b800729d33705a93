"""Looking closer, in tiles: geometry, with a detector that stands in."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from blobs import Blobs, room
from hypothesis import given
from hypothesis import strategies as st

from comfywear.errors import UsageError
from comfywear.records import Box, Detection
from comfywear.vision.close_look import look_closely
from comfywear.vision.far_look import Tile, merged, tile_finds, tiles_of


@given(st.integers(8, 2000), st.integers(8, 2000), st.integers(1, 4), st.floats(0, 0.6))
def test_tiles_cover_the_picture_and_overlap_as_asked(width: int, height: int, tiles: int, overlap: float) -> None:
    places = tiles_of(width, height, tiles, overlap)
    assert len(places) == tiles * tiles
    covered = np.zeros((height, width), bool)
    for tile in places:
        assert 0 <= tile.left < tile.right <= width
        assert 0 <= tile.top < tile.bottom <= height
        covered[tile.top : tile.bottom, tile.left : tile.right] = True
    assert covered.all()
    for one, other in itertools.pairwise(places):
        if one.top == other.top:
            shared = (one.right - other.left) / (one.right - one.left)
            assert shared == pytest.approx(overlap, abs=3.0 / (one.right - one.left))


def test_a_far_person_that_the_whole_picture_is_too_small_for_is_found_in_a_tile() -> None:
    image = room((40, 30, 60, 70), (500, 100, 580, 440))
    detector = Blobs(sees=0.12)
    assert [d.box for d in detector.detect(image)] == [(500.0, 100.0, 580.0, 440.0)]
    assert [d.box for d in look_closely(detector, image)] == [(500.0, 100.0, 580.0, 440.0), (40.0, 30.0, 60.0, 70.0)]


def test_a_find_that_an_inner_border_cuts_is_dropped_and_one_at_the_edge_of_the_picture_stays() -> None:
    upper_left = tiles_of(640, 480)[0]
    assert upper_left == Tile(0, 0, 356, 267)
    image = room((0, 0, 30, 60), (330, 100, 400, 200), (100, 240, 130, 300))
    assert [d.box for d in tile_finds(Blobs(), image, upper_left)] == [(0.0, 0.0, 30.0, 60.0)]
    lower_right = tiles_of(640, 480)[-1]
    assert [d.box for d in tile_finds(Blobs(), room((600, 400, 640, 480)), lower_right)] == [
        (600.0, 400.0, 640.0, 480.0)
    ]


def test_a_person_across_all_tiles_is_reported_once_and_whole() -> None:
    found = look_closely(Blobs(), room((100, 50, 540, 430)))
    assert [d.box for d in found] == [(100.0, 50.0, 540.0, 430.0)]


def test_a_person_in_the_overlap_of_tiles_is_reported_once_with_the_best_score() -> None:
    image = room((300, 220, 340, 260))
    (found,) = look_closely(Blobs(), image)
    assert found.box == (300.0, 220.0, 340.0, 260.0)
    assert found.score == pytest.approx(40 / 267)


def test_persons_come_first_and_labels_do_not_suppress_each_other() -> None:
    image = room((20, 20, 40, 60)) + room((200, 20, 220, 40), level=128)
    found = look_closely(Blobs(), image, threshold=0.04)
    assert [d.label for d in found] == ["person", "bag"]
    box: Box = (0.0, 0.0, 10.0, 10.0)
    same = [Detection(box, 0.5, "bag"), Detection(box, 0.4, "person"), Detection(box, 0.9, "bag")]
    assert merged(same, ["person", "bag"]) == [same[1], same[2]]


def test_garments_of_a_tile_count_for_whom_it_alone_shows_as_on_the_device() -> None:
    detector = Blobs(sees=0.2)
    far = room((40, 30, 120, 120))
    far[50:110, 60:90] = 128
    assert [d.label for d in look_closely(detector, far, threshold=0.1)] == ["person", "bag"]
    near = room((400, 40, 620, 470))
    near[300:360, 450:480] = 128
    lower_right = tiles_of(640, 480)[-1]
    assert [d.label for d in tile_finds(detector, near, lower_right)] == ["bag"]
    assert [d.label for d in look_closely(detector, near, threshold=0.1)] == ["person"]


def test_the_threshold_holds_for_the_whole_picture_and_for_tiles() -> None:
    image = room((40, 30, 60, 70))
    assert look_closely(Blobs(), image, threshold=0.2) == []
    assert len(look_closely(Blobs(), image, threshold=0.14)) == 1


def test_three_by_three_looks_ten_times_and_only_chosen_tiles_are_looked_at() -> None:
    detector = Blobs()
    look_closely(detector, room(), tiles=3)
    assert len(detector.shapes) == 10
    detector.shapes.clear()
    look_closely(detector, room(), only=[Tile(0, 0, 100, 50)])
    assert detector.shapes == [(480, 640, 3), (50, 100, 3)]


def test_of_a_detector_in_two_parts_the_one_for_persons_looks_at_tiles() -> None:
    whole, persons = Blobs(), Blobs()
    whole.persons = persons  # type: ignore[attr-defined]
    look_closely(whole, room())
    assert (len(whole.shapes), len(persons.shapes)) == (1, 4)


@pytest.mark.parametrize(("tiles", "overlap"), [(0, 0.2), (2, 1.0), (2, -0.1), (500, 0.2)])
def test_tiles_that_cannot_be_are_refused(tiles: int, overlap: float) -> None:
    with pytest.raises(UsageError, match="tiles"):
        look_closely(Blobs(), room(), tiles, overlap)
