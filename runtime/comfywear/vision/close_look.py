"""One picture as a device sees it after all its far looks: the whole and every tile. For measuring on photos."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from comfywear.records import Detection
from comfywear.vision.detectors.company import among
from comfywear.vision.far_look import OVERLAP, Finder, Tile, close_finder, company_of, merged, tile_finds, tiles_of
from comfywear.vision.held_finds import PERSON, HeldFinds

__all__ = ["look_closely"]


def look_closely(
    detector: Finder,
    image: NDArray[np.uint8],
    tiles: int = 2,
    overlap: float = OVERLAP,
    *,
    threshold: float | None = None,
    only: Sequence[Tile] | None = None,
) -> list[Detection]:
    """What is in a frame, looked at as a whole and in tiles.

    As on the device (`HeldFinds`), garments of a tile count where somebody wears them whom the whole picture does not
    show: of who fills the picture a tile shows parts, and calls half of a dress a skirt. Persons of all looks together
    are company for each other once more (`among`).

    Args:
        detector: Any; one that looks for garments on crops looks for them on whom it finds in the whole picture.
        image: `(H, W, 3) uint8` BGR.
        tiles: In a row and in a column: 2 means 2 by 2, at five times the cost of one look.
        overlap: Part of a tile's side that it shares with the next.
        threshold: See `Detector.detect`.
        only: Look at these tiles alone, instead of all.

    Returns:
        As `Detector.detect`.

    Raises:
        UsageError: See `tiles_of` and `Detector.detect`.
    """
    size = (image.shape[1], image.shape[0])
    quick = detector.detect(image, threshold=threshold)
    found, close, beside = list(quick), close_finder(detector), HeldFinds(detector.thresholds.get(PERSON, 0.3))
    for tile in tiles_of(*size, tiles, overlap) if only is None else only:
        seen = tile_finds(close, image, tile, threshold=threshold)
        beside.take(tile, size, seen, quick, 0.0)
        found += [find for find in seen if find.label == PERSON]
    found += [find for find in beside.beside(quick) if find.label != PERSON]
    found = merged(found, detector.thresholds)
    return among(found, found, company_of(close))
