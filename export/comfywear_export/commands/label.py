"""`comfywear-export label`: ask a person what no model can know."""

from __future__ import annotations

import argparse

from comfywear.system.command_line import add_modules
from comfywear_export import label


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its subjects."""
    parser = commands.add_parser("label", help="ask a person what no model can know")
    add_modules(parser.add_subparsers(metavar="SUBJECT", required=True), label)
