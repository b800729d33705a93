"""`comfywear-export train`: train a model from data sets."""

from __future__ import annotations

import argparse

from comfywear.system.command_line import add_modules
from comfywear_export import train


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its subjects."""
    parser = commands.add_parser("train", help="train a model from data sets")
    add_modules(parser.add_subparsers(metavar="SUBJECT", required=True), train)
