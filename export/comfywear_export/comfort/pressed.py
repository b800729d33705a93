"""What the answers about comfort (levels 1…5) are worth: how well votes foretell them, and they the votes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort.votes.levels import LEVELS, STARTING_VOTES, learn_levels
from comfywear.comfort.votes.personal import Evidence, Population, learn
from comfywear_export.comfort.rows import Votes
from comfywear_export.comfort.scores import ranked_probability_score
from comfywear_export.comfort.units import Kind, Unit

__all__ = ["learning_from_levels", "level_counts", "levels_of", "table_scores"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

REVEALED = (3, 10, 20)
_SKIPPED: Mapping[Kind, int] = {"persons": 20, "buildings": 50}


class _Place(NamedTuple):
    """An answer 1…6 laid on the levels: the lower one 0…4, and the share of the next."""

    low: Labels
    share: Array


def _place(answers: Labels) -> _Place:
    place = (answers - 1) * 0.8
    low = np.minimum(np.floor(place).astype(np.int64), LEVELS - 1)
    return _Place(low, place - low)


def levels_of(answers: Labels) -> Labels:
    """`(N,)` 0…4, the nearest level to each answer 1…6; −1 for 0 (not asked)."""
    nearest: Labels = np.where(answers > 0, np.floor((answers - 1) * 0.8 + 0.5).astype(np.int64), -1)
    return nearest


def level_counts(votes: Labels, answers: Labels) -> Array:
    """`(5, 7)` how often each level came with each vote; an answer between two levels is shared by them."""
    counts = np.zeros((LEVELS, 7))
    asked = (answers > 0) & (votes >= 0)
    place = _place(answers[asked])
    np.add.at(counts, (place.low, votes[asked]), 1.0 - place.share)
    np.add.at(counts, (np.minimum(place.low + 1, LEVELS - 1), votes[asked]), place.share)
    return counts


def table_scores(votes: Votes, groups: Labels, starting: Array) -> dict[str, Any]:
    """How well P(level | vote) foretells the levels of groups that it was not made from.

    Args:
        votes: Rows with a vote and an answer about comfort.
        groups: `(N,)` person or contributor of each row: left out together.
        starting: `(5, 7)` the shipped table.

    Returns:
        RPS and log-loss of levels by way: `shares` (the levels of the others, whatever was felt), `shipped`, `others`
        (a table of the others alone), `own` (the shipped one, worth `STARTING_VOTES` a vote, and the group's own
        earlier answers).
    """
    asked = (votes.comfort > 0) & (votes.vote >= 0)
    rows, truth = np.flatnonzero(asked), levels_of(votes.comfort)
    found: dict[str, Array] = {name: np.zeros((len(votes), LEVELS)) for name in ("shares", "shipped", "others", "own")}
    found["shipped"][rows] = starting[:, votes.vote[rows]].T
    for group in np.unique(groups[rows]):
        mine, theirs = rows[groups[rows] == group], rows[groups[rows] != group]
        counts = level_counts(votes.vote[theirs], votes.comfort[theirs])
        found["shares"][mine] = (counts.sum(axis=1) + 0.5) / (counts.sum() + 0.5 * LEVELS)
        table = (counts + 0.5) / (counts + 0.5).sum(axis=0)
        found["others"][mine] = table[:, votes.vote[mine]].T
        seen = STARTING_VOTES * starting
        for row in mine[np.argsort(votes.time[mine], kind="stable")]:
            found["own"][row] = seen[:, votes.vote[row]] / seen[:, votes.vote[row]].sum()
            seen += level_counts(votes.vote[row : row + 1], votes.comfort[row : row + 1])
    scores: dict[str, Any] = {"rows": len(rows), "groups": len(np.unique(groups[rows]))}
    for name, table in found.items():
        chance = np.maximum(table[rows, truth[rows]], 1e-9)
        scores[name] = {
            "rps": ranked_probability_score(table[rows], truth[rows]),
            "log_loss": float(-np.log(chance).mean()),
        }
    return scores


def learning_from_levels(
    votes: Votes, units: Sequence[Unit], priors: Mapping[int, Population], kind: Kind, starting: Array
) -> dict[str, Any]:
    """RPS of later *votes* by k: without learning, after k levels as a button gives them, and after k votes −3…+3."""
    rows: dict[int, list[tuple[float, float, float]]] = {k: [] for k in REVEALED}
    skip = _SKIPPED[kind]
    for unit in units:
        level = levels_of(votes.comfort[unit.rows])
        if len(unit) < skip + 10 or (level < 0).any() or not unit.felt:
            continue
        prior, later, truth = priors[unit.fold], unit.eta[skip:], unit.vote[skip:]
        none = learn(prior, unit.cutpoints, unit.evidence(slice(0))).probabilities(later)
        for k in REVEALED:
            felt = unit.evidence(slice(k))
            pressed = Evidence(felt.eta, level[:k], felt.weight)
            by_level = learn_levels(prior, unit.cutpoints, pressed, starting).learnt.probabilities(later)
            by_vote = learn(prior, unit.cutpoints, felt).probabilities(later)
            rows[k].append(
                (
                    ranked_probability_score(none, truth),
                    ranked_probability_score(by_level, truth),
                    ranked_probability_score(by_vote, truth),
                )
            )
    return {
        str(k): dict(zip(("none", "levels", "votes"), np.mean(found, axis=0).tolist(), strict=True))
        | {"units": len(found)}
        for k, found in rows.items()
        if found
    }
