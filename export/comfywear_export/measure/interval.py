"""How sure a mean is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["bootstrap", "over_seeds", "resampled"]

# Two-sided 95 % quantile of Student's t by degrees of freedom; 1.96 beyond.
_T95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 14: 2.145}


def over_seeds(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean of a few runs and its 95 % interval by Student's t; the interval is NaN for one run."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, float("nan"), float("nan")
    freedom = len(values) - 1
    t = _T95[max((k for k in _T95 if k <= freedom), default=1)] if freedom < 30 else 1.96
    half = t * float(np.std(values, ddof=1)) / len(values) ** 0.5
    return mean, mean - half, mean + half


def bootstrap(values: ArrayLike, weights: ArrayLike | None = None, seed: int = 1) -> tuple[float, float, float]:
    """Weighted mean over units and its 95 % interval, units drawn anew 2,000 times (Efron 1979).

    Args:
        values: `(N,)` a figure a unit.
        weights: `(N,)`; equal where None.
        seed: Of the draws; the same seed draws the same units, so that differences of two figures may be paired.
    """
    rows = np.asarray(values, float)
    own = np.ones(len(rows)) if weights is None else np.asarray(weights, float)
    means = resampled(rows * own, seed) / resampled(own, seed)
    low, high = np.percentile(means, [2.5, 97.5])
    return float((rows * own).sum() / own.sum()), float(low), float(high)


def resampled(values: NDArray[np.float64], seed: int, draws: int = 2000) -> NDArray[np.float64]:
    """`(draws,)` means of `values` with its units drawn with replacement."""
    chosen = np.random.default_rng(seed).integers(0, len(values), (draws, len(values)))
    result: NDArray[np.float64] = values[chosen].mean(axis=1)
    return result
