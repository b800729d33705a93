"""One seed's run: a first model by maximum likelihood, then what moves it towards the goal, side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear_export.rewards.cached import Cached
from comfywear_export.rewards.head import Head
from comfywear_export.rewards.reinforce import Baseline
from comfywear_export.rewards.tasks import Regions, Rows, Slope, Task, Wardrobe

__all__ = ["TASKS", "WAYS", "Plan", "divide", "trial"]

Array = NDArray[np.float64]
TASKS: Mapping[str, Callable[[Cached, Rows], Task]] = {"sets": Wardrobe, "regions": Regions}
WAYS = {
    "first": "first model (maximum likelihood)",
    "one_threshold": "one threshold",
    "thresholds": "thresholds (offsets) by label",
    "decoded": "set of the highest expected F1",
    "supervised": "more supervised epochs, equal cost",
    "supervised+thresholds": "the same, thresholds by label",
    "none_1": "REINFORCE, 1 sample, no baseline",
    "other_2": "REINFORCE, 2 samples, one as baseline",
    "rest_8": "REINFORCE, 8 samples, the others' mean",
    "smooth": "the goal's own slope, no samples",
    "other_2+thresholds": "REINFORCE (2), thresholds by label",
}
"""Ways to the goal: keys of the figures and words."""
_SAMPLED: dict[str, tuple[int, Baseline]] = {"none_1": (1, "none"), "other_2": (2, "other"), "rest_8": (8, "rest")}
_NOISE_SAMPLES = (1, 2, 4, 8, 16, 32)
_NOISE_DRAWS, _NOISE_PHOTOS, _REFERENCE = 10, 32, 512


@dataclass(frozen=True)
class Plan:
    """How much is learnt.

    Attributes:
        first_epochs: Of maximum likelihood at most; the epoch of the least loss on the choosing part is taken.
        epochs: Of tuning; the epoch of the highest goal on the choosing part is taken, the first model counting as 0.
        batch: Photos a step.
        first_rate: Of learning.
        rate: Of tuning.
        pull: Weight of the divergence from the first model beside the reward (both of a photo).
    """

    first_epochs: int = 60
    epochs: int = 40
    batch: int = 32
    first_rate: float = 5e-4
    rate: float = 5e-4
    pull: float = 0.02


def divide(group: NDArray[np.int64], seed: int) -> tuple[Rows, Rows, Rows]:
    """Rows to learn from, to choose by, and kept apart, about 64, 16 and 20 %; near-duplicates stay together."""
    names, place = np.unique(group, return_inverse=True)
    order = np.random.default_rng([seed, 11]).permutation(len(names))
    share = np.empty(len(names))
    share[order] = (np.arange(len(names)) + 0.5) / len(names)
    of_row = share[place]
    parts = (of_row < 0.64, (of_row >= 0.64) & (of_row < 0.8), of_row >= 0.8)
    learn, choose, test = (np.flatnonzero(part) for part in parts)
    return learn, choose, test


def trial(name: str, cached: Cached, seed: int, plan: Plan, say: Callable[[str], None]) -> dict[str, Any]:
    """The goal on the photos kept apart, CPU seconds and epochs of each way of `WAYS`, and the noise of the slopes."""
    learn, choose, test = divide(cached.group, seed)
    task = TASKS[name](cached, learn)
    run = _Run(task, plan, learn, choose, seed)
    first = run.first()
    chosen, apart = run.logits(first, choose), run.logits(first, test)
    goals = {"first": task.goal(apart, test), **task.untuned(chosen, choose, apart, test)}
    facts: dict[str, Any] = {}
    say(f"{name}, seed {seed}: first model {goals['first'].mean():.3f}")
    for way in (*_SAMPLED, "smooth", "supervised"):
        least = facts["other_2"]["cpu_s"] if way == "supervised" else 0.0
        head, facts[way] = run.tune(first, run.slope(way, first), least)
        apart = run.logits(head, test)
        goals[way] = task.goal(apart, test)
        if way in ("other_2", "supervised"):
            others = task.untuned(run.logits(head, choose), choose, apart, test)
            goals[f"{way}+thresholds"] = others["thresholds"]
        say(f"{name}, seed {seed}: {WAYS[way]} {goals[way].mean():.3f} ({facts[way]['cpu_s']:.0f} s)")
    return {
        "photos": {"learn": len(learn), "choose": len(choose), "test": len(test)},
        "goal": {way: float(values.mean()) for way, values in goals.items()},
        "tuning": facts,
        "noise": _noise(task, run.logits(first, learn[:_NOISE_PHOTOS]), learn[:_NOISE_PHOTOS], seed),
    }


class _Run:
    def __init__(self, task: Task, plan: Plan, learn: Rows, choose: Rows, seed: int) -> None:
        self.task, self.plan, self.learn, self.choose, self.seed = task, plan, learn, choose, seed

    def logits(self, head: Head, rows: Rows) -> Array:
        """`(N, K)` or `(N, M, K)`."""
        parts = [
            self._shaped(head.logits(self.task.features(rows[at : at + 64], None)), rows[at : at + 64])
            for at in range(0, len(rows), 64)
        ]
        return np.concatenate(parts)

    def first(self) -> Head:
        """The model of the least loss on the choosing part."""
        task, rng = self.task, np.random.default_rng([self.seed, 1])
        head = Head(task.features(self.learn[:1], None).shape[1], task.hidden, task.outputs, self.seed)
        best, least, since = head, np.inf, 0
        for _ in range(self.plan.first_epochs):
            self._epoch(head, task.supervised, self.plan.first_rate, rng)
            if (loss := task.loss(self.logits(head, self.choose), self.choose)) < least:
                best, least, since = head.copy(), loss, 0
            else:
                since += 1
            if since == 5:
                break
        return best

    def slope(self, way: str, first: Head) -> Callable[[np.random.Generator], Slope]:
        """What a way of tuning goes down along."""
        task = self.task

        def pulled(logits: Array, rows: Rows) -> Array:
            return self.plan.pull * task.pull(logits, self.logits(first, rows))

        def sampled(rng: np.random.Generator) -> Slope:
            samples, baseline = _SAMPLED[way]
            return lambda z, rows: pulled(z, rows) - task.sampled(z, rows, rng, samples, baseline)

        if way == "supervised":
            return lambda _: task.supervised
        if way == "smooth":
            return lambda _: lambda z, rows: pulled(z, rows) - task.smooth(z, rows)
        return sampled

    def tune(
        self, first: Head, slope: Callable[[np.random.Generator], Slope], least_cpu_s: float
    ) -> tuple[Head, dict[str, float]]:
        """The head of the highest goal on the choosing part, and what it took: at least so many CPU seconds."""
        rng = np.random.default_rng([self.seed, 2])
        head, best, epoch, took = first.copy(), first, 0, 0.0
        highest = self._chosen(first)
        curve = [highest]
        while len(curve) <= self.plan.epochs or (took < least_cpu_s and len(curve) <= 4 * self.plan.epochs):
            before = time.process_time()
            self._epoch(head, slope(rng), self.plan.rate, rng)
            took += time.process_time() - before
            curve.append(self._chosen(head))
            if curve[-1] > highest:
                highest, best, epoch = curve[-1], head.copy(), len(curve) - 1
        return best, {"cpu_s": took, "epochs": len(curve) - 1, "taken": epoch, "chosen": highest}

    def _epoch(self, head: Head, slope: Slope, rate: float, rng: np.random.Generator) -> None:
        order = rng.permutation(self.learn)
        for at in range(0, len(order), self.plan.batch):
            rows = order[at : at + self.plan.batch]

            def by_logit(flat: NDArray[np.float32], rows: Rows = rows) -> NDArray[np.float32]:
                found = slope(self._shaped(flat, rows), rows) / len(rows)
                return found.reshape(flat.shape).astype(np.float32)

            head.learn(self.task.features(rows, rng), by_logit, rate)

    def _chosen(self, head: Head) -> float:
        return float(self.task.goal(self.logits(head, self.choose), self.choose).mean())

    def _shaped(self, flat: NDArray[np.float32], rows: Rows) -> Array:
        shape = (len(rows), self.task.outputs) if self.task.cells == 1 else (len(rows), self.task.cells, -1)
        return flat.astype(np.float64).reshape(shape)


def _noise(task: Task, logits: Array, rows: Rows, seed: int) -> dict[str, list[list[float]]]:
    """By baseline: [samples, mean squared error of the slope as a multiple of the slope's own square].

    The slope is that of a photo; the reference is the exact one or, where there is none, the mean of 512 samples.
    """
    rng = np.random.default_rng([seed, 5])
    exact = task.smooth(logits, rows) if isinstance(task, Wardrobe) else None
    reference = task.sampled(logits, rows, rng, _REFERENCE, "rest") if exact is None else exact
    size = float((reference**2).sum())
    found: dict[str, list[list[float]]] = {}
    baselines: tuple[Baseline, ...] = ("none", "other", "rest")
    for baseline in baselines:
        found[baseline] = []
        for samples in _NOISE_SAMPLES[0 if baseline == "none" else 1 :]:
            errors = [
                float(((task.sampled(logits, rows, rng, samples, baseline) - reference) ** 2).sum()) / size
                for _ in range(_NOISE_DRAWS)
            ]
            found[baseline].append([samples, float(np.mean(errors))])
    return found
