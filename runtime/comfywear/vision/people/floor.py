"""Where somebody stands on the floor, from four points of it that were measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from comfywear.errors import UsageError
from comfywear.records import Box

__all__ = ["Floor", "Place"]

Place = tuple[float, float]
"""Metres from a corner of the room, along its two sides."""

_CUT_OFF = 0.99  # a box that ends below this part of the picture's height shows no feet


class Floor:
    """The homography from a picture to the floor (Hartley and Zisserman, Multiple View Geometry, 2004, chapter 4).

    Args:
        points: Four of (x, y) in parts of the picture's width and height, and where that is, m.

    Raises:
        UsageError: There are not four, or three of them lie on a line.
    """

    def __init__(self, points: Sequence[tuple[float, float, float, float]]) -> None:
        rows, values = [], []
        for x, y, east, north in points:
            rows += [[x, y, 1, 0, 0, 0, -x * east, -y * east], [0, 0, 0, x, y, 1, -x * north, -y * north]]
            values += [east, north]
        if len(points) != 4 or np.linalg.matrix_rank(np.array(rows)) < 8:
            raise UsageError("a floor is known by four points of which no three lie on a line")
        self._matrix = np.append(np.linalg.solve(np.array(rows), np.array(values)), 1.0).reshape(3, 3)
        self._side = np.sign(self._depth(points[0][0], points[0][1]))

    def place(self, box: Box, width: int, height: int) -> Place | None:
        """Where whoever is in `box` (pixels of a picture of `width` × `height`) stands; None where no feet are seen."""
        x, y = 0.5 * (box[0] + box[2]) / width, box[3] / height
        depth = self._depth(x, y)
        if y > _CUT_OFF or depth * self._side <= 0.0:  # beyond the horizon there is no floor
            return None
        east, north = (self._matrix[:2] @ (x, y, 1.0) / depth).tolist()
        return east, north

    def _depth(self, x: float, y: float) -> float:
        return float(self._matrix[2] @ (x, y, 1.0))
