"""What labels are worth: how many a strategy needs for a share of the full-data score, beside random; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from comfywear_export.measure.interval import over_seeds

__all__ = ["needed", "summary"]

Rows = Sequence[Mapping[str, Any]]


def needed(amounts: Sequence[float], scores: Sequence[float], target: float) -> float:
    """The amount from which on the score never falls below `target` again; between two measurements a straight line.

    Infinite where the last score is below it. The first amount where the first score and all later ones reach it.
    """
    low = [i for i, score in enumerate(scores) if score < target]
    if not low:
        return float(amounts[0])
    last = low[-1]
    if last == len(scores) - 1:
        return float("inf")
    part = (target - scores[last]) / (scores[last + 1] - scores[last])
    return float(amounts[last] + part * (amounts[last + 1] - amounts[last]))


def summary(
    arms: Mapping[tuple[str, int], Rows], full: Mapping[str, float], share: float = 0.95
) -> list[dict[str, Any]]:
    """One row a strategy, means over the seeds and 95 % half widths.

    Args:
        arms: By strategy and seed: rows with `photos`, `boxes`, `score`.
        full: `photos`, `boxes` and `score` with all labels.
        share: Of the full-data score that is to be reached.

    Returns:
        Rows with `strategy`, `seeds`, and pairs (mean, half width) of `photos` and `boxes` (parts of all needed),
        `saved_photos` and `saved_boxes` (random's need minus this one's, paired by seed) and `area`
        (mean score over all measurements). A need beyond the last measurement counts as all labels.
    """
    needs: dict[tuple[str, int], dict[str, float]] = {}
    for key, rows in arms.items():
        scores = [row["score"] for row in rows]
        needs[key] = {"area": float(np.mean(scores))}
        for kind in ("photos", "boxes"):
            part = needed([row[kind] for row in rows], scores, share * full["score"]) / full[kind]
            needs[key][kind] = min(part, 1.0)
    table = []
    for strategy in dict.fromkeys(name for name, _ in arms):
        seeds = sorted(seed for name, seed in arms if name == strategy)
        row: dict[str, Any] = {"strategy": strategy, "seeds": len(seeds)}
        for kind in ("photos", "boxes", "area"):
            row[kind] = _pair([needs[strategy, seed][kind] for seed in seeds])
        paired = [seed for seed in seeds if ("random", seed) in needs]
        for kind in ("photos", "boxes"):
            saved = [needs["random", seed][kind] - needs[strategy, seed][kind] for seed in paired]
            row[f"saved_{kind}"] = _pair(saved)
        table.append(row)
    return table


def _pair(values: Sequence[float]) -> tuple[float, float]:
    mean, _, high = over_seeds(values) if values else (float("nan"),) * 3
    return mean, high - mean
