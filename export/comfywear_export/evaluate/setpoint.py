"""`comfywear-export evaluate setpoint`: the preferred temperature beside what people later preferred."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from comfywear_export.comfort.preferred import SETPOINT_LEAST, preferred_errors
from comfywear_export.comfort.prepared import prepare
from comfywear_export.evaluate.adaptation import add_mode


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "setpoint",
        help="the preferred temperature beside what people later preferred, 22 °C, PMV 0 and the adaptive standard",
        description="Votes are revealed in the order of time. The later ones say what was preferred: the temperature "
        "that they call neutral (Griffiths, half a vote a kelvin) and the one at which as many want it warmer as "
        "cooler. Models as in `evaluate adaptation`.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="votes, CSV or csv.gz")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_mode(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print; exit code 0."""
    prepared = prepare(args.data, SETPOINT_LEAST, args.mode, args.group, args.folds, wishes=True)
    figures: dict[str, Any] = {"data": args.data.name, "model": prepared.model, "how": prepared.how}
    for kind, units in prepared.units.items():
        figures[kind] = preferred_errors(prepared.votes, units, prepared.models, prepared.priors[kind], kind)
    print(json.dumps(figures, ensure_ascii=False) if args.json else _table(figures))
    return 0


def _table(figures: dict[str, Any]) -> str:
    lines = [f"{figures['data']}: {figures['how']}", "mean error in K against the later votes"]
    for kind in ("buildings", "persons"):
        if not figures[kind]:
            continue
        lines.append(f"{kind:12}{'units':>7}{'neutral':>9}{'wishes':>8}   of 80 % band: satisfied inside, outside")
        for name, row in figures[kind].items():
            neutral, wishes = ("–" if row[key] is None else f"{row[key]:.2f}" for key in ("neutral_k", "wishes_k"))
            line = f"  {name.replace('_', ' '):10}{row['units']:>7}{neutral:>9}{wishes:>8}"
            if row.get("satisfied_inside_80") is not None and row.get("satisfied_outside_80") is not None:
                line += f"   {row['satisfied_inside_80']:.3f} {row['satisfied_outside_80']:.3f}"
            lines.append(line)
    return "\n".join(lines)
