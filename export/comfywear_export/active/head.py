"""A head that learns in a fraction of a second: logistic regression for each label on frozen features."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Head", "principal"]

Array = NDArray[np.float64]

STRENGTH = 0.1
"""Inverse of the L2 penalty: the best of .003…3 by five-fold cross-validation on the train photos of `ccp`."""
_ITERATIONS = 300


def principal(pool: NDArray[np.floating], others: NDArray[np.floating], most: int = 128) -> tuple[Array, Array]:
    """Features on the pool's first principal components, the first with variance 1; no label is looked at.

    Args:
        pool: `(N, D)`.
        others: `(M, D)`, brought into the same space.
        most: Components that are kept.
    """
    values = np.asarray(pool, np.float64)
    mean, spread = values.mean(0), values.std(0)
    scale = np.where(spread > 1e-9, spread, np.inf)
    rows = (values - mean) / scale
    _, sizes, axes = np.linalg.svd(rows, full_matrices=False)
    turn = axes[: min(most, len(sizes))].T / max(sizes[0] / np.sqrt(len(rows)), 1e-9)
    return rows @ turn, (np.asarray(others, np.float64) - mean) / scale @ turn


@dataclass
class Head:
    """Weights `(L, D + 1)` (the last column is the bias) of L yes-or-no questions; None before it learnt.

    Attributes:
        weights: See above.
        iterations: That the last training took, all labels together.
    """

    weights: Array | None = None
    iterations: int = field(default=0, compare=False)

    def fit(self, features: Array, answers: NDArray[np.floating], warm: bool) -> None:
        """Learn from `(N, D)` features and `(N, L)` answers: 1, 0, or NaN where it is not known.

        A label with one kind of answer only keeps its share as a constant answer.

        Args:
            features: Of the labelled photos.
            answers: Of the labelled photos.
            warm: Begin from the present weights instead of zeros. The problem is convex, so this saves iterations and
                changes nothing else.
        """
        from sklearn.linear_model import LogisticRegression

        start = self.weights if warm else None
        rows, self.iterations = [], 0
        for label in range(answers.shape[1]):
            known = ~np.isnan(answers[:, label])
            yes = answers[known, label] > 0.5
            if not yes.any() or yes.all():
                share = (yes.sum() + 0.5) / (len(yes) + 1)
                rows.append(np.append(np.zeros(features.shape[1]), np.log(share / (1 - share))))
                continue
            model: Any = LogisticRegression(C=STRENGTH, max_iter=_ITERATIONS, warm_start=True)
            if start is not None:
                model.coef_, model.intercept_ = start[label][None, :-1].copy(), start[label][-1:].copy()
            model.fit(features[known], yes)
            self.iterations += int(model.n_iter_[0])
            rows.append(np.append(model.coef_[0], model.intercept_))
        self.weights = np.stack(rows)

    def predict(self, features: Array) -> Array:
        """`(N, L)` probabilities."""
        assert self.weights is not None, "fit first"
        logits = features @ self.weights[:, :-1].T + self.weights[:, -1]
        probabilities: Array = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
        return probabilities
