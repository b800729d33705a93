"""`comfywear-export evaluate comfort`: the comfort model on votes, beside PMV and the other baselines."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from comfywear.comfort.votes.ordinal import load_model
from comfywear.errors import UsageError
from comfywear.system.arguments import whole
from comfywear_export.comfort.report import grouped_report, report
from comfywear_export.comfort.rows import read_votes

KEYS = ("rps", "log_loss", "acc7", "acc3", "mae", "f1_3", "ece", "preference_acc")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "comfort",
        help="the comfort model on votes, beside PMV and the other baselines",
        description="Measures the shipped model on the votes of a file. With --group contributor (or building), the "
        "recipe is fitted anew with every contributor left out in turn (in ten sets), and measured on those left out: "
        "use that on the file that the model was made from.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="votes, CSV or csv.gz")
    parser.add_argument("--model", default="comfort", metavar="NAME", help="a shipped model, or the path of a card")
    parser.add_argument("--group", choices=["contributor", "building"], help="refit with these left out in turn")
    parser.add_argument(
        "--folds", type=whole(2), default=10, metavar="N", help="sets of groups to leave out (default 10)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print; exit code 0."""
    model = load_model(args.model)
    votes = read_votes(args.data)
    figures: dict[str, Any] = {"model": model.id, "data": args.data.name}
    if args.group is None:
        figures |= {"how": "the shipped model on these rows"} | report(votes, model)
    else:
        if len(np.unique(votes.group(args.group))) < args.folds:
            raise UsageError(f"--group {args.group}: {args.data} has fewer than {args.folds} of them")
        figures |= {"how": f"the recipe refitted with every {args.group} left out in turn"}
        figures |= grouped_report(votes, args.folds, args.group)
    print(json.dumps(figures, ensure_ascii=False) if args.json else _table(figures))
    return 0


def _table(figures: dict[str, Any]) -> str:
    lines = [f"{figures['model']} on {figures['rows']} votes of {figures['data']}: {figures['how']}"]
    lines.append(f"{'':18}" + "".join(f"{key:>15}" for key in KEYS))
    rows = {"model": figures, "device only": figures["device_only"], **figures["baselines"]}
    for name, scores in rows.items():
        cells = "".join(f"{'–' if scores[key] is None else format(scores[key], '.4f'):>15}" for key in KEYS)
        lines.append(f"{name.replace('_', ' '):18}{cells}")
    return "\n".join(lines)
