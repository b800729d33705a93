"""Reads the shipped file that says how zones and persons differ, and how levels 1–5 go with votes at first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort.votes.personal import Population
from comfywear.errors import ModelError

__all__ = ["Populations", "load_populations"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Populations:
    """The content of the file.

    Attributes:
        id: The model's id.
        zones: How buildings differ: the prior of a zone.
        persons: How persons differ.
        levels: `(5, 7)` P(level 1…5 | vote −3…+3), the starting table.
        fitted_on: Ids of the buildings whose votes it was fitted on, as [first, last] ranges.
    """

    id: str
    zones: Population
    persons: Population
    levels: Array
    fitted_on: tuple[tuple[int, int], ...]

    def knows(self, building_id: int) -> bool:
        """Whether votes of that building (its id in the database) were fitted on."""
        return any(first <= building_id <= last for first, last in self.fitted_on)


@cache
def load_populations(name_or_path: str = "personal") -> Populations:
    """The shipped file, or one by the path of its card; ModelError when it is missing, altered or no such file."""
    from comfywear_models import CardError, find, verify  # cards need msgspec; the standards do not

    try:
        card, folder = find(name_or_path)
        data = json.loads(verify(card.files[0], folder).read_text(encoding="utf-8"))
        levels = np.asarray(data["levels"], float)
        if levels.shape != (5, 7) or not np.allclose(levels.sum(axis=0), 1.0, atol=1e-3):
            raise ValueError("the levels are no 5 × 7 table whose columns sum to 1")
        return Populations(
            f"{card.name}-{card.version}",
            Population.from_json(data["zones"]),
            Population.from_json(data["persons"]),
            levels,
            tuple((int(first), int(last)) for first, last in data["fitted_on"]),
        )
    except (CardError, OSError, LookupError, AttributeError, TypeError, ValueError) as error:
        raise ModelError(f"what is known of zones and persons cannot be used: {error}") from error
