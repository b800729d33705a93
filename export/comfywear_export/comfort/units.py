"""Votes of one person or one building in the order of time, with the model's answer before any of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort.votes.influence import PERSON_LIMITS, VoteOrigin, influences
from comfywear.comfort.votes.ordinal import ComfortFile
from comfywear.comfort.votes.personal import Evidence
from comfywear_export.comfort.design import design
from comfywear_export.comfort.fitting import folds_of
from comfywear_export.comfort.recipe import fit_recipe, fit_votes
from comfywear_export.comfort.rows import Votes

__all__ = ["Kind", "Unit", "cross_fitted", "shipped", "units_of"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Kind = Literal["persons", "buildings"]


@dataclass(frozen=True)
class Unit:
    """Votes of a person or a building, oldest first.

    Attributes:
        rows: `(N,)` places in the file.
        eta: `(N,)` η of a model that did not learn from this unit.
        cutpoints: `(6,)` of that model.
        vote: `(N,)` 0…6 for −3…+3.
        fold: The set in which the model left it out; 0 where the model never saw the file.
        conditions: `(N, 3)` air temperature °C, humidity %, clo.
        wish: `(N,)` 0 warmer, 1 no change, 2 cooler, −1 not asked.
        time_s: `(N,)` s since 1970, NaN where the hour is not known.
    """

    rows: Labels
    eta: Array
    cutpoints: Array
    vote: Labels
    fold: int
    conditions: Array
    wish: Labels
    time_s: Array

    def __len__(self) -> int:
        return len(self.vote)

    @property
    def felt(self) -> bool:
        """Whether it was asked what it felt; if not, only what it wished."""
        return bool((self.vote >= 0).any())

    def evidence(self, chosen: slice | Labels) -> Evidence:
        """Some of its votes; where the hour is known they are limited as a person's are on a device."""
        label = self.vote[chosen]
        return Evidence(self.eta[chosen], label, self._weight(chosen))

    def wishes(self, chosen: slice | Labels) -> Evidence:
        """Some of its wishes, as labels of `comfywear_export.comfort.wishes.WISH_GIVEN_VOTE`; only those asked for."""
        label, weight = self.wish[chosen], self._weight(chosen)
        asked = label >= 0
        return Evidence(self.eta[chosen][asked], label[asked], weight[asked])

    def _weight(self, chosen: slice | Labels) -> Array:
        time_s = self.time_s[chosen]
        if not len(time_s) or not np.isfinite(time_s).all():
            return np.ones(len(time_s))
        return influences([VoteOrigin("one", float(at)) for at in time_s], float(time_s.max()), PERSON_LIMITS)


@dataclass(frozen=True)
class _Model:
    """η and cutpoints of every row, by a model that did not learn from it; and the whole models by fold, if any."""

    eta: Array
    cutpoints: Array
    fold: Labels
    files: Mapping[int, ComfortFile]


def shipped(votes: Votes, model: ComfortFile) -> _Model:
    """The shipped model on rows that it never saw."""
    cutpoints = np.tile(np.asarray(model.votes.cutpoints), (len(votes), 1))
    return _Model(model.eta(votes.inputs), cutpoints, np.zeros(len(votes), int), {0: model})


def cross_fitted(votes: Votes, group: str, folds: int, *, wishes: bool = False) -> _Model:
    """The recipe fitted anew with every building (or contributor) left out in turn; whole models only with `wishes`."""
    files: dict[int, ComfortFile] = {}
    eta, cutpoints = np.empty(len(votes)), np.empty((len(votes), 6))
    fold = np.empty(len(votes), int)
    for number, mask in enumerate(folds_of(votes.group(group), folds)):
        if wishes:
            whole = fit_recipe(votes.subset(~mask))
            files[number] = ComfortFile.from_json("refitted", whole.as_json())
            when_unknown, model = whole.when_unknown, whole.votes
        else:
            when_unknown, model = fit_votes(votes.subset(~mask))
        eta[mask] = design(votes.subset(mask), when_unknown) @ model.coefficients
        cutpoints[mask], fold[mask] = model.cutpoints, number
    return _Model(eta, cutpoints, fold, files)


def units_of(votes: Votes, model: _Model, kind: Kind, least: int) -> list[Unit]:
    """Every person or building with `least` votes or more."""
    conditions = np.stack([votes.inputs[name] for name in ("air_temp_c", "humidity_pct", "clo")], axis=1)
    return [
        Unit(
            rows,
            model.eta[rows],
            model.cutpoints[rows[0]],
            votes.vote[rows],
            int(model.fold[rows[0]]),
            conditions[rows],
            votes.preference[rows],
            votes.time_s[rows],
        )
        for rows in _members(votes, kind)
        if len(rows) >= least
    ]


def _members(votes: Votes, kind: Kind) -> Iterator[Labels]:
    key = votes.person if kind == "persons" else votes.building
    order = np.lexsort((votes.time, key))
    order = order[key[order] >= 0]
    if len(order):
        yield from np.split(order, np.flatnonzero(np.diff(key[order])) + 1)
