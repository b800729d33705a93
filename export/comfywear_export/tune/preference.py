"""`comfywear-export tune preference`: a reward from pairs of situations that people rated differently."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.system.arguments import whole
from comfywear_export.comfort.design import guesses
from comfywear_export.comfort.orderings import ORDERINGS, RIDGE, WITHIN, one_fold, random_folds, summary
from comfywear_export.comfort.pairs import features, fit_reward, pairs_within, quality_of, rated
from comfywear_export.comfort.reward import RewardModel
from comfywear_export.comfort.rows import Votes, read_votes
from comfywear_export.ledger import Ledger, write_whole

VERSION = "1.0"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser(
        "preference",
        help="a reward model from pairs of situations that people rated differently",
        description="Measures the reward on buildings kept apart, beside the comfort model's own ordering, then fits "
        "it on all. Goes on where it was stopped.",
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="FILE", help="votes, CSV or csv.gz")
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the run: figures, chart, reward.json")
    add("--rating", choices=["preference", "vote", "comfort"], default="preference", help="what tells the better one")
    add("--splits", type=whole(1), default=3, metavar="N", help="random divisions of the buildings (default 3)")
    add("--folds", type=whole(2), default=5, metavar="N", help="sets of buildings left out in turn (default 5)")
    add("--pairs", type=whole(1), default=200, metavar="N", help="pairs of a building or person at most (default 200)")
    add("--rows", type=whole(0), default=0, metavar="N", help="only N rows at random, for a quick look (0: all)")
    add("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, fit, write; exit code 0."""
    settings = {"data": args.data.name, "rating": args.rating, "folds": args.folds, "pairs": args.pairs}
    ledger = Ledger(args.out / "parts.json", {**settings, "rows": args.rows})
    votes = read_votes(args.data)
    chosen = rated(votes, args.rating)
    if args.rows:
        chosen = _drawn(chosen, args.rows)
    votes = votes.subset(chosen)
    if len(np.unique(votes.building)) < args.folds:
        raise UsageError(f"{args.data}: rows with a {args.rating} of fewer than {args.folds} buildings")
    parts = [_part(ledger, votes, split, fold, args) for split in range(args.splits) for fold in range(args.folds)]
    figures = {**settings, "votes": len(votes), "splits": args.splits, **summary(parts)}
    model = _fit(votes, args)
    path = model.save(args.out, _card(figures, args.data.name))
    write_whole(args.out / "figures.json", json.dumps(figures, indent=1) + "\n")
    _chart(figures, args.out / "preference.png")
    print(json.dumps(figures) if args.json else _table(figures) + f"\n{path}: fitted on all buildings")
    return 0


def _drawn(chosen: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    rows = np.flatnonzero(chosen)
    drawn = np.zeros(len(chosen), bool)
    drawn[np.random.default_rng(0).permutation(rows)[:count]] = True
    return drawn


def _part(ledger: Ledger, votes: Votes, split: int, fold: int, args: argparse.Namespace) -> Any:
    key = f"split {split}, fold {fold}"
    if (part := ledger.get(key)) is None:
        part = one_fold(votes, random_folds(votes.building, args.folds, split)[fold], args.rating, args.pairs, split)
        ledger.put(key, part)
        if not args.json:
            print(f"{key}: {len(ledger)} of {args.splits * args.folds} done", flush=True)
    return part


def _fit(votes: Votes, args: argparse.Namespace) -> RewardModel:
    when_unknown = guesses(votes)
    rng = np.random.default_rng(0)
    pairs = pairs_within(votes.building, quality_of(votes, args.rating), args.pairs, rng)
    beta = fit_reward(features(votes.inputs, when_unknown), pairs, votes.building, RIDGE)
    return RewardModel(beta, when_unknown, args.rating)


def _card(figures: Mapping[str, Any], data: str) -> dict[str, Any]:
    return {
        "name": "reward",
        "version": VERSION,
        "task": "reward",
        "layout": "polynomial-2",
        "input": {"required": ["air_temp_c"], "optional": ["as the comfort model"]},
        "output": {"reward": "only differences mean anything; their σ is P(rated better)"},
        "labels": [],
        "licence": "Apache-2.0",
        "training_data": [{"name": data, "rows": figures["votes"], "use": f"pairs by {figures['rating']}"}],
        "quality": {"right pairs in buildings kept apart [mean, 95 % interval]": figures},
        "notes": [
            "Used at the workstation to rank advice; no device loads it.",
            "The comfort model's own P(no change) orders pairs about as well: see docs/learning-rewards.md.",
        ],
        "made_with": {"command": "comfywear-export tune preference"},
    }


def _table(figures: Mapping[str, Any]) -> str:
    lines = [f"{figures['data']}: {figures['votes']} votes, better by {figures['rating']}, {figures['splits']} splits"]
    for within in (name for name in WITHIN if name in figures):
        part = figures[within]
        lines.append(f"pairs of one {within}: {part['pairs']} in {part['buildings']} buildings kept apart")
        for key, words in ORDERINGS.items():
            right, low, high = part["right"][key]
            lead = part["reward_ahead_of"].get(key)
            ahead = f"   reward ahead by {lead[0]:+.3f} ({lead[1]:+.3f}…{lead[2]:+.3f})" if lead else ""
            lines.append(f"  {words:30}{right:6.3f} ({low:.3f}…{high:.3f}){ahead}")
    return "\n".join(lines)


def _chart(figures: Mapping[str, Any], path: Path) -> None:
    from matplotlib.figure import Figure

    picture = Figure(figsize=(7, 3), layout="constrained")
    parts = [name for name in WITHIN if name in figures]
    for place, (within, axes) in enumerate(zip(parts, np.atleast_1d(picture.subplots(1, len(parts))), strict=True)):
        rows = np.array([figures[within]["right"][key] for key in ORDERINGS])
        spots = np.arange(len(rows))[::-1]
        axes.errorbar(rows[:, 0], spots, xerr=[rows[:, 0] - rows[:, 1], rows[:, 2] - rows[:, 0]], fmt="o", capsize=3)
        axes.axvline(0.5, color="grey", linewidth=0.8)
        axes.set_yticks(spots, list(ORDERINGS.values()) if place == 0 else [""] * len(spots))
        axes.set_title(f"right pairs of one {within}", fontsize=10)
        axes.grid(axis="x", alpha=0.3)
    picture.savefig(path, dpi=100)
