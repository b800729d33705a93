"""The controllers side by side: each on the same years, which nobody learnt from, with intervals over seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from comfywear_export.ledger import Ledger
from comfywear_export.measure.interval import over_seeds
from comfywear_export.setpoint.controllers import Adviser, Fixed, best_fixed, best_schedule
from comfywear_export.setpoint.qlearning import Learner, Policy, rolled
from comfywear_export.setpoint.simulate import Bill, Controller, Prices, live
from comfywear_export.setpoint.weather import Year, make_year

__all__ = ["CONTROLLERS", "FIGURES", "Plan", "learnt", "summary", "trial"]

CONTROLLERS = {
    "fixed_22": "fixed at 22 °C",
    "fixed_best": "fixed, the best on training years",
    "schedule": "programmed, the best of 75",
    "adviser": "adviser (comfort model)",
    "adviser_off": "adviser (comfort model), off after work",
    "adviser_pmv": "adviser (PMV)",
    "adviser_pmv_off": "adviser (PMV), off after work",
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
        sweeps: Years that each of the learning rooms lives through.
        rooms: That learn side by side.
        test_years: Kept apart, a seed.
        days: Of a year, fewer for a quick look.
        prices: What is weighed against what.
    """

    sweeps: int = 12
    rooms: int = 64
    test_years: int = 5
    days: int = 365
    prices: Prices = field(default_factory=Prices)

    def years(self, seed: int, use: str, count: int) -> list[Year]:
        """Years of a seed for a use: those of "learn", "choose" and "test" never meet."""
        first = {"learn": 0, "choose": 700_000, "test": 800_000}[use] + seed * 10_000
        return [make_year(first + number) for number in range(count)]


def learnt(ledger: Ledger, plan: Plan, seed: int, say: Callable[[str], None]) -> tuple[Policy, list[list[float]]]:
    """The policy of a seed, and its curve of [years lived, cost while trying, cost of the policy by itself].

    Kept after every sweep; of the policies that were tried by themselves the one that costs least on years chosen for
    that is taken.
    """
    key = f"seed {seed}: learner"
    learner = Learner(plan.sweeps, seed, plan.prices)
    kept = ledger.get(key) or {"curve": [], "best": None, "best_cost": None}
    if "done" in kept:
        learner.go_on_from(kept)
        say(f"seed {seed}: {learner.done} of {plan.sweeps} sweeps done before")
    proving = plan.years(seed, "choose", 2)
    while learner.done < plan.sweeps:
        first = learner.done * plan.rooms
        years = plan.years(seed, "learn", first + plan.rooms)[first:]
        trying = learner.learn(
            [rolled(year, number * 52 // plan.rooms) for number, year in enumerate(years)], plan.days
        )
        cost = _mean(live(proving, Policy(learner.values), plan.prices, plan.days), "cost")
        if kept["best_cost"] is None or cost < kept["best_cost"]:
            kept |= {"best": learner.values.ravel().tolist(), "best_cost": cost}
        kept["curve"].append([learner.done * plan.rooms, trying, cost])
        kept |= learner.as_json()
        ledger.put(key, kept)
        say(f"seed {seed}: sweep {learner.done} of {plan.sweeps}, a year costs {cost:.0f} ({trying:.0f} while trying)")
    return Policy(np.asarray(kept["best"], float).reshape(-1, 3)), kept["curve"]


def trial(ledger: Ledger, plan: Plan, seed: int, policy: Policy, say: Callable[[str], None]) -> dict[str, Any]:
    """Mean figures of a seed by controller, over its test years."""
    choosing = plan.years(seed, "choose", 2)

    def made(name: str) -> Controller:
        if name == "schedule":
            return best_schedule(choosing, plan.prices, plan.days)
        if name == "fixed_best":
            return best_fixed(choosing, plan.prices, plan.days)
        if name == "fixed_22":
            return Fixed(22.0)
        if name == "learnt":
            return Policy(policy.values)
        return Adviser("pmv" if "pmv" in name else "ordinal", off_after_work=name.endswith("off"))

    results = {}
    for name in CONTROLLERS:
        key = f"seed {seed}: {name}"
        if (found := ledger.get(key)) is None:
            controller = made(name)
            bills = live(plan.years(seed, "test", plan.test_years), controller, plan.prices, plan.days)
            found = {figure: _mean(bills, figure) for figure in FIGURES}
            if name in ("schedule", "fixed_best"):
                found["chosen"] = {key: float(value) for key, value in asdict(controller).items()}  # type: ignore[call-overload] # both are dataclasses
            ledger.put(key, found)
            say(f"seed {seed}: {CONTROLLERS[name]}: comfort {found['comfort_pct']:.1f} %, {found['kwh']:.0f} kWh")
        results[name] = found
    return results


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
