"""`comfywear learning`: what the running device learnt from votes; reset and roll-back."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from comfywear.commands._state_folder import add_state_folder, given_folder
from comfywear.feedback import ask
from comfywear.system.arguments import whole


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `learning show|reset|rollback`."""
    parser = commands.add_parser("learning", help="what the device learnt from votes: show, reset, roll back")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    texts = {
        "show": "what was learnt about each zone, and its snapshots",
        "reset": "let the votes up to now teach nothing more; they stay stored",
        "rollback": "learn again what had been learnt at a snapshot",
    }
    for name, text in texts.items():
        action = actions.add_parser(name, help=text, description=text)
        action.add_argument("--zone", help="which zone; needed for reset and rollback when there are several")
        add_state_folder(action)
        action.set_defaults(run=run, action=name)
        if name == "rollback":
            action.add_argument("--to", type=whole(1), metavar="N", help="number of the snapshot (default: the newest)")


def run(args: argparse.Namespace) -> int:
    """Ask the device and print its answer; returns 0."""
    request: dict[str, Any] = {"verb": f"learning-{args.action}", "zone": args.zone}
    if args.action == "rollback":
        request["to"] = args.to
    answer = ask(given_folder(args), request)
    if args.action == "show":
        print("\n".join(shown(zone) for zone in answer["zones"]))
    else:
        print(answer["said"])
    return 0


def shown(zone: Mapping[str, Any]) -> str:
    """A zone's lines."""
    lines = [f"{zone['zone']}: {zone['summary'] or 'nothing learnt yet'}"]
    if "votes" in zone:
        lines.append(
            f"  counts as {zone['weight']:.1f} votes; offset {zone['offset']:+.2f} ± {zone['offset_sd']:.2f}, "
            f"scale {zone['scale']:.2f}"
        )
    for number, each in enumerate(zone["snapshots"], start=1):
        lines.append(f"  snapshot {number}: {each['ts']}, {each['votes']} votes, {each['likes_warmer_k']:+.1f} K")
    return "\n".join(lines)
