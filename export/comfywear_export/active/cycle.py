"""The cycle in simulation: pool → select → label (held labels) → train → evaluate → again; goes on where it stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear_export.active.diversity import combined, gradient_embeddings, k_centre, top
from comfywear_export.active.head import Head
from comfywear_export.active.scores import SCORES, margin, rare_entropy
from comfywear_export.measure.average_precision import average_precision

__all__ = ["STRATEGIES", "Pool", "Schedule", "choose", "mean_precision", "run_arm"]

Array = NDArray[np.float64]
Numbers = NDArray[np.intp]

STRATEGIES = ("random", *SCORES, "rare-entropy", "k-centre", "combined", "rare-combined", "gradient")
"""Ways to choose: by chance; by a score; k-centre; "combined", by entropy-sum and then k-centre; "rare-combined",
likewise from rare-entropy; and "gradient", k-centre of gradient embeddings in which rare labels weigh more."""


@dataclass(frozen=True, eq=False)
class Pool:
    """What may be labelled, and what measures.

    Attributes:
        features: `(N, D)`.
        answers: `(N, L)` held labels: 1, 0 or NaN.
        boxes: `(N,)`: how many boxes a person would draw in each photo.
        test_features: `(M, D)`.
        test_answers: `(M, L)`.
    """

    features: Array
    answers: NDArray[np.float32]
    boxes: NDArray[np.int64]
    test_features: Array
    test_answers: NDArray[np.float32]


@dataclass(frozen=True)
class Schedule:
    """How a cycle goes.

    Attributes:
        start: Photos that are labelled first, at random.
        batch: Photos that are labelled each time.
        most: Photos at which it ends (at most all of the pool).
        reset: Whether the head begins anew each time, or from its last weights.
    """

    start: int
    batch: int
    most: int
    reset: bool = True


def choose(
    name: str, features: Array, head: Head, labelled: Numbers, answers: NDArray[np.floating], k: int, seed: int
) -> Numbers:
    """Numbers of the `k` photos to label next, by the strategy `name`.

    Args:
        name: One of `STRATEGIES`.
        features: `(N, D)` of all photos.
        head: The present model.
        labelled: Numbers of the photos that have labels.
        answers: `(len(labelled), L)` theirs.
        k: How many; all that are left when fewer are.
        seed: Of the chance.
    """
    free = np.setdiff1d(np.arange(len(features)), labelled)
    k = min(k, len(free))
    if name == "random":
        return np.random.default_rng([seed, len(labelled)]).permutation(free)[:k]
    if name == "k-centre":
        return free[k_centre(features[free], k, features[labelled])]
    rows = head.predict(features[free])
    if name == "gradient":
        rare = 1 / np.sqrt(1 + np.nansum(answers, axis=0))
        return free[k_centre(gradient_embeddings(features[free], rows, rare), k)]
    if name.startswith("rare-"):
        values = rare_entropy(rows, np.nansum(answers, axis=0))
    elif name == "margin":
        # A label's share of yes is the threshold that calls as many photos yes as there are.
        values = margin(rows, (np.nansum(answers, axis=0) + 0.5) / ((~np.isnan(answers)).sum(0) + 1))
    else:
        values = SCORES["entropy-sum" if name == "combined" else name](rows)
    if name.endswith("combined"):
        return free[combined(values, features[free], k, features[labelled])]
    return free[top(values, k)]


def run_arm(
    pool: Pool, name: str, seed: int, schedule: Schedule, path: Path, say: Callable[[dict[str, Any]], None]
) -> list[dict[str, Any]]:
    """One strategy with one seed, until `schedule.most` photos have labels.

    The state is written to `path` after every cycle, whole or not at all, so that a killed run loses one cycle.

    Returns:
        A row a cycle: `photos` and `boxes` labelled, `score` (mean AP of the labels on the test photos), `iterations`.
    """
    most = min(schedule.most, len(pool.features))
    order, rows, head = _read(path)
    if not len(order):
        order = np.random.default_rng(seed).permutation(len(pool.features))[: min(schedule.start, most)]
    while True:
        if rows and rows[-1]["photos"] >= most:
            return rows
        photos = min(schedule.start + schedule.batch * len(rows), most)
        if len(order) < photos:
            more = choose(name, pool.features, head, order, pool.answers[order], photos - len(order), seed)
            order = np.concatenate([order, more])
        head.fit(pool.features[order], pool.answers[order], warm=not schedule.reset)
        score = mean_precision(head.predict(pool.test_features), pool.test_answers)
        boxes = int(pool.boxes[order].sum())
        rows.append({"photos": len(order), "boxes": boxes, "score": score, "iterations": head.iterations})
        _write(path, order, rows, head)
        say(rows[-1])


def mean_precision(probabilities: NDArray[np.floating], answers: NDArray[np.floating]) -> float:
    """Mean of the labels' average precisions, over those that have a yes."""
    values = []
    for label in range(answers.shape[1]):
        known = ~np.isnan(answers[:, label])
        scores = np.asarray(probabilities[known, label], np.float32)
        values.append(average_precision(scores, answers[known, label] > 0.5))
    return float(np.nanmean(values))


def _read(path: Path) -> tuple[Numbers, list[dict[str, Any]], Head]:
    if not path.is_file():
        return np.zeros(0, np.intp), [], Head()
    with np.load(path) as state:
        rows: list[dict[str, Any]] = json.loads(str(state["rows"]))
        return state["order"].astype(np.intp), rows, Head(state["weights"])


def _write(path: Path, order: Numbers, rows: Sequence[dict[str, Any]], head: Head) -> None:
    assert head.weights is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, order=order, rows=json.dumps(list(rows)), weights=head.weights)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
