"""Figures: placed by box and garments, in the garments' colours, with nothing of the picture below them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from comfywear.records import Box, ColourShare, Garment, Person
from comfywear.vision.drawing.figures import FigurePose, draw_figures, posture_of

GREY = 128
RED, BLUE, GREEN = (200, 30, 40), (30, 60, 200), (40, 150, 60)


def worn(kind: str, rgb: tuple[int, int, int], box: Box | None = None) -> Garment:
    return Garment(kind, 0.9, box, (ColourShare("", 1.0, rgb),))


def person(box: Box, *garments: Garment) -> Person:
    return Person(7, box, 0.9, garments, {}, 0.0, "desk")


def drawn(*people: Person) -> NDArray[np.uint8]:
    return draw_figures(np.full((480, 640, 3), GREY, np.uint8), people)


def where(image: NDArray[np.uint8], rgb: tuple[int, int, int]) -> NDArray[np.bool_]:
    return np.asarray((image == rgb[::-1]).all(axis=2))


@pytest.mark.parametrize(
    ("box", "garments", "posture"),
    [
        ((100, 40, 220, 440), (), "standing"),
        ((100, 40, 300, 340), (worn("trousers", BLUE),), "sitting"),
        ((100, 40, 300, 340), (worn("top", RED),), "cut"),
        ((100, 40, 300, 240), (worn("top", RED, (110, 60, 290, 225)),), "above"),
        ((100, 40, 300, 240), (worn("top", RED, (110, 140, 290, 240)),), "cut"),
    ],
)
def test_how_somebody_is_placed_follows_from_the_box_and_the_garments(
    box: Box, garments: tuple[Garment, ...], posture: FigurePose
) -> None:
    assert posture_of(person(box, *garments)) == posture


def test_a_figure_wears_the_colours_that_were_recognised_where_they_are_worn() -> None:
    image = drawn(person((200, 40, 320, 440), worn("top", RED), worn("trousers", BLUE), worn("hat", GREEN)))
    middle = [np.nonzero(where(image, rgb).any(axis=1))[0].mean() for rgb in (GREEN, RED, BLUE)]
    assert all(where(image, rgb).sum() > 200 for rgb in (GREEN, RED, BLUE))
    assert middle == sorted(middle), "the hat above the top above the trousers"


def test_garments_of_one_part_of_the_body_differ_in_shape() -> None:
    box = (200.0, 40.0, 320.0, 440.0)
    shapes = [
        where(drawn(person(box, worn(kind, RED))), RED)
        for kind in ("trousers", "shorts", "skirt", "dress", "outer", "top")
    ]
    for index, shape in enumerate(shapes):
        for other in shapes[index + 1 :]:
            assert (shape & other).sum() < 0.8 * (shape | other).sum()
    lowest = [np.nonzero(shape.any(axis=1))[0].max() for shape in shapes]
    assert lowest[0] > lowest[2] > lowest[1]
    assert lowest[4] > lowest[5]


def test_somebody_cut_by_a_desk_has_no_legs_below_the_box_and_who_is_unknown_is_paper() -> None:
    image = drawn(person((200, 200, 320, 330), worn("top", RED)))
    assert (image[332:] == GREY).all()
    assert (drawn(person((200, 40, 320, 440))) != GREY).any(axis=2).sum() > 5000


def test_the_picture_is_not_changed_and_the_comfort_of_the_zone_is_on_the_tag() -> None:
    image = np.full((480, 640, 3), GREY, np.uint8)
    someone = person((200, 100, 320, 440))
    tags = [
        draw_figures(image, [someone], {"desk": comfort})[60:100] for comfort in ((1, -1.0), (5, 0.1), (None, None))
    ]
    assert (image == GREY).all()
    assert (tags[0] != tags[1]).any()
    assert (tags[1] != tags[2]).any()


number = st.floats(-3000, 3000, allow_nan=False)
kinds = st.sampled_from(
    ["top", "knit", "outer", "dress", "trousers", "skirt", "shorts", "footwear", "bag", "hat", "tie"]
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(number, number, number, number), max_size=3), st.lists(kinds, max_size=5))
def test_no_box_and_no_garments_break_the_drawing(boxes: list[Box], names: list[str]) -> None:
    people = [person(box, *(worn(name, RED, box) for name in names), Garment("top", 0.2)) for box in boxes]
    assert draw_figures(np.zeros((90, 120, 3), np.uint8), people).shape == (90, 120, 3)


def test_on_a_dark_ground_the_outlines_are_light_and_a_black_coat_is_seen() -> None:
    ground = np.full((480, 640, 3), 40, np.uint8)
    somebody = person((200, 40, 320, 440), worn("outer", (20, 20, 22)))
    light, dark = (draw_figures(ground, [somebody], dark=dark).astype(int) for dark in (False, True))
    coat = (slice(120, 260), slice(200, 320))
    assert (dark[coat].min(axis=2) > 150).sum() > 100
    assert (light[coat].min(axis=2) > 150).sum() < (dark[coat].min(axis=2) > 150).sum()
