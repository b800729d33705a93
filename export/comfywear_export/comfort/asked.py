"""Whether it matters at which moments people are asked: moments unlike each other beside moments at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort.votes.personal import Population, learn
from comfywear_export.comfort.scores import ranked_probability_score
from comfywear_export.comfort.units import Unit
from comfywear_export.measure.interval import bootstrap

__all__ = ["QUESTIONS", "WAYS", "asking"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

QUESTIONS = 10
WAYS = ("random", "new", "spread")
"""As moments come; only those a step or more from every vote; the farthest apart, with every moment known before."""
# One step of difference: 1.5 K, 15 %, 0.2 clo.
STEP = np.asarray([1.5, 15.0, 0.2])


def asking(units: Sequence[Unit], priors: Mapping[int, Population], draws: int) -> dict[str, Any]:
    """RPS by number of questions, 0…10, for each way to choose moments.

    In each draw, half of a unit's votes, in an order drawn at random, are moments at which it could be asked; it is
    measured on the other half. Means over units and draws.

    Returns:
        `rps`: by way, a list of 11; where no moment is left the last one stands. `gain`: by way but "random", a list
        of 11 of [by how much RPS is below random's, and its 95 % interval over units]. `questions`: by way, how many
        of the 10 were asked, in the mean. `units`, `draws`.
    """
    scores = np.empty((draws, len(units), len(WAYS), QUESTIONS + 1))
    asked = np.empty((draws, len(units), len(WAYS)))
    for draw in range(draws):
        for number, unit in enumerate(units):
            order = np.random.default_rng([draw, number]).permutation(len(unit))
            pool, test = order[: len(unit) // 2], order[len(unit) // 2 :]
            here = unit.conditions[pool]
            for way, chosen in enumerate((np.arange(len(pool))[:QUESTIONS], new(here), spread(here))):
                asked[draw, number, way] = len(chosen)
                scores[draw, number, way] = _scores(unit, priors[unit.fold], pool[chosen], test)
    by_unit = scores.mean(axis=0)
    return {
        "rps": {name: by_unit[:, way].mean(axis=0).tolist() for way, name in enumerate(WAYS)},
        "gain": {
            name: [list(bootstrap(by_unit[:, 0, k] - by_unit[:, way, k])) for k in range(QUESTIONS + 1)]
            for way, name in enumerate(WAYS)
            if way
        },
        "questions": {name: float(asked[:, :, way].mean()) for way, name in enumerate(WAYS)},
        "units": len(units),
        "draws": draws,
    }


def new(conditions: Array) -> Labels:
    """Of `(N, 3)` moments as they come, the first ten that are a step or more from every one chosen before."""
    chosen: list[int] = []
    for number, here in enumerate(conditions):
        if len(chosen) < QUESTIONS and (not chosen or _apart(conditions[chosen], here).min() >= 1.0):
            chosen.append(number)
    return np.asarray(chosen, int)


def spread(conditions: Array) -> Labels:
    """The most usual of `(N, 3)` moments, then always the one farthest from those chosen (k-centre), ten in all."""
    chosen = [int(np.argmin(_apart(conditions, np.median(conditions, axis=0))))]
    while len(chosen) < min(QUESTIONS, len(conditions)):
        nearest = np.min([_apart(conditions, conditions[each]) for each in chosen], axis=0)
        nearest[chosen] = -1.0
        chosen.append(int(np.argmax(nearest)))
    return np.asarray(chosen, int)


def _apart(conditions: Array, here: Array) -> Array:
    """`(N,)` steps between each of the conditions and one."""
    result: Array = np.sqrt((((conditions - here) / STEP) ** 2).sum(axis=1))
    return result


def _scores(unit: Unit, prior: Population, asked: Labels, test: Labels) -> Array:
    """`(11,)` RPS after 0…10 of the votes in `asked`."""
    start, scores = None, np.empty(QUESTIONS + 1)
    for count in range(QUESTIONS + 1):
        if count > len(asked):
            scores[count] = scores[count - 1]
            continue
        learnt = learn(prior, unit.cutpoints, unit.evidence(asked[:count]), start=start)
        start = learnt.mean
        scores[count] = ranked_probability_score(learnt.probabilities(unit.eta[test]), unit.vote[test])
    return scores
