"""How the shipped comfort model is made from votes: one function, used by `train` and by every fold of `evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear_export.comfort.design import TERMS, VOTE_TERMS, design, guesses, section
from comfywear_export.comfort.fitting import Cumulative, fit_for_new_sites
from comfywear_export.comfort.rows import Votes

__all__ = ["RECIPE", "Fitted", "fit_recipe", "fit_votes"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

# Chosen by contributor-grouped cross-validation on the development file; docs/comfort.md has the figures. The decision
# rules are the two last: neutral within ±0.4 of a mean vote, no change within ±0.35 of a mean wish (−1, 0, 1).
RIDGE, POWER, CALIBRATION_POWER = 0.003, 0.5, 0.2
NEUTRAL_WITHIN, NO_CHANGE_WITHIN = 0.4, 0.35
RECIPE = {
    "ridge": RIDGE,
    "power": POWER,
    "calibration_power": CALIBRATION_POWER,
    "neutral_within": NEUTRAL_WITHIN,
    "no_change_within": NO_CHANGE_WITHIN,
}


@dataclass(frozen=True)
class Fitted:
    """A fitted model, still on the workstation: what the model file holds."""

    when_unknown: dict[str, dict[str, float]]
    votes: Cumulative
    preference: Cumulative

    @property
    def parameters(self) -> int:
        """How many numbers were fitted to the votes and preferences."""
        return sum(len(model.coefficients) + len(model.cutpoints) for model in (self.votes, self.preference))

    def predict(self, votes: Votes) -> tuple[Array, Array]:
        """`(N, 7)` probabilities of the votes and `(N, 3)` of warmer, no change, cooler."""
        features = design(votes, self.when_unknown)
        return self.votes.probabilities(features), self.preference.probabilities(features[:, : len(TERMS)])

    def as_json(self) -> dict[str, Any]:
        """The content of the model file."""
        return {
            "votes": section(self.votes, VOTE_TERMS),
            "preference": section(self.preference, TERMS),
            "when_unknown": self.when_unknown,
            "decision": {"neutral_within": NEUTRAL_WITHIN, "no_change_within": NO_CHANGE_WITHIN},
        }


def fit_recipe(votes: Votes) -> Fitted:
    """Fit votes and preference; UsageError when there are too few contributors or answers."""
    asked = votes.preference >= 0
    if len(np.unique(votes.contributor)) < 5 or len(np.unique(votes.contributor[asked])) < 5:
        raise UsageError("the fit needs votes and preferences of at least 5 contributors")
    when_unknown = guesses(votes)
    features = design(votes, when_unknown)
    return Fitted(
        when_unknown,
        _fit(features, votes.vote, 7, votes.contributor),
        _fit(features[asked, : len(TERMS)], votes.preference[asked], 3, votes.contributor[asked]),
    )


def fit_votes(votes: Votes) -> tuple[dict[str, dict[str, float]], Cumulative]:
    """The part of `fit_recipe` for the votes alone: guesses for unknown inputs, and the model."""
    when_unknown = guesses(votes)
    return when_unknown, _fit(design(votes, when_unknown), votes.vote, 7, votes.contributor)


def _fit(features: Array, labels: Labels, classes: int, groups: Labels) -> Cumulative:
    return fit_for_new_sites(
        features, labels, classes, groups, ridge=RIDGE, power=POWER, calibration_power=CALIBRATION_POWER
    )
