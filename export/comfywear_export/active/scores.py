"""Scores of photos for labelling, from what the present model says of each; pure.

A photo is a row of probabilities: those of the boxes that a detector predicts in it, or those of the answers of an
attribute model. Scores that sum or count favour crowded photos, which cost more boxes: report labels in boxes, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["SCORES", "entropy", "rare_entropy"]

Array = NDArray[np.float64]
Rows = Sequence[NDArray[np.floating]] | NDArray[np.floating]


def entropy(probabilities: NDArray[np.floating]) -> Array:
    """Shannon's entropy of yes-or-no answers in bits, 0…1, element by element."""
    p = np.clip(np.asarray(probabilities, np.float64), 1e-12, 1 - 1e-12)
    bits: Array = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    return bits


def entropy_sum(rows: Rows) -> Array:
    """`(N,)`: the entropies of a photo's answers together, 0 for a photo without any (the "entropy" of the source)."""
    return np.array([float(entropy(row).sum()) for row in rows])


def entropy_max(rows: Rows) -> Array:
    """`(N,)`: the largest entropy of a photo's answers, 0…1."""
    return np.array([float(entropy(row).max(initial=0.0)) for row in rows])


def count(rows: Rows) -> Array:
    """`(N,)`: how many boxes (or labels) are expected: the sum of the probabilities."""
    return np.array([float(np.sum(row, dtype=np.float64)) for row in rows])


def margin(rows: Rows, thresholds: NDArray[np.floating] | float = 0.5) -> Array:
    """`(N,)`: how close a photo's answers come to their thresholds, 0…1; 0 without any answer.

    Of each answer the distance to its threshold in parts of what lies on that side of it; the nearest counts.

    Args:
        rows: Probabilities.
        thresholds: One for all, or `(L,)` one a label (rows then have L answers); above 0 and below 1.
    """
    limits = np.asarray(thresholds, np.float64)
    values = []
    for row in rows:
        p = np.asarray(row, np.float64)
        away = np.where(p >= limits, (p - limits) / (1 - limits), (limits - p) / limits)
        values.append(1 - float(away.min(initial=1.0)))
    return np.array(values)


def rare_entropy(rows: Rows, labelled: NDArray[np.floating]) -> Array:
    """`(N,)`: entropies weighted by how few examples of each label are there: `H / (1 + positives)`, summed.

    Labels that are hard because there are few of them are asked for first, as PPAL's weights by difficulty do (Yang,
    Huang and Crowley 2024).

    Args:
        rows: `(L,)` probabilities each, one a label.
        labelled: `(L,)`: how many labelled photos show each label.
    """
    weights = 1 / (1 + np.asarray(labelled, np.float64))
    return np.array([float((entropy(row) * weights).sum()) for row in rows])


SCORES: Mapping[str, Callable[[Rows], Array]] = {
    "entropy-sum": entropy_sum,
    "entropy-max": entropy_max,
    "count": count,
    "margin": margin,
}
"""By name: rows of probabilities → `(N,)`, the higher the more worth a label."""
