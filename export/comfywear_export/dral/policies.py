"""Which item is asked about next: learnt by Q-learning, greedily, and the simple ways to compare them with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comfywear_export.dral.rounds import FEATURES, Round

__all__ = ["Judge", "Policy", "fit_judge", "greedy", "nearest_first", "nearest_now", "random_item", "uncertain"]

Floats = NDArray[np.float64]

Policy = Callable[[Round, np.random.Generator], int]
"""Chooses one of the open items of a round that is not over."""


@dataclass(frozen=True, eq=False)
class Judge:
    """How likely an item is the query: a logistic function of the features of the round.

    Attributes:
        weights: `(13)`, the last is the constant.
    """

    weights: Floats

    def __call__(self, features: Floats) -> Floats:
        """`(n)` probabilities of `(n, 12)` features."""
        return np.asarray(1.0 / (1.0 + np.exp(-(features @ self.weights[:-1] + self.weights[-1]))), np.float64)


def fit_judge(features: Floats, same: Sequence[bool]) -> Judge:
    """Logistic regression (L2) of answers on the features of the items as they were asked about."""
    from sklearn.linear_model import LogisticRegression

    if len(set(same)) < 2:
        rate = (sum(same) + 1) / (len(same) + 2)
        return Judge(np.append(np.zeros(len(FEATURES)), np.log(rate / (1 - rate))))
    model = LogisticRegression(C=10.0, max_iter=500).fit(features, np.asarray(same))
    return Judge(np.append(model.coef_[0], model.intercept_[0]))


def nearest_first(now: Round, _: np.random.Generator) -> int:
    """By the distances of the beginning, whatever was answered."""
    order = now.by_distance()
    return int(order[now.graph.answers[order] == 0][0])


def nearest_now(now: Round, _: np.random.Generator) -> int:
    """The most similar by the graph as the answers have changed it."""
    order = now.graph.order()
    return int(order[now.graph.answers[order] == 0][0])


def random_item(now: Round, rng: np.random.Generator) -> int:
    """Any, each as likely."""
    return int(rng.choice(now.graph.open()))


def uncertain(judge: Judge) -> Policy:
    """The item that is nearest to even odds."""

    def choose(now: Round, _: np.random.Generator) -> int:
        items = now.graph.open()
        return int(items[np.argmin(np.abs(judge(now.features(items)) - 0.5))])

    return choose


def greedy(judge: Judge) -> Policy:
    """The item of the largest expected reward of this one question."""

    def choose(now: Round, _: np.random.Generator) -> int:
        items = now.graph.open()
        p = judge(now.features(items))
        return int(items[np.argmax(p * now.rewards(items, True) + (1.0 - p) * now.rewards(items, False))])

    return choose
