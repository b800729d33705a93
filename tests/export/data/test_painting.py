"""What the painter is shown of a picture: edges by its own brightness, garments' colours, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from comfywear_export.cli import main
from comfywear_export.data.datasets import read_set
from comfywear_export.data.painting import (
    CHANNELS,
    COLOURS,
    SIDE,
    Original,
    Paintings,
    choices_of,
    colours_of,
    edges_of,
    hints_of,
)


def door(ground: int, contrast: int) -> NDArray[np.uint8]:
    """A door in a wall, both grey."""
    image = np.full((120, 160, 3), ground, np.uint8)
    image[30:120, 60:100] = ground - contrast
    return image


@pytest.mark.parametrize(("ground", "contrast", "found"), [(60, 30, True), (220, 30, False), (220, 120, True)])
def test_what_an_edge_is_goes_by_the_median_brightness(ground: int, contrast: int, found: bool) -> None:
    edges = edges_of(door(ground, contrast))
    assert set(np.unique(edges)) <= {0, 1}
    assert bool(edges[60:110, 57:63].any()) == found
    assert not edges[:, :50].any()


def test_grain_in_the_dark_is_no_edge() -> None:
    dark = np.random.default_rng(0).integers(0, 4, (120, 160, 3)).astype(np.uint8)
    assert not edges_of(dark).any()


def test_a_garment_is_a_box_in_the_colour_of_its_middle_and_elsewhere_no_colour_is_said() -> None:
    image = np.full((240, 320, 3), 200, np.uint8)
    image[60:180, 80:160] = (10, 20, 250)
    hints = hints_of(image, [(60, 40, 180, 200)])
    inside = np.zeros((SIDE, SIDE), np.bool_)
    inside[int(40 / 240 * SIDE) : int(np.ceil(200 / 240 * SIDE)), int(60 / 320 * SIDE) : 180 * SIDE // 320] = True
    assert hints.shape == (SIDE, SIDE, len(CHANNELS))
    np.testing.assert_array_equal(hints[:, :, 1] > 0, inside)
    np.testing.assert_allclose(hints[inside][:, 2:], np.tile((10, 20, 250), (inside.sum(), 1)) / 255, atol=0.01)
    assert not hints[~inside][:, 2:].any()
    # Without garments two pictures of the same edges look alike, whatever their colours.
    flat = [np.full((240, 320, 3), colour, np.uint8) for colour in ((200, 60, 60), (60, 60, 200))]
    np.testing.assert_array_equal(hints_of(flat[0]), hints_of(flat[1]))


@pytest.mark.parametrize("box", [(-90, -90, -10, -10), (500, 10, 600, 90), (50, 50, 50, 50), (-50, -50, 9999, 9999)])
def test_a_garment_outside_the_picture_is_none_and_one_across_its_border_is_cut(box: tuple[int, ...]) -> None:
    hints = hints_of(np.full((240, 320, 3), 90, np.uint8), [box])
    assert hints[:, :, 1].mean() == (1.0 if box[2] == 9999 else 0.0)


@given(st.integers(0, 2**32 - 1))
def test_a_posterised_picture_is_as_near_as_its_steps_allow_and_has_no_other_colours(seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    choices = choices_of(image)
    assert choices.min() >= 0
    assert choices.max() < COLOURS
    poster = colours_of(choices)
    assert np.abs(poster.astype(int) - image).max() <= 32
    assert set(np.unique(poster)) <= {32, 96, 160, 224}
    np.testing.assert_array_equal(choices_of(poster), choices)


def test_a_batch_is_the_same_again_from_its_number_and_mirrors_garments_with_their_photo(tmp_path: Path) -> None:
    photo = np.full((128, 96, 3), 128, np.uint8)
    photo[40:80, 10:40] = (0, 0, 255)
    cv2.imwrite(str(tmp_path / "one.png"), photo)
    data = {
        "images": [{"id": 1, "file_name": "one.png", "width": 96, "height": 128, "split": "train"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 40, 30, 40]}],
        "categories": [{"id": 1, "name": "shirt"}],
    }
    (tmp_path / "instances.json").write_text(json.dumps(data))
    (found,) = read_set(tmp_path, "train")
    batches = Paintings([Original(found, found.boxes)], 5, 8)
    first = batches[0]
    np.testing.assert_array_equal(first["hints"], batches[0]["hints"])
    assert (first["choices"] != batches[1]["choices"]).any()
    sides = set()
    for hints, choices in zip(first["hints"], first["choices"], strict=True):
        red = np.isin(choices, [2, 3])  # neither blue nor green
        garment = hints[:, :, 1] > 0
        assert (red & garment).sum() > 0.95 * red.sum() > 0
        assert garment.sum() < 1.3 * red.sum()
        sides.add(bool(np.nonzero(garment)[1].mean() > SIDE / 2))
    assert sides == {False, True}


def test_sets_that_are_not_there_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "painter", "--data", str(tmp_path), "--out", str(tmp_path / "run")]
    assert main(words) == 2
    shown = capsys.readouterr().err
    assert "instances.json" in shown or "scripts/setup --export" in shown
