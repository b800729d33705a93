"""The arguments that give a passphrase: a file, or a question; never a word of the command line, which all may see."""

from __future__ import annotations

import argparse
import getpass
from pathlib import Path

from comfywear.errors import UsageError

__all__ = ["add_passphrase", "passphrase_of"]


def add_passphrase(parser: argparse.ArgumentParser, purpose: str) -> None:
    """Add `--passphrase-file` and `--ask-passphrase`."""
    given = parser.add_mutually_exclusive_group()
    given.add_argument("--passphrase-file", metavar="FILE", type=Path, help=f"{purpose}: the file's first line")
    given.add_argument("--ask-passphrase", action="store_true", help=f"{purpose}: it is asked for")


def passphrase_of(args: argparse.Namespace, *, twice: bool = False) -> str | None:
    """The passphrase; None where none is given.

    Raises:
        UsageError: The file cannot be read or is empty, nobody is there to be asked, or two answers differ.
    """
    if args.passphrase_file:
        try:
            lines = args.passphrase_file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{args.passphrase_file}: the passphrase cannot be read") from error
        if not lines or not lines[0]:
            raise UsageError(f"{args.passphrase_file}: its first line, the passphrase, is empty")
        return str(lines[0])
    if not args.ask_passphrase:
        return None
    try:
        said = getpass.getpass("Passphrase: ")
        if twice and getpass.getpass("Once more: ") != said:
            raise UsageError("the two passphrases differ")
    except EOFError as error:
        raise UsageError("nobody is there to be asked: give --passphrase-file") from error
    return said
