"""`comfywear vote`: press 1–5 on the device that runs here."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from comfywear.commands._state_folder import add_state_folder, given_folder
from comfywear.errors import UsageError
from comfywear.feedback import ask


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `vote`."""
    parser = commands.add_parser(
        "vote", help="tell the running device how comfortable it is, 1 (not at all) … 5 (very)"
    )
    parser.add_argument("level", metavar="N", type=int, nargs="?", help="1 uncomfortable, 5 comfortable")
    parser.add_argument("--undo", action="store_true", help="take back the last vote of this command instead")
    parser.add_argument("--zone", help="where; needed when the device has several zones")
    add_state_folder(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Have the vote stored and say what was stored; returns 0."""
    if args.undo == (args.level is not None):
        raise UsageError("press 1 (uncomfortable) … 5 (comfortable), or take the last vote back with --undo")
    if args.undo:
        vote = ask(given_folder(args), {"verb": "undo", "zone": args.zone, "source": "command"})["vote"]
        print(f"{vote['level']} ({vote['words']}) taken back for {vote['zone']}: {vote['id']} counts no more")
        return 0
    if not 1 <= args.level <= 5:
        raise UsageError(f"{args.level} is no vote: press 1 (uncomfortable) … 5 (comfortable)")
    answer = ask(given_folder(args), {"verb": "vote", "level": args.level, "zone": args.zone, "source": "command"})
    print(stored(answer["vote"]))
    return 0


def stored(vote: Mapping[str, Any]) -> str:
    """What the device stored, in one line; `vote` has the fields of the record `Vote`."""
    climate, clothing = vote.get("climate") or {}, vote.get("clothing") or {}
    moment = [
        text.format(value)
        for text, value in (
            ("{:.1f} °C", climate.get("air_temp_c")),
            ("{:.0f} %", climate.get("humidity_pct")),
            ("{:.2f} clo", clothing.get("clo")),
        )
        if value is not None
    ]
    known = f" with {', '.join(moment)}" if moment else "; no climate or clothing is known at this moment"
    return f"{vote['level']} ({vote['words']}) stored for {vote['zone']} as {vote['id']}{known}"
