"""`comfywear restore`: make this machine's device of a backup."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from comfywear.backup.archive import Archive, Manifest
from comfywear.backup.whole import restore
from comfywear.commands._passphrase import add_passphrase, passphrase_of
from comfywear.errors import UsageError
from comfywear.settings import DeviceSettings
from comfywear.system.command_line import counted


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `restore`."""
    parser = commands.add_parser("restore", help="make this machine's device of a backup (docs/service.md)")
    parser.add_argument("file", metavar="FILE", type=Path, help="what `comfywear backup` wrote")
    parser.add_argument("--config", metavar="FILE", type=Path, help="where the settings go; left out: they stay here")
    parser.add_argument("--state-dir", metavar="DIR", type=Path, help="the state folder; default: as the settings say")
    add_passphrase(parser, "restore passwords and keys too")
    parser.add_argument("--id", help="the device's id from now on, where this machine has another than the backup's")
    parser.add_argument("--check", action="store_true", help="say whether the backup is sound, and change nothing")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check the backup whole, then restore it."""
    with Archive(args.file) as archive:
        made = archive.manifest
        print(
            f"{args.file}: sound; {made.site}/{made.device}, {made.made or 'an unknown day'}, comfywear {made.version}"
        )
        if args.check:
            return 0
        if args.config is None and args.state_dir is None:
            raise UsageError(
                "say where to: --config FILE for the settings, --state-dir DIR for votes and what was learnt"
            )
        done = restore(archive, args.config, args.state_dir, passphrase_of(args), device_id=_id(args.id, made))
    print(f"{counted(len(archive.state), 'file')} restored to {done.folder}")
    if done.aside:
        print(f"what was there before is in {done.aside} there")
    if done.settings:
        print(f"the settings are {done.settings}")
    for path in done.secrets:
        print(f"secret: {path}")
    for sentence in done.missing:
        print(f"still to do: {sentence}", file=sys.stderr)
    return 0


def _id(given: str | None, made: Manifest) -> str | None:
    """The id from now on; asked for where this machine's is another, for two devices must never share one."""
    here = DeviceSettings().name()
    if given is not None or made.device == here:
        return given
    if not sys.stdin.isatty():
        raise UsageError(
            f"the backup is of {made.device}, this machine is {here}: say --id {made.device} where it takes that one's "
            f"place (its topics and entities go on), --id {here} where both go on"
        )
    print(f"The backup is of {made.device}, this machine is {here}.")
    takes_place = input(f"Does it take the place of {made.device}, whose topics and entities then go on? [y/n] ")
    return made.device if takes_place.strip().lower() in ("y", "yes", "j", "ja") else here
