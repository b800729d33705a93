"""How much a board warms the sensor beside it, found from an evening's data, with a reference or without.

The sensor takes a part of the board's excess over the air: said = air + c (board − air). So
air = said − k (board − said) with k = c / (1 − c): what the sensor says and the board's temperature are enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from comfywear.calibration.steady import effective_number
from comfywear.errors import UsageError
from comfywear.texts import Text

__all__ = ["HIGHEST", "SelfHeating", "fit_alone", "fit_beside"]

HIGHEST = 0.5
"""Of k: a sensor that takes a third of the board's excess measures the board."""
_FEWEST = 30
_LEAST_SPAN_K = 3.0
_LEAST_HOURS = 1.0


@dataclass(frozen=True, slots=True)
class SelfHeating:
    """What was found.

    Attributes:
        gain: k, 0…0.5.
        gain_u: Its standard uncertainty.
        correction_k: What is taken from a reading at the data's median, K.
        correction_u_k: Its standard uncertainty from that of the gain, K.
        span_k: Over how many kelvin the board's temperature varied (5th to 95th percentile, drift taken out).
        offset_k: What the sensor says too much besides, K, against the reference; None without one.
        minutes: How long the data are.
    """

    gain: float
    gain_u: float
    correction_k: float
    correction_u_k: float
    span_k: float
    offset_k: float | None
    minutes: float


def fit_beside(
    times_s: Sequence[float], sensor_c: Sequence[float], board_c: Sequence[float], reference_c: Sequence[float]
) -> SelfHeating:
    """From what a reference says beside it: (said − reference) over (board − said), by least squares.

    Raises:
        UsageError: The data are too few, the board's temperature varied too little, or what comes out cannot be meant.
    """
    times, said, board, true = _checked(times_s, sensor_c, board_c, reference_c)
    excess = board - said
    known = np.ones((len(times), 1))
    gain, gain_u, others = _regress(said - true, excess, known)
    return _sensible(gain, gain_u, excess, _span(excess, known), float(others[0]), times)


def fit_alone(times_s: Sequence[float], sensor_c: Sequence[float], board_c: Sequence[float]) -> SelfHeating:
    """Without a reference: what in the sensor follows the board, beside the room's own slow course (a parabola).

    It needs hours in which the board works and rests by turns while the room is left alone: evening, heating off.

    Raises:
        UsageError: As `fit_beside`.
    """
    times, said, board = _checked(times_s, sensor_c, board_c)
    if times[-1] - times[0] < 3600 * _LEAST_HOURS:
        raise UsageError(
            Text(
                "{times} minutes are too few: {least_hours} h or more are wanted",
                times=f"{(times[-1] - times[0]) / 60:.0f}",
                least_hours=f"{_LEAST_HOURS:g}",
            )
        )
    scaled = (times - times.mean()) / (times[-1] - times[0])
    slow = np.column_stack([np.ones_like(scaled), scaled, scaled**2])
    share, share_u, _ = _regress(said, board, slow)
    if share >= 0.9:
        raise UsageError(Text("the sensor follows the board altogether: it measures the board, not the air"))
    gain, gain_u = share / (1 - share), share_u / (1 - share) ** 2
    return _sensible(gain, gain_u, board - said, _span(board, slow), None, times)


def _checked(*series: Sequence[float]) -> list[Any]:
    found = [np.asarray(each, float) for each in series]
    if len({len(each) for each in found}) != 1:
        raise UsageError(Text("the series must be of one length"))
    whole = np.all([np.isfinite(each) for each in found], axis=0)
    found = [each[whole] for each in found]
    if len(found[0]) < _FEWEST:
        raise UsageError(
            Text(
                "{found} values with the board's temperature are too few: {fewest} are wanted",
                found=len(found[0]),
                fewest=_FEWEST,
            )
        )
    return found


def _regress(wanted: Any, by: Any, known: Any) -> tuple[float, float, Any]:
    """The factor of `by`, its standard uncertainty (for correlated residuals), and the factors of what is known."""
    matrix = np.column_stack([by, known])
    if np.linalg.matrix_rank(matrix) < matrix.shape[1]:
        raise UsageError(Text("the board's temperature hardly varied: let it work and rest by turns"))
    factors, *_ = np.linalg.lstsq(matrix, wanted, rcond=None)
    residuals = wanted - matrix @ factors
    free = max(len(wanted) - matrix.shape[1], 1)
    variance = residuals @ residuals / free * len(wanted) / effective_number(residuals)
    spread = np.linalg.inv(matrix.T @ matrix)[0, 0] * variance
    return float(factors[0]), math.sqrt(max(float(spread), 0.0)), factors[1:]


def _span(board: Any, known: Any) -> float:
    """How far the board varied beside what is explained otherwise."""
    factors, *_ = np.linalg.lstsq(known, board, rcond=None)
    low, high = np.percentile(board - known @ factors, [5, 95])
    return float(high - low)


def _sensible(
    gain: float, gain_u: float, excess: Any, span_k: float, offset_k: float | None, times: Any
) -> SelfHeating:
    if span_k < _LEAST_SPAN_K:
        raise UsageError(
            Text(
                "the board's temperature varied by {span} K; {least_span} K or more are wanted: let it work "
                "and rest by turns",
                span=f"{span_k:.1f}",
                least_span=f"{_LEAST_SPAN_K:g}",
            )
        )
    typical = float(np.median(excess))
    if gain * typical < -0.5 and gain < -3 * gain_u:
        raise UsageError(Text("the sensor is colder while the board is warmer: that is no self-heating"))
    if gain > HIGHEST:
        raise UsageError(
            Text(
                "the sensor takes {gain} of the board's warmth: place it further away", gain=f"{gain / (1 + gain):.0%}"
            )
        )
    gain = max(gain, 0.0)
    if gain_u * abs(typical) > 1.0:
        raise UsageError(
            Text(
                "the correction would be uncertain by {gain_u} K: more data, or a reference, are wanted",
                gain_u=f"{gain_u * abs(typical):.1f}",
            )
        )
    minutes = float(times[-1] - times[0]) / 60
    return SelfHeating(gain, gain_u, gain * typical, gain_u * abs(typical), span_k, offset_k, minutes)
