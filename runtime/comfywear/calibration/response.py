"""How quickly a sensor follows: the time constant of a first-order lag, fitted to a step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from comfywear.errors import UsageError
from comfywear.texts import Text

__all__ = ["Response", "response_of"]

_FEWEST = 8
_GRID = 120
_COVERED = 1.5  # how many time constants a record must last, so that its end is known


@dataclass(frozen=True, slots=True)
class Response:
    """What was found.

    Attributes:
        time_constant_s: After which 63 % of a step are shown.
        time_constant_u_s: Its standard uncertainty.
        start, end: What the step goes from and to, in the quantity's unit; the end is reckoned, not waited for.
        scatter: Around the curve.
    """

    time_constant_s: float
    time_constant_u_s: float
    start: float
    end: float
    scatter: float

    @property
    def settles_s(self) -> float:
        """After which 95 % of a step are shown."""
        return -math.log(0.05) * self.time_constant_s


def response_of(times_s: Sequence[float], values: Sequence[float], least_step: float) -> Response:
    """The first-order lag that fits best: y = end + (start − end) exp(−t / τ), from the first value on.

    For each τ the two ends are a linear least squares problem, so that only τ is searched for (variable projection,
    Golub & Pereyra 1973).

    Args:
        times_s: Ascending, from the step on.
        values: What the sensor says.
        least_step: The smallest step that can tell, in its unit.

    Raises:
        UsageError: There is no step, it is no lag of first order, or the record is too short to say.
    """
    times, said = np.asarray(times_s, float), np.asarray(values, float)
    if len(times) < _FEWEST or times[-1] <= times[0]:
        raise UsageError(
            Text("{times} values since the step are too few: {fewest} are wanted", times=len(times), fewest=_FEWEST)
        )
    times = times - times[0]
    changed = abs(float(np.median(said[-3:]) - np.median(said[:2])))
    if changed < least_step:
        raise UsageError(
            Text(
                "it changed by {changed}; a step of {least_step} or more is wanted",
                changed=f"{changed:.1f}",
                least_step=f"{least_step:g}",
            )
        )
    lasted = float(times[-1])
    grid = np.geomspace(lasted / len(times) / 4, 4 * lasted, _GRID)
    errors = [_error(times, said, tau) for tau in grid]
    best = int(np.argmin(errors))
    tau = _narrowed(times, said, grid[max(best - 1, 0)], grid[min(best + 1, _GRID - 1)])
    (end, change), residuals = _linear(times, said, tau)
    scatter = math.sqrt(float(residuals @ residuals) / max(len(said) - 3, 1))
    if scatter > 0.1 * changed:
        raise UsageError(Text("that is no single step: change the air at once, then leave the sensor alone"))
    if tau * _COVERED > lasted:
        raise UsageError(
            Text(
                "{lasted} s are too short to see how slow it is: wait until it has come to rest", lasted=f"{lasted:.0f}"
            )
        )
    decay = np.exp(-times / tau)
    slopes = np.column_stack([change * times / tau**2 * decay, np.ones_like(times), decay])
    spread = np.linalg.inv(slopes.T @ slopes)[0, 0] * scatter**2
    return Response(tau, math.sqrt(max(float(spread), 0.0)), float(end + change), float(end), scatter)


def _linear(times: Any, said: Any, tau: float) -> tuple[Any, Any]:
    matrix = np.column_stack([np.ones_like(times), np.exp(-times / tau)])
    factors, *_ = np.linalg.lstsq(matrix, said, rcond=None)
    return factors, said - matrix @ factors


def _error(times: Any, said: Any, tau: float) -> float:
    _, residuals = _linear(times, said, tau)
    return float(residuals @ residuals)


def _narrowed(times: Any, said: Any, low: float, high: float) -> float:
    """The best τ between two, by golden sections of its logarithm."""
    low, high, part = math.log(low), math.log(high), (math.sqrt(5) - 1) / 2
    for _ in range(40):
        left, right = high - part * (high - low), low + part * (high - low)
        if _error(times, said, math.exp(left)) < _error(times, said, math.exp(right)):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)
