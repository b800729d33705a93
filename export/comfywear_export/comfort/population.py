"""How units differ from the model: the prior of `comfywear.comfort.votes.personal`, fitted by empirical Bayes.

Expectation–maximisation of a hierarchical model with a Gaussian over the units, each unit's posterior taken as Gaussian
around its mode (Dempster, Laird, Rubin, Journal of the Royal Statistical Society B 39, 1977; Laplace for the E step).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort.votes.personal import FARTHEST_SD, Population, terms
from comfywear_export.comfort.units import Kind, Unit

__all__ = ["LEAST_TO_FIT", "SPREAD", "TILT", "TRUST", "fit_population", "population_of"]

Array = NDArray[np.float64]
# The one feature of the tilt: neutral or not. Some people nearly always say neutral, some nearly never.
TILT: Array = np.eye(7)[[3]]
ROUNDS, STEPS = 15, 2
# A unit's votes beyond these change little about how units differ, and take time.
MOST_VOTES = 40
_LEAST_SPREAD = 1e-3
# Votes of a unit from which on it takes part in the fit.
LEAST_TO_FIT: Mapping[Kind, int] = {"persons": 10, "buildings": 30}
# By how much the spread of (b, log s, w) is taken other than it is found. Persons of the surveys differ by their survey
# too, which a later one does not share: chosen on persons of surveys left out and of the climate chamber together.
SPREAD: Mapping[Kind, tuple[float, float, float]] = {"persons": (0.65, 0.7, 1.25), "buildings": (1.0, 1.0, 1.0)}
# See `comfywear.comfort.votes.personal.Population`.
TRUST: Mapping[Kind, float] = {"persons": 0.8, "buildings": 0.25}


def population_of(units: Sequence[Unit], kind: Kind) -> Population:
    """The prior that is shipped for a kind: what is found, with `SPREAD` and `TRUST`."""
    found = fit_population(units, TRUST[kind])
    factors = np.asarray(SPREAD[kind])
    return replace(found, covariance=found.covariance * np.outer(factors, factors))


def fit_population(units: Sequence[Unit], trust: float, tilt: Array = TILT, rounds: int = ROUNDS) -> Population:
    """Mean and covariance of (b, log s, w) over the units; `trust` is handed on."""
    count = 2 + tilt.shape[0]
    sizes = np.asarray([min(len(unit), MOST_VOTES) for unit in units])
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    eta = np.concatenate([unit.eta[:MOST_VOTES] for unit in units])
    vote = np.concatenate([unit.vote[:MOST_VOTES] for unit in units])
    cutpoints = np.repeat(np.stack([unit.cutpoints for unit in units]), sizes, axis=0)
    row = np.arange(len(vote))
    mean, covariance, modes = np.zeros(count), np.eye(count) * 0.5, np.zeros((len(units), count))
    for _ in range(rounds):
        spread, farthest = np.linalg.inv(covariance), FARTHEST_SD * np.sqrt(np.diag(covariance))
        for _ in range(STEPS):
            q, slopes = terms(np.repeat(modes, sizes, axis=0), eta, cutpoints, tilt)
            gradient = np.add.reduceat(slopes[row, vote], first) - (modes - mean) @ spread
            information = np.add.reduceat(np.einsum("nv,nvd,nve->nde", q, slopes, slopes), first) + spread
            move = np.linalg.solve(information, gradient[:, :, None])[:, :, 0]
            modes = np.clip(modes + np.clip(move, -1.0, 1.0), mean - farthest, mean + farthest)
        mean = modes.mean(axis=0)
        away = modes - mean
        covariance = np.linalg.inv(information).mean(axis=0) + away.T @ away / len(units)
        covariance += _LEAST_SPREAD * np.eye(count)
    return Population(mean, covariance, tilt, trust)
