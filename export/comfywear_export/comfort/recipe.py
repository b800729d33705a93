"""How the shipped comfort model is made from votes: one function, used by `train` and by every fold of `evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort.ordinal import three_classes
from comfywear.errors import UsageError
from comfywear_export.comfort.design import design, guesses, section
from comfywear_export.comfort.fitting import Cumulative, fit_for_new_sites
from comfywear_export.comfort.rows import Votes

__all__ = ["RECIPE", "Fitted", "fit_recipe"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

# Chosen by contributor-grouped cross-validation on the development file; docs/comfort.md has the figures.
RIDGE, POWER, CALIBRATION_POWER = 0.003, 0.5, 0.2
RECIPE = {"ridge": RIDGE, "power": POWER, "calibration_power": CALIBRATION_POWER}
# Steps of the logarithmic bonus for "neutral" (and "no change") that the decision rule may take.
_BONUSES = np.arange(-0.3, 0.31, 0.02)


@dataclass(frozen=True)
class Fitted:
    """A fitted model, still on the workstation: what the model file holds."""

    when_unknown: dict[str, dict[str, float]]
    votes: Cumulative
    preference: Cumulative
    neutral_bonus: float
    no_change_bonus: float

    def predict(self, votes: Votes) -> tuple[Array, Array]:
        """`(N, 7)` probabilities of the votes and `(N, 3)` of warmer, no change, cooler."""
        features = design(votes, self.when_unknown)
        return self.votes.probabilities(features), self.preference.probabilities(features)

    def as_json(self) -> dict[str, Any]:
        """The content of the model file."""
        return {
            "votes": section(self.votes),
            "preference": section(self.preference),
            "when_unknown": self.when_unknown,
            "decision": {"neutral_bonus": self.neutral_bonus, "no_change_bonus": self.no_change_bonus},
        }


def fit_recipe(votes: Votes) -> Fitted:
    """Fit votes, preference and decision rules; UsageError when there are too few contributors or answers."""
    asked = votes.preference >= 0
    if len(np.unique(votes.contributor)) < 5 or len(np.unique(votes.contributor[asked])) < 5:
        raise UsageError("the fit needs votes and preferences of at least 5 contributors")
    when_unknown = guesses(votes)
    features = design(votes, when_unknown)
    model, unseen = _fit(features, votes.vote, 7, votes.contributor)
    wishes, unseen_wishes = _fit(features[asked], votes.preference[asked], 3, votes.contributor[asked])
    return Fitted(
        when_unknown,
        model,
        wishes,
        _bonus(three_classes(unseen), np.sign(votes.vote - 3) + 1),
        _bonus(unseen_wishes, votes.preference[asked]),
    )


def _fit(features: Array, labels: Labels, classes: int, groups: Labels) -> tuple[Cumulative, Array]:
    return fit_for_new_sites(
        features, labels, classes, groups, ridge=RIDGE, power=POWER, calibration_power=CALIBRATION_POWER
    )


def _bonus(probabilities: Array, truth: Labels) -> float:
    """The bonus for the middle class that gets most rows right at sites that the fit has not seen."""
    scores = []
    for bonus in _BONUSES:
        weighted = probabilities * np.array([1.0, np.exp(bonus), 1.0])
        scores.append(float((weighted.argmax(axis=1) == truth).mean()))
    # The middle of a plateau rather than its edge: neighbours count too.
    smooth = np.convolve(np.pad(scores, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    return round(float(_BONUSES[int(np.argmax(smooth))]), 2)
