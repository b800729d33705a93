"""How often an ordering of situations agrees with people: the reward's, the comfort model's own, and plain ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort.standards.pmv import ppd_of
from comfywear_export.comfort.baselines import device_pmv
from comfywear_export.comfort.pairs import Rating, features, fit_reward, pairs_within, quality_of
from comfywear_export.comfort.recipe import fit_recipe
from comfywear_export.comfort.rows import Votes
from comfywear_export.measure.interval import bootstrap

__all__ = ["ORDERINGS", "RIDGE", "WITHIN", "one_fold", "random_folds", "summary"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Counts = dict[str, dict[str, dict[str, list[int]]]]

ORDERINGS = {
    "reward": "reward model, pair loss",
    "no_change": "comfort model: P(no change)",
    "vote": "comfort model: −|mean vote|",
    "ppd": "PPD (ISO 7730)",
    "temperature": "temperature alone",
    "constant": "constant",
}
"""What is compared: keys of the figures and words."""
WITHIN = ("building", "person")
RIDGE = 0.1
_BEST_AIR = np.arange(20.0, 28.1, 0.5)


def random_folds(groups: Labels, folds: int, seed: int) -> list[NDArray[np.bool_]]:
    """`folds` masks of rows, each of whole groups, dealt at random: no group is on both sides."""
    names, place = np.unique(groups, return_inverse=True)
    dealt = np.random.default_rng([seed, 7]).permutation(len(names)) % folds
    return [dealt[place] == fold for fold in range(folds)]


def one_fold(votes: Votes, test: NDArray[np.bool_], rating: Rating, most: int, seed: int) -> Counts:
    """Fit on the buildings outside `test` and count right pairs inside it.

    Args:
        votes: Rows that have the rating.
        test: `(N,)` rows of the buildings kept apart; everything is fitted without them, the comfort model too.
        rating: What tells the better situation.
        most: Pairs of one building (or person) at most.
        seed: Of the pairs drawn.

    Returns:
        By ordering, by "building" or "person", by building number (as text): [twice the right pairs, pairs]; a tie is
        half right.
    """
    rng = np.random.default_rng([seed, int(np.flatnonzero(test)[0])])
    known, new = votes.subset(~test), votes.subset(test)
    fitted = fit_recipe(known)
    training = pairs_within(known.building, quality_of(known, rating), most, rng)
    beta = fit_reward(features(known.inputs, fitted.when_unknown), training, known.building, RIDGE)
    probabilities, wishes = fitted.predict(new)
    air = new.inputs["air_temp_c"]
    scores: Mapping[str, Array] = {
        "reward": features(new.inputs, fitted.when_unknown) @ beta,
        "no_change": wishes[:, 1],
        "vote": -np.abs(probabilities @ np.arange(-3.0, 4.0)),
        "ppd": -ppd_of(device_pmv(new)),
        "temperature": -np.abs(air - _best_air(known.inputs["air_temp_c"], training)),
        "constant": np.zeros(len(new)),
    }
    quality = quality_of(new, rating)
    counts: Counts = {name: {} for name in scores}
    for within in WITHIN:
        pairs = pairs_within(getattr(new, within), quality, most, rng)
        owner = new.building[pairs[:, 0]]
        total = np.bincount(owner)
        for name, score in scores.items():
            ahead = np.sign(score[pairs[:, 0]] - score[pairs[:, 1]]) + 1.0
            right = np.bincount(owner, ahead)
            counts[name][within] = {str(b): [int(right[b]), int(total[b])] for b in np.flatnonzero(total)}
    return counts


def summary(parts: Sequence[Counts]) -> dict[str, Any]:
    """Share of right pairs with 95 % intervals over buildings, and the reward's lead over each other ordering.

    Every building counts with the root of its pairs, so that the few large ones do not decide alone.
    """
    figures: dict[str, Any] = {}
    for within in WITHIN:
        names = sorted({name for part in parts for name in part["reward"].get(within, {})})
        if len(names) < 2:
            continue
        rows = {
            key: np.array([_sum(part[key][within].get(name, [0, 0]) for part in parts) for name in names], float)
            for key in ORDERINGS
        }
        weights = np.sqrt(rows["reward"][:, 1])
        shares = {key: row[:, 0] / (2.0 * row[:, 1]) for key, row in rows.items()}
        figures[within] = {
            "buildings": len(names),
            "pairs": int(rows["reward"][:, 1].sum()),
            "right": {key: _rounded(bootstrap(share, weights)) for key, share in shares.items()},
            "reward_ahead_of": {
                key: _rounded(bootstrap(shares["reward"] - share, weights))
                for key, share in shares.items()
                if key != "reward"
            },
        }
    return figures


def _best_air(air: Array, pairs: Labels) -> float:
    """The temperature whose neighbourhood the training pairs like best."""
    better, worse = air[pairs[:, 0]], air[pairs[:, 1]]
    right = [float((np.abs(better - best) < np.abs(worse - best)).mean()) for best in _BEST_AIR]
    return float(_BEST_AIR[int(np.argmax(right))])


def _sum(entries: Any) -> list[int]:
    return [int(sum(column)) for column in zip(*entries, strict=True)]


def _rounded(values: tuple[float, ...]) -> list[float]:
    return [round(value, 4) for value in values]
