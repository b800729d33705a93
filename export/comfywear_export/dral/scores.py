"""How good a ranking is, and how sure that is: rank-1, mean average precision, intervals over persons and seeds."""

from __future__ import annotations

from functools import lru_cache

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


def interval(values: Floats) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of `(seeds, persons)`: seeds and persons are both drawn again, 2,000 times.

    The persons are the same ones in each seed, so that an interval over the seeds alone would be too narrow (Owen's
    "pigeonhole" bootstrap, 2007).
    """
    seeds, persons = (_drawn(number, which) for which, number in enumerate(values.shape))
    low, high = np.quantile(((seeds @ values) * persons).sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


@lru_cache(maxsize=8)
def _drawn(number: int, which: int) -> Floats:
    """`(2000, number)`: how often each was drawn in that many draws, over how many there are."""
    rng = np.random.default_rng([number, which])
    return np.asarray(rng.multinomial(number, np.full(number, 1.0 / number), _DRAWS) / number, np.float64)
