"""The command `tune`: learn from what people prefer, from a reward, or by trying things out in a simulated room."""

from __future__ import annotations

import argparse

from comfywear.system.command_line import add_modules
from comfywear_export import tune


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its subjects."""
    parser = commands.add_parser("tune", help="learn from preferences, from a reward, or in a simulated room")
    add_modules(parser.add_subparsers(metavar="SUBJECT", required=True), tune)
