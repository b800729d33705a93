"""The goals: F1 of a photo's garment set, IoU of a photo's regions; and what can be done about F1 without tuning."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["all_sets", "best_sets", "expected_f1", "photo_f1", "photo_iou"]

Array = NDArray[np.float64]
Sets = NDArray[np.bool_]


def photo_f1(said: Sets, worn: Sets) -> Array:
    """`(N,)` 2 |said ∩ worn| / (|said| + |worn|) of each photo's set; 1 where both are empty.

    Args:
        said: `(N, K)`.
        worn: `(N, K)`.
    """
    size = said.sum(axis=1) + worn.sum(axis=1)
    return np.where(size > 0, 2.0 * (said & worn).sum(axis=1) / np.maximum(size, 1), 1.0)


@cache
def all_sets(labels: int) -> Sets:
    """`(2^K, K)` every set of K labels."""
    sets: Sets = (np.arange(2**labels)[:, None] >> np.arange(labels)) % 2 == 1
    return sets


def expected_f1(probabilities: Array, worn: Sets) -> tuple[Array, Array]:
    """`(N,)` expected F1 of sets drawn by `(N, K)` probabilities, and its slope by the logits `(N, K)`, exactly.

    All 2^K sets are gone through: what samples only estimate. K ≤ 14 or so.
    """
    sets = all_sets(probabilities.shape[1])
    size = sets.sum(axis=1)[None] + worn.sum(axis=1)[:, None]
    both = worn.astype(float) @ sets.T.astype(float)
    f1 = np.where(size > 0, 2.0 * both / np.maximum(size, 1), 1.0)
    weighted = _likelihood(probabilities, sets) * f1
    mean = weighted.sum(axis=1)
    return mean, weighted @ sets - mean[:, None] * probabilities


def best_sets(probabilities: Array) -> Sets:
    """`(N, K)` the set of the highest expected F1 where worn labels are drawn by the probabilities."""
    sets = all_sets(probabilities.shape[1])
    values = _likelihood(probabilities, sets).astype(np.float32) @ _f1_of_sets(probabilities.shape[1])
    best: Sets = sets[values.argmax(axis=1)]
    return best


def photo_iou(said: NDArray[np.integer], truth: NDArray[np.integer], regions: int) -> Array:
    """`(N,)` mean IoU over the regions 1…`regions` − 1 that a photo's answer or truth has; 1 where neither has any.

    Args:
        said: `(N, M)` a region for every cell; 0 is none of them.
        truth: `(N, M)`.
        regions: How many there are, 0 among them.
    """
    names = np.arange(1, regions)
    one, other = said[..., None] == names, truth[..., None] == names
    both, either = (one & other).sum(axis=1), (one | other).sum(axis=1)
    there = either > 0
    total = np.where(there, both / np.maximum(either, 1), 0.0).sum(axis=1)
    return np.where(there.any(axis=1), total / np.maximum(there.sum(axis=1), 1), 1.0)


def _likelihood(probabilities: Array, sets: Sets) -> Array:
    p = np.clip(probabilities, 1e-9, 1.0 - 1e-9)
    result: Array = np.exp(np.log(p / (1.0 - p)) @ sets.T + np.log1p(-p).sum(axis=1, keepdims=True))
    return result


@cache
def _f1_of_sets(labels: int) -> NDArray[np.float32]:
    sets = all_sets(labels).astype(np.float32)
    size = sets.sum(axis=1)
    total = size[:, None] + size[None]
    return np.where(total > 0, 2.0 * (sets @ sets.T) / np.maximum(total, 1.0), 1.0).astype(np.float32)
