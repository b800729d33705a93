"""The two things that are tuned: which garments a photo shows, and where its regions are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from comfywear_export.measure.thresholds import best_threshold
from comfywear_export.rewards.cached import GROUPS, REGIONS, Cached
from comfywear_export.rewards.goals import best_sets, expected_f1, photo_f1, photo_iou
from comfywear_export.rewards.reinforce import (
    Baseline,
    draw_choices,
    draw_sets,
    kl_slope_choices,
    kl_slope_sets,
    reinforce,
    sigmoid,
    softmax,
)

__all__ = ["Regions", "Slope", "Task", "Wardrobe"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Slope = Callable[[Array, Rows], Array]
"""From logits of some photos and their rows to the derivative of what is to fall, by each logit."""


class Task(Protocol):
    """What a run needs to know; N photos have logits `(N, K)` or `(N, M, K)`."""

    cells: int
    outputs: int
    hidden: int

    def features(self, rows: Rows, rng: np.random.Generator | None) -> NDArray[np.float32]:
        """`(N · cells, F)`; with `rng` as for learning (mirrored at times)."""
        ...

    def supervised(self, logits: Array, rows: Rows) -> Array:
        """Derivative of the log-loss, summed over a photo's answers."""
        ...

    def loss(self, logits: Array, rows: Rows) -> float:
        """Mean log-loss."""
        ...

    def goal(self, logits: Array, rows: Rows) -> Array:
        """`(N,)` the goal reached by the plain decision."""
        ...

    def sampled(self, logits: Array, rows: Rows, rng: np.random.Generator, samples: int, baseline: Baseline) -> Array:
        """Estimated derivative of the expected goal."""
        ...

    def pull(self, logits: Array, first: Array) -> Array:
        """Derivative of the divergence from the first model."""
        ...

    def smooth(self, logits: Array, rows: Rows) -> Array:
        """Derivative of the goal without samples: exact, or of its usual stand-in."""
        ...

    def untuned(self, chosen: Array, chosen_rows: Rows, logits: Array, rows: Rows) -> Mapping[str, Array]:
        """`(N,)` the goal reached by other decisions from the same logits, set on the chosen photos."""
        ...


class Wardrobe:
    """Which of twelve groups of garments a photo shows; the goal is the F1 of that set."""

    cells, outputs, hidden = 1, len(GROUPS), 96

    def __init__(self, cached: Cached, learnt_from: Rows) -> None:
        self._worn = cached.worn
        mean, spread = cached.photo[learnt_from].mean(0), cached.photo[learnt_from].std(0) + 1e-3
        self._photo, self._mirrored = (cached.photo - mean) / spread, (cached.mirrored - mean) / spread

    def features(self, rows: Rows, rng: np.random.Generator | None) -> NDArray[np.float32]:
        """One row a photo."""
        own: NDArray[np.float32] = self._photo[rows]
        if rng is not None:
            own = np.where(rng.random(len(rows))[:, None] < 0.5, own, self._mirrored[rows])
        return own

    def supervised(self, logits: Array, rows: Rows) -> Array:
        """Of the binary cross-entropy."""
        return sigmoid(logits) - self._worn[rows]

    def loss(self, logits: Array, rows: Rows) -> float:
        """Binary cross-entropy."""
        return float(np.mean(np.logaddexp(0.0, np.where(self._worn[rows], -logits, logits))))

    def goal(self, logits: Array, rows: Rows) -> Array:
        """F1 of the labels above ½."""
        return photo_f1(logits > 0.0, self._worn[rows])

    def sampled(self, logits: Array, rows: Rows, rng: np.random.Generator, samples: int, baseline: Baseline) -> Array:
        """Of the expected F1."""
        p, worn = sigmoid(logits), self._worn[rows]
        return reinforce(
            lambda: draw_sets(p, rng), lambda said: photo_f1(said, worn), lambda said: said - p, samples, baseline
        )

    def pull(self, logits: Array, first: Array) -> Array:
        """Of the divergence."""
        return kl_slope_sets(logits, first)

    def smooth(self, logits: Array, rows: Rows) -> Array:
        """Of the expected F1, exactly: all 4,096 sets."""
        return expected_f1(sigmoid(logits), self._worn[rows])[1]

    def untuned(self, chosen: Array, chosen_rows: Rows, logits: Array, rows: Rows) -> Mapping[str, Array]:
        """One threshold; one a label (the highest F1 of each label); and the set of the highest expected F1."""
        p, own, worn = sigmoid(chosen), sigmoid(logits), self._worn[chosen_rows]
        one = max(np.linspace(0.2, 0.8, 61), key=lambda edge: float(photo_f1(p > edge, worn).mean()))
        each = [
            best_threshold(p[:, k].astype(np.float32), worn[:, k], int(worn[:, k].sum()))[0] for k in range(len(GROUPS))
        ]
        return {
            "one_threshold": photo_f1(own > one, self._worn[rows]),
            "thresholds": photo_f1(own > np.array(each), self._worn[rows]),
            "decoded": photo_f1(best_sets(own), self._worn[rows]),
        }


