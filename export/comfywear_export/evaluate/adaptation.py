"""`comfywear-export evaluate adaptation`: what the first k votes of persons and buildings are worth."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from comfywear.system.arguments import whole
from comfywear_export.comfort.adaptation import LEAST, adaptation
from comfywear_export.comfort.prepared import prepare


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "adaptation",
        help="what the first k votes of a person or a building are worth for the later ones",
        description="Votes are revealed in the order of time; the later ones are predicted. On buildings that the "
        "shipped files were fitted on, model and priors are refitted with each of them left out (minutes); on others, "
        "the shipped ones are used. --mode says otherwise.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="votes, CSV or csv.gz")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_mode(parser)
    parser.set_defaults(run=run)


def add_mode(parser: argparse.ArgumentParser) -> None:
    """The options that say which models are measured."""
    parser.add_argument("--mode", choices=["auto", "shipped", "refit"], default="auto", help="which models (auto)")
    parser.add_argument("--group", choices=["building", "contributor"], default="building", help="left out together")
    parser.add_argument(
        "--folds", type=whole(2), default=10, metavar="N", help="sets of groups to leave out (default 10)"
    )


def run(args: argparse.Namespace) -> int:
    """Measure and print; exit code 0."""
    prepared = prepare(args.data, LEAST, args.mode, args.group, args.folds)
    figures: dict[str, Any] = {"data": args.data.name, "model": prepared.model, "how": prepared.how}
    figures["asked"] = "votes" if (prepared.votes.vote >= 0).any() else "wishes"
    figures |= {kind: adaptation(units, prepared.priors[kind], kind) for kind, units in prepared.units.items()}
    print(json.dumps(figures, ensure_ascii=False) if args.json else _table(figures))
    return 0


def _table(figures: dict[str, Any]) -> str:
    lines = [f"{figures['data']}: {figures['how']}"]
    if figures["asked"] == "wishes":
        lines.append("no votes were asked for: the figures are of warmer, no change, cooler")
    for kind in ("persons", "buildings"):
        if not any(row["units"] for row in figures[kind].values()):
            lines.append(f"{kind:>10}  none with enough votes")
            continue
        lines.append(f"{kind:>10}  k  units     none  scratch  learnt (95 %)         cut (95 %)            3-point")
        for k, row in figures[kind].items():
            if not row["units"]:
                lines.append(f"{'':10}{k:>3}{0:>7}")
                continue
            low, high = row["interval"]["rps"]
            less, more = (100 * value for value in row["interval"]["cut"])
            lines.append(
                f"{'':10}{k:>3}{row['units']:>7}{row['rps_none']:>9.4f}{row['rps_scratch']:>9.4f}  "
                f"{row['rps']:.4f} ({low:.4f}…{high:.4f})  {100 * row['cut']:5.1f} % ({less:.1f}…{more:.1f})"
                f"{row['acc3']:>9.3f}"
            )
    return "\n".join(lines)
