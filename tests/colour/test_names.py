"""Names: what people said, shares, tone words, and the ways in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from comfywear.colour import (
    BASIC_TERMS,
    basic_name,
    basic_names,
    basic_terms,
    extract_palette,
    name_probabilities,
    names_with_shares,
    tone_words,
)
from comfywear.errors import UsageError

# Five colours of the survey's users with their most frequent answers; only the first is clear-cut.
_HARD = [(135, 129, 123), (113, 85, 81), (62, 48, 43), (217, 163, 142)]
pixels = arrays(np.uint8, st.tuples(st.integers(1, 40), st.just(3)))


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((0, 0, 0), "black"),
        ((255, 255, 255), "white"),
        ((128, 128, 128), "grey"),
        ((255, 0, 0), "red"),
        ((0, 255, 0), "green"),
        ((255, 255, 0), "yellow"),
        ((0, 0, 255), "blue"),
        ((110, 60, 20), "brown"),
        ((255, 128, 0), "orange"),
        ((255, 150, 200), "pink"),
        ((128, 0, 160), "purple"),
    ],
)
def test_the_focal_colours_have_their_names(rgb, name):
    assert basic_names([rgb]) == [name]


def test_colours_that_plain_distance_gets_wrong_are_named_as_people_do():
    assert basic_names(_HARD) == ["grey", "brown", "brown", "pink"]


def test_a_colour_that_people_disagree_on_has_two_names_with_shares():
    clear, brown, dark, _ = names_with_shares(_HARD)
    assert [name for name, _ in clear] == ["grey"]
    assert [name for name, _ in brown] == ["brown", "grey"]
    assert [name for name, _ in dark] == ["brown", "grey"]
    assert brown[0][1] > brown[1][1] >= 0.2
    assert brown[0][1] < 2 / 3


@settings(max_examples=40, deadline=None)
@given(pixels)
def test_shares_are_probabilities_and_the_largest_is_the_name(rgb):
    shares = name_probabilities(rgb)
    assert shares.shape == (len(rgb), 11)
    assert shares.min() >= 0
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    assert [BASIC_TERMS[k] for k in shares.argmax(axis=1)] == basic_names(rgb)


@settings(max_examples=40, deadline=None)
@given(pixels)
def test_every_way_in_gives_the_same_name(rgb):
    together = basic_names(rgb)
    assert [basic_name(*colour) for colour in rgb.tolist()] == together
    assert [basic_names(colour)[0] for colour in rgb] == together
    if rgb.max() != 1:  # floats that are all within 0…1 are refused
        assert basic_names(rgb.astype(np.float32)) == together
    assert basic_names(rgb.tolist()) == together
    assert [BASIC_TERMS[k] for k in basic_terms(rgb[None])[0]] == together


@settings(max_examples=40, deadline=None)
@given(pixels, st.randoms(use_true_random=False))
def test_names_do_not_depend_on_the_neighbours(rgb, random):
    order = list(range(len(rgb)))
    random.shuffle(order)
    names = basic_names(rgb)
    assert basic_names(rgb[order]) == [names[k] for k in order]


def test_the_table_names_every_term_somewhere_and_nothing_else():
    axis = np.arange(2, 256, 4)
    cube = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    assert set(np.unique(basic_terms(cube)).tolist()) == set(range(11))


def test_colours_out_of_gamut_count_as_the_nearest_byte():
    assert basic_names([(-31.0, 120.0, 300.0)]) == basic_names([(0, 120, 255)])
    assert basic_names([(-31.0, 120.0, 300.0)] * 2) == basic_names([(0, 120, 255)] * 2)


def test_no_colours_have_no_names():
    assert basic_names(np.empty((0, 3), dtype=np.uint8)) == []
    assert name_probabilities(np.empty((0, 3))).shape == (0, 11)


def test_tone_words_tell_colours_of_one_name_apart():
    assert tone_words([(0, 0, 110), (190, 220, 245), (20, 60, 250)]) == ["dark", "pale", "vivid"]
    assert tone_words([(60, 60, 60), (215, 215, 215), (128, 128, 128)]) == ["dark", "light", ""]
    assert tone_words([(0, 0, 0), (255, 255, 255)]) == ["", ""]


@pytest.mark.parametrize("call", [basic_names, name_probabilities, names_with_shares, tone_words])
def test_bad_colours_are_refused_with_what_was_expected(call):
    with pytest.raises(UsageError, match=r"shape \(…, 3\), got \(2, 4\)"):
        call(np.zeros((2, 4)))
    with pytest.raises(UsageError, match=r"shape \(N, 3\), got \(2, 2, 3\)"):
        call(np.zeros((2, 2, 3)))
    with pytest.raises(UsageError, match="integers or floats"):
        call([("a", "b", "c")])


@pytest.mark.parametrize("call", [basic_names, name_probabilities, names_with_shares, tone_words, extract_palette])
def test_floats_from_0_to_1_are_not_silently_black(call):
    with pytest.raises(UsageError, match="multiply them by 255"):
        call([(0.8, 0.1, 0.1), (1.0, 1.0, 1.0)])
    call(np.array([(0.0, 0.0, 0.0)]))
    call(np.array([(1, 0, 1)], dtype=np.uint8))


def test_a_picture_is_refused_with_what_to_give_instead():
    with pytest.raises(UsageError, match=r"image\.reshape\(-1, 3\).*extract_palette"):
        basic_names(np.zeros((4, 5, 3), dtype=np.uint8))


def test_one_colour_may_be_three_numbers_or_a_triple():
    for colour in ((200, 30, 40), [200, 30, 40], np.array([200, 30, 40], dtype=np.uint8)):
        assert basic_name(colour) == basic_name(200, 30, 40) == "red"
    for wrong in ((200, 30), "red", [(200, 30, 40)]):
        with pytest.raises(UsageError, match="three numbers"):
            basic_name(wrong)
    with pytest.raises(UsageError, match="multiply them by 255"):
        basic_name(0.8, 0.1, 0.1)


def test_one_colour_that_is_no_number_is_refused():
    with pytest.raises(UsageError, match="three finite numbers"):
        basic_name(200)
    with pytest.raises(UsageError, match="three finite numbers"):
        basic_name("red", 0, 0)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="three finite numbers"):
        basic_name(float("nan"), 0, 0)
