"""Crops of persons, as the attribute model gets them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.vision.attributes import shape_crop
from comfywear_export.data.crops import cut_out, jitter

NUMBER = st.floats(-200, 400)


def test_a_crop_is_stretched_and_its_channels_turned() -> None:
    crop = np.zeros((30, 10, 3), np.uint8)
    crop[..., 0] = 200  # blue, as OpenCV has it
    shaped = shape_crop(crop, 256, 128)
    assert shaped.shape == (256, 128, 3)
    assert (shaped == (0, 0, 200)).all()


@settings(deadline=None)
@given(st.tuples(NUMBER, NUMBER, NUMBER, NUMBER))
def test_any_box_cuts_at_least_one_pixel_out_of_the_photo(box: tuple[float, float, float, float]) -> None:
    photo = np.arange(100 * 60 * 3, dtype=np.uint8).reshape(100, 60, 3)
    part = cut_out(photo, np.array(box))
    assert part.shape[0] >= 1
    assert part.shape[1] >= 1


def test_a_box_inside_is_cut_out_exactly() -> None:
    photo = np.random.default_rng(0).integers(0, 255, (100, 60, 3)).astype(np.uint8)
    np.testing.assert_array_equal(cut_out(photo, np.array([10, 20, 30, 50])), photo[20:50, 10:30])


def test_boxes_vary_as_a_detector_would_and_close_ups_lose_the_legs() -> None:
    rng = np.random.default_rng(3)
    box = np.array([100, 100, 200, 500], np.float32)
    views = [jitter(box, rng) for _ in range(400)]
    heights = np.array([view[3] - view[1] for view, _ in views])
    cut = np.array([legs for _, legs in views])
    assert 0.15 < cut.mean() < 0.35
    assert heights[cut].max() < 400 < heights[~cut].max()
    assert heights[~cut].min() > 250
    assert np.std([view[0] for view, _ in views]) > 1


@pytest.mark.parametrize("side", [1, 1000])
def test_crops_of_any_size_are_shaped(side: int) -> None:
    assert shape_crop(np.zeros((side, side, 3), np.uint8), 256, 128).shape == (256, 128, 3)
