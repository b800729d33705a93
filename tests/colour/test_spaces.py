"""Colour spaces: published values, an independent implementation, and round trips."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import color as oracle

from comfywear.colour import (
    lab_to_rgb,
    lab_to_xyz,
    linear_to_rgb,
    linear_to_xyz,
    oklab_to_rgb,
    rgb_to_lab,
    rgb_to_linear,
    rgb_to_oklab,
    to_uint8,
    xyz_to_lab,
    xyz_to_linear,
    xyz_to_oklab,
)
from comfywear.errors import ComfyWearError, UsageError

pixels = arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(3)))


def test_oklab_meets_the_values_that_its_author_published():
    xyz = [[0.950, 1.000, 1.089], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    expected = [[1.000, 0.000, 0.000], [0.450, 1.236, -0.019], [0.922, -0.671, 0.263], [0.153, -1.415, -0.449]]
    np.testing.assert_allclose(xyz_to_oklab(xyz), expected, atol=6e-4)


def test_white_and_greys_have_no_chroma():
    greys = np.repeat(np.arange(0, 256, 5)[:, None], 3, axis=1)
    lab = rgb_to_lab(greys)
    assert np.abs(lab[:, 1:]).max() < 1e-9
    np.testing.assert_allclose(lab[[0, -1], 0], [0.0, 100.0], atol=1e-9)


def test_the_transfer_function_meets_the_standards_points():
    # IEC 61966-2-1: the straight piece ends at 0.04045 (10.31475 of 255); mid grey 118 is 0.18 to three digits.
    np.testing.assert_allclose(rgb_to_linear([[0.0, 10.31475, 255.0]]), [[0.0, 0.04045 / 12.92, 1.0]], atol=1e-12)
    assert rgb_to_linear([118, 118, 118])[0] == pytest.approx(0.181, abs=1e-3)


@settings(max_examples=40, deadline=None)
@given(pixels)
def test_lab_agrees_with_scikit_image(rgb):
    # scikit-image rounds the matrix and the white point to four to six digits.
    np.testing.assert_allclose(rgb_to_lab(rgb), oracle.rgb2lab(rgb), atol=0.05)


@settings(max_examples=40, deadline=None)
@given(pixels)
def test_bytes_survive_every_round_trip(rgb):
    assert (to_uint8(lab_to_rgb(rgb_to_lab(rgb))) == rgb).all()
    assert (to_uint8(oklab_to_rgb(rgb_to_oklab(rgb))) == rgb).all()
    assert (to_uint8(linear_to_rgb(xyz_to_linear(linear_to_xyz(rgb_to_linear(rgb))))) == rgb).all()


@settings(max_examples=40, deadline=None)
@given(arrays(np.float64, (4, 3), elements=st.floats(-100, 100)))
def test_lab_survives_xyz_even_out_of_gamut(lab):
    np.testing.assert_allclose(xyz_to_lab(lab_to_xyz(lab)), lab, atol=1e-8)
    np.testing.assert_allclose(rgb_to_lab(lab_to_rgb(lab)), lab, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(pixels)
def test_bytes_and_floats_mean_the_same(rgb):
    np.testing.assert_array_equal(rgb_to_linear(rgb), rgb_to_linear(rgb.astype(np.float64)))


@settings(max_examples=40, deadline=None)
@given(pixels)
def test_lab_stays_in_its_published_range(rgb):
    lab = rgb_to_lab(rgb)
    assert lab.shape == rgb.shape
    assert lab[..., 0].min() >= -1e-9
    assert lab[..., 0].max() <= 100.0 + 1e-9
    assert np.abs(lab[..., 1:]).max() < 128


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (5, r"shape \(…, 3\)"),
        (np.zeros((3, 4)), r"got \(3, 4\)"),
        (["red", "green", "blue"], "integers or floats"),
        (np.zeros((2, 3), dtype=bool), "integers or floats, got bool"),
        ([1.0, np.nan, 3.0], "finite"),
    ],
)
def test_what_is_not_a_colour_is_refused_with_what_was_expected(bad, words):
    for convert in (rgb_to_lab, rgb_to_oklab, to_uint8, lab_to_rgb):
        with pytest.raises(UsageError, match=words):
            convert(bad)
    assert issubclass(UsageError, ComfyWearError)
