"""`comfywear models`: which are there, are their files right; bring your own, pull signed releases, roll back."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from comfywear.commands._models_import import add_import
from comfywear.commands._models_releases import add_pull, add_rollback, lines, releases_of
from comfywear.commands._state_folder import add_state_folder
from comfywear.doctor.machine import check_model
from comfywear.errors import ModelError
from comfywear.system.paths import user_models
from comfywear.texts import builtins
from comfywear_models import Card, CardError, available, load_card


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its actions."""
    parser = commands.add_parser("models", help="list the models, check their files, or bring one of your own")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    shown = actions.add_parser("list", help="the models with their forms, and which releases are in service and why")
    shown.add_argument("--json", action="store_true", help="print the whole cards as one JSON object")
    add_state_folder(shown)
    shown.set_defaults(run=_list)
    checked = actions.add_parser("verify", help="compare the files of models with their cards")
    checked.add_argument("model", nargs="*", help="names or paths of *.card.json (default: all)")
    checked.set_defaults(run=_verify)
    add_import(actions)
    add_pull(actions)
    add_rollback(actions)


def _list(args: argparse.Namespace) -> int:
    paths = {**available(user_models()), **available()}
    cards = [(_card(path), path.parent == user_models()) for path in paths.values()]
    if args.json:
        print(json.dumps({card.name: _plain(card) for card, _ in cards}, indent=1))
        return 0
    for card, imported in cards:
        origin = f", imported, layout {card.layout}" if imported else ""
        print(f"{card.name} {card.version}: {card.task}, {len(card.labels)} labels, {card.licence}{origin}")
        for file in card.files:
            print(f"  {file.engine:12} {file.precision:5} {file.bytes / 1e6:6.2f} MB  {file.path}")
    releases = releases_of(args)
    for name in releases.names():
        for line in lines(name, releases.slots(name)):
            print(line)
    return 0


def _verify(args: argparse.Namespace) -> int:
    wrong = [line for name in args.model or _everything() for line in _faults(name)]
    for line in wrong:
        print(line)
    return 1 if wrong else 0


def _everything() -> list[str]:
    """The paths of the cards of all models."""
    return [str(path) for path in {**available(user_models()), **available()}.values()]


def _faults(name: str) -> list[str]:
    """What is wrong with a model's card or files; says which files are right."""
    right, faults = check_model(name)
    for file in right:
        print(f"{file} is as its card says")
    return faults


def _card(path: Path) -> Card:
    try:
        return load_card(path)
    except CardError as error:
        raise ModelError(str(error)) from error


def _plain(card: Card) -> Any:

    return builtins(card)
