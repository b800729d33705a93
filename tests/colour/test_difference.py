"""CIEDE2000: the published pairs, an independent implementation, and its properties."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.color import deltaE_ciede2000

from comfywear.colour import ciede2000
from comfywear.errors import UsageError

# Rows 1, 7, 9, 14, 17, 24 and 34 of Sharma, Wu and Dalal (2005), Table 1: hue wrap, no chroma, far and near.
_PAIRS = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
    ((50.0, -0.001, 2.49), (50.0, 0.0009, -2.49), 4.8045),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]
labs = arrays(np.float64, (6, 3), elements=st.floats(-100, 100)).map(
    lambda lab: np.abs(lab) * [1, 0, 0] + lab * [0, 1, 1]
)


@pytest.mark.parametrize(("first", "second", "expected"), _PAIRS)
def test_meets_published_pairs(first, second, expected):
    assert ciede2000(first, second) == pytest.approx(expected, abs=1e-4)


def test_meets_all_34_published_pairs(shared_data):
    pairs = json.loads((shared_data / "colour" / "ciede2000_sharma34.json").read_text())["pairs"]
    first, second, expected = (np.array([pair[key] for pair in pairs]) for key in ("lab1", "lab2", "de00"))
    assert len(pairs) == 34
    np.testing.assert_allclose(ciede2000(first, second), expected, atol=1e-4, rtol=0)


@settings(max_examples=40, deadline=None)
@given(labs, labs)
def test_agrees_with_scikit_image(first, second):
    np.testing.assert_allclose(ciede2000(first, second), deltaE_ciede2000(first, second), atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(labs, labs)
def test_is_symmetric_and_never_negative(first, second):
    there, back = ciede2000(first, second), ciede2000(second, first)
    np.testing.assert_allclose(there, back, atol=1e-9)
    assert (there >= 0).all()


@settings(max_examples=40, deadline=None)
@given(labs)
def test_a_colour_does_not_differ_from_itself(lab):
    np.testing.assert_array_equal(ciede2000(lab, lab), np.zeros(len(lab)))


def test_broadcasts_over_leading_axes():
    assert ciede2000(np.zeros((7, 1, 3)), np.ones((5, 3))).shape == (7, 5)


def test_shapes_that_do_not_fit_are_refused_with_both():
    with pytest.raises(UsageError, match=r"broadcast, got \(4, 3\) and \(5, 3\)"):
        ciede2000(np.zeros((4, 3)), np.zeros((5, 3)))
    with pytest.raises(UsageError, match=r"lab2 must have the shape"):
        ciede2000(np.zeros((4, 3)), np.zeros(4))
