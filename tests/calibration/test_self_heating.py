"""How much the board warms its sensor: what was put into made evenings is found again, or refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.calibration.self_heating import SelfHeating, fit_alone, fit_beside
from comfywear.errors import UsageError

TIMES = np.arange(0.0, 4 * 3600.0, 60.0)


def evening(
    gain: float, seed: int, *, noise: float = 0.03, swing: float = 10.0, offset: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Air that cools slowly, a board that works by turns, and a sensor that takes a part of its excess."""
    random = np.random.default_rng(seed)
    air = 23.0 - 1.2 * TIMES / TIMES[-1] + 0.3 * np.sin(TIMES / TIMES[-1] * 2)
    board = air + 20.0 + swing * ((TIMES // 1500) % 2) + random.normal(0, 0.3, len(TIMES))
    share = gain / (1 + gain)
    said = air + share * (board - air) + offset + random.normal(0, noise, len(TIMES))
    return air, board, said


@settings(max_examples=25, deadline=None)
@given(st.floats(0.0, 0.3), st.integers(0, 10_000))
def test_the_part_that_was_put_in_is_found_with_and_without_a_reference(gain: float, seed: int) -> None:
    air, board, said = evening(gain, seed)
    for found in (fit_beside(TIMES, said, board, air), fit_alone(TIMES, said, board)):
        assert found.gain == pytest.approx(gain, abs=max(5 * found.gain_u, 0.01))
        assert 0.0 <= found.gain <= 0.5
        truth = np.median(gain * (board - said))
        assert found.correction_k == pytest.approx(truth, abs=0.4)


def test_a_reference_tells_the_offset_from_the_warmth() -> None:
    air, board, said = evening(0.1, 1, offset=-0.7)
    found = fit_beside(TIMES, said, board, air)
    assert found.offset_k == pytest.approx(-0.7, abs=0.1)
    assert found.gain == pytest.approx(0.1, abs=0.01)
    assert fit_alone(TIMES, said, board).offset_k is None


def test_the_uncertainty_is_what_many_evenings_scatter_by() -> None:
    found: list[SelfHeating] = []
    for seed in range(150):
        air, board, said = evening(0.1, seed, noise=0.1)
        found.append(fit_beside(TIMES, said, board, air))
    ratio = np.mean([each.gain_u for each in found]) / np.std([each.gain for each in found])
    assert 0.8 < ratio < 1.5


def test_a_sensor_in_the_open_has_none() -> None:
    _air, board, said = evening(0.0, 3)
    assert fit_alone(TIMES, said, board).correction_k < 0.2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (evening(0.1, 1, swing=0.0), "hardly varied|varied by"),
        (evening(0.8, 1), "place it further away"),
        (evening(-0.2, 1), "no self-heating"),
        (tuple(each[:10] for each in evening(0.1, 1)), "too few"),
    ],
)
def test_data_that_cannot_tell_are_refused_with_what_to_do(data: tuple[np.ndarray, ...], said: str) -> None:
    air, board, sensor = data
    with pytest.raises(UsageError, match=said):
        fit_beside(TIMES[: len(air)], sensor, board, air)


def test_an_evening_without_a_reference_must_be_long() -> None:
    _air, board, said = evening(0.1, 1)
    with pytest.raises(UsageError, match="1 h or more"):
        fit_alone(TIMES[:50], said[:50], board[:50])


def test_gaps_in_the_data_are_left_out() -> None:
    air, board, said = evening(0.1, 1)
    board[::7] = np.nan
    assert fit_beside(TIMES, said, board, air).gain == pytest.approx(0.1, abs=0.01)
