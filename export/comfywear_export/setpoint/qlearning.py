"""Tabular Q-learning of a setpoint (Watkins 1989): cooler, no change, warmer, with the moves not allowed masked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear_export.setpoint.controllers import setback
from comfywear_export.setpoint.simulate import CHANGEOVER_C, LEAD_H, Prices, View, hours
from comfywear_export.setpoint.weather import Year

__all__ = [
    "ACTIONS",
    "COOLEST",
    "SHAPE",
    "STATES",
    "WARMEST",
    "Learner",
    "Policy",
    "allowed",
    "best_moves",
    "rolled",
    "states_of",
]

ACTIONS = ("cooler", "no change", "warmer")
"""−1, 0, +1 K."""
COOLEST, WARMEST = 20, 27
"""Setpoints of working days, °C."""
VOTES = (-0.8, -0.4, -0.15, 0.15, 0.4, 0.8)
WAITS = (0.0, 2.0)
OUTDOOR = (3.0, 8.0, CHANGEOVER_C)
SHAPE = (WARMEST - COOLEST + 1, len(VOTES) + 1, len(WAITS) + 1, len(OUTDOOR) + 1)
"""States: setpoint, vote, hours to work, outdoor temperature (running mean)."""
STATES = int(np.prod(SHAPE))
TOO = 0.4
"""Beyond this vote people count as cool or warm."""

Array = NDArray[np.float64]
Places = NDArray[np.int64]
START_C = 22.0
_SLOW, _LEAST_RATE, _LEAST_EPSILON = 0.6, 0.002, 0.02


def states_of(setpoint_c: Array, pmv: Array, hours_to_work: Array, running_c: Array) -> Places:
    """`(N,)` the row of the table that each situation falls into."""
    parts = (
        np.clip(np.rint(setpoint_c), COOLEST, WARMEST).astype(int) - COOLEST,
        np.searchsorted(VOTES, pmv),
        np.searchsorted(WAITS, hours_to_work),
        np.searchsorted(OUTDOOR, running_c, side="right"),
    )
    return np.asarray(np.ravel_multi_index(parts, SHAPE))


def allowed(setpoint_c: Array, pmv: Array, people: Array) -> NDArray[np.bool_]:
    """`(N, 3)` which of `ACTIONS` may be taken; "no change" always may.

    Never beyond the coolest and warmest setpoint; never cooler for people who are cool, nor warmer for people who are
    warm.
    """
    cooler = (setpoint_c > COOLEST) & ~((people > 0) & (pmv < -TOO))
    warmer = (setpoint_c < WARMEST) & ~((people > 0) & (pmv > TOO))
    return np.stack([cooler, np.ones_like(cooler), warmer], axis=1)


def best_moves(values: Array, may: NDArray[np.bool_]) -> Places:
    """`(N,)` the allowed move of the highest value; of equal ones "no change".

    Args:
        values: `(N, 3)`.
        may: `(N, 3)` from `allowed`.
    """
    open_to = np.where(may, values, -np.inf)
    return np.where(open_to[:, 1] >= open_to.max(axis=1), 1, open_to.argmax(axis=1))


@dataclass
class Policy:
    """The best move by state, from four hours before work to its end; the plant is off in between.

    Attributes:
        values: `(S, 3)` Q: less what is still to be paid, discounted; or the tables of several seeds, one below the
            other.
        table: `(N,)` which of the tables each room goes by.
        day_c: `(N,)` setpoint of the working day, as far as it was moved; None: not started.
    """

    values: Array
    table: Places | int = 0
    day_c: Array | None = None

    def setpoint(self, view: View) -> Array:
        """`(N,)` the setpoint after the best of the allowed moves, °C."""
        day = np.full_like(view.people, START_C) if self.day_c is None else self.day_c
        may = allowed(day, view.pmv, view.people)
        states = states_of(day, view.pmv, view.hours_to_work, view.running_c) + self.table * STATES
        moves = best_moves(self.values[states], may)
        awake = view.hours_to_work <= LEAD_H
        self.day_c = np.where(awake, day + moves - 1.0, day)
        return np.where(awake, self.day_c, setback(view))


@dataclass
class Learner:
    """Learns from many rooms at a time, a year a sweep; several seeds side by side, each with a table of its own.

    Attributes:
        sweeps: How many there will be: ε falls with them from 1 to 0.02, where it is over the last fifth.
        seeds: How many tables.
        prices: What is weighed against what.
        discount: Of the next hour.
        values: `(seeds · S, 3)` Q.
        visits: `(seeds · S, 3)` how often each move was tried.
        done: Sweeps so far.
    """

    sweeps: int
    seeds: int = 1
    prices: Prices = field(default_factory=Prices)
    discount: float = 0.97
    done: int = 0

    def __post_init__(self) -> None:
        self.values = np.zeros((self.seeds * STATES, 3))
        self.visits = np.zeros_like(self.values)

    @property
    def epsilon(self) -> float:
        """Share of moves taken at random in the next sweep."""
        return float(max(_LEAST_EPSILON, _LEAST_EPSILON ** (self.done / max(0.8 * self.sweeps, 1.0))))

    def learn(self, years: Sequence[Sequence[Year]], days: int = 365) -> list[float]:
        """Live through the years of each seed side by side, trying and learning; returns what one cost on average."""
        rng = np.random.default_rng([7, self.done])
        epsilon, count = self.epsilon, self.seeds * len(years[0])
        table = np.repeat(np.arange(self.seeds), len(years[0])) * STATES
        cost = np.zeros(count)
        day = np.full(count, START_C)
        # What each room did last, what has been paid since, and how the future is discounted from there.
        states, moves, decided = np.zeros(count, int), np.zeros(count, int), np.zeros(count, bool)
        paid, weight = np.zeros(count), np.ones(count)

        def choose(view: View) -> Array:
            awake = view.hours_to_work <= LEAD_H
            now = states_of(day, view.pmv, view.hours_to_work, view.running_c) + table
            may = allowed(day, view.pmv, view.people)
            own = self.values[now]
            best = best_moves(own, may)
            done = awake & decided
            if done.any():
                future = weight * own[np.arange(count), best]
                self._update(states[done], moves[done], (future - paid)[done])
            drawn = np.where(rng.random(count) < epsilon, best_moves(rng.random((count, 3)), may), best)
            states[awake], moves[awake], paid[awake], weight[awake] = now[awake], drawn[awake], 0.0, 1.0
            decided[awake] = True
            day[awake] += drawn[awake] - 1.0
            return np.where(awake, day, setback(view))

        for passed in hours([year for own in years for year in own], choose, self.prices, days):
            paid += weight * passed.cost
            weight *= self.discount
            cost += passed.cost
        self.done += 1
        means: list[float] = cost.reshape(self.seeds, -1).mean(axis=1).tolist()
        return means

    def _update(self, states: Places, moves: Places, targets: Array) -> None:
        """Move the cells towards their targets; rooms in the same cell at once count as so many steps."""
        cells, place, count = np.unique(states * 3 + moves, return_inverse=True, return_counts=True)
        mean = np.bincount(place, targets) / count
        visits, values = self.visits.ravel(), self.values.ravel()  # views: the tables are contiguous
        visits[cells] += count
        rate = np.maximum(visits[cells] ** -_SLOW, _LEAST_RATE)
        values[cells] += (1.0 - (1.0 - rate) ** count) * (mean - values[cells])

    def as_json(self) -> dict[str, Any]:
        """All that it needs to go on."""
        return {"done": self.done, "values": self.values.ravel().tolist(), "visits": self.visits.ravel().tolist()}

    def go_on_from(self, kept: Mapping[str, Any]) -> None:
        """Take over what `as_json` gave."""
        self.done = int(kept["done"])
        self.values = np.asarray(kept["values"], float).reshape(-1, 3)
        self.visits = np.asarray(kept["visits"], float).reshape(-1, 3)


def rolled(year: Year, weeks: int) -> Year:
    """The year begun so many weeks later, so that rooms that learn side by side are in different seasons."""
    columns = {name: np.roll(getattr(year, name), -168 * weeks) for name in Year.__dataclass_fields__}
    return replace(year, **columns)
