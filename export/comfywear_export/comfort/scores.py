"""How good probabilities of votes are: proper scores, decisions, calibration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["calibration_error", "macro_f1", "preference_scores", "ranked_probability_score", "vote_scores"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


def ranked_probability_score(probabilities: Array, truth: Labels) -> float:
    """Mean squared distance of the cumulative distribution from the vote's, by K − 1 (Epstein 1969); 0 is best."""
    classes = probabilities.shape[1]
    steps = truth[:, None] <= np.arange(classes - 1)
    return float(np.mean((np.cumsum(probabilities, axis=1)[:, :-1] - steps) ** 2))


def calibration_error(probabilities: Array, truth: Labels, bins: int = 10) -> float:
    """Expected calibration error of the likeliest class over `bins` bins of equal width (Guo et al. 2017)."""
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    place = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [abs(float(np.sum(right[place == b]) - np.sum(sure[place == b]))) for b in range(bins)]
    return sum(gaps) / len(truth)


def macro_f1(decided: Labels, truth: Labels, classes: int) -> float:
    """Mean over the classes of the harmonic mean of precision and recall."""
    scores = []
    for label in range(classes):
        hits = float(np.sum((decided == label) & (truth == label)))
        total = float(np.sum(decided == label) + np.sum(truth == label))
        scores.append(2.0 * hits / total if total else 0.0)
    return float(np.mean(scores))


def vote_scores(
    truth: Labels, probabilities: Array | None, *, vote: Labels, sensation: Labels
) -> dict[str, float | None]:
    """The keys of `evaluate comfort` for one way to predict.

    Args:
        truth: `(N,)` 0…6; −1 where only wishes were asked for: then there are no scores.
        probabilities: `(N, 7)`, or None where the method gives none: then the scores that need them are None.
        vote: `(N,)` the decided vote, 0…6 (the median of the distribution: it has the least mean absolute error).
        sensation: `(N,)` 0 cool, 1 neutral, 2 warm, by the method's own rule.
    """
    if (truth < 0).any():
        return dict.fromkeys(("rps", "log_loss", "ece", "acc7", "acc3", "mae", "f1_3"))
    likely = vote if probabilities is None else probabilities.argmax(axis=1)
    felt = np.sign(truth - 3) + 1
    scores: dict[str, float | None] = {"rps": None, "log_loss": None, "ece": None}
    if probabilities is not None:
        chosen = probabilities[np.arange(truth.shape[0]), truth]
        scores = {
            "rps": ranked_probability_score(probabilities, truth),
            "log_loss": float(-np.log(np.maximum(chosen, 1e-12)).mean()),
            "ece": calibration_error(probabilities, truth),
        }
    return scores | {
        "acc7": float((likely == truth).mean()),
        "acc3": float((sensation == felt).mean()),
        "mae": float(np.abs(vote - truth).mean()),
        "f1_3": macro_f1(sensation, felt, 3),
    }


def preference_scores(truth: Labels, decided: Labels) -> float | None:
    """Share of asked people (`truth` ≥ 0) whose preference was met; None where nobody was asked."""
    asked = truth >= 0
    return float((decided[asked] == truth[asked]).mean()) if asked.any() else None
