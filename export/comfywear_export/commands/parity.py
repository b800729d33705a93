"""`comfywear-export parity`: whether all forms of a model give the same answers, and how fast each is."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from comfywear.system.arguments import whole
from comfywear_export.measure.parity import compare
from comfywear_export.training.runs import MODELS

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("parity", help="do all forms of a model give the same answers, and how fast are they?")
    parser.add_argument("task", choices=MODELS, help="what the model is for")
    parser.add_argument("model", nargs="?", help="a shipped model's name or the path of a *.card.json")
    parser.add_argument("--data", type=Path, required=True, help="a folder with instances.json")
    parser.add_argument("--split", default="validation", help="which split of the folder (default validation)")
    parser.add_argument("--limit", type=whole(1), default=60, help="how many photos")
    parser.add_argument(
        "--threads", type=whole(1, 1000), nargs="+", default=[1, 2], help="thread counts to time (default 1 2)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare each form with the first, which computes in 32 bits on ONNX Runtime.

    Answers are compared on one thread. Times are those inside the engine, the median over the pictures; all forms and
    thread counts take turns on each picture, so that a busy machine slows them alike.
    """
    rows = compare(args.task, args.model or args.task, args.data, args.split, args.limit, args.threads)
    if args.json:
        print(json.dumps(rows, indent=1))
        return 0
    for row in rows:
        print("  ".join(f"{key} {value:.4f}" if isinstance(value, float) else f"{value}" for key, value in row.items()))
    return 0
