"""Fits a cumulative logit: maximum likelihood with a ridge, and cutpoints taken on sites that the fit has not seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

__all__ = ["Cumulative", "fit", "fit_for_new_sites", "folds_of", "group_weights"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


class Cumulative(NamedTuple):
    """Coefficients `(F,)` and rising cutpoints `(K − 1,)` of P(y ≤ k) = logistic(c_k − x·β)."""

    coefficients: Array
    cutpoints: Array

    def probabilities(self, features: Array) -> Array:
        """`(N, F)` → `(N, K)`."""
        below = _logistic(self.cutpoints - (features @ self.coefficients)[:, None])
        rows = features.shape[0]
        result: Array = np.diff(np.concatenate([np.zeros((rows, 1)), below, np.ones((rows, 1))], axis=1), axis=1)
        return result


def fit(
    features: Array, labels: Labels, classes: int, weights: Array, ridge: float, start: Cumulative | None = None
) -> Cumulative:
    """The coefficients that make the weighted labels likeliest, less `ridge`/2 · |β|² (weights are scaled to sum 1).

    `start` is a fit to begin from; it saves time and changes nothing else.
    """
    weights = weights / weights.sum()
    count = features.shape[1]

    def loss(parameters: Array) -> tuple[float, Array]:
        beta, first, steps = parameters[:count], parameters[count], np.exp(parameters[count + 1 :])
        cuts = np.concatenate([[-1e3], first + np.concatenate([[0.0], np.cumsum(steps)]), [1e3]])
        eta = features @ beta
        upper, lower = _logistic(cuts[labels + 1] - eta), _logistic(cuts[labels] - eta)
        likelihood = np.maximum(upper - lower, 1e-12)
        slope_upper = weights * upper * (1.0 - upper) / likelihood
        slope_lower = weights * lower * (1.0 - lower) / likelihood
        by_cut = np.bincount(labels, slope_lower, classes)[1:] - np.bincount(labels, slope_upper, classes)[:-1]
        tail = np.cumsum(by_cut[::-1])[::-1]
        gradient = np.concatenate(
            [features.T @ (slope_upper - slope_lower) + ridge * beta, [tail[0]], tail[1:] * steps]
        )
        return float(-(weights * np.log(likelihood)).sum() + 0.5 * ridge * beta @ beta), gradient

    if start is None:
        shares = np.clip(np.cumsum(np.bincount(labels, weights, classes))[:-1], 1e-4, 1.0 - 1e-4)
        start = Cumulative(np.zeros(count), np.log(shares / (1.0 - shares)))
    cutpoints = start.cutpoints
    guess = np.concatenate([start.coefficients, cutpoints[:1], np.log(np.maximum(np.diff(cutpoints), 1e-2))])
    found = minimize(loss, guess, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    steps = np.exp(found[count + 1 :])
    return Cumulative(found[:count], found[count] + np.concatenate([[0.0], np.cumsum(steps)]))


def fit_for_new_sites(
    features: Array,
    labels: Labels,
    classes: int,
    groups: Labels,
    *,
    ridge: float,
    power: float,
    calibration_power: float,
    folds: int = 5,
) -> Cumulative:
    """A fit whose cutpoints and overall slope are those of contributors that it was *not* fitted on.

    A fit is surer of itself at a site that it knows than at a new one. So η is worked out for every contributor by a
    fit without them, slope and cutpoints are fitted on that (rows weighted by `calibration_power`), and then used with
    the coefficients of the whole fit (rows weighted by `power`).
    """
    weights = group_weights(groups, power)
    whole = fit(features, labels, classes, weights, ridge)
    eta = np.empty((labels.shape[0], 1))
    for rows in folds_of(groups, folds):
        part = fit(features[~rows], labels[~rows], classes, weights[~rows], ridge, whole)
        eta[rows, 0] = features[rows] @ part.coefficients
    new = fit(eta, labels, classes, group_weights(groups, calibration_power), 0.0)
    return Cumulative(whole.coefficients * new.coefficients[0], new.cutpoints)


def group_weights(groups: Labels, power: float) -> Array:
    """Weight of a row: size of its group to the power −`power`; 0 counts votes, 1 counts contributors."""
    _, index, size = np.unique(groups, return_inverse=True, return_counts=True)
    weights: Array = size[index].astype(float) ** -power
    return weights


def folds_of(groups: Labels, folds: int | None = None) -> Iterator[NDArray[np.bool_]]:
    """Masks of the rows to leave out: a contributor at a time, or `folds` sets of contributors of about equal size."""
    names, index, size = np.unique(groups, return_inverse=True, return_counts=True)
    if folds is None or folds >= len(names):
        for number in range(len(names)):
            yield index == number
        return
    filled, fold = np.zeros(folds), np.empty(len(names), int)
    for number in np.argsort(-size, kind="stable"):
        fold[number] = int(np.argmin(filled))
        filled[fold[number]] += size[number]
    for number in range(folds):
        yield fold[index] == number


def _logistic(x: Array) -> Array:
    result: Array = 1.0 / (1.0 + np.exp(-np.clip(x, -35.0, 35.0)))
    return result
