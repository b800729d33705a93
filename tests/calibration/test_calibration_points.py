"""Corrections from one or two points, against arithmetic and against many random draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.calibration.points import BOUNDS, Compared, SensorCorrection, correction_of
from comfywear.errors import UsageError

BY = BOUNDS["air_temp_c"]
small = st.floats(0.0, 0.5)


@given(st.floats(-5, 5), st.floats(0, 40), small, small)
def test_one_point_is_met_exactly_and_its_uncertainties_add_in_squares(
    offset: float, said: float, sensor_u: float, reference_u: float
) -> None:
    found = correction_of([Compared(said, said + offset, sensor_u, reference_u)], BY)
    assert found.gain == 1.0
    assert found.at(said) == pytest.approx((said + offset, math.hypot(sensor_u, reference_u)))


@given(st.floats(0.85, 1.15), st.floats(-1.0, 1.0), st.floats(0, 10), st.floats(8, 14))
def test_two_points_give_back_the_gain_and_offset_that_made_them(
    gain: float, offset: float, low: float, apart: float
) -> None:
    points = [Compared(said, gain * said + offset) for said in (low, low + apart)]
    found = correction_of(points, BY)
    assert (found.gain, found.offset) == pytest.approx((gain, offset), abs=1e-9)
    assert (found.gain_u, found.offset_u) == (0.0, 0.0)


def test_the_uncertainty_of_two_points_is_what_many_draws_scatter_by() -> None:
    one, two = Compared(10.0, 10.6, 0.05, 0.1), Compared(30.0, 29.8, 0.08, 0.15)
    found = correction_of([one, two], BY)
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(20_000):
        made = [
            Compared(random.normal(p.sensor, p.sensor_u), random.normal(p.reference, p.reference_u)) for p in (one, two)
        ]
        each = correction_of(made, BY)
        drawn.append((each.offset, each.gain, each.at(20.0)[0]))
    offset, gain, at_20 = np.std(np.array(drawn), axis=0)
    assert found.offset_u == pytest.approx(offset, rel=0.03)
    assert found.gain_u == pytest.approx(gain, rel=0.03)
    assert found.at(20.0)[1] == pytest.approx(at_20, rel=0.03)
    assert found.at(20.0)[1] < found.at(60.0)[1], "between the points it is known best"


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([], "one or two points"),
        ([Compared(20.0, 26.0)], "6.0 K beside the reference"),
        ([Compared(20.0, math.nan)], "beside the reference"),
        ([Compared(20.0, 20.0), Compared(21.0, 21.0)], "5 K or more apart"),
        ([Compared(10.0, 11.5), Compared(20.0, 18.0)], "gain would be 0.65"),
    ],
)
def test_what_cannot_be_a_correction_is_refused_with_what_to_do(points: list[Compared], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        correction_of(points, BY)


def test_a_correction_is_a_plain_record() -> None:
    assert SensorCorrection(0.5, 1.0, 0.1).at(20.0) == (20.5, pytest.approx(0.1))
