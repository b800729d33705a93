"""The figures of `evaluate comfort`: the model beside its baselines, on given rows or with contributors left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort.votes.ordinal import ComfortFile, decide, three_classes
from comfywear_export.comfort.baselines import device_pmv, prior_of, recalibrated
from comfywear_export.comfort.fitting import folds_of
from comfywear_export.comfort.recipe import NEUTRAL_WITHIN, NO_CHANGE_WITHIN, Fitted, fit_recipe
from comfywear_export.comfort.rows import Votes, device_only
from comfywear_export.comfort.scores import preference_scores, vote_scores

__all__ = ["grouped_report", "report"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
FOLDS = 10


class _Predictions:
    """Probabilities and decisions of one method for every row, filled in fold by fold."""

    def __init__(self, rows: int) -> None:
        self.votes = np.zeros((rows, 7))
        self.sensation = np.ones(rows, int)
        self.preference = np.ones(rows, int)

    def fill(self, mask: NDArray[np.bool_], votes: Array, wishes: Array, neutral: float, no_change: float) -> None:
        self.votes[mask] = votes
        self.sensation[mask] = decide(votes, neutral)
        self.preference[mask] = decide(wishes, no_change)

    def scores(self, rows: Votes) -> dict[str, float | None]:
        median = (np.cumsum(self.votes, axis=1) < 0.5).sum(axis=1)
        scores = vote_scores(rows.vote, self.votes, vote=median, sensation=self.sensation)
        return scores | {"preference_acc": preference_scores(rows.preference, self.preference)}


def report(rows: Votes, model: ComfortFile) -> dict[str, Any]:
    """The shipped model on the given rows.

    The class prior and the recalibrated PMV are those of the rows themselves, which flatters these two.
    """
    everyone = np.ones(len(rows), bool)

    def shipped(votes: Votes) -> dict[str, float | None]:
        predictions = _Predictions(len(votes))
        predictions.fill(everyone, *model.predict(votes.inputs), model.neutral_within, model.no_change_within)
        return predictions.scores(votes)

    baselines = _baselines(rows, [everyone], lambda _: rows)
    return {"rows": len(rows), **shipped(rows), "device_only": shipped(device_only(rows)), "baselines": baselines}


def grouped_report(rows: Votes, folds: int = FOLDS, group: str = "contributor") -> dict[str, Any]:
    """The recipe fitted anew with every contributor (or building) left out in turn, and measured on those left out."""
    masks = list(folds_of(rows.group(group), folds))
    full, device = _Predictions(len(rows)), _Predictions(len(rows))
    plain = device_only(rows)
    for mask in masks:
        fitted = fit_recipe(rows.subset(~mask))
        _fill(full, mask, fitted, rows.subset(mask))
        _fill(device, mask, fitted, plain.subset(mask))
    return {
        "rows": len(rows),
        "groups": len(np.unique(rows.group(group))),
        "folds": len(masks),
        **full.scores(rows),
        "device_only": device.scores(rows),
        "baselines": _baselines(rows, masks, lambda mask: rows.subset(~mask)),
    }


def _fill(predictions: _Predictions, mask: NDArray[np.bool_], fitted: Fitted, rows: Votes) -> None:
    predictions.fill(mask, *fitted.predict(rows), NEUTRAL_WITHIN, NO_CHANGE_WITHIN)


def _baselines(
    rows: Votes, masks: list[NDArray[np.bool_]], known: Callable[[NDArray[np.bool_]], Votes]
) -> dict[str, Any]:
    """The same scores for what needs no model, or next to none; `known` gives the rows that a fold may learn from."""
    count = len(rows)
    neutral, pmv = np.full(count, 3), device_pmv(rows)
    votes = np.clip(np.rint(pmv), -3, 3).astype(int) + 3
    prior, again = np.zeros((count, 7)), np.zeros((count, 7))
    for mask in masks if (rows.vote >= 0).all() else ():
        prior[mask] = prior_of(known(mask))
        again[mask] = recalibrated(known(mask)).probabilities(pmv[mask, None])
    sides = {
        "always_neutral": vote_scores(rows.vote, None, vote=neutral, sensation=np.ones(count, int)),
        "class_prior": _by_probability(rows, prior),
        "pmv": vote_scores(rows.vote, None, vote=votes, sensation=np.sign(votes - 3) + 1),
        "pmv_recalibrated": _by_probability(rows, again),
    }
    wishes = {"pmv": 1 + np.sign(votes - 3)}
    for name, scores in sides.items():
        scores["preference_acc"] = preference_scores(rows.preference, wishes.get(name, np.ones(count, int)))
    return sides


def _by_probability(rows: Votes, probabilities: Array) -> dict[str, float | None]:
    median = (np.cumsum(probabilities, axis=1) < 0.5).sum(axis=1)
    return vote_scores(rows.vote, probabilities, vote=median, sensation=three_classes(probabilities).argmax(axis=1))
