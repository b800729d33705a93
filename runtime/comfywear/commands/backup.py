"""`comfywear backup`: settings, votes and what was learnt in one file."""

from __future__ import annotations

import argparse
from pathlib import Path

from comfywear.backup.whole import back_up, described
from comfywear.commands._passphrase import add_passphrase, passphrase_of
from comfywear.commands._state_folder import add_state_folder, given_folder
from comfywear.system.command_line import counted


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `backup`."""
    parser = commands.add_parser("backup", help="a device in one file, also while it runs (docs/service.md)")
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="such as lab1.comfywear")
    add_state_folder(parser)
    add_passphrase(parser, "keep passwords and keys too")
    parser.add_argument("--force", action="store_true", help="write over a file that exists")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the backup and say what is in it."""
    config = Path(args.config) if args.config else None
    made = back_up(args.out, config, given_folder(args), passphrase_of(args, twice=True), force=args.force)
    files = described(made)
    print(f"{args.out}: {made.site}/{made.device}, {counted(len(files), 'file')}, {sum(files.values()) / 1e6:.1f} MB")
    for name, size in files.items():
        print(f"  {name}: {size / 1e3:.1f} kB")
    if config is None:
        print("the settings are not in it: name them with --config")
    elif made.cut:
        listed = ", ".join(map(str, made.cut))
        print(f"passwords are not in it: they were cut from line {listed} of the settings; --ask-passphrase keeps them")
    return 0
