"""`comfywear-export evaluate levels`: what answers about comfort (five faces) say about votes, and votes about them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from comfywear.comfort.votes.populations import load_populations
from comfywear.errors import UsageError
from comfywear_export.comfort.prepared import prepare
from comfywear_export.comfort.pressed import learning_from_levels, table_scores
from comfywear_export.comfort.units import Kind
from comfywear_export.evaluate.adaptation import add_mode

LEAST: dict[Kind, int] = {"persons": 30, "buildings": 100}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "levels",
        help="what answers about comfort say about votes, and votes about them",
        description="Answers 1…6 about comfort, laid on the five levels of the button. First, how well a table of "
        "P(level | vote) foretells the levels of people (contributors, where a file names them) that it was not made "
        "from; then, how well later votes are foretold after k levels, and after k votes. Models as in `evaluate "
        "adaptation`.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="votes, CSV or csv.gz")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_mode(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print; exit code 0."""
    prepared = prepare(args.data, LEAST, args.mode, args.group, args.folds)
    votes, starting = prepared.votes, load_populations().levels
    if not ((votes.comfort > 0) & (votes.vote >= 0)).any():
        raise UsageError(f"{args.data}: nobody was asked for a vote and for comfort")
    named = (votes.contributor >= 0).any()
    groups = votes.contributor if named else votes.person
    figures: dict[str, Any] = {"data": args.data.name, "model": prepared.model, "how": prepared.how}
    figures["left_out"] = "contributor" if named else "person"
    figures["tables"] = table_scores(votes, groups, starting)
    for kind, units in prepared.units.items():
        figures[kind] = learning_from_levels(votes, units, prepared.priors[kind], kind, starting)
    print(json.dumps(figures, ensure_ascii=False) if args.json else _table(figures))
    return 0


def _table(figures: dict[str, Any]) -> str:
    tables = figures["tables"]
    lines = [
        f"{figures['data']}: {figures['how']}",
        f"levels of {tables['rows']} rows by their votes, each {figures['left_out']} of {tables['groups']} left out",
    ]
    lines += [
        f"  {name:10} RPS {tables[name]['rps']:.4f}  log-loss {tables[name]['log_loss']:.3f}"
        for name in ("shares", "shipped", "others", "own")
    ]
    for kind in ("persons", "buildings"):
        for k, row in figures[kind].items():
            lines.append(
                f"{kind} ({row['units']}): RPS of later votes {row['none']:.4f}, after {k} levels {row['levels']:.4f}, "
                f"after {k} votes {row['votes']:.4f}"
            )
    return "\n".join(lines)
