"""How many questions the device's asking needs to do as well as as many at random moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort.asking import STEP, worth
from comfywear.comfort.personal import Population, learn
from comfywear_export.comfort.scores import ranked_probability_score
from comfywear_export.comfort.units import Unit

__all__ = ["QUESTIONS", "asking"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

QUESTIONS = 10
VOTES = np.arange(-3.0, 4.0)


def asking(units: Sequence[Unit], priors: Mapping[int, Population], draws: int) -> dict[str, Any]:
    """RPS by number of questions, 0…10, for random moments and for those that the device would choose.

    In each draw, half of a unit's votes, chosen at random, are moments at which it could be asked; it is measured on
    the other half. Means over units and draws.

    Returns:
        `rps_random` and `rps_asking`, lists of 11; `needed`, the least number of questions whose RPS is not above
        random's at 10 (None: more than 10); `needed_by_draw` likewise for each draw; `units`, `draws`.
    """
    scores = np.empty((draws, len(units), 2, QUESTIONS + 1))
    for draw in range(draws):
        for number, unit in enumerate(units):
            random = np.random.default_rng([draw, number])
            order = random.permutation(len(unit))
            pool, test = np.sort(order[: len(unit) // 2]), np.sort(order[len(unit) // 2 :])
            chance = random.permutation(pool)[:QUESTIONS]
            chosen = _chosen(unit, priors[unit.fold], pool)
            scores[draw, number, 0] = _scores(unit, priors[unit.fold], chance, test)
            scores[draw, number, 1] = _scores(unit, priors[unit.fold], chosen, test)
    means = scores.mean(axis=(0, 1))
    return {
        "rps_random": means[0].tolist(),
        "rps_asking": means[1].tolist(),
        "needed": _needed(means),
        "needed_by_draw": [_needed(each) for each in scores.mean(axis=1)],
        "units": len(units),
        "draws": draws,
    }


def _chosen(unit: Unit, prior: Population, pool: Labels) -> Labels:
    """The moments that `comfywear.comfort.asking.worth` prefers, one after another."""
    learnt = learn(prior, unit.cutpoints, unit.evidence(pool[:0]))
    q = learnt.probabilities(unit.eta[pool])
    mean = q @ VOTES
    uncertainty = np.sqrt(np.maximum(q @ VOTES**2 - mean**2, 0.0))
    # Before any vote every moment is as new as another: the most usual one begins.
    here = unit.conditions[pool]
    chosen = [int(np.argmin((((here - np.median(here, axis=0)) / STEP) ** 2).sum(axis=1)))]
    while len(chosen) < min(QUESTIONS, len(pool)):
        value = worth(here, here[chosen], uncertainty)
        value[chosen] = -np.inf
        chosen.append(int(np.argmax(value)))
    result: Labels = pool[chosen]
    return result


def _scores(unit: Unit, prior: Population, asked: Labels, test: Labels) -> Array:
    """`(11,)` RPS after 0…10 of the votes in `asked`."""
    start, scores = None, np.empty(QUESTIONS + 1)
    for count in range(QUESTIONS + 1):
        learnt = learn(prior, unit.cutpoints, unit.evidence(asked[:count]), start=start)
        start = learnt.mean
        scores[count] = ranked_probability_score(learnt.probabilities(unit.eta[test]), unit.vote[test])
    return scores


def _needed(means: Array) -> int | None:
    enough = np.flatnonzero(means[1] <= means[0, QUESTIONS])
    return int(enough[0]) if len(enough) else None
