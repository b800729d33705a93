"""Persons where nobody is: how many empty photos fire, what recall that buys, and the threshold that keeps it rare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.records import Detection
from comfywear_export.measure.average_precision import Found
from comfywear_export.measure.curves import ranked

__all__ = ["Tradeoff", "best_scores", "share", "threshold_for", "tradeoff"]

Numbers = NDArray[np.float64]

_MARGIN = 0.005


@dataclass(frozen=True, eq=False)
class Tradeoff:
    """What each threshold costs and gives, from the highest threshold on: `(K,)` each.

    Attributes:
        thresholds: Falling.
        recall: Share of the persons that are found at IoU .5, 0…1, the mean over the sets.
        share: Share of the empty photos with a person at or above the threshold, 0…1.
    """

    thresholds: Numbers
    recall: Numbers
    share: Numbers

    def at(self, threshold: float) -> tuple[float, float]:
        """Recall and share at a threshold: those of the next higher one that was noted."""
        above = np.flatnonzero(self.thresholds >= threshold)
        last = int(above[-1]) if len(above) else 0
        return float(self.recall[last]), float(self.share[last])


def best_scores(found: Sequence[Sequence[Detection]]) -> Numbers:
    """The surest person of each photo, `(N,)` 0…1; 0 where there is none."""
    return np.array([max((d.score for d in photo if d.label == "person"), default=0.0) for photo in found], np.float64)


def share(scores: Numbers, threshold: float) -> float:
    """The share of photos in which a person is reported; NaN without photos."""
    return float((scores >= threshold).mean()) if len(scores) else float("nan")


def threshold_for(scores: Numbers, most: float) -> float:
    """The lowest threshold, and so the highest recall, at which at most a share `most` of empty photos fires.

    Args:
        scores: Of the surest person in each empty photo, `(N,)`.
        most: 0…1.

    Returns:
        A threshold a little above the surest photo that has to stay quiet, and below the next that may fire, so that
        rounding in another engine wakes none; 1 where even scores of 1 have to stay quiet.
    """
    ranked_scores = np.append(np.sort(scores)[::-1], 0.0)
    allowed = int(np.floor(most * len(scores) + 1e-9))
    # Photos of the same score fire together.
    while 0 < allowed < len(scores) and ranked_scores[allowed - 1] == ranked_scores[allowed]:
        allowed -= 1
    quiet = float(ranked_scores[allowed])
    fires = float(ranked_scores[allowed - 1]) if allowed else 1.0
    return quiet + min((fires - quiet) / 2, _MARGIN)


def tradeoff(sets: Sequence[Sequence[Found]], scores: Numbers) -> Tradeoff:
    """Recall beside false persons at every threshold at which either may change.

    Args:
        sets: Of each data set its photos with the persons that are found and there; the sets count the same, however
            many persons they have.
        scores: Of the surest person in each empty photo, `(N,)`.
    """
    parts: list[tuple[Any, Any, int]] = [ranked(photos) for photos in sets]
    steps = np.unique(np.concatenate([[1.0], scores[scores > 0], *(part[0].astype(np.float64) for part in parts)]))
    thresholds = np.clip(steps[::-1], 0.0, 1.0)
    recalls = [_recall(found.astype(np.float64)[hits], total, thresholds) for found, hits, total in parts if total]
    recall = np.mean(recalls, axis=0) if recalls else np.full(len(thresholds), np.nan)
    fired = len(scores) - np.searchsorted(np.sort(scores), thresholds)
    return Tradeoff(thresholds, recall, fired / len(scores) if len(scores) else np.full(len(thresholds), np.nan))


def _recall(hits: Numbers, total: int, thresholds: Numbers) -> Numbers:
    found: Numbers = (len(hits) - np.searchsorted(np.sort(hits), thresholds)) / total
    return found
