"""Whether a series has come to rest, and what it then says with which uncertainty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

__all__ = ["LIMITS", "WINDOW_S", "Rest", "RestLimits", "effective_number", "rest_of"]

WINDOW_S = 300.0
_FEWEST = 5
_COVERED = 0.8


@dataclass(frozen=True, slots=True)
class RestLimits:
    """What still counts as rest, in the quantity's unit.

    Attributes:
        drift: Over the whole window.
        scatter: Standard deviation around the drift.
        resolution: Of a sensor that is not known to be coarser.
    """

    drift: float
    scatter: float
    resolution: float


LIMITS = {"air_temp_c": RestLimits(0.15, 0.25, 0.01), "humidity_pct": RestLimits(1.0, 1.5, 0.1)}


@dataclass(frozen=True, slots=True)
class Rest:
    """How a series is at its end.

    Attributes:
        state: "few" values, or not long enough, to say; "drifting"; "noisy"; "steady".
        value: Mean over the window; None where there are too few.
        value_u: Its standard uncertainty, from scatter, resolution and drift.
        drift_per_min: Slope over the window.
        wait_s: How long until the window is full, at least; 0 once it is.
    """

    state: Literal["few", "drifting", "noisy", "steady"]
    value: float | None = None
    value_u: float | None = None
    drift_per_min: float | None = None
    wait_s: float = 0.0


def rest_of(
    times_s: Sequence[float],
    values: Sequence[float],
    limits: RestLimits,
    *,
    window_s: float = WINDOW_S,
    resolution: float | None = None,
) -> Rest:
    """How the last `window_s` seconds of a series are.

    Args:
        times_s: Ascending.
        values: In the unit of `limits`.
        limits: What counts as rest.
        window_s: Over how long.
        resolution: The sensor's smallest step; None = that of `limits`.
    """
    times, said = np.asarray(times_s, float), np.asarray(values, float)
    inside = times >= times[-1] - window_s if len(times) else np.zeros(0, bool)
    times, said = times[inside], said[inside]
    spanned_s = float(times[-1] - times[0]) if len(times) else 0.0
    if len(times) < _FEWEST or spanned_s < _COVERED * window_s:
        return Rest("few", wait_s=max(_COVERED * window_s - spanned_s, 1.0))
    centred = times - times.mean()
    slope = float(centred @ said / (centred @ centred))
    residuals = said - said.mean() - slope * centred
    scatter = float(np.sqrt(residuals @ residuals / (len(said) - 2)))
    step, drift = resolution or limits.resolution, slope * window_s
    value_u = math.sqrt(scatter**2 / effective_number(residuals) + step**2 / 12 + drift**2 / 12)
    # A coarse sensor stands between two steps: one step is no drift and its flicker no noise.
    moving = abs(drift) > max(limits.drift, 0.6 * step)
    noisy = scatter > max(limits.scatter, step)
    state: Literal["drifting", "noisy", "steady"] = "drifting" if moving else "noisy" if noisy else "steady"
    return Rest(state, float(said.mean()), value_u, 60 * slope)


def effective_number(residuals: Sequence[float]) -> float:
    """How many independent values so many correlated ones are worth, 1…n, by their lag-1 correlation.

    n (1 − r) / (1 + r) for r > 0 (von Storch & Zwiers, Statistical Analysis in Climate Research, 1999, 6.6.8).
    """
    rest = np.asarray(residuals, float)
    power = float(rest @ rest)
    if len(rest) < 3 or power <= 0.0:
        return float(max(len(rest), 1))
    r = min(max(float(rest[1:] @ rest[:-1]) / power, 0.0), 1.0)
    return min(max(len(rest) * (1 - r) / (1 + r), 1.0), float(len(rest)))
