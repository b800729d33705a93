"""Looks closer: the whole picture and overlapping tiles of it through the same detector, so that far people are found.

A detector sees a picture at one size of its own, in which a person at the end of a room has a dozen pixels. In a tile
the same person has twice or three times as many.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.records import Detection
from comfywear.vision.layouts.nms import nms

__all__ = ["OVERLAP", "Finder", "Tile", "close_finder", "company_of", "merged", "tile_finds", "tiles_of"]

OVERLAP = 0.2
"""Part of a tile's side that it shares with the next."""

_DOUBLE = 0.6  # IoU from which two finds of a label are one
_TOUCHES = 0.01  # of a tile's sides: a box that ends so close to an inner border is taken as cut off there


class Finder(Protocol):
    """A detector."""

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Score above which each label is believed, in the order of the labels."""

    def detect(self, image: NDArray[np.uint8], *, threshold: float | None = None) -> list[Detection]:
        """What is in a frame."""


class Tile(NamedTuple):
    """A part of a picture in whole pixels; right and bottom are not in it."""

    left: int
    top: int
    right: int
    bottom: int


def tiles_of(width: int, height: int, tiles: int = 2, overlap: float = OVERLAP) -> list[Tile]:
    """The tiles of a picture, row by row: `tiles` by `tiles`, each sharing `overlap` of its sides with its neighbours.

    Raises:
        UsageError: The picture has fewer pixels than tiles, or there is no tile, or an overlap not from 0 to below 1.
    """
    if tiles < 1 or not 0.0 <= overlap < 1.0 or min(width, height) < tiles:
        raise UsageError(
            f"tiles are 1 or more, at most as many as pixels, with an overlap from 0 to below 1, "
            f"not {tiles} by {tiles} with {overlap} in {width} by {height} pixels"
        )
    across, down = _spans(width, tiles, overlap), _spans(height, tiles, overlap)
    return [Tile(left, top, right, bottom) for top, bottom in down for left, right in across]


def tile_finds(
    detector: Finder, image: NDArray[np.uint8], tile: Tile, *, threshold: float | None = None
) -> list[Detection]:
    """What is in a tile, in pixels of the whole picture `image` `(H, W, 3) uint8` BGR.

    Finds that touch a border inside the picture are left out: they are parts of something, which another tile or the
    look at the whole picture has whole.
    """
    height, width = image.shape[:2]
    part = np.ascontiguousarray(image[tile.top : tile.bottom, tile.left : tile.right])
    aside, above = _TOUCHES * (tile.right - tile.left), _TOUCHES * (tile.bottom - tile.top)
    found = []
    for seen in detector.detect(part, threshold=threshold):
        x1, y1, x2, y2 = seen.box
        x1, y1, x2, y2 = x1 + tile.left, y1 + tile.top, x2 + tile.left, y2 + tile.top
        cut = (
            (tile.left > 0 and x1 <= tile.left + aside)
            or (tile.top > 0 and y1 <= tile.top + above)
            or (tile.right < width and x2 >= tile.right - aside)
            or (tile.bottom < height and y2 >= tile.bottom - above)
        )
        if not cut:
            found.append(Detection((x1, y1, x2, y2), seen.score, seen.label))
    return found


def merged(finds: Iterable[Detection], labels: Iterable[str]) -> list[Detection]:
    """Each thing once: of finds of a label that overlap more than IoU .6 the best; label by label, the best first."""
    by_label: dict[str, list[Detection]] = {label: [] for label in labels}
    for find in finds:
        by_label.setdefault(find.label, []).append(find)
    kept: list[Detection] = []
    for own in by_label.values():
        boxes = np.array([find.box for find in own], np.float32).reshape(-1, 4)
        kept += [own[i] for i in nms(boxes, np.array([find.score for find in own], np.float32), _DOUBLE)]
    return kept


def close_finder(detector: Finder) -> Finder:
    """Who looks at a tile: of a detector that consists of two, the one for persons."""
    persons: Finder = getattr(detector, "persons", detector)
    return persons


def company_of(detector: Finder) -> float:
    """How much persons speak for each other, by the detector's card; 0 for one that knows no company."""
    return float(getattr(detector, "company", 0.0))


def _spans(length: int, tiles: int, overlap: float) -> list[tuple[int, int]]:
    """First pixel, and the one after the last, of equal tiles that cover `length` pixels."""
    side = min(math.ceil(length / (tiles - (tiles - 1) * overlap)), length)
    starts = [round(i * (length - side) / max(tiles - 1, 1)) for i in range(tiles)]
    return [(start, start + side) for start in starts]
