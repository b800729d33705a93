"""ThermalWear beside skin temperatures that were measured at one place of the body, such as a wrist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort import ThermalWear
from comfywear_export.comfort.rows import Votes

__all__ = ["modelled_skin_c", "skin_scores"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
# Readings of a person from which their own offset is taken; the later ones measure.
FIRST = 10


def modelled_skin_c(votes: Votes) -> Array:
    """`(N,)` mean skin temperature by the two-node model, °C; NaN where it has no answer."""
    model, found = ThermalWear(), np.full(len(votes), np.nan)
    columns = [
        votes.inputs[name] for name in ("air_temp_c", "humidity_pct", "clo", "met", "air_speed_m_s", "radiant_temp_c")
    ]
    for row, (air, humidity, clo, *extra) in enumerate(zip(*columns, strict=True)):
        met, speed, radiant = (float(value) if np.isfinite(value) else None for value in extra)
        skin = model.estimate(
            float(air), float(humidity), float(clo), met=met, air_speed_m_s=speed, radiant_temp_c=radiant
        ).skin_temp_c
        if skin is not None:
            found[row] = skin
    return found


def skin_scores(
    measured_c: Array, modelled_c: Array, air_temp_c: Array, person: Labels, time: Labels
) -> dict[str, Any]:
    """Mean absolute errors in K of what foretells a measured temperature, on people that it was not made from.

    Returns:
        `constant`: the mean of the others. `air`, `model`: a straight line on the air temperature, or on the modelled
        mean skin temperature, fitted on the others. `…_own`: the same with the person's own offset from their first
        ten readings, on their later ones. `within`: correlation with the model within persons.
    """
    known = np.isfinite(measured_c) & np.isfinite(modelled_c)
    said: dict[str, Array] = {"constant": np.full(len(measured_c), np.nan)}
    said |= {name: np.full(len(measured_c), np.nan) for name in ("air", "model")}
    sources = {"air": air_temp_c, "model": modelled_c}
    for mine in _persons(person, known):
        others = known & (person != person[mine[0]])
        said["constant"][mine] = measured_c[others].mean()
        for name, source in sources.items():
            slope, constant = np.polyfit(source[others], measured_c[others], 1)
            said[name][mine] = constant + slope * source[mine]
    figures: dict[str, Any] = {"rows": int(known.sum()), "persons": len(np.unique(person[known]))}
    for name, foretold in said.items():
        figures[name] = float(np.abs(foretold - measured_c)[known].mean())
        misses = []
        for mine in _persons(person, known):
            mine = mine[np.argsort(time[mine], kind="stable")]
            error = measured_c[mine] - foretold[mine]
            if len(mine) > FIRST:
                misses.append(np.abs(error[FIRST:] - error[:FIRST].mean()))
        figures[f"{name}_own"] = float(np.concatenate(misses).mean()) if misses else None
    away = [
        (measured_c[mine] - measured_c[mine].mean(), modelled_c[mine] - modelled_c[mine].mean())
        for mine in _persons(person, known)
    ]
    one, other = (np.concatenate(part) for part in zip(*away, strict=True))
    figures["within"] = float(one @ other / np.sqrt((one @ one) * (other @ other)))
    return figures


def _persons(person: Labels, known: NDArray[np.bool_]) -> Iterator[Labels]:
    for each in np.unique(person[known]):
        yield np.flatnonzero(known & (person == each))
