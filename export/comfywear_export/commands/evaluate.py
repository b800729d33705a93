"""`comfywear-export evaluate`: measure a model on data kept apart from its training."""

from __future__ import annotations

import argparse

from comfywear.system.command_line import add_modules
from comfywear_export import evaluate


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its subjects."""
    parser = commands.add_parser("evaluate", help="measure a model on data kept apart from its training")
    add_modules(parser.add_subparsers(metavar="SUBJECT", required=True), evaluate)
