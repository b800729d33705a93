"""One seed of the simulation: views are made, policies learnt on some persons, and measured on others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear_export.dral.embedding import Answered, Projection, refreshed, triplets, whitened, within
from comfywear_export.dral.policies import (
    Judge,
    Policy,
    fit_judge,
    greedy,
    nearest_first,
    nearest_now,
    random_item,
    uncertain,
)
from comfywear_export.dral.qlearning import QNet, learn, learnt
from comfywear_export.dral.simulate import Asking, Crowd, collect, curves, start_of

__all__ = ["POLICIES", "REFRESHING", "Plan", "one_seed"]

Floats = NDArray[np.float64]

POLICIES = (
    "dral",
    "dral-gain",
    "greedy",
    "nearest now",
    "nearest first",
    "uncertainty",
    "random",
)
"""`dral` learns from the reward of the paper, `dral-gain` from what an answer adds to the average precision."""

REFRESHING = ("dral", "greedy", "nearest now", "nearest first", "uncertainty", "random")
_STEPS = 5  # refreshes of the embedding
_QUERIES = 2  # views of each person that are queries


@dataclass(frozen=True)
class Plan:
    """What is simulated.

    Attributes:
        asking: How is asked.
        rounds: Of Q-learning, for each of the two rewards.
        refreshing: Queries that are asked about to refresh the embedding.
    """

    asking: Asking
    rounds: int
    refreshing: int


def one_seed(learning: Floats, asked: Floats, held: Floats, plan: Plan, seed: int) -> dict[str, Any]:
    """The figures of one seed.

    Args:
        learning: `(N, V, D)` views of the persons on whom policies are learnt.
        asked: Of those who are asked about to refresh the embedding.
        held: Of those who measure; none of them is among the others.
        plan: What is done.
        seed: Of every draw.
    """
    width = held.shape[2]
    start = whitened(learning.reshape(-1, width))
    judge, nets, gained = _learnt(Crowd(learning, start), plan, seed)
    policies: dict[str, Policy] = {
        "dral": learnt(nets["dral"]),
        "dral-gain": learnt(nets["dral-gain"]),
        "greedy": greedy(judge),
        "nearest now": nearest_now,
        "nearest first": nearest_first,
        "uncertainty": uncertain(judge),
        "random": random_item,
    }
    crowd = Crowd(held, start)
    queries = [person * crowd.views + view for person in range(len(held)) for view in range(_QUERIES)]
    return {
        "persons": {"learning": len(learning), "asked": len(asked), "held": len(held)},
        "start": _plain(held, start),
        "rounds": {
            name: _by_person(curves(crowd, queries, policies[name], plan.asking, _rng(seed, name))) for name in POLICIES
        },
        "refresh": _refresh(asked, held, start, policies, plan, seed),
        "learning_reward": {name: _smoothed(values) for name, values in gained.items()},
        "policy": {
            "judge": judge.weights.tolist(),
            **{name: [w.tolist() for w in net.weights] for name, net in nets.items()},
        },
    }


def _learnt(crowd: Crowd, plan: Plan, seed: int) -> tuple[Judge, dict[str, QNet], dict[str, list[float]]]:
    """The odds from random questions, then a network for each of the two rewards."""
    rng = _rng(seed, "judge")
    features, answers = [], []
    start = start_of(crowd, plan.asking)
    for number in range(max(plan.rounds // 4, 8)):
        now, is_same, _ = start(rng)
        while not now.over:
            item = random_item(now, rng) if number % 2 else nearest_now(now, rng)
            features.append(now.features(np.array([item]))[0])
            answers.append(is_same(item))
            now.tell(item, answers[-1])
    judge = fit_judge(np.stack(features), answers)
    nets, gained = {}, {}
    for name in ("dral", "dral-gain"):
        begin = start_of(crowd, plan.asking, gain=name == "dral-gain")
        nets[name], gained[name] = learn(begin, judge, plan.rounds, _rng(seed, "q" + name))
    return judge, nets, gained


def _by_person(values: Floats) -> list[Any]:
    """`(queries, …)` as `(persons, …)`: the mean of the queries of each."""
    return values.reshape(-1, _QUERIES, *values.shape[1:]).mean(axis=1).tolist()  # type: ignore[no-any-return]


def _plain(x: Floats, projection: Projection) -> list[list[float]]:
    """`(2, persons)`: rank-1 and average precision of every view by distance alone, mean of each person's."""
    crowd = Crowd(x, projection)
    scores = np.array([crowd.scores(row, crowd.gallery(row)) for row in range(len(crowd.person))])
    return scores.reshape(len(x), crowd.views, 2).mean(axis=1).T.tolist()  # type: ignore[no-any-return]


def _refresh(
    asked: Floats, held: Floats, start: Projection, policies: Mapping[str, Policy], plan: Plan, seed: int
) -> dict[str, Any]:
    """By policy, what the embedding gives on persons who were never asked about, after so many questions."""
    flat = asked.reshape(-1, asked.shape[2])
    order = _rng(seed, "queries").permutation(len(flat))[: plan.refreshing]
    batches = [batch.tolist() for batch in np.array_split(order, _STEPS) if len(batch)]
    everybody: list[list[int]] = [list(rows) for rows in np.arange(len(flat)).reshape(asked.shape[:2])]
    out: dict[str, Any] = {"supervised on all": _plain(held, within(flat, everybody, start))}
    out["triplets on all"] = _plain(held, refreshed(start, flat, triplets(_everything(everybody, seed), seed)))
    for name in REFRESHING:
        projection, answered, points = start, list[Answered](), []
        for batch in batches:
            answered += collect(Crowd(asked, projection), batch, policies[name], plan.asking, _rng(seed, name + "r"))
            projection = refreshed(start, flat, triplets(answered, seed))
            points.append(
                {
                    "questions": sum(len(each.same) - 1 + len(each.others) for each in answered),
                    "same": sum(len(each.same) - 1 for each in answered),
                    "triplets": _plain(held, projection),
                    "supervised": _plain(held, within(flat, _groups(answered), start)),
                }
            )
        out[name] = points
    return out


def _groups(answered: Sequence[Answered]) -> list[list[int]]:
    """Who was said to be the same, by person: what one query and another have in common joins them."""
    groups: list[set[int]] = []
    for each in answered:
        rows = set(each.same)
        apart = [group for group in groups if not group & rows]
        groups = [*apart, rows.union(*(group for group in groups if group & rows))]
    return [sorted(group) for group in groups]


def _everything(everybody: Sequence[Sequence[int]], seed: int) -> list[Answered]:
    """All that could be answered, with a few of the others for each person."""
    rng = _rng(seed, "all")
    rows = [row for group in everybody for row in group]
    return [Answered(group, [int(r) for r in rng.choice(rows, 40) if r not in group]) for group in everybody]


def _smoothed(values: Sequence[float], points: int = 40) -> list[float]:
    """Means of equal parts, for the learning curve."""
    return [float(part.mean()) for part in np.array_split(np.asarray(values), min(points, len(values)))]


def _rng(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, *name.encode()])
