"""What `comfywear-export release` does to a repository besides adding releases: made, renewed, rotated, rolled out."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from comfywear.errors import StoreError, UsageError
from comfywear.system.arguments import number, whole
from comfywear_models.release import ReleaseError

if TYPE_CHECKING:
    from comfywear_models.repository import Repository

__all__ = ["VERBS", "add_options", "opened", "run_verb"]

_SOON = timedelta(days=30)
_HELP = """to a repository: init REPOSITORY; status REPOSITORY; timestamp REPOSITORY (renews it: once a day, by cron);
renew REPOSITORY [ROLE …]; rotate REPOSITORY ROLE; share REPOSITORY NAME; halt REPOSITORY NAME;
introduce REPOSITORY (to devices that know updates.keys alone)"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what concerns repositories."""
    group = parser.add_argument_group("repositories (docs/updates.md)", _HELP)
    group.add_argument("--repository", type=Path, metavar="FOLDER", help="release into this TUF repository")
    group.add_argument(
        "--keys",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="private keys of roles; may be repeated",
    )
    group.add_argument(
        "--share", type=number(0.0, 1.0), default=1.0, help="of the devices that take a release first, 0…1 (default 1)"
    )
    group.add_argument(
        "--group", action="append", default=[], metavar="NAME", help="only devices of this group; may be repeated"
    )
    group.add_argument(
        "--threshold",
        action="append",
        default=[],
        metavar="ROLE=K/N",
        help="init, rotate: K of N keys of a role must sign (default root=1/2, others 1/1)",
    )
    group.add_argument("--days", type=whole(1, 3650), help="timestamp, renew: it lasts so long")
    group.add_argument("--because", default="", metavar="WORDS", help="halt: why; stands in the repository")


def opened(args: argparse.Namespace, folder: Path) -> Repository:
    """The repository in a folder, with the keys of `--keys`."""
    from comfywear_models.repository import Repository

    if not args.keys:
        raise UsageError("a repository is signed with the keys in a folder: --keys FOLDER")
    try:
        return Repository(folder, args.keys)
    except ReleaseError as error:
        raise UsageError(str(error)) from error


def run_verb(args: argparse.Namespace, verb: str, words: Sequence[str]) -> int:
    """Do what a verb says."""
    fewest, most, do = VERBS[verb]
    if not fewest <= len(words) <= most:
        raise UsageError(f"release {verb}: its words do not fit; see comfywear-export release --help")
    try:
        for line in do(args, Path(words[0]), words[1:]):
            print(line)
    except ReleaseError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise StoreError(f"{words[0]}: cannot be read or written ({error.strerror or error})") from error
    return 0


def _init(args: argparse.Namespace, folder: Path, _: Sequence[str]) -> list[str]:
    from comfywear_models.repository import ANCHOR, create

    if len(args.keys) != 1:
        raise UsageError("release init makes keys in one folder: --keys FOLDER")
    create(folder, args.keys[0], _thresholds(args.threshold))
    return [
        f"{folder}: an empty repository; its keys are in {args.keys[0]}",
        "  root, targets and models: keep them off every server, and a copy in a safe place",
        "  timestamp, snapshot and rollouts: may lie where release timestamp runs each day, and with the collector",
        f"{args.keys[0] / ANCHOR}: for the devices, [updates] root",
    ]


def _status(args: argparse.Namespace, folder: Path, _: Sequence[str]) -> list[str]:
    repository = opened(args, folder)
    lines = [
        f"{role:12} until {until:%Y-%m-%d %H:%M} UTC{'' if here else ', its keys are not at hand'}"
        for role, until, here in repository.ends()
    ]
    for name, rollout in sorted(repository.rollouts().items()):
        groups = f" of the groups {', '.join(rollout.groups)}" if rollout.groups else ""
        state = f"stopped: {rollout.halted}" if rollout.halted else f"to {rollout.share:.0%} of the devices{groups}"
        settled = f"; {rollout.settled} to all others" if rollout.settled and not rollout.everywhere else ""
        lines.append(f"{name} {rollout.version} {state}{settled}")
    return lines


def _timestamp(args: argparse.Namespace, folder: Path, _: Sequence[str]) -> list[str]:
    repository = opened(args, folder)
    done = repository.refresh(args.days)
    return [f"renewed: {', '.join(done)}", *_soon(repository)]


def _renew(args: argparse.Namespace, folder: Path, words: Sequence[str]) -> list[str]:
    repository = opened(args, folder)
    days = dict.fromkeys(words or ("timestamp",), args.days) if args.days else {}
    return [f"renewed: {', '.join(repository.renew(words, days))}", *_soon(repository)]


def _rotate(args: argparse.Namespace, folder: Path, words: Sequence[str]) -> list[str]:
    repository, (role,) = opened(args, folder), words
    count = repository.rotate(role, _thresholds(args.threshold).get(role))
    return [
        f"{role}: {count} new keys in {args.keys[0]}; what the old ones sign is not believed any more",
        "  remove the old files when you have a copy of the new ones",
    ]


def _share(args: argparse.Namespace, folder: Path, words: Sequence[str]) -> list[str]:
    found = opened(args, folder).roll_out(words[0], args.share, args.group)
    groups = f" of the groups {', '.join(found.groups)}" if found.groups else ""
    return [f"{words[0]} {found.version} goes to {found.share:.0%} of the devices{groups}"]


def _halt(args: argparse.Namespace, folder: Path, words: Sequence[str]) -> list[str]:
    found = opened(args, folder).halt(words[0], args.because)
    return [f"{words[0]} {found.version} goes no further: {found.halted}; release share lets it go on"]


def _introduce(args: argparse.Namespace, folder: Path, _: Sequence[str]) -> list[str]:
    from comfywear_models.signing_keys import read_private

    if not args.key:
        raise UsageError("release introduce signs with the key that devices know: --key FILE")
    path = opened(args, folder).introduce(*(read_private(key) for key in args.key))
    return [f"{path}: devices with its public key in updates.keys trust this repository from their next pull on"]


VERBS: dict[str, tuple[int, int, Callable[[argparse.Namespace, Path, Sequence[str]], list[str]]]] = {
    "init": (1, 1, _init),
    "status": (1, 1, _status),
    "timestamp": (1, 1, _timestamp),
    "renew": (1, 20, _renew),
    "rotate": (2, 2, _rotate),
    "share": (2, 2, _share),
    "halt": (2, 2, _halt),
    "introduce": (1, 1, _introduce),
}
"""What may stand in the place of models: the fewest and most words after it, and what it does."""


def _soon(repository: Repository) -> list[str]:
    """What ends soon and cannot be renewed with the keys at hand."""
    now = datetime.now(timezone.utc)
    return [
        f"  {role} ends on {until:%Y-%m-%d}: release renew with its keys before that"
        for role, until, here in repository.ends()
        if not here and until - now < _SOON
    ]


def _thresholds(words: Sequence[str]) -> dict[str, tuple[int, int]]:
    found = {}
    for word in words:
        told = re.fullmatch(r"([a-z0-9_.-]+)=([0-9]{1,2})/([0-9]{1,2})", word)
        if told is None:
            raise UsageError(f"--threshold {word!r}: write ROLE=K/N, such as root=2/3")
        found[told[1]] = (int(told[2]), int(told[3]))
    return found
