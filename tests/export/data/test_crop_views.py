"""Crops of persons as rooms give them, and what can still be said of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear_export.data.attribute_data import Example
from comfywear_export.data.crop_views import answers_seen, behind_desk, coarse, from_above, stretched, upper_bodies
from comfywear_export.data.labels import ATTRIBUTE_LABELS, NEEDS_LEGS
from comfywear_export.data.wearing import extents

BOX = np.array([0, 0, 40, 100], np.float32)
NAMES = {name: frozenset({name}) for name in ("shirt", "jeans", "bag", "dress", "skirt", "coat")}


def wearing(places: dict[str, list[float]], yes: tuple[str, ...] = (), no: tuple[str, ...] = ()) -> Example:
    """Somebody of whom everything is known: what has a place or is in `yes` is right, all else (or `no`) wrong."""
    found = extents({name: [box] for name, box in places.items()}, NAMES)
    answers = (~np.isnan(found[:, 0])).astype(np.float32)
    for value, labels in ((1, yes), (0, no)):
        for label in labels:
            answers[ATTRIBUTE_LABELS.index(label)] = value
    return Example(Path("x.jpg"), BOX, answers, places=found)


def said(example: Example, bottom: float, label: str, cut: bool = True) -> float:
    answers = answers_seen(example, np.array([0, 0, 40, bottom]), cut)
    return float(answers[ATTRIBUTE_LABELS.index(label)])


def test_what_lies_below_the_picture_is_not_worn_there_and_a_piece_of_it_is_unknown() -> None:
    person = wearing({"shirt": [5, 15, 35, 45], "jeans": [5, 45, 35, 95], "coat": [5, 15, 35, 75]})
    assert said(person, 100, "group/trousers", cut=False) == 1
    assert said(person, 44, "group/trousers") == 0
    assert said(person, 48, "group/trousers") == 0
    assert np.isnan(said(person, 60, "group/trousers"))
    assert said(person, 75, "group/trousers") == 1
    assert said(person, 44, "garment/jeans") == said(person, 44, "upar/LowerBody-Type-Trousers&Shorts") == 0
    assert said(person, 44, "group/top") == 1
    assert said(person, 30, "group/outer") == 1  # a piece of it tells that there is one,
    assert np.isnan(said(person, 30, "garment/coat"))  # not that it is long
    assert said(person, 44, "group/shorts") == said(person, 44, "group/hat") == 0


def test_how_long_a_garment_is_can_be_told_where_its_end_shows() -> None:
    long = wearing({"jeans": [5, 45, 35, 95]}, no=("leg/short",))
    assert said(long, 100, "leg/short", cut=False) == 0
    assert said(long, 90, "leg/short") == 0
    assert np.isnan(said(long, 70, "leg/short"))
    assert np.isnan(said(wearing({}), 50, "leg/short"))


def test_without_places_what_needs_legs_is_unknown_where_they_are_missing() -> None:
    tagged = wearing({}, yes=("group/trousers", "group/top"))
    assert np.isnan(said(tagged, 50, "group/trousers"))
    assert said(tagged, 50, "group/trousers", cut=False) == 1
    assert (said(tagged, 50, "group/top"), said(tagged, 50, "group/shorts")) == (1, 0)


@given(st.floats(1, 120), st.booleans())
def test_nothing_becomes_a_yes_and_a_no_to_what_is_worn_stays_one(bottom: float, cut: bool) -> None:
    person = wearing({"shirt": [5, 15, 35, 45], "skirt": [5, 45, 35, 70], "bag": [30, 40, 40, 60]})
    answers = answers_seen(person, np.array([0, 0, 40, bottom]), cut)
    assert not ((answers == 1) & (person.answers == 0)).any()
    kept = np.array([label not in NEEDS_LEGS for label in ATTRIBUTE_LABELS]) & (person.answers == 0)
    assert (answers[kept] == 0).all()


def test_from_above_feet_are_smaller_than_heads_and_masks_go_along() -> None:
    photo = np.zeros((200, 120, 3), np.uint8)
    photo[30:170, 40:80] = 200  # a post as wide below as above
    mask = (photo[..., 0] > 0).astype(np.uint8)
    rng = np.random.default_rng(0)
    for _ in range(20):
        corners = from_above(np.array([20, 20, 100, 180], np.float32), rng)
        post = stretched(photo, corners, (160, 80))[..., 0] > 100
        labels = stretched(mask, corners, (160, 80), labels=True)
        assert set(np.unique(labels)) <= {0, 1}
        assert (post == (labels > 0)).mean() > 0.95
        rows = np.flatnonzero(post.any(1))
        third = len(rows) // 3
        widths = post[rows].sum(1)
        assert np.median(widths[-third:]) < np.median(widths[:third])


def test_corners_of_a_box_are_the_box() -> None:
    photo = np.random.default_rng(1).integers(0, 255, (60, 40, 3)).astype(np.uint8)
    corners = np.array([[4, 8], [36, 8], [36, 48], [4, 48]], np.float32)
    np.testing.assert_array_equal(stretched(photo, corners, (40, 32)), photo[8:48, 4:36])


def test_a_desk_covers_what_is_below_and_leaves_what_is_above() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (320, 160, 3)).astype(np.uint8)
    out = behind_desk(picture, 0.4, np.random.default_rng(2))
    np.testing.assert_array_equal(out[:128], picture[:128])
    assert out[128:].std((0, 1)).max() < 60 < picture[128:].std((0, 1)).min()


def test_a_coarse_crop_has_few_pixels_and_its_colours() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (320, 160, 3)).astype(np.uint8)
    for seed in range(10):
        out = coarse(picture, np.random.default_rng(seed))
        assert out.shape == picture.shape
        assert np.abs(np.diff(out.astype(int), axis=0)).mean() < np.abs(np.diff(picture.astype(int), axis=0)).mean() / 5
        np.testing.assert_allclose(out.mean((0, 1)), picture.mean((0, 1)), atol=6)


@pytest.mark.parametrize(
    ("places", "bottom"),
    [
        ({"shirt": [5, 15, 35, 47], "jeans": [5, 45, 35, 95]}, 42),
        ({"dress": [5, 15, 35, 70]}, None),
        ({"shirt": [5, 15, 35, 47]}, None),
        ({"skirt": [5, 10, 35, 70]}, None),  # over the face: a label gone wrong
    ],
)
def test_upper_bodies_end_above_what_is_worn_below(places: dict[str, list[float]], bottom: float | None) -> None:
    found = upper_bodies([wearing(places)])
    assert len(found) == (bottom is not None)
    for example in found:
        assert float(example.box[3]) == pytest.approx(bottom)
        assert example.answers[ATTRIBUTE_LABELS.index("group/trousers")] == 0
        assert example.answers[ATTRIBUTE_LABELS.index("group/top")] == 1
