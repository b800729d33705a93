"""`comfywear privacy`: have cameras look no more, or look again, and say which may."""

from __future__ import annotations

import argparse
from pathlib import Path

from comfywear import settings
from comfywear.feedback import ask


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `privacy on|off|show`."""
    parser = commands.add_parser("privacy", help="have cameras look no more, or look again")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for name, what in {
        "on": "no camera looks any more: its process is ended, also after a restart",
        "off": "the cameras look again",
        "show": "which cameras may look",
    }.items():
        verb = verbs.add_parser(name, help=what)
        if name != "show":
            verb.add_argument("--camera", metavar="NAME", help="one of several alone")
        verb.add_argument("--config", metavar="FILE", help="the device's settings, where its state folder is named")
        verb.add_argument("--state-dir", metavar="DIR", help="the device's state folder")
        verb.set_defaults(run=run, do=name)


def run(args: argparse.Namespace) -> int:
    """Ask the running device and say how its cameras are; returns 0."""
    answer = ask(_folder(args), {"verb": "privacy", "do": args.do, "camera": getattr(args, "camera", None)})
    for each in answer["cameras"]:
        print(f"camera {each['camera']}: {each['reason'] or 'may look'}")
    if not answer["cameras"]:
        print("there is no camera in the settings")
    return 0


def _folder(args: argparse.Namespace) -> Path:
    if args.state_dir:
        return Path(args.state_dir)
    return settings.state_folder(settings.load(args.config) if args.config else settings.Settings())
