"""`comfywear-export evaluate skin`: ThermalWear beside skin temperatures that were measured at wrist and ankle."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from comfywear.errors import UsageError
from comfywear_export.comfort.rows import read_votes
from comfywear_export.comfort.skin import modelled_skin_c, skin_scores


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "skin",
        help="ThermalWear beside measured skin temperatures",
        description="Columns wrist_temp_c and ankle_temp_c of a set of named people. A wrist is no mean skin: a line "
        "on the modelled temperature is fitted on the other people, beside a constant and one on the air temperature.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="votes of named people, CSV")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print; exit code 0."""
    votes = read_votes(args.data)
    if not votes.skin_c:
        raise UsageError(f"{args.data}: no column wrist_temp_c or ankle_temp_c")
    modelled = modelled_skin_c(votes)
    figures: dict[str, Any] = {"data": args.data.name}
    for place, measured in votes.skin_c.items():
        figures[place] = skin_scores(measured, modelled, votes.inputs["air_temp_c"], votes.person, votes.time)
    print(json.dumps(figures, ensure_ascii=False) if args.json else _table(figures))
    return 0


def _table(figures: dict[str, Any]) -> str:
    lines = [f"{figures['data']}: mean error in K on people left out; with their own offset from 10 readings"]
    for place in (name for name in figures if name != "data"):
        row = figures[place]
        lines.append(f"{place} ({row['rows']} readings of {row['persons']}): r {row['within']:+.2f} within persons")
        lines += [f"  {name:9} {row[name]:.2f}  own {row[f'{name}_own']:.2f}" for name in ("constant", "air", "model")]
    return "\n".join(lines)
