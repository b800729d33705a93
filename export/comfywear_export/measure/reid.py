"""How often persons who come back are known again, and strangers taken for somebody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.vision.tracking.reid import Gallery
from comfywear_export.data.attribute_data import Example, read_examples

__all__ = ["FALSE_ACCEPTS", "GALLERY", "choose_threshold", "distinct_examples", "figures"]

Floats = NDArray[np.float64]

GALLERY = 10  # persons who left a little while ago
FALSE_ACCEPTS = 0.02  # at which the threshold is chosen
_DRAWS = 20  # galleries drawn for each probe


def distinct_examples(folder: Path, split: str, limit: int, rng: np.random.Generator) -> list[Example]:
    """Photos of a split, without those that show the same as another."""
    doubled: set[str] = set()
    if (folder / "splits.json").is_file():
        pairs = json.loads((folder / "splits.json").read_text(encoding="utf-8")).get("near_duplicate_pairs", [])
        doubled = {name for pair in pairs for name in pair}
    found = [example for example in read_examples(folder, split) if example.path.stem not in doubled]
    if len(found) <= GALLERY:
        raise UsageError(f"{folder}: more than {GALLERY} photos are needed, split {split!r} has {len(found)}")
    if 0 < limit < len(found):
        found = [found[index] for index in sorted(rng.permutation(len(found))[: max(limit, GALLERY + 1)])]
    return found


def choose_threshold(tables: dict[str, Floats]) -> float:
    """The largest threshold, in steps of 0.005, at which not more than 2 % of strangers are taken for somebody."""
    best = 0.0
    for threshold in np.arange(0.02, 0.5, 0.005):
        rates = [row["false_accepts"] for row in figures(tables, float(threshold), draws=5).values()]
        if np.mean(rates) > FALSE_ACCEPTS:
            break
        best = float(threshold)
    return best


def figures(tables: dict[str, Floats], threshold: float, *, draws: int = _DRAWS, seed: int = 0) -> dict[str, Any]:
    """By view the part of right answers among all photos, `rank1`, and answers with galleries of ten who left.

    `known_again` and `mistaken` are parts of those who come back (with their own number, with that of another),
    `false_accepts` is the part of strangers who get somebody's number.
    """
    gallery = Gallery(threshold=threshold)
    rng = np.random.default_rng(seed)
    out = {}
    for view, table in tables.items():
        usable = ~np.asarray(np.isnan(table).all(axis=0))
        rows = [i for i in range(len(table)) if usable[i] and not np.isnan(table[i]).all()]
        others = np.flatnonzero(usable)
        known = mistaken = accepted = 0
        for i in rows:
            for _ in range(draws):
                drawn = rng.choice(others[others != i], GALLERY, replace=False)
                accepted += gallery.choose({int(j): table[i, j] for j in drawn}) is not None
                found = gallery.choose({int(j): table[i, j] for j in (i, *drawn[1:])})
                known += found == i
                mistaken += found not in (None, i)
        total = max(len(rows) * draws, 1)
        out[view] = {
            "n": len(rows),
            "rank1": round(float(np.mean([np.nanargmin(table[i]) == i for i in rows])), 3),
            "known_again": round(known / total, 3),
            "mistaken": round(mistaken / total, 4),
            "false_accepts": round(accepted / total, 4),
        }
    return out
