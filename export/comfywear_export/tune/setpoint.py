"""`comfywear-export tune setpoint`: a policy learnt in a simulated room, beside thermostats and the adviser."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from comfywear.system.arguments import number, whole
from comfywear_export.ledger import Ledger, write_whole
from comfywear_export.setpoint.policy_file import save_policy
from comfywear_export.setpoint.qlearning import STATES, Policy
from comfywear_export.setpoint.simulate import Prices
from comfywear_export.setpoint.trial import CONTROLLERS, Plan, learnt, summary, trial

VERSION = "1.0"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser(
        "setpoint",
        help="learn cooler, no change, warmer in a simulated room",
        description="Tabular Q-learning in a simulated room, compared over simulated years that nobody learnt from. "
        "Goes on where it was stopped. The policy advises; it moves nothing.",
    )
    add = parser.add_argument
    plan = Plan()
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the run: figures, charts, setpoint.json")
    add("--seeds", type=whole(1), default=3, metavar="N", help="of weather, people and moves (default 3)")
    add("--sweeps", type=whole(1), default=plan.sweeps, metavar="N", help=f"years of each room (default {plan.sweeps})")
    add(
        "--rooms",
        type=whole(1),
        default=plan.rooms,
        metavar="N",
        help=f"that learn side by side (default {plan.rooms})",
    )
    add("--test-years", type=whole(1), default=plan.test_years, metavar="N", help="kept apart, a seed (default 3)")
    add("--days", type=whole(2, 365), default=365, metavar="N", help="of a year, fewer for a quick look")
    add(
        "--price-kwh", type=number(0.0, 1e6), default=plan.prices.kwh, metavar="P", help="of electricity (default 0.30)"
    )
    add(
        "--price-dissatisfied", type=number(0.0, 1e6), default=plan.prices.dissatisfied_hour, metavar="P",
        help="of an hour of a dissatisfied person (default 0.50)",
    )  # fmt: skip
    add("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Learn, compare, write; exit code 0."""
    prices = Prices(args.price_kwh, args.price_dissatisfied)
    plan = Plan(args.seeds, args.sweeps, args.rooms, args.test_years, args.days, prices)
    ledger = Ledger(args.out / "parts.json", asdict(plan))

    def say(line: str) -> None:
        if not args.json:
            print(line, flush=True)

    tables, curves = learnt(ledger, plan, say)
    results = trial(ledger, plan, tables, say)
    figures = {"plan": asdict(plan), "seeds": args.seeds, "controllers": summary(results), "by_seed": results}
    best = int(np.argmin([min(row[2] for row in curve) for curve in curves]))
    policy = Policy(tables[best * STATES : (best + 1) * STATES])
    path = save_policy(policy, args.out, _card(figures))
    write_whole(args.out / "figures.json", json.dumps({**figures, "curves": curves}, indent=1) + "\n")
    _curves(curves, figures["controllers"], args.out / "learning.png")
    _chart(figures["controllers"], args.out / "controllers.png")
    print(json.dumps(figures) if args.json else f"{_table(figures)}\n{path}: the policy of seed {best}")
    return 0


def _card(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": "setpoint",
        "version": VERSION,
        "task": "setpoint",
        "layout": "q-table",
        "input": {"state": ["setpoint °C", "predicted mean vote", "hours to work", "outdoor temperature °C"]},
        "output": {"values": "less what is still to be paid, by state and move"},
        "labels": ["cooler", "no change", "warmer"],
        "licence": "Apache-2.0",
        "training_data": [{"name": "simulated room and synthetic weather of comfywear-export tune setpoint"}],
        "quality": {"simulated years kept apart [mean, 95 % interval over seeds]": figures["controllers"]},
        "notes": [
            "Learnt in a simulation of one office; nothing was measured in a real room.",
            "An opt-in adviser at the workstation: it says cooler, no change or warmer and moves nothing.",
            "A programmed thermostat costs less in the same simulation: see docs/setpoint.md.",
        ],
        "made_with": {"command": "comfywear-export tune setpoint", "plan": figures["plan"]},
    }


def _table(figures: Mapping[str, Any]) -> str:
    lines = [
        f"{figures['seeds']} seeds, {figures['plan']['test_years']} years each; mean (95 % interval over seeds)",
        f"{'':41}{'comfort hours':>20}{'kWh':>22}{'cost':>18}{'changes':>9}",
    ]
    for name, words in CONTROLLERS.items():
        row = figures["controllers"][name]
        lines.append(
            f"{words:41}{_cell(row['comfort_hours']):>18}{row['comfort_pct'][0]:5.0f} %{_cell(row['kwh']):>19}"
            f"{_cell(row['cost']):>18}{row['changes'][0]:9.0f}"
        )
    return "\n".join(lines)


def _cell(values: Sequence[float | None]) -> str:
    mean, low, high = values
    return f"{mean:.0f}" if low is None or high is None else f"{mean:.0f} ({low:.0f}…{high:.0f})"


def _curves(curves: Sequence[Sequence[Sequence[float]]], controllers: Mapping[str, Any], path: Path) -> None:
    from matplotlib.figure import Figure

    picture = Figure(figsize=(7, 3.4), layout="constrained")
    axes = picture.subplots()
    for seed, curve in enumerate(curves):
        years, trying, alone = np.array(curve).T
        axes.plot(years, trying, color="C0", alpha=0.35, label="while trying" if not seed else None)
        axes.plot(years, alone, color="C0", marker="o", markersize=3, label="the policy alone" if not seed else None)
    for colour, name in zip(("C1", "C2", "C3"), ("fixed_best", "schedule", "adviser_pmv_off"), strict=True):
        axes.axhline(controllers[name]["cost"][0], color=colour, linestyle="--", label=CONTROLLERS[name])
    axes.set_xlabel("simulated years lived through")
    axes.set_ylabel("cost of a year")
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)
    picture.savefig(path, dpi=100)


def _chart(controllers: Mapping[str, Any], path: Path) -> None:
    from matplotlib.figure import Figure

    picture = Figure(figsize=(8.5, 3.4), layout="constrained")
    axes = picture.subplots()
    for name, words in CONTROLLERS.items():
        row = controllers[name]
        (x, x_low, x_high), (y, y_low, y_high) = row["kwh"], row["comfort_pct"]
        alone = x_low is None
        x_error = None if alone else [[x - x_low], [x_high - x]]
        y_error = None if alone else [[y - y_low], [y_high - y]]
        axes.errorbar(x, y, xerr=x_error, yerr=y_error, fmt="o", capsize=2, label=words)
    axes.set_xlabel("electricity of a year, kWh")
    axes.set_ylabel("comfort hours, %")
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    axes.grid(alpha=0.3)
    picture.savefig(path, dpi=100)
