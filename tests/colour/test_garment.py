"""Garment colours from a box: the garment, not what the box also holds."""

from __future__ import annotations

import numpy as np
import pytest

from comfywear.colour import garment_colours, grey_world_gains, linear_to_rgb, rgb_to_linear, to_uint8
from comfywear.errors import UsageError

_RED, _GREEN, _BLUE = (190, 20, 30), (20, 110, 40), (30, 60, 190)
_BOX = (60.0, 40.0, 140.0, 160.0)


def _street() -> np.ndarray:
    """A narrow red garment in the middle of its box, on green with a little noise."""
    rng = np.random.default_rng(7)
    picture = np.full((200, 200, 3), _GREEN, dtype=np.int64)
    picture[40:160, 85:115] = _RED
    return to_uint8(picture + rng.integers(-6, 7, picture.shape))


def test_a_garment_that_fills_little_of_its_box_is_still_named():
    inside = _street()[40:160, 60:140].reshape(-1, 3)
    assert (inside[:, 0] > 128).mean() < 0.4  # most of the box is green
    found = garment_colours(_street(), _BOX)
    assert found[0].name == "red"
    assert found[0].share > 0.7
    np.testing.assert_allclose(found[0].rgb, _RED, atol=6)


def test_what_lies_in_front_is_left_to_its_own_box():
    picture = _street()
    picture[40:160, 60:140] = _RED
    bag = (75.0, 60.0, 125.0, 140.0)
    picture[60:140, 75:125] = _BLUE
    assert garment_colours(picture, _BOX)[0].name == "blue"
    assert garment_colours(picture, _BOX, [bag])[0].name == "red"
    assert garment_colours(picture, bag, [_BOX])[0].name == "blue"


def test_two_coloured_garments_have_two_colours_heaviest_first():
    picture = _street()
    picture[40:130, 60:140] = _RED
    picture[130:160, 60:140] = _BLUE
    found = garment_colours(picture, _BOX)
    assert [colour.name for colour in found] == ["red", "blue"]
    assert found[0].share > found[1].share >= 0.1
    assert sum(colour.share for colour in found) <= 1.0 + 1e-9


def test_at_most_n_colours_come_back():
    assert len(garment_colours(_street(), _BOX, n=1)) == 1


def test_it_is_deterministic():
    assert garment_colours(_street(), _BOX) == garment_colours(_street(), _BOX)


@pytest.mark.parametrize(
    "box", [(-50.0, -50.0, 250.0, 250.0), (199.2, 199.2, 199.8, 199.8), (150.0, 0.0, 400.0, 30.0), (0.0, 0.0, 3.0, 3.0)]
)
def test_boxes_at_and_beyond_the_edge_of_the_frame_are_no_trouble(box):
    found = garment_colours(_street(), box)
    assert found
    assert all(0.0 < colour.share <= 1.0 for colour in found)


@pytest.mark.parametrize("box", [(300.0, 300.0, 320.0, 320.0), (-90.0, 10.0, -30.0, 60.0)])
def test_a_box_outside_the_frame_has_no_colours(box):
    assert garment_colours(_street(), box) == ()


def test_white_balance_takes_a_cast_away_and_is_off_by_default():
    rng = np.random.default_rng(8)
    grey = to_uint8(np.repeat(rng.integers(90, 200, (120, 120, 1)), 3, axis=2))
    warm = to_uint8(linear_to_rgb(np.clip(rgb_to_linear(grey) * (1.6, 1.0, 0.35), 0, 1)))
    box = (30.0, 30.0, 90.0, 90.0)
    assert garment_colours(warm, box)[0].name != "grey"
    assert garment_colours(warm, box, white_balance=True)[0].name == "grey"


def test_a_grey_frame_needs_no_balance():
    np.testing.assert_allclose(grey_world_gains(np.full((16, 16, 3), 77, dtype=np.uint8)), 1.0)


def test_bad_pictures_and_boxes_are_refused_with_what_was_expected():
    with pytest.raises(UsageError, match=r"uint8 array of the shape \(H, W, 3\), got float64"):
        garment_colours(_street().astype(float), _BOX)
    with pytest.raises(UsageError, match="got list"):
        garment_colours([[0, 0, 0]], _BOX)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no pixels"):
        garment_colours(np.empty((0, 5, 3), dtype=np.uint8), _BOX)
    with pytest.raises(UsageError, match="x1 ≤ x2"):
        garment_colours(_street(), (140.0, 40.0, 60.0, 160.0))
    with pytest.raises(UsageError, match="four finite numbers"):
        garment_colours(_street(), _BOX, [(0.0, 0.0, float("nan"), 1.0)])
    with pytest.raises(UsageError, match="n=0"):
        garment_colours(_street(), _BOX, n=0)
