"""What the model must beat: always neutral, the class prior, PMV, and PMV recalibrated on votes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort import pmv_ppd, relative_air_speed
from comfywear_export.comfort.fitting import Cumulative, fit
from comfywear_export.comfort.rows import Votes

__all__ = ["device_pmv", "prior_of", "recalibrated"]

Array = NDArray[np.float64]


def device_pmv(votes: Votes) -> Array:
    """`(N,)` PMV as a device works it out: 1.1 met, still air, walls as warm as the air; no limits, kept in −3…+3."""
    air, speed = votes.inputs["air_temp_c"], relative_air_speed(0.1, 1.1)
    vote = pmv_ppd(air, air, speed, votes.inputs["humidity_pct"], 1.1, votes.inputs["clo"], limit=False).pmv
    result: Array = np.clip(vote, -3.0, 3.0)
    return result


def prior_of(votes: Votes) -> Array:
    """`(7,)` shares of the votes."""
    result: Array = np.bincount(votes.vote, minlength=7) / len(votes)
    return result


def recalibrated(votes: Votes) -> Cumulative:
    """A cumulative logit on `device_pmv` alone."""
    return fit(device_pmv(votes)[:, None], votes.vote, 7, np.ones(len(votes)), 0.0)
