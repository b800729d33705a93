"""People pasted into other views, and garments that nobody wears."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from masked_sets import data_set, dressed

from comfywear_export.data.augment import MAP_STRIDE, View, letterbox_view
from comfywear_export.data.cutouts import Cutouts
from comfywear_export.data.datasets import Photo, read_photo, read_set
from comfywear_export.data.labels import DETECTOR_LABELS, GARMENT_LABELS

OUTER = DETECTOR_LABELS.index("outer")


def wall(size: int, known: float = 1.0) -> View:
    """A view of a white wall: everything is known, or nothing."""
    side = size // MAP_STRIDE
    garments = np.full((len(GARMENT_LABELS), side, side), known, np.float32)
    image = np.full((size, size, 3), 255, np.uint8)
    return View(image, np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.full((side, side), known), garments)


def read(photo: Photo) -> np.ndarray:
    return read_photo(photo.path)


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Photo:
    (photo,) = read_set(dressed(tmp_path_factory.mktemp("ccp")))
    return photo


@pytest.fixture(scope="module")
def outlined(tmp_path_factory: pytest.TempPathFactory) -> Photo:
    """A dark triangle of a set that says nothing of garments."""
    folder = tmp_path_factory.mktemp("teacher")
    image = {"file_name": "0.png", "width": 80, "height": 80}
    cv2.imwrite(str(folder / "0.png"), np.zeros((80, 80, 3), np.uint8))
    box = {"image_id": 0, "category_id": 0, "bbox": [20, 10, 40, 60]}
    outline = [[20, 70, 60, 70, 40, 10]]
    (photo,) = read_set(data_set(folder, [image], [box | {"segmentation": outline}], ["person"]))
    return photo


def test_only_whose_outline_is_known_is_cut_out_and_only_what_has_a_mask_is_taken_off(
    person: Photo, outlined: Photo
) -> None:
    unknown = replace(person, mask=None)
    cutouts = Cutouts([unknown, person, outlined], read)
    assert cutouts.people == [person, outlined]
    assert cutouts.dressed == [person]


def test_a_pasted_person_is_where_its_box_says_and_brings_what_its_photo_knows(person: Photo) -> None:
    cutouts = Cutouts([person], read)
    pasted = coats = 0
    for seed in range(60):
        view = cutouts.people_into(wall(160, 0.0), np.random.default_rng(seed), 1)
        ys, xs = np.nonzero((view.image < 200).any(2))
        people = view.boxes[view.classes == 0]
        if not len(people):
            continue  # nearly nothing of them came to lie inside
        (box,) = people
        pasted += 1
        # Soft edges spread a little.
        np.testing.assert_allclose(box, [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], atol=3.5)
        cells = np.s_[int(box[1] // 4) : int(np.ceil(box[3] / 4)), int(box[0] // 4) : int(np.ceil(box[2] / 4))]
        assert view.person_known[cells].all()
        assert view.person_known.sum() == view.person_known[cells].sum()
        assert view.garments_known[:, cells[0], cells[1]].all()
        for coat in view.boxes[view.classes == OUTER]:
            middle = view.image[int(coat[1] + coat[3]) // 2, int(coat[0] + coat[2]) // 2].astype(int)
            assert middle[2] > middle[1] + 60
            coats += 1
    assert pasted >= 50
    assert coats >= 40


def test_a_person_whose_photo_knows_no_garments_hides_what_the_view_knew_of_them(outlined: Photo) -> None:
    view = Cutouts([outlined], read).people_into(wall(160), np.random.default_rng(1), 1)
    (box,) = view.boxes
    x, y = ((box[:2] + box[2:]) / 2 / MAP_STRIDE).astype(int)
    assert not view.garments_known[:, y, x].any()
    assert view.person_known.all()
    corner = view.image[int(box[1]) + 1, int(box[0]) + 1]  # beside the triangle's tip
    assert corner.min() > 150


def test_people_are_pasted_from_a_dozen_pixels_up(person: Photo) -> None:
    cutouts = Cutouts([person], read)
    heights = []
    for seed in range(120):
        view = cutouts.people_into(wall(320), np.random.default_rng(seed), 1)
        heights += [float(box[3] - box[1]) for box in view.boxes[view.classes == 0]]
    assert min(heights) < 20
    assert max(heights) > 160
    assert 0.3 < np.mean(np.array(heights) < 0.3 * 320) < 0.8


def test_whoever_is_hidden_behind_a_pasted_person_is_no_longer_listed(person: Photo) -> None:
    small = np.array([[75, 75, 85, 85]], np.float32)
    hidden = 0
    for seed in range(40):
        behind = replace(wall(160), boxes=small, classes=np.array([0]))
        view = Cutouts([person], read).people_into(behind, np.random.default_rng(seed), 1)
        covered = (view.image[75:85, 75:85] < 200).any(2).mean()
        listed = bool((view.boxes == small[0]).all(1).any())
        if covered > 0.8:
            assert not listed
            hidden += 1
        elif covered < 0.4:
            assert listed
    assert hidden >= 3


def test_garments_without_their_wearer_are_no_person_and_of_no_asked_kind(person: Photo) -> None:
    cutouts = Cutouts([person], read)
    seen = 0
    for seed in range(40):
        view = cutouts.garments_into(wall(160, 0.0), np.random.default_rng(seed))
        assert not len(view.boxes)
        assert not view.garments_known.any()
        pasted = (view.image[..., 1] < 100).reshape(40, 4, 40, 4).any((1, 3))
        seen += int(pasted.any())
        assert (view.person_known[pasted] == 1).all()
        green = view.image[..., 1].astype(int) - view.image[..., 2]
        assert green.max() < 30, "skin came along"
    assert seen >= 35


def test_garments_left_in_front_of_somebody_hide_only_what_they_cover(person: Photo) -> None:
    boxes = np.array([[0, 0, 160, 160]], np.float32)
    view = replace(wall(160), boxes=boxes, classes=np.array([0]))
    after = Cutouts([person], read).garments_into(view, np.random.default_rng(3))
    assert after.boxes.tolist() == boxes.tolist()
    assert (view.image == 255).all(), "the view that came in stays as it was"
    assert view.garments_known.all()


@pytest.mark.parametrize("shape", [(300, 20), (20, 300), (64, 64), (9, 200)])
@given(seed=st.integers(0, 2**32 - 1), size=st.sampled_from([32, 64, 160]), garments=st.booleans())
def test_no_cut_out_however_wide_or_tall_breaks_a_view(
    tmp_path_factory: pytest.TempPathFactory, shape: tuple[int, int], seed: int, size: int, garments: bool
) -> None:
    """A person who lies is wider than the view when as high as others are."""
    folder = tmp_path_factory.getbasetemp() / f"shape-{shape[0]}-{shape[1]}"
    if not folder.exists():
        dressed(folder, *shape)
    (photo,) = read_set(folder)
    start = letterbox_view(photo, read(photo), size)
    cutouts, rng = Cutouts([photo], read), np.random.default_rng(seed)
    view = cutouts.garments_into(start, rng) if garments else cutouts.people_into(start, rng, 6)
    assert view.image.shape == (size, size, 3)
    assert view.image.dtype == np.uint8
    assert len(view.boxes) == len(view.classes)
    assert (view.boxes >= 0).all()
    assert (view.boxes <= size).all()
    assert (view.boxes[:, 2:] > view.boxes[:, :2]).all()
    assert set(np.unique(view.person_known)) <= {0, 1}
    assert view.garments_known.shape == start.garments_known.shape
    if garments:
        assert len(view.boxes) <= len(start.boxes)
