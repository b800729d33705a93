"""`comfywear bench`: time a stage on this machine, ratios side by side in one run."""

from __future__ import annotations

import argparse

from comfywear import bench
from comfywear.cli import add_modules


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its subjects."""
    parser = commands.add_parser("bench", help="time a stage on this machine, ratios side by side in one run")
    add_modules(parser.add_subparsers(metavar="SUBJECT", required=True), bench)
