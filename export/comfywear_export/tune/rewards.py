"""`comfywear-export tune rewards`: a head tuned by REINFORCE towards photo-F1 or IoU, beside supervised learning."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from comfywear.errors import UsageError
from comfywear.system.arguments import whole
from comfywear_export.ledger import Ledger, write_whole
from comfywear_export.measure.interval import over_seeds
from comfywear_export.rewards.cached import load_or_make
from comfywear_export.rewards.trial import TASKS, WAYS, Plan, trial

_GOALS = {"sets": "F1 of the garment set of a photo", "regions": "mean IoU of the regions of a photo"}
_EPOCHS = {"sets": 40, "regions": 10}
_BASELINES = {"none": "no baseline", "other": "one answer as baseline", "rest": "mean of the others as baseline"}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser(
        "rewards",
        help="tune a head towards a goal without a gradient, beside supervised learning",
        description="A head on frozen features (ImageNet) learns by maximum likelihood and is then tuned. The features "
        "are made once, with torch; all else is numpy. Goes on where it was stopped.",
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="the set with masks (ccp)")
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the run: features, figures, charts")
    add("--goal", choices=sorted(TASKS), default="sets", help="photo-F1 of garment sets, or IoU of regions")
    add("--features", type=Path, metavar="FILE", help="cached features (default: features.npz in --out)")
    add("--seeds", type=whole(1), default=5, metavar="N", help="divisions of the photos (default 5)")
    add("--epochs", type=whole(0), default=0, metavar="N", help="of tuning (default 40 for sets, 10 for regions)")
    add("--limit", type=whole(0), default=0, metavar="N", help="only the first N photos, for a quick look (0: all)")
    add("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make features, learn, tune, write; exit code 0."""
    if 0 < args.limit < 20:
        raise UsageError("--limit needs at least 20")
    epochs = args.epochs or _EPOCHS[args.goal]
    plan = Plan(epochs=epochs, first_epochs=2 * args.epochs or Plan().first_epochs)

    def say(line: str) -> None:
        if not args.json:
            print(line, flush=True)

    settings = {"data": args.data.name, "goal": args.goal, "limit": args.limit, **asdict(plan)}
    ledger = Ledger(args.out / f"{args.goal}.parts.json", settings)
    cached = load_or_make(args.features or args.out / "features.npz", args.data, args.limit, say)
    cached = cached.first(args.limit) if args.limit else cached
    parts = []
    for seed in range(args.seeds):
        if (part := ledger.get(f"seed {seed}")) is None:
            part = trial(args.goal, cached, seed, plan, say)
            ledger.put(f"seed {seed}", part)
        parts.append(part)
    figures = {**settings, "photos": len(cached), "seeds": args.seeds, **_summary(parts)}
    write_whole(args.out / f"{args.goal}.json", json.dumps({**figures, "by_seed": parts}, indent=1) + "\n")
    _chart(figures, args.out / f"{args.goal}.png")
    print(json.dumps(figures) if args.json else _table(figures))
    return 0


def _summary(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    ways = [way for way in WAYS if way in parts[0]["goal"]]
    noise = {
        baseline: [
            [samples, over_seeds([part["noise"][baseline][place][1] for part in parts])[0]]
            for place, (samples, _) in enumerate(rows)
        ]
        for baseline, rows in parts[0]["noise"].items()
    }
    return {
        "reached": {way: _rounded([part["goal"][way] for part in parts]) for way in ways},
        "above_first": {way: _rounded([p["goal"][way] - p["goal"]["first"] for p in parts]) for way in ways[1:]},
        "tuning": {
            way: {fact: round(over_seeds([part["tuning"][way][fact] for part in parts])[0], 2) for fact in facts}
            for way, facts in parts[0]["tuning"].items()
        },
        "noise": noise,
    }


def _rounded(values: Sequence[float]) -> list[float | None]:
    return [None if value != value else round(value, 4) for value in over_seeds(values)]


def _cell(values: Sequence[float | None], form: str) -> str:
    mean, low, high = values
    return format(mean, form) if low is None else f"{mean:{form}} ({low:{form}}…{high:{form}})"


def _table(figures: Mapping[str, Any]) -> str:
    lines = [f"{_GOALS[figures['goal']]}, {figures['photos']} photos, {figures['seeds']} seeds (95 % interval)"]
    for way, reached in figures["reached"].items():
        tuning = figures["tuning"].get(way)
        ahead = _cell(figures["above_first"][way], "+.3f") if way in figures["above_first"] else ""
        cost = f"{tuning['epochs']:4.0f} epochs {tuning['cpu_s']:6.1f} s" if tuning else ""
        lines.append(f"  {WAYS[way]:40}{_cell(reached, '.3f'):22}{ahead:26}{cost}")
    lines.append("error of the slope (square, as a multiple of the slope's own) by samples")
    for baseline, rows in figures["noise"].items():
        lines.append(f"  {_BASELINES[baseline]:40}" + "  ".join(f"{n:.0f}: {value:.2g}" for n, value in rows))
    return "\n".join(lines)


def _chart(figures: Mapping[str, Any], path: Path) -> None:
    from matplotlib.figure import Figure

    picture = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = picture.subplots(1, 2, width_ratios=[3, 2])
    ways = list(figures["reached"])[::-1]
    for spot, way in enumerate(ways):
        mean, low, high = figures["reached"][way]
        error = None if low is None else [[mean - low], [high - mean]]
        left.errorbar(
            mean, spot, xerr=error, fmt="o", capsize=3, color="C1" if way[0:2] in ("no", "ot", "re") else "C0"
        )
    left.set_yticks(range(len(ways)), [WAYS[way] for way in ways], fontsize=8)
    left.set_xlabel(_GOALS[figures["goal"]], fontsize=9)
    left.grid(axis="x", alpha=0.3)
    for baseline, rows in figures["noise"].items():
        samples, errors = zip(*rows, strict=True)
        right.loglog(samples, errors, marker="o", markersize=3, label=_BASELINES[baseline])
    right.set_xlabel("answers drawn a photo", fontsize=9)
    right.set_ylabel("error² of the slope / slope²", fontsize=9)
    right.legend(fontsize=7)
    right.grid(alpha=0.3, which="both")
    picture.savefig(path, dpi=100)
