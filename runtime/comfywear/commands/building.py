"""`comfywear building`: print the registers and objects that building management reads."""

from __future__ import annotations

import argparse
from pathlib import Path

from comfywear import settings as settings_file
from comfywear.buildings.pages import map_page
from comfywear.errors import UsageError
from comfywear.settings import Settings
from comfywear.settings.zones import zone_numbers


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `building`."""
    parser = commands.add_parser("building", help="print the registers and objects that building management reads")
    parser.add_argument("--config", metavar="FILE", help="the device's settings, for the numbers of its zones")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write the page (Markdown) there")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print or write the page; returns 0.

    Raises:
        UsageError: The settings are wrong, or the page cannot be written there.
    """
    settings = settings_file.load(args.config) if args.config else Settings()
    page = map_page(zone_numbers(settings.zones))
    if args.out is None:
        print(page, end="")
        return 0
    try:
        args.out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{args.out}: cannot be written ({error.strerror})") from error
    print(f"{args.out}: the registers and objects of {', '.join(zone.name for zone in settings.zones)}")
    return 0
