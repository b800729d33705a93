"""`comfywear-export upload`: send a data set to a Roboflow project for labelling; goes on where it stopped."""

from __future__ import annotations

import argparse
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

from comfywear_export.commands.dataset import add_reading, prepared
from comfywear_export.data.formats import Damaged
from comfywear_export.data.roboflow import SPLITS, Ledger, api_key, open_project, pending, upload

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("upload", help="send a data set to a Roboflow project; goes on where it stopped")
    add_reading(parser)
    parser.add_argument("--project", required=True, metavar="WORKSPACE/PROJECT", help="as in the project's address")
    parser.add_argument("--batch", required=True, metavar="NAME", help="what the batch of pictures is called there")
    parser.add_argument("--split", choices=["train", "validation", "test"], help="send all pictures to this split")
    parser.add_argument(
        "--key-file", type=Path, help="file with the key of the workspace (default: $ROBOFLOW_API_KEY, or the login)"
    )
    parser.add_argument("--ledger", type=Path, help="where it is noted what arrived (default: below runs/upload)")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be sent; asks nobody")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Send what the ledger does not have; exit code 1 when something failed."""
    damaged = Damaged(args.skip_damaged)
    form, dataset = prepared(args, damaged)
    if args.split:
        dataset = replace(dataset, pictures=[replace(picture, split=args.split) for picture in dataset.pictures])
    path = args.ledger or Path("runs") / "upload" / f"{_plain(args.project)}-{_plain(args.batch)}.jsonl"
    ledger = Ledger(path, args.project, args.batch)
    left = list(pending(dataset, ledger))
    splits = ", ".join(f"{n} {split}" for split, n in Counter(SPLITS[picture.split] for picture, *_ in left).items())
    boxes = sum(len(picture.boxes) for picture, *_ in left)
    done = len(dataset.pictures) - len(left)
    what = f"{len(left)} of {len(dataset.pictures)} {form} pictures ({splits or 'none'}) with {boxes} boxes"
    if args.dry_run:
        print(f"would send {what} to {args.project}, batch {args.batch!r}; {done} are there already ({path})")
        return 0
    print(f"sending {what} to {args.project}, batch {args.batch!r}; {done} are there already ({path})", flush=True)
    if not left:
        return 0
    key = api_key(args.key_file)
    sent = upload(open_project(args.project, key), dataset, ledger, args.batch, key)
    print(f"{sent.pictures} pictures and {sent.annotations} annotations arrived")
    for line in [*sent.failed, *(f"left out: {each}" for each in damaged.found)]:
        print(line)
    if sent.failed:
        print(f"{len(sent.failed)} failed; call this again: it sends what is missing")
    return 1 if sent.failed else 0


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.") or "batch"
