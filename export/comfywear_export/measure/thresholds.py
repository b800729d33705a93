"""Chooses the score above which a label is believed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["best_threshold"]


def best_threshold(
    scores: NDArray[np.float32], right: NDArray[np.bool_], total: int, low: float = 0.1, high: float = 0.9
) -> tuple[float, float]:
    """The threshold of the highest F1 and that F1.

    Args:
        scores: `(N,)` of the answers, 0…1.
        right: `(N,)` whether each is right.
        total: How many right answers there are to find.
        low: Smallest threshold allowed.
        high: Largest threshold allowed.

    Returns:
        A threshold half way to the next lower score, so that rounding in another engine does not flip the answer that
        it was chosen by; 0.5 and NaN when there is nothing to find.
    """
    if not total or not len(scores):
        return 0.5, float("nan")
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order].astype(np.float64)
    hits = np.cumsum(right[order])
    f1 = 2 * hits / (np.arange(1, len(ranked) + 1) + total)
    between = (ranked + np.append(ranked[1:], 0.0)) / 2
    allowed = (between >= low) & (between <= high) & np.append(np.diff(ranked) != 0, True)
    if not allowed.any():
        return min(max(float(ranked[0]), low), high), float("nan")
    best = int(np.where(allowed, f1, -1.0).argmax())
    return float(between[best]), float(f1[best])
