"""The annotated picture: sizes, what is coloured where, and nothing that a strange box could break."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.errors import UsageError
from comfywear.records import ColourShare, Garment, Person
from comfywear.vision.drawing.persons_picture import annotate
from comfywear.vision.drawing.text import text_width, wrap

RED = ColourShare("red", 0.9, (210, 20, 30))


def person(box: tuple[float, float, float, float], garments: tuple[Garment, ...] = ()) -> Person:
    return Person(3, box, 0.8, garments, {}, 1.0, "room")


def test_persons_and_garments_are_drawn_with_the_garments_colour_and_the_picture_is_not_changed() -> None:
    image = np.full((480, 640, 3), 120, np.uint8)
    top = Garment("top", 0.8, (200, 150, 400, 330), (RED,))
    drawn = annotate(image, [person((150, 50, 450, 470), (top,))])
    assert drawn.shape == (480, 640, 3)
    assert (image == 120).all()
    assert (drawn == (30, 20, 210)).all(axis=2).sum() > 80
    assert not (annotate(image, [])[..., 0] != 120).any()


@pytest.mark.parametrize(("shape", "height"), [((120, 160), 480), ((600, 512), 600), ((2400, 1800), 1280)])
def test_the_result_has_a_readable_height(shape: tuple[int, int], height: int) -> None:
    drawn = annotate(np.zeros((*shape, 3), np.uint8), [], ["AIR   23 °C"])
    assert drawn.shape[0] == height
    assert drawn.shape[1] > round(shape[1] * height / shape[0])


def test_a_long_panel_makes_the_picture_higher_and_bars_are_drawn() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    drawn = annotate(image, [], [f"LINE {i}   some words" for i in range(60)])
    assert drawn.shape[0] > 480
    low, high = (annotate(image, [], [f"cold {bar} hot"])[:, 640:] for bar in ("▁▁▁", "███"))
    bar_colour = (150, 205, 250)
    assert (high == bar_colour).all(axis=2).sum() > 4 * (low == bar_colour).all(axis=2).sum() > 0


def test_lines_are_broken_where_they_do_not_fit() -> None:
    lines = wrap("take off the jacket: the expected vote falls by almost half a step", 15, 200)
    assert len(lines) > 1
    assert all(text_width(line, 15) <= 200 for line in lines)
    assert " ".join(lines).split() == [
        "take",
        "off",
        "the",
        "jacket:",
        "the",
        "expected",
        "vote",
        "falls",
        "by",
        "almost",
        "half",
        "a",
        "step",
    ]
    assert wrap("", 15, 200) == []


number = st.floats(-3000, 3000, allow_nan=False)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(number, number, number, number), max_size=4), st.text(max_size=40))
def test_no_box_and_no_text_breaks_the_drawing(boxes: list[tuple[float, float, float, float]], text: str) -> None:
    image = np.zeros((90, 120, 3), np.uint8)
    people = [person(box, (Garment("bag", 0.5, box, (RED, RED)), Garment("hat", 0.4))) for box in boxes]
    assert annotate(image, people, [text], height=120).dtype == np.uint8


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UsageError, match="a picture must be"):
        annotate(np.zeros((10, 10), np.uint8), [])
