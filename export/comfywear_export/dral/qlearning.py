"""Q-learning of the policy: a small network says what a question is worth in the long run (Mnih et al., 2015)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comfywear_export.dral.policies import Judge, Policy
from comfywear_export.dral.rounds import FEATURES, Round

__all__ = ["QNet", "learn", "learnt"]

Floats = NDArray[np.float64]

DISCOUNT = 0.9
_HIDDEN, _BATCH, _RATE = 24, 32, 2e-3
_MEMORY, _EVERY, _COPY_EVERY = 8_000, 2, 250  # an improvement every second question
_EXPLORE = (1.0, 0.05)  # part of random questions at the beginning and from the middle of the training on

Start = Callable[[np.random.Generator], tuple[Round, Callable[[int], bool], Callable[[int, float], float]]]
"""Begins a round: the round, whether an item is the same, and what the answer about it, with its reward, is worth."""


@dataclass(eq=False)
class QNet:
    """Features of an item and its odds → its value: one hidden layer of 24 rectified units.

    Attributes:
        judge: Gives the odds, the one feature that the network gets besides those of the round.
        weights: Of the two layers, and their constants.
    """

    judge: Judge
    weights: list[Floats]

    @classmethod
    def new(cls, judge: Judge, rng: np.random.Generator) -> QNet:
        """With random weights (He et al., 2015)."""
        width = len(FEATURES) + 1
        first = rng.normal(0.0, np.sqrt(2.0 / width), (width, _HIDDEN))
        return cls(judge, [first, np.zeros(_HIDDEN), rng.normal(0.0, 0.1, (_HIDDEN, 1)), np.zeros(1)])

    def inputs(self, features: Floats) -> Floats:
        """`(n, 13)` of `(n, 12)` features."""
        return np.concatenate([features, self.judge(features)[:, None]], axis=1)

    def values(self, inputs: Floats) -> Floats:
        """`(n)` of `(n, 13)`."""
        first, shift, second, constant = self.weights
        return np.asarray((np.maximum(inputs @ first + shift, 0.0) @ second + constant)[:, 0], np.float64)

    def gradients(self, inputs: Floats, error: Floats) -> list[Floats]:
        """Of half the mean squared error, by weight."""
        first, shift, second, _ = self.weights
        hidden = np.maximum(inputs @ first + shift, 0.0)
        out = (error / len(error))[:, None]
        back = (out @ second.T) * (hidden > 0.0)
        return [inputs.T @ back, back.sum(axis=0), hidden.T @ out, out.sum(axis=0)]


def learnt(net: QNet) -> Policy:
    """The item of the largest value."""

    def choose(now: Round, _: np.random.Generator) -> int:
        items = now.graph.open()
        return int(items[np.argmax(net.values(net.inputs(now.features(items))))])

    return choose


def learn(
    start: Start, judge: Judge, rounds: int, rng: np.random.Generator, discount: float = DISCOUNT
) -> tuple[QNet, list[float]]:
    """Learn from rounds that are begun by `start`; returns the network and the summed reward of each round.

    Double Q-learning (van Hasselt et al., 2016) with replay; questions are random at first and less and less so.
    """
    net = QNet.new(judge, rng)
    held = [w.copy() for w in net.weights]
    moments = [(np.zeros_like(w), np.zeros_like(w)) for w in net.weights]
    memory: list[tuple[Floats, float, Floats]] = []
    gained, step = [], 0
    for number in range(rounds):
        now, is_same, worth = start(rng)
        high, low = _EXPLORE
        explore = max(low, high - (high - low) * number / (rounds / 2))
        inputs = net.inputs(now.features(now.graph.open()))
        total = 0.0
        while not now.over:
            items = now.graph.open()
            at = int(rng.integers(len(items))) if rng.random() < explore else int(np.argmax(net.values(inputs)))
            item = int(items[at])
            reward = worth(item, now.tell(item, is_same(item)))
            total += reward
            taken = inputs[at]
            inputs = net.inputs(now.features(now.graph.open())) if not now.over else np.zeros((0, len(taken)))
            if len(memory) < _MEMORY:
                memory.append((taken, reward, inputs))
            else:
                memory[step % _MEMORY] = (taken, reward, inputs)
            step += 1
            if len(memory) >= 4 * _BATCH and step % _EVERY == 0:
                drawn = [memory[i] for i in rng.integers(0, len(memory), _BATCH)]
                _improve(net, held, drawn, moments, step // _EVERY, discount)
            if step % _COPY_EVERY == 0:
                held = [w.copy() for w in net.weights]
        gained.append(total)
    return net, gained


def _improve(
    net: QNet,
    held: Sequence[Floats],
    drawn: Sequence[tuple[Floats, float, Floats]],
    moments: list[tuple[Floats, Floats]],
    step: int,
    discount: float,
) -> None:
    """One step of Adam toward reward + discount · value of the best next question (by `held`)."""
    after = np.concatenate([following for _, _, following in drawn])
    lengths = [len(following) for _, _, following in drawn]
    targets = np.array([reward for _, reward, _ in drawn])
    if len(after):
        ours, theirs = net.values(after), QNet(net.judge, list(held)).values(after)
        at = 0
        for number, length in enumerate(lengths):
            if length:
                targets[number] += discount * theirs[at + int(np.argmax(ours[at : at + length]))]
            at += length
    inputs = np.stack([taken for taken, _, _ in drawn])
    error = np.clip(net.values(inputs) - targets, -1.0, 1.0)
    for index, gradient in enumerate(net.gradients(inputs, error)):
        mean, square = moments[index]
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        moments[index] = (mean, square)
        change = (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        net.weights[index] = net.weights[index] - _RATE * change
