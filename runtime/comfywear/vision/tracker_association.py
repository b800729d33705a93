"""How much boxes overlap, and who is whom: the optimal assignment under a limit."""

from __future__ import annotations

import lap
import numpy as np
from numpy.typing import NDArray

__all__ = ["Overlap", "assign"]

Boxes = NDArray[np.float32]
Indices = NDArray[np.intp]

_NONE = np.empty(0, np.intp)


class Overlap:
    """Intersection over union in buffers that are kept: large arrays made anew each time cost more than the sums."""

    def __init__(self) -> None:
        self._buffer = np.empty(0, np.float32)

    def iou(self, a: Boxes, b: Boxes) -> Boxes:
        """IoU `(N, M) float32` of boxes `(4, N)` and `(4, M)` as rows x1, y1, x2, y2. Valid until the next call."""
        n, m = a.shape[1], b.shape[1]
        size = n * m
        if self._buffer.size < 4 * size:
            self._buffer = np.empty(8 * size, np.float32)
        shared = self._buffer[: 2 * size].reshape(2, n, m)
        other = self._buffer[2 * size : 4 * size].reshape(2, n, m)
        np.minimum(a[2:, :, None], b[2:, None, :], out=shared)
        np.maximum(a[:2, :, None], b[:2, None, :], out=other)
        shared -= other
        np.maximum(shared, 0.0, out=shared)
        inter: Boxes = shared[0]
        union: Boxes = other[0]
        inter *= shared[1]
        area_a = a[2:] - a[:2]
        area_b = b[2:] - b[:2]
        np.add((area_a[0] * area_a[1])[:, None], area_b[0] * area_b[1], out=union)
        union -= inter
        inter /= union
        return inter


def assign(cost: NDArray[np.float32], limit: float) -> tuple[Indices, Indices]:
    """Rows and columns of the pairs of the cheapest assignment; leaving a row and a column alone costs `limit`.

    Costs are cut at the limit, so that a pair at the limit means "alone": the optimum is the same as that of the
    assignment extended by dummy rows and columns, at a quarter of the size (Jonker and Volgenant, 1987, in `lap`).
    """
    n, m = cost.shape
    if not n or not m:
        return _NONE, _NONE
    side = max(n, m)
    square = np.full((side, side), limit)
    np.minimum(cost, limit, out=square[:n, :m])
    columns, _ = lap.lapjv(square, return_cost=False)
    rows = np.arange(n)
    columns = columns[:n]
    kept = square[rows, columns] < limit
    return rows[kept], columns[kept].astype(np.intp, copy=False)
