"""`comfywear bench`: time a stage on this machine, ratios side by side in one run."""

from __future__ import annotations

import argparse

from comfywear import bench
from comfywear.bench.device import add_arguments, run
from comfywear.system.command_line import add_modules


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its stages; without a stage, the whole device is timed."""
    parser = commands.add_parser("bench", help="time a stage on this machine, ratios side by side in one run")
    add_arguments(parser)
    parser.set_defaults(run=run)
    add_modules(parser.add_subparsers(title="stages", metavar="STAGE"), bench)
