"""The time constant of a sensor, against scipy's curve fit and against what was put in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.calibration.response import response_of
from comfywear.errors import UsageError


def step(
    tau: float, *, noise: float = 0.0, lasts: float = 5.0, start: float = 20.0, end: float = 30.0
) -> tuple[np.ndarray, np.ndarray]:
    times = np.linspace(0.0, lasts * tau, 200)
    random = np.random.default_rng(int(tau))
    return times, end + (start - end) * np.exp(-times / tau) + random.normal(0, noise, len(times))


@settings(max_examples=30, deadline=None)
@given(st.floats(5.0, 2000.0), st.floats(-10, 40), st.floats(3.0, 20.0), st.booleans())
def test_the_time_constant_of_a_pure_lag_is_found(tau: float, start: float, change: float, falls: bool) -> None:
    times, values = step(tau, start=start, end=start - change if falls else start + change)
    found = response_of(times, values, 2.0)
    assert found.time_constant_s == pytest.approx(tau, rel=1e-3)
    assert found.settles_s == pytest.approx(3 * tau, rel=0.01)


def test_it_agrees_with_scipy_also_about_the_uncertainty() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    times, values = step(90.0, noise=0.1)
    found = response_of(times, values, 2.0)

    def curve(t: np.ndarray, tau: float, first: float, last: float) -> np.ndarray:
        return last + (first - last) * np.exp(-t / tau)

    best, spread = optimize.curve_fit(curve, times, values, p0=[50.0, 20.0, 30.0])
    assert (found.time_constant_s, found.start, found.end) == pytest.approx(tuple(best), rel=1e-4)
    assert found.time_constant_u_s == pytest.approx(np.sqrt(spread[0, 0]), rel=1e-2)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (step(90.0, end=20.5), "a step of 2 or more"),
        (step(90.0, lasts=1.0), "too short"),
        ((np.arange(100.0), 20 + 5 * np.sin(np.arange(100.0) / 3) + np.arange(100.0) / 10), "no single step"),
        ((np.arange(3.0), np.array([1.0, 5.0, 9.0])), "too few"),
    ],
)
def test_what_is_no_step_is_refused(data: tuple[np.ndarray, np.ndarray], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        response_of(*data, 2.0)
