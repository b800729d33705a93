"""Years in the simulated room under a controller: comfort, electricity, and what both cost. Many rooms at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort import pmv_ppd
from comfywear.comfort.standards.air import relative_air_speed
from comfywear.comfort.standards.pmv import ppd_of
from comfywear.comfort.votes.ordinal import load_model
from comfywear_export.setpoint.room import Climate, Outside, Room
from comfywear_export.setpoint.weather import HOURS, Year

__all__ = [
    "CHANGEOVER_C",
    "HIGHEST",
    "LEAD_H",
    "LOWEST",
    "Bill",
    "Controller",
    "Hour",
    "Prices",
    "Rooms",
    "View",
    "hours",
    "live",
]

Array = NDArray[np.float64]

LOWEST, HIGHEST = 18, 28
"""Setpoints that a controller may choose, °C."""
LEAD_H = 4.0
"""Nobody predicts a vote earlier before work than this."""
CHANGEOVER_C = 15.0
"""Running mean of the outdoor temperature below which the plant heats and from which on it cools, °C."""
MET = 1.2
_SPEED = relative_air_speed(0.1, MET)
_LEAST_PPD = 5.0
_START_C, _START_SETPOINT_C = 20.0, 21.0


class View(NamedTuple):
    """What a controller sees at the start of an hour; `(N,)` each, of N rooms.

    Attributes:
        setpoint_c: As it stands.
        room: Air, surfaces, humidity.
        pmv: Predicted mean vote of the people in it (or of people dressed for the season), −3…3; NaN earlier than
            `LEAD_H` before work.
        people: Persons in the room in the last hour.
        hours_to_work: 0 in working hours.
        running_c: Running mean of the outdoor temperature, °C.
        clo: What people wear, clo.
    """

    setpoint_c: Array
    room: Climate
    pmv: Array
    people: Array
    hours_to_work: Array
    running_c: Array
    clo: Array


class Controller(Protocol):
    """Chooses the setpoint of the next hour."""

    def setpoint(self, view: View) -> Array:
        """`(N,)` °C, LOWEST…HIGHEST."""
        ...


@dataclass(frozen=True)
class Prices:
    """What is weighed against what.

    Attributes:
        kwh: Of a kWh of electricity.
        dissatisfied_hour: Of an hour of one dissatisfied person, beyond the 5 % who always are (ISO 7730).
        change: Of moving the setpoint: whoever does it is disturbed.
    """

    kwh: float = 0.30
    dissatisfied_hour: float = 0.50
    change: float = 0.05


@dataclass(frozen=True)
class Bill:
    """A year's account.

    Attributes:
        comfort_hours: Hours with people in which |PMV| ≤ 0.5 (category B of ISO 7730).
        cold_hours: With people and PMV < −0.5.
        warm_hours: With people and PMV > 0.5.
        ppd_pct: Mean PPD of the persons present, %.
        no_change_pct: Share of them who want no change by the comfort model, the other yardstick, %.
        heating_kwh: Electricity.
        cooling_kwh: Electricity.
        changes: How often the setpoint was changed.
        cost: Of electricity, dissatisfied persons and changes together, by `Prices`.
    """

    comfort_hours: int
    cold_hours: int
    warm_hours: int
    ppd_pct: float
    no_change_pct: float
    heating_kwh: float
    cooling_kwh: float
    changes: int
    cost: float

    @property
    def comfort_pct(self) -> float:
        """Comfort hours as a share of the hours with people, %."""
        return 100.0 * self.comfort_hours / max(self.comfort_hours + self.cold_hours + self.warm_hours, 1)

    @property
    def kwh(self) -> float:
        """Electricity of the year."""
        return self.heating_kwh + self.cooling_kwh


class Hour(NamedTuple):
    """An hour that has passed in N rooms: what was seen before, chosen, and what it came to."""

    view: View
    setpoint_c: Array
    after: View
    outdoor_c: Array
    heating_kwh: Array
    cooling_kwh: Array
    cost: Array


class Rooms:
    """Rooms that live through a year each, side by side, an hour at a time.

    Args:
        years: What happens in them.
        prices: What is weighed against what.

    Attributes:
        view: What is seen at the start of the next hour.
    """

    def __init__(self, years: Sequence[Year], prices: Prices) -> None:
        def column(name: str) -> Array:
            return np.stack([getattr(year, name) for year in years], axis=1)

        self._room, self._prices, self._hour = Room(), prices, 0
        self._outdoor, self._moisture, self._sun = column("outdoor_c"), column("moisture"), column("sun_w")
        self._people, self._to_work = column("people"), column("hours_to_work")
        self._running, self._clo = column("running_c"), column("clo")
        start, nobody = np.full(len(years), _START_C), np.zeros(len(years))
        now = Climate(start, start, 0.4 * np.full(len(years), 0.0146))
        setpoint = np.full(len(years), _START_SETPOINT_C)
        self.view = View(
            setpoint, now, nobody * np.nan, nobody, self._to_work[0], self._running[0], self._clo[0]
        )  # fmt: skip

    def hour(self, setpoint_c: Array) -> Hour:
        """Live through an hour at `(N,)` setpoints; its people judge the air at its end. A year begins anew."""
        number, view = self._hour % HOURS, self.view
        outdoor, running, people = self._outdoor[number], self._running[number], self._people[number]
        outside = Outside(outdoor, self._moisture[number], self._sun[number], people, running < CHANGEOVER_C)
        now, use = self._room.hour(view.room, outside, setpoint_c)
        following = (number + 1) % HOURS
        to_work, clo = self._to_work[following], self._clo[following]
        # Clothes change at midnight, when nobody is in: one vote serves the people of this hour and the next view.
        wanted = (people > 0) | (to_work <= LEAD_H)
        vote = np.where(wanted, _pmv(now, clo) if wanted.any() else np.nan, np.nan)
        after = View(setpoint_c, now, vote, people, to_work, self._running[following], clo)
        dissatisfied = people * np.maximum(_ppd(vote) - _LEAST_PPD, 0.0) / 100.0
        cost = (
            self._prices.kwh * (use.heating + use.cooling)
            + self._prices.dissatisfied_hour * dissatisfied
            + self._prices.change * (setpoint_c != view.setpoint_c)
        )
        self._hour, self.view = self._hour + 1, after
        return Hour(view, setpoint_c, after, outdoor, use.heating, use.cooling, cost)


def hours(years: Sequence[Year], choose: Callable[[View], Array], prices: Prices, days: int = 365) -> Iterator[Hour]:
    """The hours of several years side by side, each at the setpoints that are chosen for it."""
    rooms = Rooms(years, prices)
    for _ in range(min(days * 24, HOURS)):
        yield rooms.hour(choose(rooms.view))


def live(years: Sequence[Year], controller: Controller, prices: Prices, days: int = 365) -> list[Bill]:
    """The account of each year under a controller."""
    sums = np.zeros((9, len(years)))
    felt: list[tuple[View, Array]] = []
    for passed in hours(years, controller.setpoint, prices, days):
        vote, people = passed.after.pmv, passed.after.people
        present = people > 0
        if present.any():
            felt.append((passed.after, people))
        sums += [
            present & (np.abs(vote) <= 0.5),
            present & (vote < -0.5),
            present & (vote > 0.5),
            people * _ppd(vote),
            people,
            passed.heating_kwh,
            passed.cooling_kwh,
            passed.setpoint_c != passed.view.setpoint_c,
            passed.cost,
        ]
    return [
        Bill(int(good), int(cold), int(warm), unhappy / max(persons, 1.0), content, heat, cool, int(changes), cost)
        for content, (good, cold, warm, unhappy, persons, heat, cool, changes, cost) in zip(
            _no_change_pct(felt).tolist(), sums.T.tolist(), strict=True
        )
    ]


def _no_change_pct(felt: Sequence[tuple[View, Array]]) -> Array:
    """`(N,)` share of persons whom the comfort model expects to want no change, %; usual is the room's own year."""
    model = load_model()
    people = np.stack([people for _, people in felt])
    views = [view for view, _ in felt]
    air = np.stack([view.room.air_c for view in views])
    usual = np.average(air, axis=0, weights=np.maximum(people, 1e-9))
    outdoor = np.stack([view.running_c for view in views])
    flat = np.zeros_like(air)
    inputs = {
        "air_temp_c": air,
        "humidity_pct": np.stack([view.room.humidity_pct for view in views]),
        "clo": np.stack([view.clo for view in views]),
        "met": flat + MET,
        "radiant_temp_c": np.stack([view.room.mass_c for view in views]),
        "outdoor_temp_c": outdoor,
        "warm_season": (outdoor >= CHANGEOVER_C).astype(float),
        "naturally_ventilated": flat,
        "mixed_mode": flat,
        "tropical": flat,
        "arid": flat,
        "usual_temp_c": flat + usual,
        "usual_temp_sd_k": flat + np.sqrt(np.average((air - usual) ** 2, axis=0, weights=np.maximum(people, 1e-9))),
    }
    _, wishes = model.predict({name: column.ravel() for name, column in inputs.items()})
    result: Array = 100.0 * (wishes[:, 1].reshape(air.shape) * people).sum(axis=0) / np.maximum(people.sum(axis=0), 1.0)
    return result


def _pmv(now: Climate, clo: Array) -> Array:
    vote = pmv_ppd(now.air_c, now.mass_c, _SPEED, now.humidity_pct, MET, clo, limit=False).pmv
    result: Array = np.clip(vote, -3.0, 3.0)
    return result


def _ppd(vote: Array) -> Array:
    """PPD, %; 0 where there is no vote."""
    result: Array = ppd_of(np.nan_to_num(vote)) * np.isfinite(vote)
    return result
