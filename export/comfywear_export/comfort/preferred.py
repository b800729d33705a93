"""How far the preferred temperature lies from what people later preferred, beside what needs no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort import ComfyWear, adaptive_ashrae
from comfywear.comfort.setpoint import VOTES_PER_K, Preferred, neutral_temperature_c, preferred_temperature
from comfywear.comfort.votes.levels import Taught, learn_levels
from comfywear.comfort.votes.ordinal import ComfortFile
from comfywear.comfort.votes.personal import Evidence, Population
from comfywear.comfort.votes.populations import load_populations
from comfywear_export.comfort.pressed import levels_of
from comfywear_export.comfort.rows import Votes
from comfywear_export.comfort.units import Kind, Unit
from comfywear_export.comfort.wishes import learn_from

__all__ = ["BASELINES", "SETPOINT_LEAST", "SETPOINT_REVEALED", "preferred_errors"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

SETPOINT_REVEALED = (0, 3, 10, 20, 50)
BASELINES = ("fixed_22", "pmv_0", "adaptive", "usual")
SKIPPED: Mapping[Kind, int] = {"persons": 10, "buildings": 50}
SETPOINT_LEAST: Mapping[Kind, int] = {"persons": 20, "buildings": 60}
# Moments of a unit at which it is asked for, evenly over its later votes.
_MOMENTS = 40
# Wishes within a building by temperature: the slope a kelvin, and half the distance between the two cutpoints, from 163
# buildings of the development data with a middle of its own for each.
_SLOPE, _HALF = 0.4, 1.5
# A unit's balance of wishes is believed within 24 ± 6 °C, and asked for from so many wishes on.
_WISHES, _USUAL_C, _USUAL_SD_K = 15, 24.0, 6.0
_GRID = np.arange(8.0, 40.01, 0.1)


class _Errors(NamedTuple):
    """|estimate − later| of one unit, K: against neutral votes and against the balance of wishes (NaN: not known)."""

    neutral: float
    wishes: float
    spread: float = 0.0
    inside: tuple[int, int] = (0, 0)
    outside: tuple[int, int] = (0, 0)


def preferred_errors(
    votes: Votes, units: Sequence[Unit], models: Mapping[int, ComfortFile], priors: Mapping[int, Population], kind: Kind
) -> dict[str, Any]:
    """Mean absolute errors in K over the units, by k votes (or levels, as a button gives) revealed, and of baselines.

    Args:
        votes: The rows.
        units: Persons or buildings, in the order of time.
        models: By the fold of a unit: fitted without it.
        priors: Likewise.
        kind: Which votes are kept for measuring.
    """
    starting = load_populations().levels
    said: dict[str, list[_Errors]] = {name: [] for name in BASELINES}
    for unit in units:
        skip = SKIPPED[kind]
        if len(unit) < skip + 10:
            continue
        later = unit.rows[skip:]
        truth = (_neutral(votes, later), _balance(votes, later))
        moments = later[np.unique(np.linspace(0, len(later) - 1, _MOMENTS).astype(int))]
        for name, values in _plain(votes, moments).items():
            known = np.isfinite(values)
            if known.mean() >= 0.5:
                said[name].append(_compare(float(values[known].mean()), truth))
        model, prior = ComfyWear(models[unit.fold]), priors[unit.fold]
        level = levels_of(votes.comfort[unit.rows])
        for k in (k for k in SETPOINT_REVEALED if k <= skip):
            ways = {f"votes_{k}": Taught(learn_from(unit, prior, slice(k)), starting)}
            if k and unit.felt and (level[:k] >= 0).all():
                felt = unit.evidence(slice(k))
                pressed = Evidence(felt.eta, level[:k], felt.weight)
                ways[f"levels_{k}"] = learn_levels(prior, unit.cutpoints, pressed, starting)
            for name, taught in ways.items():
                found = [preferred_temperature(model, _inputs(votes, row), taught) for row in moments]
                said.setdefault(name, []).append(_judge(found, votes, moments, truth))
    return {name: _summary(errors) for name, errors in said.items() if errors}


def _inputs(votes: Votes, row: int) -> dict[str, float]:
    return {name: float(column[row]) for name, column in votes.inputs.items() if np.isfinite(column[row])}


def _plain(votes: Votes, rows: Labels) -> dict[str, Array]:
    inputs = votes.inputs
    pmv = [
        neutral_temperature_c(float(rh), float(clo))
        for rh, clo in zip(inputs["humidity_pct"][rows], inputs["clo"][rows], strict=True)
    ]
    outdoors = np.clip(inputs["outdoor_temp_c"][rows], 10.0, 33.5)
    adaptive = adaptive_ashrae(np.full(len(rows), 25.0), np.full(len(rows), 25.0), outdoors).neutral_c
    usual = inputs.get("usual_temp_c", np.full(len(votes), np.nan))[rows]
    return {"fixed_22": np.full(len(rows), 22.0), "pmv_0": np.asarray(pmv), "adaptive": adaptive, "usual": usual}


def _neutral(votes: Votes, rows: Labels) -> float:
    """Griffiths' comfort temperature, °C: half a vote a kelvin away from where people voted; NaN without votes."""
    felt = rows[votes.vote[rows] >= 0]
    if not len(felt):
        return float("nan")
    return float(np.mean(votes.inputs["air_temp_c"][felt] - (votes.vote[felt] - 3.0) / VOTES_PER_K))


