"""The terms of the comfort model, and rows of votes turned into their values by the code that the device runs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort.site import COUNTRIES, complete, country_input
from comfywear.comfort.votes.ordinal import basis
from comfywear_export.comfort.fitting import Cumulative
from comfywear_export.comfort.rows import Votes

__all__ = ["TERMS", "VOTE_TERMS", "design", "guesses", "section"]

Array = NDArray[np.float64]
Factor = tuple[str, str, float, float]

# (input, function, at, scale) by term; functions are those of `comfywear.comfort.votes.ordinal.Term`. "at" is a usual
# value, so that an unknown input counts as a usual one.
TERMS: tuple[tuple[Factor, ...], ...] = (
    (("air_temp_c", "linear", 24.0, 5.0),),
    (("air_temp_c", "above", 27.0, 5.0),),
    (("air_temp_c", "below", 21.0, 5.0),),
    (("humidity_pct", "linear", 50.0, 20.0),),
    (("clo", "linear", 0.6, 0.3),),
    # What people are used to: the same air is cool where it is usually warmer (Humphreys 1978; de Dear, Brager 1998).
    (("usual_temp_c", "linear", 24.0, 5.0),),
    (("usual_temp_c", "above", 27.0, 5.0),),
    (("above_usual_sd", "linear", 0.0, 2.0),),
    (("usual_temp_sd_k", "linear", 2.0, 2.0),),
    (("warm_season", "linear", 0.5, 1.0),),
    (("naturally_ventilated", "linear", 0.0, 1.0),),
    (("mixed_mode", "linear", 0.0, 1.0),),
    (("tropical", "linear", 0.0, 1.0),),
    (("arid", "linear", 0.0, 1.0),),
    (("tropical", "linear", 0.0, 1.0), ("usual_temp_c", "linear", 27.0, 5.0)),
    (("outdoor_temp_c", "linear", 20.0, 10.0),),
    (("outdoor_temp_c", "above", 20.0, 10.0),),
    (("outdoor_temp_c", "below", 10.0, 10.0),),
    (("usual_above_outdoor_k", "linear", 5.0, 10.0),),
    (("air_speed_root", "linear", 0.3, 0.33),),
    (("radiant_above_air_k", "linear", 0.0, 2.0),),
    (("met", "linear", 1.2, 1.0),),
)


# How warm a word is, and what people expect, differs by country and survey; the scale of 2 counts the ridge four times,
# which pulls a country's coefficient to 0 (partial pooling).
VOTE_TERMS = TERMS + tuple(((country_input(name), "linear", 0.0, 2.0),) for name in COUNTRIES)


def design(votes: Votes, when_unknown: dict[str, dict[str, float]]) -> Array:
    """`(N, F)` value of every term of `VOTE_TERMS` for every row; the first `len(TERMS)` are those of `TERMS`."""
    rows = len(votes)
    columns = {name: np.asarray(column, float) for name, column in complete(votes.inputs, when_unknown).items()}
    values = np.ones((rows, len(VOTE_TERMS)))
    for number, term in enumerate(VOTE_TERMS):
        for name, function, at, scale in term:
            values[:, number] *= basis(columns.get(name), function, at, scale)
    return values


def guesses(votes: Votes) -> dict[str, dict[str, float]]:
    """What to put where a place has no past yet: its usual temperature from the present one, the usual spread."""
    usual, air = votes.inputs["usual_temp_c"], votes.inputs["air_temp_c"]
    known = np.isfinite(usual)
    slope, constant = np.polyfit(air[known], usual[known], 1)
    spread = float(np.median(votes.inputs["usual_temp_sd_k"][known]))
    return {
        "usual_temp_c": {"constant": round(float(constant), 3), "air_temp_c": round(float(slope), 4)},
        "usual_temp_sd_k": {"constant": round(spread, 3)},
    }


def section(model: Cumulative, terms: tuple[tuple[Factor, ...], ...]) -> dict[str, Any]:
    """The model with its terms as the file has it."""
    entries = [
        {
            "coefficient": round(float(coefficient), 4),
            "factors": [dict(zip(("input", "function", "at", "scale"), factor, strict=True)) for factor in term],
        }
        for coefficient, term in zip(model.coefficients, terms, strict=True)
    ]
    return {"cutpoints": [round(float(cut), 4) for cut in model.cutpoints], "terms": entries}
