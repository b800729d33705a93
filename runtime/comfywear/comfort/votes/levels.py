"""From the level that is pressed, 1–5, to what is felt: a table that starts as the survey's and becomes the zone's own.

A level says how comfortable it is and not whether it is warm or cold: P(level | vote −3…+3) links the two. The table
begins as that of the votes which the model was fitted on and moves as votes come in.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort.votes.personal import Evidence, Learnt, Population, learn, vote_given

__all__ = ["LEVELS", "Taught", "learn_levels", "level_shown"]

Array = NDArray[np.float64]
LEVELS = 5
# The starting table is worth so many votes of each sensation. Of 2, 4, 7, 10 and 20, fewer foretold later levels
# better, of people in a climate chamber and of buildings of the ASHRAE database; with 2 the table takes up what says
# that it is too warm, and 4 is nearly as good.
STARTING_VOTES = 4.0
_ROUNDS = 4
# Up to about so many counted votes, the level shown is still the one of ISO 7730's categories.
_FIRST_GUESS_VOTES = 5.0


class Taught(NamedTuple):
    """What a unit's votes taught: the model's bend, and `(5, 7)` P(level | vote)."""

    learnt: Learnt
    table: Array


def learn_levels(population: Population, cutpoints: Array, evidence: Evidence, starting: Array) -> Taught:
    """The bend and the table after votes 1–5 (`evidence.label` 0…4); each is learnt with the other held, in turns."""
    table, learnt = starting, learn(population, cutpoints, evidence, starting)
    if not len(evidence.label):
        return Taught(learnt, table)
    for _ in range(_ROUNDS):
        felt = vote_given(learnt.mean, evidence, cutpoints, population.tilt, table)
        counts = STARTING_VOTES * starting
        for level in range(LEVELS):
            chosen = evidence.label == level
            counts[level] += evidence.weight[chosen] @ felt[chosen]
        table = counts / counts.sum(axis=0)
        learnt = learn(population, cutpoints, evidence, table, start=learnt.mean)
    return Taught(learnt, table)


def level_shown(first_guess: int, taught: Taught, votes: Array) -> int:
    """Level 1…5 for `(7,)` probabilities of votes: from the first guess to what is pressed here, as votes grow."""
    pressed = float(np.arange(1, LEVELS + 1) @ (taught.table @ votes))
    own = taught.learnt.weight / (taught.learnt.weight + _FIRST_GUESS_VOTES)
    return int(np.clip(np.floor(own * pressed + (1.0 - own) * first_guess + 0.5), 1, LEVELS))
