"""The arguments that say where a device keeps its state, and the folder that they mean."""

from __future__ import annotations

import argparse
from pathlib import Path

from comfywear import settings

__all__ = ["add_state_folder", "given_folder"]


def add_state_folder(parser: argparse.ArgumentParser) -> None:
    """Add `--config` and `--state-dir`."""
    parser.add_argument("--config", metavar="FILE", help="the device's settings, where its state folder is named")
    parser.add_argument("--state-dir", metavar="DIR", help="the device's state folder")


def given_folder(args: argparse.Namespace) -> Path:
    """The folder: `--state-dir`, else that of the settings, else the usual one."""
    if args.state_dir:
        return Path(args.state_dir)
    return settings.state_folder(settings.load(args.config) if args.config else settings.Settings())
