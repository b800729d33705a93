"""Units and priors for measuring what votes teach: the shipped files on buildings they never saw, or refitted ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from comfywear.comfort.votes.ordinal import ComfortFile, load_model
from comfywear.comfort.votes.personal import Population
from comfywear.comfort.votes.populations import load_populations
from comfywear.errors import UsageError
from comfywear_export.comfort.population import LEAST_TO_FIT, population_of
from comfywear_export.comfort.rows import Votes, read_votes
from comfywear_export.comfort.units import Kind, Unit, cross_fitted, shipped, units_of

__all__ = ["Mode", "Prepared", "prepare"]

Mode = Literal["auto", "shipped", "refit"]


@dataclass(frozen=True)
class Prepared:
    """What `evaluate adaptation` and `evaluate asking` need.

    Attributes:
        how: In words, which models were used.
        model: The model's id; "refitted" likewise.
        units: By kind.
        priors: By kind, then by fold: never fitted on the units of that fold.
        votes: The rows of the file.
        models: By fold, likewise; only where whole models were asked for, or with the shipped ones.
    """

    how: str
    model: str
    units: Mapping[Kind, list[Unit]]
    priors: Mapping[Kind, Mapping[int, Population]]
    votes: Votes
    models: Mapping[int, ComfortFile]


def prepare(
    data: Path, least: Mapping[Kind, int], mode: Mode, group: str, folds: int, *, wishes: bool = False
) -> Prepared:
    """Read the file and give each unit a model and a prior that did not learn from it.

    Args:
        data: Votes, as `read_votes` reads them.
        least: Votes that a unit of each kind needs.
        mode: "shipped": the shipped model and priors; "refit": both fitted anew with each unit's building (or
            contributor) left out; "auto": refit when the shipped files were fitted on a building of the file.
        group: "building" or "contributor": what is left out together.
        folds: Sets of them.
        wishes: Whether refitted models are whole: of votes and wishes.
    """
    votes, model, known = read_votes(data), load_model(), load_populations()
    seen = sorted({int(b) for b in np.unique(votes.building_id) if b >= 0 and known.knows(int(b))})
    if mode == "shipped" or (mode == "auto" and not seen):
        base = shipped(votes, model)
        units = {kind: units_of(votes, base, kind, count) for kind, count in least.items()}
        priors: dict[Kind, Mapping[int, Population]] = {"persons": {0: known.persons}, "buildings": {0: known.zones}}
        warning = f"; {len(seen)} buildings of this file were in the fit: flattering" if seen else ""
        return Prepared(
            f"the shipped model and priors on these rows{warning}", model.id, units, priors, votes, base.files
        )
    if len(np.unique(votes.group(group))) < folds:
        raise UsageError(f"--group {group}: {data} has fewer than {folds} of them")
    base = cross_fitted(votes, group, folds, wishes=wishes)
    units, priors = {}, {}
    for kind, count in least.items():
        units[kind] = units_of(votes, base, kind, count)
        everyone = units_of(votes, base, kind, LEAST_TO_FIT[kind])
        found = {}
        for fold in sorted({unit.fold for unit in units[kind]}):
            others = [unit for unit in everyone if unit.fold != fold]
            if len(others) < 2:
                raise UsageError(f"{data}: too few {kind} with {LEAST_TO_FIT[kind]} votes to fit a prior on")
            found[fold] = population_of(others, kind)
        priors[kind] = found
    how = f"model and priors refitted with every {group} left out in turn, in {folds} sets"
    return Prepared(how, "refitted", units, priors, votes, base.files)
