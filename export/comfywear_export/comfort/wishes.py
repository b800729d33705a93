"""From wishes (warmer, no change, cooler) to what is felt, for sets of votes that say wishes only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort.votes.personal import Learnt, Population, learn
from comfywear_export.comfort.units import Unit

__all__ = ["WISH_GIVEN_VOTE", "learn_from"]

Array = NDArray[np.float64]

WISH_GIVEN_VOTE: Array = np.asarray(
    [
        [0.903, 0.585, 0.423, 0.063, 0.027, 0.030, 0.028],
        [0.066, 0.336, 0.474, 0.788, 0.268, 0.128, 0.053],
        [0.031, 0.079, 0.103, 0.149, 0.705, 0.842, 0.919],
    ]
)
"""`(3, 7)` P(warmer, no change, cooler | vote −3…+3): shares of 64,976 answers of the ASHRAE development file."""


def learn_from(unit: Unit, prior: Population, chosen: slice) -> Learnt:
    """What some of a unit's votes teach; its wishes where it was not asked for votes."""
    if unit.felt:
        return learn(prior, unit.cutpoints, unit.evidence(chosen))
    return learn(prior, unit.cutpoints, unit.wishes(chosen), WISH_GIVEN_VOTE)