def _balance(votes: Votes, rows: Labels) -> float:
    """Temperature at which as many want it warmer as cooler, °C; NaN for too few wishes."""
    rows = rows[votes.preference[rows] >= 0]
    if len(rows) < _WISHES:
        return float("nan")
    air, wish = votes.inputs["air_temp_c"][rows], votes.preference[rows]
    warmth = _SLOPE * (air[None, :] - _GRID[:, None])
    warmer, cooler = 1.0 / (1.0 + np.exp(_HALF + warmth)), 1.0 / (1.0 + np.exp(_HALF - warmth))
    chance = np.select([wish == 0, wish == 2], [warmer, cooler], 1.0 - warmer - cooler)
    likelihood = np.log(np.maximum(chance, 1e-9)).sum(axis=1) - 0.5 * ((_GRID - _USUAL_C) / _USUAL_SD_K) ** 2
    return float(_GRID[int(likelihood.argmax())])


def _compare(estimate: float, truth: tuple[float, float]) -> _Errors:
    return _Errors(abs(estimate - truth[0]), abs(estimate - truth[1]))


def _judge(found: Sequence[Preferred], votes: Votes, rows: Labels, truth: tuple[float, float]) -> _Errors:
    middle = float(np.mean([each.preferred_c for each in found if each.preferred_c is not None]))
    spread = float(np.mean([each.sd_k for each in found if each.sd_k is not None]))
    counted = {True: [0, 0], False: [0, 0]}
    for each, row in zip(found, rows, strict=True):
        if votes.vote[row] >= 0:
            air = votes.inputs["air_temp_c"][row]
            within = each.low_80_c is not None and each.high_80_c is not None and each.low_80_c <= air <= each.high_80_c
            counted[within][0] += int(abs(votes.vote[row] - 3) <= 1)
            counted[within][1] += 1
    inside, outside = counted[True], counted[False]
    return _compare(middle, truth)._replace(
        spread=spread, inside=(inside[0], inside[1]), outside=(outside[0], outside[1])
    )


def _summary(errors: Sequence[_Errors]) -> dict[str, Any]:
    neutral, wishes = np.asarray([e.neutral for e in errors]), np.asarray([e.wishes for e in errors])
    spread = np.asarray([e.spread for e in errors])
    figures: dict[str, Any] = {"units": len(errors), "neutral_k": _mean(neutral), "wishes_k": _mean(wishes)}
    figures["units_with_wishes"] = int(np.isfinite(wishes).sum())
    if spread.any():
        known = np.isfinite(wishes)
        figures["within_1_sd"] = float((wishes[known] <= spread[known]).mean()) if known.any() else None
        for name in ("inside", "outside"):
            hits, total = np.asarray([getattr(e, name) for e in errors]).sum(axis=0).tolist()
            figures[f"satisfied_{name}_80"] = hits / total if total else None
    return figures


def _mean(values: Array) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
