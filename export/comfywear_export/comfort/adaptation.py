"""How votes of a unit, revealed in the order of time, improve the answers for its later votes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort.votes.ordinal import decide, three_classes
from comfywear.comfort.votes.personal import Population, learn, tilted
from comfywear_export.comfort.recipe import NEUTRAL_WITHIN
from comfywear_export.comfort.scores import ranked_probability_score
from comfywear_export.comfort.units import Kind, Unit
from comfywear_export.comfort.wishes import WISH_GIVEN_VOTE, learn_from

__all__ = ["LEAST", "REVEALED", "adaptation", "scratch"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

REVEALED = (0, 3, 5, 10, 20, 50)
# What is measured is always the later votes, the same ones for every k up to `SKIPPED`.
SKIPPED: Mapping[Kind, int] = {"persons": 10, "buildings": 50}
# Votes that a unit needs, and votes that must be left to measure on.
LEAST: Mapping[Kind, int] = {"persons": 20, "buildings": 100}
LEFT = 10
RESAMPLES = 2000


def adaptation(units: Sequence[Unit], priors: Mapping[int, Population], kind: Kind) -> dict[str, dict[str, Any]]:
    """The figures by k: `rps` and `acc3` after k votes, `rps_none` and `acc3_none` without, `rps_scratch` by k alone.

    Where wishes alone were asked for, the figures are of those (three classes). Means over the units; every unit counts
    the same. Each k up to `SKIPPED` is measured on the votes after the first
    `SKIPPED`, a larger one on those after it, of units that have `LEFT` or more of them. Intervals are of 95 %, by
    resampling units.

    Args:
        units: With at least `LEAST` votes each.
        priors: By the fold of a unit: fitted without that fold.
        kind: Which `SKIPPED` holds.
    """
    figures: dict[str, dict[str, Any]] = {}
    for k in REVEALED:
        skip = max(k, SKIPPED[kind])
        chosen = [unit for unit in units if len(unit) >= skip + LEFT]
        if not chosen:
            figures[str(k)] = {"rps": None, "acc3": None, "rps_none": None, "rps_scratch": None, "units": 0}
            continue
        rows = np.asarray([_unit_scores(unit, priors[unit.fold], k, skip) for unit in chosen])
        figures[str(k)] = _summary(rows)
    return figures


def scratch(labels: Labels, classes: int = 7) -> Array:
    """`(7,)` shares of the unit's own votes, one half of a vote added to each (Jeffreys)."""
    counts = np.bincount(labels, minlength=classes) + 0.5
    result: Array = counts / counts.sum()
    return result


def _unit_scores(unit: Unit, prior: Population, k: int, skip: int) -> tuple[float, float, float, float, float]:
    if not unit.felt:
        return _wish_scores(unit, prior, k, skip)
    later, truth = unit.eta[skip:], unit.vote[skip:]
    felt = np.sign(truth - 3) + 1
    none = tilted(np.zeros(len(prior.mean)), later, unit.cutpoints, prior.tilt)
    said = decide(none, NEUTRAL_WITHIN)
    own, decided = none, said
    if k:
        own = learn(prior, unit.cutpoints, unit.evidence(slice(k))).probabilities(later)
        decided = three_classes(own).argmax(axis=1)
    alone = np.tile(scratch(unit.vote[:k]), (len(truth), 1))
    return (
        ranked_probability_score(own, truth),
        float((decided == felt).mean()),
        ranked_probability_score(none, truth),
        ranked_probability_score(alone, truth),
        float((said == felt).mean()),
    )


def _wish_scores(unit: Unit, prior: Population, k: int, skip: int) -> tuple[float, float, float, float, float]:
    """The same for warmer, no change, cooler, where nothing else was asked."""
    later, truth = unit.eta[skip:], unit.wish[skip:]
    none = tilted(np.zeros(len(prior.mean)), later, unit.cutpoints, prior.tilt) @ WISH_GIVEN_VOTE.T
    own = learn_from(unit, prior, slice(k)).probabilities(later) @ WISH_GIVEN_VOTE.T if k else none
    alone = np.tile(scratch(unit.wish[:k], 3), (len(truth), 1))
    return (
        ranked_probability_score(own, truth),
        float((own.argmax(axis=1) == truth).mean()),
        ranked_probability_score(none, truth),
        ranked_probability_score(alone, truth),
        float((none.argmax(axis=1) == truth).mean()),
    )


def _summary(rows: Array) -> dict[str, Any]:
    """Means of `(units, 5)` scores with their intervals."""
    draws = np.random.default_rng(1).integers(0, len(rows), (RESAMPLES, len(rows)))
    means = rows[draws].mean(axis=1)
    names = ("rps", "acc3", "rps_none", "rps_scratch", "acc3_none")
    figures: dict[str, Any] = dict(zip(names, rows.mean(axis=0).tolist(), strict=True))
    figures["cut"] = 1.0 - figures["rps"] / figures["rps_none"]
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    cut = np.percentile(1.0 - means[:, 0] / means[:, 2], [2.5, 97.5])
    figures["interval"] = {
        "rps": [float(low[0]), float(high[0])],
        "acc3": [float(low[1]), float(high[1])],
        "cut": cut.tolist(),
    }
    return figures | {"units": len(rows)}
