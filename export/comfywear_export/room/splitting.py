"""Splits photos so that look-alikes (frames of one clip, edits of one photo) stay on one side; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["families", "halves"]

_SIDE = 24  # pixels of a thumbnail
_ALIKE = 0.85  # correlation of thumbnails


def families(images: Sequence[NDArray[np.uint8]]) -> NDArray[np.intp]:
    """`(N,)`: a number each, the same for photos whose thumbnails correlate by .85 or more (also in chains)."""
    from scipy.sparse.csgraph import connected_components

    rows = []
    for image in images:
        small: NDArray[Any] = cv2.resize(
            cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA
        )
        row = small.astype(np.float64).ravel()
        row -= row.mean()
        rows.append(row / max(float(np.linalg.norm(row)), 1e-9))
    if not rows:
        return np.zeros(0, np.intp)
    alike = np.stack(rows) @ np.stack(rows).T >= _ALIKE
    numbers: NDArray[np.intp] = connected_components(alike, directed=False)[1].astype(np.intp)
    return numbers


def halves(numbers: NDArray[np.intp], first: int, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Photo numbers of two parts, whole families each; the first has as many as `first` allows, drawn by chance."""
    chosen: list[int] = []
    for family in rng.permutation(np.unique(numbers)):
        members = np.flatnonzero(numbers == family).tolist()
        if len(chosen) + len(members) <= first:
            chosen += members
    rest = sorted(set(range(len(numbers))) - set(chosen))
    return sorted(chosen), rest
