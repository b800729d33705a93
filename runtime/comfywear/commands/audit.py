"""`comfywear audit`: what was changed at the device."""

from __future__ import annotations

import argparse

from comfywear.commands._state_folder import add_state_folder, given_folder
from comfywear.device.upkeep.audit import AUDIT_FILE, MOST_CHANGES, read_audit
from comfywear.publishing.messages.readable import clean
from comfywear.system.arguments import whole


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `audit`."""
    parser = commands.add_parser("audit", help="what was changed, when and from where (docs/page.md)")
    most = f"so many at most (default 20; {MOST_CHANGES} are kept)"
    parser.add_argument("--limit", metavar="N", type=whole(1), default=20, help=most)
    add_state_folder(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the newest changes, the newest first."""
    for each in read_audit(given_folder(args) / AUDIT_FILE, args.limit):
        when = each.ts or "time not known"
        print(f"{when:29}  {clean(each.what):22}  {clean(each.origin):32}  {clean(each.detail)}".rstrip())
    return 0