class Regions:
    """Which of seven regions each of 200 cells shows; the goal is the mean IoU of a photo's regions."""

    cells, outputs, hidden = 200, len(REGIONS) + 1, 64

    def __init__(self, cached: Cached, learnt_from: Rows) -> None:
        self._truth = cached.regions.astype(np.int64)
        sample = cached.cells[learnt_from].astype(np.float32)
        mean, spread = sample.mean((0, 1)), sample.std((0, 1)) + 1e-3
        self._cells, self._mean, self._scale = cached.cells, mean, 1 / spread
        down, across = np.divmod(np.arange(self.cells), 10)
        self._place = np.stack([down / 10 - 1, across / 5 - 0.9, np.abs(across / 5 - 0.9)], 1).astype(np.float32)
        self._swap = (down * 10 + 9 - across).astype(int)

    def features(self, rows: Rows, rng: np.random.Generator | None) -> NDArray[np.float32]:
        """One row a cell, with its place; in learning half of the photos as if standing on the other side."""
        own = (self._cells[rows].astype(np.float32) - self._mean) * self._scale
        place = np.broadcast_to(self._place, (len(rows), *self._place.shape))
        if rng is not None:
            mirrored = rng.random(len(rows))[:, None, None] < 0.5
            place = np.where(mirrored, place[:, self._swap], place)
        result: NDArray[np.float32] = np.concatenate([own, place], 2).reshape(len(rows) * self.cells, -1)
        return result

    def supervised(self, logits: Array, rows: Rows) -> Array:
        """Of the cross-entropy, summed over a photo's cells by 10."""
        return (softmax(logits) - self._one_hot(rows)) / 10.0

    def loss(self, logits: Array, rows: Rows) -> float:
        """Cross-entropy of a cell."""
        p = np.take_along_axis(softmax(logits), self._truth[rows][..., None], 2)
        return float(-np.log(p + 1e-12).mean())

    def goal(self, logits: Array, rows: Rows) -> Array:
        """Mean IoU of the likeliest regions."""
        return photo_iou(logits.argmax(2), self._truth[rows], self.outputs)

    def sampled(self, logits: Array, rows: Rows, rng: np.random.Generator, samples: int, baseline: Baseline) -> Array:
        """Of the expected IoU."""
        p, truth, names = softmax(logits), self._truth[rows], np.arange(self.outputs)
        return reinforce(
            lambda: draw_choices(p, rng),
            lambda said: photo_iou(said, truth, self.outputs),
            lambda said: (said[..., None] == names) - p,
            samples,
            baseline,
        )

    def pull(self, logits: Array, first: Array) -> Array:
        """Of the divergence, summed over a photo's cells by 200."""
        return kl_slope_choices(logits, first) / self.cells

    def smooth(self, logits: Array, rows: Rows) -> Array:
        """Of the soft IoU (probabilities for cells; Rahman and Wang 2016), over the regions of the truth."""
        p, truth = softmax(logits), self._one_hot(rows)
        there = truth.any(axis=1) & (np.arange(self.outputs) > 0)
        weight = there / np.maximum(there.sum(axis=1, keepdims=True), 1)
        both, either = (p * truth).sum(axis=1), (p + truth - p * truth).sum(axis=1)
        both, either, weight = both[:, None], np.maximum(either, 1e-6)[:, None], weight[:, None]
        by_p = weight * (truth * either - both * (1.0 - truth)) / either**2
        result: Array = p * (by_p - (p * by_p).sum(axis=2, keepdims=True))
        return result

    def untuned(self, chosen: Array, chosen_rows: Rows, logits: Array, rows: Rows) -> Mapping[str, Array]:
        """An offset a region, set one after the other, twice round."""
        offsets = np.zeros(self.outputs)
        for _ in range(2):
            for region in range(self.outputs):
                tried = [offsets + step * (np.arange(self.outputs) == region) for step in np.linspace(-1.5, 1.5, 13)]
                offsets = max(tried, key=lambda each: float(self.goal(chosen + each, chosen_rows).mean()))
        return {"thresholds": self.goal(logits + offsets, rows)}

    def _one_hot(self, rows: Rows) -> Array:
        result: Array = (self._truth[rows][..., None] == np.arange(self.outputs)).astype(float)
        return result
