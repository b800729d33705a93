"""What the learnt policy is compared with: fixed setpoints, a schedule, and the adviser of the comfort model."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort import ComfyWear, Site, preferred_temperature
from comfywear.comfort.setpoint import SetpointRules, setpoint
from comfywear.records import Clothing, Comfort
from comfywear_export.setpoint.simulate import CHANGEOVER_C, HIGHEST, LOWEST, MET, Controller, Prices, View, live
from comfywear_export.setpoint.weather import Year

__all__ = ["Adviser", "Fixed", "Preferring", "Schedule", "best_fixed", "best_schedule", "setback"]

Array = NDArray[np.float64]
_USUAL_HOURS = 300
_CLO_SD = 0.15


def setback(view: View) -> Array:
    """`(N,)` the setpoint at which the plant does nothing: the lowest while it heats, the highest while it cools."""
    return np.where(view.running_c >= CHANGEOVER_C, float(HIGHEST), float(LOWEST))


@dataclass(frozen=True)
class Fixed:
    """A thermostat at one setpoint, day and night."""

    value_c: float | Array = 22.0

    def setpoint(self, view: View) -> Array:
        """Always the same."""
        return np.zeros_like(view.pmv) + self.value_c


@dataclass(frozen=True)
class Schedule:
    """A programmed thermostat: one setpoint while the plant heats, one while it cools, off when nobody works.

    Attributes:
        winter_c: While it heats.
        summer_c: While it cools.
        lead_h: Hours before work at which the day's setpoint is taken up.
    """

    winter_c: float | Array = 22.0
    summer_c: float | Array = 25.0
    lead_h: float | Array = 2.0

    def setpoint(self, view: View) -> Array:
        """By season and clock."""
        day = np.where(view.running_c >= CHANGEOVER_C, self.summer_c, self.winter_c)
        return np.asarray(np.where(view.hours_to_work > self.lead_h, setback(view), day))


class Adviser:
    """Does each hour what `ComfyWear` advises about the air: 1 K cooler, 1 K warmer, or nothing.

    Args:
        method: Of `ComfyWear`: "ordinal", fitted on votes, or "pmv".
        off_after_work: Off from work until `lead_h` hours before it; else the setpoint stays where people left it.
        lead_h: As of `Schedule`.
    """

    def __init__(
        self, method: Literal["ordinal", "pmv"] = "ordinal", off_after_work: bool = False, lead_h: float = 2.0
    ) -> None:
        self._model, self._off, self._lead_h = ComfyWear(method=method), off_after_work, lead_h
        self._day_c: Array | None = None
        self._past: list[list[float]] = []

    def setpoint(self, view: View) -> Array:
        """The advice, taken."""
        if self._day_c is None:
            self._day_c, self._past = np.full_like(view.pmv, 22.0), [[] for _ in view.pmv]
        for room in np.flatnonzero(view.people):
            advised = self._advised(view, int(room))
            self._day_c[room] = min(max(self._day_c[room] + advised, LOWEST), HIGHEST)
            self._past[room] = [*self._past[room][-_USUAL_HOURS:], float(view.room.air_c[room])]
        if self._off:
            return np.asarray(np.where(view.hours_to_work > self._lead_h, setback(view), self._day_c))
        return np.array(self._day_c)

    def _advised(self, view: View, room: int) -> float:
        """By how many K the day's setpoint is moved."""
        for line in self._said(view, room).advice:
            if line.startswith("make the air"):
                return 1.0 if "warmer" in line.partition(":")[0] else -1.0
        return 0.0

    def _said(self, view: View, room: int) -> Comfort:
        past = self._past[room]
        known = len(past) >= 24
        site = Site(
            season="warm" if view.running_c[room] >= CHANGEOVER_C else "cool",
            cooling="air conditioned",
            climate="other",
            outdoor_temp_c=float(view.running_c[room]),
            usual_temp_c=float(np.mean(past)) if known else None,
            usual_temp_sd_k=float(np.std(past)) if known else None,
        )
        return self._model.estimate(
            float(view.room.air_c[room]),
            float(view.room.humidity_pct[room]),
            Clothing(float(view.clo[room]), _CLO_SD),
            met=MET,
            radiant_temp_c=float(view.room.mass_c[room]),
            site=site,
        )


class Preferring(Adviser):
    """Sets each hour what the comfort model says that people there would like, as a device with a thermostat does."""

    def _advised(self, view: View, room: int) -> float:
        assert self._day_c is not None
        now = float(self._day_c[room])
        liked = preferred_temperature(self._model, self._said(view, room).inputs)
        rules = SetpointRules(float(LOWEST), float(HIGHEST))
        heating = bool(view.running_c[room] < CHANGEOVER_C)
        wanted = setpoint(liked, rules, people=True, heating=heating, present_c=now).value_c
        return 0.0 if wanted is None else wanted - now


def best_fixed(years: Sequence[Year], prices: Prices, days: int = 365) -> Fixed:
    """The one setpoint that costs least over the years."""
    values = np.arange(20.0, 27.0)
    costs = _costs(years, Fixed(np.repeat(values, len(years))), len(values), prices, days)
    return Fixed(float(values[costs.argmin()]))


def best_schedule(years: Sequence[Year], prices: Prices, days: int = 365) -> Schedule:
    """The schedule that costs least over the years, of 75."""
    grid = np.array(list(itertools.product(range(22, 27), range(22, 27), (1.0, 2.0, 4.0))))
    costs = _costs(years, Schedule(*np.repeat(grid, len(years), axis=0).T), len(grid), prices, days)
    return Schedule(*grid[costs.argmin()].tolist())


def _costs(years: Sequence[Year], side_by_side: Controller, count: int, prices: Prices, days: int) -> Array:
    """`(count,)` cost of each of several controllers over the years, tried in rooms side by side."""
    bills = live(list(years) * count, side_by_side, prices, days)
    return np.asarray(np.array([bill.cost for bill in bills]).reshape(count, -1).sum(axis=1))
