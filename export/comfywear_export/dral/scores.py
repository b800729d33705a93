"""How good a ranking is, and how sure that is: rank-1, mean average precision, intervals over persons and seeds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["average_precision", "interval"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_DRAWS = 2000


def average_precision(right: Bools) -> float:
    """Mean over the right items of the precision down to each (Zheng et al., ICCV 2015); 0 when none is right."""
    at = np.flatnonzero(right)
    return float(((np.arange(len(at)) + 1) / (at + 1)).mean()) if len(at) else 0.0


def interval(values: Floats, draws: int = _DRAWS, seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of `(seeds, persons)`: seeds and persons are both drawn again.

    The persons are the same ones in each seed, so that an interval over the seeds alone would be too narrow (Owen's
    "pigeonhole" bootstrap, 2007).
    """
    rng = np.random.default_rng(seed)
    seeds, persons = values.shape
    means = [
        values[np.ix_(rng.integers(0, seeds, seeds), rng.integers(0, persons, persons))].mean() for _ in range(draws)
    ]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
