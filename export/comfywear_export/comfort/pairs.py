"""Pairs of situations that people rated differently, and a reward that orders them.

The loss of a pair is −log σ(r_better − r_worse) (Bradley and Terry 1952; the reward models of Christiano et al. 2017).
Pairs are of one building, or of one person, so that how warm a word is, and what people there expect, cancels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from comfywear.comfort.site import complete
from comfywear_export.comfort.rows import Votes

__all__ = ["BASES", "Rating", "features", "fit_reward", "pair_loss", "pairs_within", "quality_of", "rated"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Rating = Literal["preference", "vote", "comfort"]

# (input, at, scale): the reward is a polynomial of the second degree in these, each kept within −3…3.
BASES: tuple[tuple[str, float, float], ...] = (
    ("air_temp_c", 24.0, 5.0),
    ("above_usual_k", 0.0, 3.0),
    ("usual_temp_c", 24.0, 5.0),
    ("humidity_pct", 50.0, 20.0),
    ("clo", 0.6, 0.3),
    ("met", 1.2, 0.5),
    ("air_speed_root", 0.3, 0.33),
    ("radiant_above_air_k", 0.0, 2.0),
    ("outdoor_temp_c", 20.0, 10.0),
    ("warm_season", 0.5, 0.5),
    ("naturally_ventilated", 0.0, 1.0),
)
_ENUMERATED = 60  # a group of up to so many rows has all its pairs looked at


def rated(votes: Votes, rating: Rating) -> NDArray[np.bool_]:
    """`(N,)` which rows say what the rating needs, in a building that the file names."""
    said = {"preference": votes.preference >= 0, "vote": votes.vote >= 0, "comfort": votes.comfort > 0}
    result: NDArray[np.bool_] = np.logical_and(said[rating], votes.building >= 0)
    return result


def quality_of(votes: Votes, rating: Rating) -> Labels:
    """`(N,)` how good each situation was to the one who rated it; only the order counts.

    "preference": 1 for "no change", 0 for a wish; "vote": −|vote|; "comfort": 1 very uncomfortable … 6.
    """
    if rating == "preference":
        satisfied: Labels = (votes.preference == 1).astype(np.int64)
        return satisfied
    quality: Labels = -np.abs(votes.vote - 3) if rating == "vote" else votes.comfort
    return quality


def pairs_within(groups: Labels, quality: Labels, most: int, rng: np.random.Generator) -> Labels:
    """`(P, 2)` rows of one group that were rated differently, the better one first.

    Args:
        groups: `(N,)` building or person of each row; negative: unknown, in no pair.
        quality: `(N,)` from `quality_of`.
        most: Pairs of a group at most, drawn at random.
        rng: Draws.
    """
    found = [np.zeros((0, 2), np.int64)]
    for rows in _members(groups):
        count = len(rows)
        if count <= _ENUMERATED:
            first, second = np.triu_indices(count, 1)
        else:
            first, second = rng.integers(0, count, (2, 8 * most))
        both = np.stack([rows[first], rows[second]], axis=1)
        both = np.unique(np.sort(both, axis=1), axis=0)
        both = both[quality[both[:, 0]] != quality[both[:, 1]]]
        both = both[rng.permutation(len(both))[:most]]
        swap = quality[both[:, 0]] < quality[both[:, 1]]
        both[swap] = both[swap][:, ::-1]
        found.append(both)
    return np.concatenate(found)


def features(inputs: Mapping[str, Any], when_unknown: Mapping[str, Mapping[str, float]]) -> Array:
    """`(N, F)` values of the polynomial's terms; an unknown input counts as the usual one.

    Args:
        inputs: Columns `(N,)` by name, NaN where unknown, as `Votes.inputs`.
        when_unknown: The model's guesses for what is usual in a place.
    """
    full = complete(inputs, when_unknown)
    count = len(np.atleast_1d(np.asarray(inputs["air_temp_c"])))
    absent = np.full(count, np.nan)
    columns = [
        np.clip(np.nan_to_num((np.asarray(full.get(name, absent), float) - at) / scale), -3.0, 3.0)
        for name, at, scale in BASES
    ]
    own = np.stack(columns, axis=1)
    first, second = np.triu_indices(len(BASES))
    return np.concatenate([own, own[:, first] * own[:, second]], axis=1)


def pair_loss(beta: Array, differences: Array, weights: Array, ridge: float) -> tuple[float, Array]:
    """Mean −log σ(Δφ·β) of pairs plus `ridge`/2 · |β|², and its gradient.

    Args:
        beta: `(F,)`.
        differences: `(P, F)` features of the better less those of the worse.
        weights: `(P,)`, summing to 1.
        ridge: Pull towards 0.
    """
    margin = differences @ beta
    loss = float(weights @ np.logaddexp(0.0, -margin) + 0.5 * ridge * beta @ beta)
    missed = 1.0 / (1.0 + np.exp(np.clip(margin, -500.0, 500.0)))
    return loss, ridge * beta - differences.T @ (weights * missed)


def fit_reward(values: Array, pairs: Labels, groups: Labels, ridge: float) -> Array:
    """`(F,)` coefficients of the reward: the least pair loss; a building counts with the root of its pairs."""
    size = np.bincount(groups[pairs[:, 0]])[groups[pairs[:, 0]]]
    weights = size**-0.5
    differences = values[pairs[:, 0]] - values[pairs[:, 1]]
    found = minimize(
        pair_loss,
        np.zeros(values.shape[1]),
        args=(differences, weights / weights.sum(), ridge),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 200},
    )
    result: Array = found.x
    return result


def _members(groups: Labels) -> Iterator[Labels]:
    order = np.argsort(groups, kind="stable")
    order = order[groups[order] >= 0]
    if len(order):
        yield from np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
