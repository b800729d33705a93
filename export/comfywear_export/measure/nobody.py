"""Photos with nobody in them: in how many is a person seen, and at which threshold do few of them fire."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.records import Detection
from comfywear_export.data.datasets import Photo
from comfywear_export.measure.detection import Finds
from comfywear_export.measure.false_persons import best_scores, share, threshold_for

__all__ = ["SOURCES", "by_source", "choose_threshold", "empty_figures"]

SOURCES = 12
"""With more sources than this, they are no parts of a set: photos have sources of their own."""


def empty_figures(nobody: Sequence[tuple[Path, Finds]], threshold: float) -> dict[str, Any]:
    """In how many photos of nobody a person is seen.

    Args:
        nobody: Folders with what was found in their photos.
        threshold: Score from which a find is believed.

    Returns:
        `images`, `share` of them with a person, and the same of each folder in `folders`, of each source in `sources`.
    """

    def told(finds: Finds) -> dict[str, Any]:
        return {"images": len(finds), "share": share(_persons(finds), threshold)}

    return {
        **told([each for _, finds in nobody for each in finds]),
        "folders": {folder.name: told(finds) for folder, finds in nobody},
        "sources": {name: told(finds) for name, finds in _sources(nobody).items()},
    }


def choose_threshold(nobody: Sequence[tuple[Path, Finds]], most: float, on: Sequence[str] = ()) -> dict[str, Any]:
    """The `threshold` of the highest recall at which at most a share `most` of the empty photos fires.

    Args:
        nobody: Folders with what was found in their photos.
        most: 0…1.
        on: Names of folders (all their sources) or of sources, as `empty_figures` names them; none: all.

    Raises:
        UsageError: A name of `on` is not among them.
    """
    rows = _sources(nobody)
    unknown = [name for name in on if not any(name in (row, *row.split("/")) for row in rows)]
    if unknown:
        raise UsageError(f"--choose-on {unknown[0]}: no such source of empty photos; there are: {', '.join(rows)}")
    names = [row for row in rows if not on or any(name in (row, *row.split("/")) for name in on)]
    scores = np.concatenate([_persons(rows[name]) for name in names])
    # Up to the next thousandth, as cards have it.
    threshold = math.ceil(round(threshold_for(scores, most) * 1000, 6)) / 1000
    return {"threshold": threshold, "most": most, "on": names, "share": share(scores, threshold)}


def _sources(nobody: Sequence[tuple[Path, Finds]]) -> dict[str, Finds]:
    """What was found by folder and source ("empty/houses"), by folder alone where there is one source or too many."""
    rows: dict[str, list[tuple[Photo, Sequence[Detection]]]] = {}
    for folder, finds in nobody:
        parts = by_source(finds)
        for source, found in parts.items():
            name = f"{folder.name}/{source}" if source and 1 < len(parts) <= SOURCES else folder.name
            rows.setdefault(name, []).extend(found)
    return dict(sorted(rows.items()))


def by_source(finds: Finds) -> dict[str, list[tuple[Photo, Sequence[Detection]]]]:
    """The finds by the source of their photo, as its set calls it; "" for those without one."""
    parts: dict[str, list[tuple[Photo, Sequence[Detection]]]] = {}
    for photo, found in finds:
        parts.setdefault(photo.source, []).append((photo, found))
    return parts


def _persons(finds: Finds) -> NDArray[np.float64]:
    return best_scores([found for _, found in finds])
