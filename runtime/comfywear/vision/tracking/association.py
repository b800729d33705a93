"""How much boxes overlap, and who is whom: the optimal assignment under a limit."""

from __future__ import annotations

import lap
import numpy as np
from numpy.typing import NDArray

__all__ = ["Association"]

Boxes = NDArray[np.float32]
Indices = NDArray[np.intp]

_NONE = np.empty(0, np.intp)
_PIXEL = np.float32(1.0)


class Association:
    """Overlaps and assignments in buffers that are kept: large arrays made anew each time cost more than the sums."""

    def __init__(self) -> None:
        self._overlap = np.empty(0, np.float32)
        self._square = np.empty(0, np.float64)

    def iou(self, a: Boxes, b: Boxes) -> Boxes:
        """IoU `(N, M) float32` of boxes `(4, N)` and `(4, M)` as rows x1, y1, x2, y2, in a buffer of this object.

        The last pixel belongs to a box, so a side is one longer than the difference of its ends, as the tools of
        MOTChallenge and ByteTrack count.
        """
        n, m = a.shape[1], b.shape[1]
        size = n * m
        if self._overlap.size < 4 * size:
            self._overlap = np.empty(8 * size, np.float32)
        shared = self._overlap[: 2 * size].reshape(2, n, m)
        other = self._overlap[2 * size : 4 * size].reshape(2, n, m)
        a_end, b_end = a[2:] + _PIXEL, b[2:] + _PIXEL
        np.minimum(a_end[:, :, None], b_end[:, None, :], out=shared)
        np.maximum(a[:2, :, None], b[:2, None, :], out=other)
        shared -= other
        np.maximum(shared, 0.0, out=shared)
        inter: Boxes = shared[0]
        union: Boxes = other[0]
        inter *= shared[1]
        a_end -= a[:2]
        b_end -= b[:2]
        np.add((a_end[0] * a_end[1])[:, None], b_end[0] * b_end[1], out=union)
        union -= inter
        inter /= union
        return inter

    def assign(self, cost: Boxes, limit: float) -> tuple[Indices, Indices]:
        """Rows and columns of the pairs of the cheapest assignment; leaving a row and a column alone costs `limit`.

        Costs are cut at the limit, so that a pair at the limit means "alone": the optimum is the same as that of the
        assignment extended by dummy rows and columns, at a quarter of the size (Jonker and Volgenant, 1987, in `lap`).
        """
        n, m = cost.shape
        if not n or not m:
            return _NONE, _NONE
        limit = float(np.float32(limit))  # as it compares with the costs
        side = max(n, m)
        if self._square.size < side * side:
            self._square = np.empty(2 * side * side)
        square = self._square[: side * side].reshape(side, side)
        if n != m:
            square.fill(limit)
        np.minimum(cost, limit, out=square[:n, :m])
        columns: Indices = lap.lapjv(square, return_cost=False)[0][:n]
        rows = (square[np.arange(n), columns] < limit).nonzero()[0]
        return rows, columns.take(rows)
