"""`comfywear forget`: have the broker and Home Assistant forget a device that is not there any more."""

from __future__ import annotations

import argparse

from comfywear.commands import homeassistant


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `forget`."""
    parser = commands.add_parser("forget", help="clear what the broker and Home Assistant keep of this device")
    homeassistant.add_forget(parser)
    parser.set_defaults(run=homeassistant.forget)
