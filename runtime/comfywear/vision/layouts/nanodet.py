"""NanoDet and NanoDet-Plus (repository RangiLyu/nanodet): distances to the four sides as distributions over bins.

The distance of a side is the mean of its bins 0 … B − 1 under their softmax, times the stride (generalised focal loss,
Li et al. 2020, arXiv:2006.04388). Two forms: one output, 1 x N x (classes + 4 · bins), all maps one after the other; or
two outputs a map, 1 x n x classes and 1 x n x (4 · bins), in any order. Class scores are after the sigmoid. NanoDet has
the strides 8, 16, 32 and its points in the middle of a cell ("offset" 0.5); NanoDet-Plus has a fourth map of stride 64
and its points at the cell's corner ("offset" 0). Input: BGR minus 103.53, 116.28, 123.675 over 57.375, 57.12, 58.395.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.vision.layouts.decoding import Floats32, Options, Raw, cells

__all__ = ["STRIDES", "decode"]

STRIDES = (8, 16, 32)


def decode(outputs: Sequence[NDArray[Any]], size: tuple[int, int], labels: int, options: Options) -> Raw:
    """See `Family.decode`."""
    points, strides = cells(*size, tuple(options.get("strides", STRIDES)), float(options.get("offset", 0.5)))
    scores, bins = _parts([np.asarray(output, np.float32) for output in outputs], labels)
    if len(scores) != len(points) or len(bins) != len(points) or not bins.shape[1] or bins.shape[1] % 4:
        raise ModelError(
            f"the graph's outputs are {[o.shape for o in outputs]}; "
            f"layout nanodet means {len(points)} rows of {labels} classes and four distributions"
        )
    split: Floats32 = np.asarray(bins.reshape(len(bins), 4, -1))
    weights = np.asarray(np.exp(split - split.max(axis=-1, keepdims=True)))
    distances = (weights @ np.arange(weights.shape[-1], dtype=np.float32)) / weights.sum(axis=-1) * strides[:, None]
    return Raw(np.concatenate([points - distances[:, :2], points + distances[:, 2:]], 1), scores)


def _parts(outputs: list[Floats32], labels: int) -> tuple[Floats32, Floats32]:
    """Class scores and bins of all maps, the finest first."""
    flat = [output.reshape(output.shape[-2], output.shape[-1]) for output in outputs if output.ndim >= 2]
    if len(flat) == 1:
        return flat[0][:, :labels], flat[0][:, labels:]
    by_rows = sorted(flat, key=lambda output: -len(output))
    scores = [output for output in by_rows if output.shape[1] == labels]
    bins = [output for output in by_rows if output.shape[1] != labels]
    if not scores or [len(a) for a in scores] != [len(b) for b in bins] or len({b.shape[1] for b in bins}) != 1:
        return np.zeros((0, labels), np.float32), np.zeros((0, 0), np.float32)
    return np.concatenate(scores), np.concatenate(bins)
