"""Whether a series has come to rest, and how well its mean is then known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.calibration.steady import LIMITS, effective_number, rest_of

TEMPERATURE = LIMITS["air_temp_c"]
TIMES = np.arange(0.0, 600.0, 2.0)


def test_a_short_record_says_how_long_to_wait() -> None:
    found = rest_of(TIMES[:60], np.full(60, 21.0), TEMPERATURE)
    assert (found.state, found.value) == ("few", None)
    assert found.wait_s == pytest.approx(240 - 118)
    assert rest_of([], [], TEMPERATURE).state == "few"


@pytest.mark.parametrize(
    ("per_min", "noise", "state"), [(0.0, 0.02, "steady"), (0.1, 0.02, "drifting"), (0.0, 0.6, "noisy")]
)
def test_rest_drift_and_noise_are_told_apart(per_min: float, noise: float, state: str) -> None:
    values = 21 + per_min * TIMES / 60 + np.random.default_rng(1).normal(0, noise, len(TIMES))
    found = rest_of(TIMES, values, TEMPERATURE)
    assert found.state == state
    assert found.drift_per_min == pytest.approx(per_min, abs=0.03)


def test_an_end_that_rests_counts_however_much_went_on_before() -> None:
    values = np.where(TIMES < 250, 10.0, 21.0)
    assert rest_of(TIMES, values, TEMPERATURE).state == "steady"


def test_a_coarse_sensor_between_two_of_its_steps_is_at_rest_and_less_certain() -> None:
    values = np.where(np.random.default_rng(2).random(len(TIMES)) < 0.3, 21.5, 21.0)
    coarse = rest_of(TIMES, values, TEMPERATURE, resolution=0.5)
    assert coarse.state == "steady"
    assert coarse.value_u is not None
    assert coarse.value_u >= 0.5 / np.sqrt(12)


def test_the_uncertainty_of_the_mean_is_what_many_series_scatter_by() -> None:
    random = np.random.default_rng(3)
    for correlation in (0.0, 0.8):
        means, said = [], []
        for _ in range(300):
            noise = random.normal(0, 0.1, len(TIMES))
            for step in range(1, len(noise)):
                noise[step] = correlation * noise[step - 1] + np.sqrt(1 - correlation**2) * noise[step]
            found = rest_of(TIMES, 21 + noise, TEMPERATURE)
            means.append(found.value)
            said.append(found.value_u)
        assert 0.8 < np.mean(said) / np.std(np.array(means, float)) < 2.0, correlation


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=50))
def test_values_are_worth_between_one_and_all_of_them(values: list[float]) -> None:
    assert 1.0 <= effective_number(values) <= max(len(values), 1)
