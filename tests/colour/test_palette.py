"""Palettes: what they hold, and what they must not depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.cluster import KMeans

from comfywear.colour import ciede2000, extract_palette, rgb_to_lab
from comfywear.errors import UsageError

_FLAG = np.array([(200, 16, 46), (255, 255, 255), (0, 40, 104)], dtype=np.uint8)
lists = arrays(np.uint8, st.tuples(st.integers(1, 60), st.just(3)))


def test_a_flat_picture_is_its_colours_with_their_shares_heaviest_first():
    picture = np.repeat(_FLAG, [50, 30, 20], axis=0).reshape(10, 10, 3)
    colours, shares = extract_palette(picture, 5)
    np.testing.assert_array_equal(colours, _FLAG)
    np.testing.assert_allclose(shares, [0.5, 0.3, 0.2])


@settings(max_examples=40, deadline=None)
@given(lists, st.integers(1, 8))
def test_a_palette_keeps_its_contract(pixels, n):
    colours, shares = extract_palette(pixels, n)
    assert colours.dtype == np.uint8
    assert 1 <= len(colours) == len(shares) <= n
    assert len(np.unique(colours, axis=0)) == len(colours)
    assert shares.sum() == pytest.approx(1.0)
    assert (shares > 0).all()
    assert (np.diff(shares) <= 0).all()
    assert (colours >= pixels.min(axis=0).astype(int) - 40).all()


@settings(max_examples=40, deadline=None)
@given(lists, st.randoms(use_true_random=False))
def test_the_order_of_pixels_does_not_matter(pixels, random):
    order = list(range(len(pixels)))
    random.shuffle(order)
    for first, second in zip(extract_palette(pixels), extract_palette(pixels[order]), strict=True):
        np.testing.assert_array_equal(first, second)


def test_long_lists_are_not_sub_sampled_so_their_order_does_not_matter_either():
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (100_000, 3)).astype(np.uint8)
    for first, second in zip(extract_palette(pixels), extract_palette(rng.permutation(pixels)), strict=True):
        np.testing.assert_array_equal(first, second)


def test_the_same_picture_gives_the_same_palette_again():
    picture = np.random.default_rng(4).integers(0, 256, (200, 150, 3)).astype(np.uint8)
    for first, second in zip(extract_palette(picture), extract_palette(picture.copy()), strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_picture_is_sub_sampled_on_a_grid_of_at_most_max_pixels():
    picture = np.zeros((100, 100, 3), dtype=np.uint8)
    picture[::2] = 255  # every second row: a step of two sees one colour only
    assert len(extract_palette(picture, 2, max_pixels=2500)[0]) == 1
    assert len(extract_palette(picture, 2, max_pixels=None)[0]) == 2


@settings(max_examples=40, deadline=None)
@given(arrays(np.uint8, (20, 3)), arrays(np.bool_, 20))
def test_a_mask_means_the_pixels_it_chooses(pixels, mask):
    masked = extract_palette(pixels, 4, mask=mask)
    chosen = extract_palette(pixels[mask], 4)
    np.testing.assert_array_equal(masked[0], chosen[0])
    np.testing.assert_allclose(masked[1], chosen[1])


def test_whole_weights_mean_repeated_pixels():
    rng = np.random.default_rng(5)
    pixels, weights = rng.integers(0, 256, (50, 3)).astype(np.uint8), rng.integers(0, 4, 50)
    weighed = extract_palette(pixels, 4, weights=weights)
    repeated = extract_palette(np.repeat(pixels, weights, axis=0), 4)
    np.testing.assert_array_equal(weighed[0], repeated[0])
    np.testing.assert_allclose(weighed[1], repeated[1])


def test_no_pixels_have_no_palette():
    colours, shares = extract_palette(np.empty((0, 3), dtype=np.uint8))
    assert colours.shape == (0, 3)
    assert shares.shape == (0,)
    assert len(extract_palette(_FLAG, mask=np.zeros(3, dtype=bool))[0]) == 0


def test_it_leaves_no_larger_difference_than_k_means_in_rgb():
    rng = np.random.default_rng(6)
    centres = rng.integers(0, 256, (9, 3))
    pixels = np.clip(centres[rng.integers(0, 9, 6000)] + rng.normal(0, 14, (6000, 3)), 0, 255).astype(np.uint8)
    theirs = KMeans(5, n_init=1, random_state=0).fit(pixels).cluster_centers_
    ours, _ = extract_palette(pixels, 5)
    lab = rgb_to_lab(pixels)[:, None]
    differences = [ciede2000(lab, rgb_to_lab(palette)).min(axis=1).mean() for palette in (ours, theirs)]
    assert differences[0] <= differences[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"pixels": np.zeros(3)}, r"shape \(M, 3\) or \(H, W, 3\)"),
        ({"pixels": np.zeros((4, 4))}, r"shape \(…, 3\)"),
        ({"pixels": _FLAG, "n": 0}, "at least one colour, got n=0"),
        ({"pixels": _FLAG, "mask": np.ones(2, dtype=bool)}, r"mask must be bool of the shape \(3,\)"),
        ({"pixels": _FLAG, "mask": np.ones(3)}, "mask must be bool"),
        ({"pixels": _FLAG, "weights": np.ones(4)}, r"weights must be numbers of the shape \(3,\)"),
        ({"pixels": _FLAG, "weights": [-1, 0, 1]}, "not negative"),
        ({"pixels": _FLAG, "max_pixels": 0}, "at least 1 or None"),
    ],
)
def test_bad_arguments_are_refused_with_what_was_expected(arguments, words):
    with pytest.raises(UsageError, match=words):
        extract_palette(**arguments)
