"""`comfywear-export evaluate asking`: does it matter at which moments people are asked?"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfywear.errors import UsageError
from comfywear.system.arguments import whole
from comfywear_export.comfort.asked import QUESTIONS, asking
from comfywear_export.comfort.prepared import prepare
from comfywear_export.comfort.units import Kind
from comfywear_export.evaluate.adaptation import add_mode

# Votes that a unit needs: half of them can be asked for, and the others measure.
LEAST: Mapping[Kind, int] = {"persons": 30, "buildings": 100}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "asking",
        help="questions at moments unlike each other beside questions at random ones",
        description="Half of the votes of a building (or person), drawn at random, are moments at which it could be "
        "asked; the other half measures. Models and priors as in `evaluate adaptation`.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="votes, CSV or csv.gz")
    parser.add_argument("--draws", type=whole(1), default=5, metavar="N", help="random halves (default 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_mode(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print; exit code 0."""
    prepared = prepare(args.data, LEAST, args.mode, args.group, args.folds)
    figures: dict[str, Any] = {"data": args.data.name, "model": prepared.model, "how": prepared.how}
    for kind, units in prepared.units.items():
        figures[kind] = asking(units, prepared.priors[kind], args.draws) if units else None
    if not any(prepared.units.values()):
        raise UsageError(f"{args.data}: no person has {LEAST['persons']} votes and no building {LEAST['buildings']}")
    print(json.dumps(figures, ensure_ascii=False) if args.json else _table(figures))
    return 0


def _table(figures: dict[str, Any]) -> str:
    lines = [f"{figures['data']}: {figures['how']}"]
    for kind in ("persons", "buildings"):
        part = figures[kind]
        if part is None:
            lines.append(f"{kind}: none has {LEAST[kind]} votes")
            continue
        lines.append(f"{kind} ({part['units']}, {part['draws']} draws): RPS after 0…{QUESTIONS} questions")
        for name, values in part["rps"].items():
            lines.append(f"  {name:8}" + " ".join(f"{value:.4f}" for value in values))
        for name, gains in part["gain"].items():
            told = ", ".join("{}: {:+.4f} ({:+.4f}…{:+.4f})".format(k, *gains[k]) for k in (1, 3, 5, QUESTIONS))
            lines.append(f"  {name}, {part['questions'][name]:.1f} asked, gains on random after {told}")
    return "\n".join(lines)
