"""How good yes-or-no answers are, label by label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear_export.measure.average_precision import average_precision
from comfywear_export.measure.curves import calibration_bins, calibration_error

__all__ = ["measure_answers"]


def measure_answers(
    probabilities: NDArray[np.float32],
    truth: NDArray[np.float32],
    labels: Sequence[str],
    thresholds: Mapping[str, float],
) -> dict[str, Any]:
    """Figures over persons.

    Args:
        probabilities: `(N, A)`, 0…1.
        truth: `(N, A)`: 1, 0, or NaN where it is not known (left out).
        labels: `(A)`.
        thresholds: Probability a label above which the answer is yes.

    Returns:
        `map_groups` and `map_labels` (mean AP of `group/…` and `garment/…` labels with at least one yes), `f1_groups`
        (mean F1 at the thresholds), `decisions` (share of right group decisions, and their number), `prevalence` (what
        `map_groups` and `map_labels` would be for constant answers), `calibration_error` (of groups, ten bins) and
        `labels` with the figures and counts of each.
    """
    rows: dict[str, dict[str, Any]] = {}
    for index, label in enumerate(labels):
        known = ~np.isnan(truth[:, index])
        p, yes = probabilities[known, index], truth[known, index] > 0.5
        if not len(p):
            continue
        said = p >= thresholds[label]
        right = int((said & yes).sum())
        asked = int(said.sum() + yes.sum())
        rows[label] = {
            "ap": average_precision(p, yes),
            "f1": 2 * right / asked if asked else float("nan"),
            "prevalence": float(yes.mean()),
            "accuracy": float((said == yes).mean()),
            "threshold": thresholds[label],
            "positives": int(yes.sum()),
            "n": len(yes),
        }
    groups = [rows[label] for label in rows if label.startswith("group/")]
    singles = [rows[label] for label in rows if label.startswith("garment/")]
    own = np.array([label.startswith("group/") for label in labels])
    decided = int(sum(row["n"] for row in groups))
    return {
        "persons": len(probabilities),
        "map_groups": _mean(groups, "ap"),
        "map_labels": _mean(singles, "ap"),
        "f1_groups": _mean(groups, "f1"),
        "decisions": {"right": _share(groups, decided), "n": decided},
        "prevalence": {"groups": _mean(groups, "prevalence"), "labels": _mean(singles, "prevalence")},
        "calibration_error": _calibration_error(probabilities[:, own], truth[:, own]),
        "labels": rows,
    }


def _mean(rows: Sequence[Mapping[str, float]], key: str) -> float:
    values = [row[key] for row in rows if row["positives"]]
    return float(np.mean(values)) if values else float("nan")


def _share(rows: Sequence[Mapping[str, float]], decided: int) -> float:
    return sum(row["accuracy"] * row["n"] for row in rows) / decided if decided else float("nan")


def _calibration_error(probabilities: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    known = ~np.isnan(truth)
    return calibration_error(calibration_bins(probabilities[known], truth[known] > 0.5))
