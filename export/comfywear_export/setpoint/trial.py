"""The controllers side by side: each on the same years, which nobody learnt from, with intervals over seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear_export.ledger import Ledger
from comfywear_export.measure.interval import over_seeds
from comfywear_export.setpoint.controllers import Adviser, Fixed, Preferring, Schedule, best_fixed, best_schedule
from comfywear_export.setpoint.qlearning import STATES, Learner, Policy, rolled
from comfywear_export.setpoint.simulate import Bill, Controller, Prices, live
from comfywear_export.setpoint.weather import Year, make_year

__all__ = ["CONTROLLERS", "FIGURES", "Plan", "learnt", "summary", "trial"]

Array = NDArray[np.float64]
CONTROLLERS = {
    "fixed_22": "fixed at 22 °C",
    "fixed_best": "fixed, the best on training years",
    "schedule": "programmed, the best of 75",
    "adviser": "adviser (comfort model)",
    "adviser_off": "adviser (comfort model), off after work",
    "adviser_pmv": "adviser (PMV)",
    "adviser_pmv_off": "adviser (PMV), off after work",
    "preferred": "preferred temperature",
    "preferred_off": "preferred temperature, off after work",
    "learnt": "Q-learning, off after work",
}
"""What is compared: keys of the figures and words."""
FIGURES = (
    "comfort_hours", "comfort_pct", "cold_hours", "warm_hours", "ppd_pct", "no_change_pct", "heating_kwh",
    "cooling_kwh", "kwh", "changes", "cost",
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """How much is simulated.

    Attributes:
        seeds: Of weather and people.
        sweeps: Years that each of the learning rooms lives through.
        rooms: That learn side by side.
        test_years: Kept apart, a seed.
        days: Of a year, fewer for a quick look.
        prices: What is weighed against what.
    """

    seeds: int = 3
    sweeps: int = 12
    rooms: int = 64
    test_years: int = 3
    days: int = 365
    prices: Prices = field(default_factory=Prices)

    def years(self, seed: int, use: str, count: int, start: int = 0) -> list[Year]:
        """Years of a seed for a use, from the `start`-th on: those of "learn", "choose" and "test" never meet."""
        first = {"learn": 0, "choose": 700_000, "test": 800_000}[use] + seed * 10_000 + start
        return [make_year(first + number) for number in range(count)]


def learnt(ledger: Ledger, plan: Plan, say: Callable[[str], None]) -> tuple[Array, list[list[list[float]]]]:
    """The tables of all seeds, one below the other, and each seed's curve of [years, cost while trying, cost alone].

    Kept after every sweep. The policies are tried by themselves on years set apart for that; the cheapest is taken.
    """
    learner = Learner(plan.sweeps, plan.seeds, plan.prices)
    kept = ledger.get("learner") or {"curves": [[] for _ in range(plan.seeds)], "best": [None] * plan.seeds}
    if "done" in kept:
        learner.go_on_from(kept)
        say(f"{learner.done} of {plan.sweeps} sweeps done before")
    proving = [year for seed in range(plan.seeds) for year in plan.years(seed, "choose", 2)]
    table = np.repeat(np.arange(plan.seeds), 2)
    while learner.done < plan.sweeps:
        first = learner.done * plan.rooms
        years = [
            [
                rolled(year, number * 52 // plan.rooms)
                for number, year in enumerate(plan.years(seed, "learn", plan.rooms, first))
            ]
            for seed in range(plan.seeds)
        ]
        trying = learner.learn(years, plan.days)
        bills = live(proving, Policy(learner.values, table), plan.prices, plan.days)
        alone = np.array([bill.cost for bill in bills]).reshape(plan.seeds, 2).mean(axis=1).tolist()
        for seed, cost in enumerate(alone):
            curve = kept["curves"][seed]
            if not curve or cost < min(row[2] for row in curve):
                own = slice(seed * STATES, (seed + 1) * STATES)
                kept["best"][seed] = learner.values[own].ravel().tolist()
            curve.append([learner.done * plan.rooms, trying[seed], cost])
        kept |= learner.as_json()
        ledger.put("learner", kept)
        costs = ", ".join(f"{cost:.0f} ({tried:.0f})" for cost, tried in zip(alone, trying, strict=True))
        say(f"sweep {learner.done} of {plan.sweeps}: a year costs (while trying) {costs}")
    return np.asarray(kept["best"], float).reshape(-1, 3), kept["curves"]


def trial(ledger: Ledger, plan: Plan, tables: Array, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Mean figures of each seed by controller, over its test years."""
    tests = [year for seed in range(plan.seeds) for year in plan.years(seed, "test", plan.test_years)]
    results: list[dict[str, Any]] = [{} for _ in range(plan.seeds)]
    for name in CONTROLLERS:
        if (found := ledger.get(name)) is None:
            controller, chosen = _made(name, plan, tables)
            bills = live(tests, controller, plan.prices, plan.days)
            found = [
                {
                    "chosen": chosen[seed],
                    **{figure: _mean(bills[seed * plan.test_years :][: plan.test_years], figure) for figure in FIGURES},
                }
                for seed in range(plan.seeds)
            ]
            ledger.put(name, found)
            say(f"{CONTROLLERS[name]}: comfort {found[0]['comfort_pct']:.1f} %, {found[0]['kwh']:.0f} kWh (seed 0)")
        for seed, result in enumerate(results):
            result[name] = found[seed]
    return results


def _made(name: str, plan: Plan, tables: Array) -> tuple[Controller, list[Any]]:
    """The controller of all test rooms, and what was chosen for each seed on the years set apart for choosing."""
    choosing = [plan.years(seed, "choose", 2) for seed in range(plan.seeds)]
    nothing: list[Any] = [None] * plan.seeds
    if name == "schedule":
        chosen = [list(vars(best_schedule(years, plan.prices, plan.days)).values()) for years in choosing]
        return Schedule(*np.repeat(np.array(chosen, float), plan.test_years, axis=0).T), chosen
    if name == "fixed_best":
        values = [best_fixed(years, plan.prices, plan.days).value_c for years in choosing]
        return Fixed(np.repeat(np.array(values, float), plan.test_years)), values
    if name == "fixed_22":
        return Fixed(22.0), nothing
    if name == "learnt":
        return Policy(tables, np.repeat(np.arange(plan.seeds), plan.test_years)), nothing
    if name.startswith("preferred"):
        return Preferring(off_after_work=name.endswith("off")), nothing
    return Adviser("pmv" if "pmv" in name else "ordinal", off_after_work=name.endswith("off")), nothing


def summary(results: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, Any]:
    """By controller and figure: mean over seeds and its 95 % interval; and what each costs more than the learnt one."""
    return {
        name: {
            **{figure: _rounded([result[name][figure] for result in results]) for figure in FIGURES},
            "cost_above_learnt": _rounded([r[name]["cost"] - r["learnt"]["cost"] for r in results]),
        }
        for name in CONTROLLERS
    }


def _rounded(values: Sequence[float]) -> list[float | None]:
    return [None if value != value else round(value, 2) for value in over_seeds(values)]


def _mean(bills: Sequence[Bill], figure: str) -> float:
    return float(np.mean([getattr(bill, figure) for bill in bills]))
