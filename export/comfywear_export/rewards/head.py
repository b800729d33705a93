"""A small head on frozen features: one hidden layer, learnt with Adam, in numpy alone."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Head"]

Array = NDArray[np.float32]
_DECAYS = (0.9, 0.999)
_TINY = 1e-8


class Head:
    """`(N, F)` features → `(N, K)` logits.

    Args:
        inputs: F.
        hidden: Width of the hidden layer (ReLU).
        outputs: K.
        seed: Of the weights (He et al. 2015).
        decay: Weight decay, apart from the slope (Loshchilov and Hutter 2019).
    """

    def __init__(self, inputs: int, hidden: int, outputs: int, seed: int, decay: float = 1e-3) -> None:
        rng = np.random.default_rng([seed, 3])
        self._weights: list[Array] = [
            rng.normal(0, (2 / inputs) ** 0.5, (inputs, hidden)).astype(np.float32),
            np.zeros(hidden, np.float32),
            rng.normal(0, 0.1 * (1 / hidden) ** 0.5, (hidden, outputs)).astype(np.float32),
            np.zeros(outputs, np.float32),
        ]
        self.decay = decay
        self.forget_pace()

    def forget_pace(self) -> None:
        """Begin Adam's running means anew."""
        self._means = [np.zeros_like(weight) for weight in self._weights]
        self._squares = [np.zeros_like(weight) for weight in self._weights]
        self._steps = 0

    def copy(self) -> Head:
        """A head of its own with the same weights, and no pace yet."""
        other = copy.deepcopy(self)
        other.forget_pace()
        return other

    def logits(self, features: Array) -> Array:
        """`(N, K)`."""
        first, bias, second, offset = self._weights
        result: Array = np.maximum(features @ first + bias, 0.0) @ second + offset
        return result

    def learn(self, features: Array, slope: Callable[[Array], Array], rate: float) -> None:
        """One step of Adam (Kingma and Ba 2015).

        Args:
            features: `(N, F)`.
            slope: From logits `(N, K)` to the loss's derivative by each of them.
            rate: Of learning.
        """
        first, bias, second, offset = self._weights
        before = features @ first + bias
        hidden = np.maximum(before, 0.0)
        by_logit = slope(hidden @ second + offset).astype(np.float32)
        by_hidden = (by_logit @ second.T) * (before > 0)
        slopes = [features.T @ by_hidden, by_hidden.sum(0), hidden.T @ by_logit, by_logit.sum(0)]
        self._steps += 1
        for weight, value, mean, square in zip(self._weights, slopes, self._means, self._squares, strict=True):
            mean += (1 - _DECAYS[0]) * (value - mean)
            square += (1 - _DECAYS[1]) * (value * value - square)
            pace = mean / (1 - _DECAYS[0] ** self._steps)
            size = np.sqrt(square / (1 - _DECAYS[1] ** self._steps)) + _TINY
            weight -= rate * (pace / size + (self.decay * weight if weight.ndim > 1 else 0.0))
