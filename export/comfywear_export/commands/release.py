"""`comfywear-export release`: sign a model for devices, unless it is worse than the one in service."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from comfywear.errors import ModelError, StoreError, UsageError
from comfywear.system.arguments import number, whole
from comfywear.system.paths import find_model
from comfywear_export.commands._repository import VERBS, add_options, opened, run_verb
from comfywear_export.commands.card import quality_of
from comfywear_export.release.gate import Fall, Tolerances, compare
from comfywear_export.release.writing import Comparison, read_key, release, release_into
from comfywear_export.training.runs import MODELS
from comfywear_models import Card, CardError
from comfywear_models.release import new_key

__all__ = ["add_parser", "run"]

_FALL, _CLASS_FALL = 0.05, 0.2  # what is tolerated of any figure; a larger fall is allowed by name, with a reason


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("release", help="sign a model for devices, unless it is worse than that in service")
    parser.add_argument(
        "models",
        nargs="+",
        metavar="MODEL",
        help="path of a *.card.json; or keygen FILE, to make a private key there; or what is done to a repository",
    )
    parser.add_argument(
        "--against", action="append", default=[], metavar="MODEL", help="the model in service: a name or *.card.json"
    )
    parser.add_argument("--first", action="store_true", help="there is no model in service yet")
    parser.add_argument("--key", type=Path, action="append", default=[], help="private key, PEM; may be repeated")
    parser.add_argument("--out", type=Path, help="folder of single releases, for devices that know updates.keys alone")
    parser.add_argument("--data", type=Path, help="measure both models anew on the sets in this folder, side by side")
    parser.add_argument("--limit", type=whole(0), default=0, help="with --data: only the first so many photos (0: all)")
    parser.add_argument(
        "--tolerance",
        type=number(-1.0, 1.0),
        default=0.01,
        help=f"how far a figure may fall (default 0.01, at most {_FALL:g})",
    )
    parser.add_argument(
        "--class-tolerance",
        type=number(-1.0, 1.0),
        default=0.05,
        help=f"that of a single class (default 0.05, at most {_CLASS_FALL:g})",
    )
    parser.add_argument(
        "--allow", action="append", default=[], metavar="FIGURE=REASON", help="release all the same; stands in the card"
    )
    add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Judge all models, then release them all; a figure that fell is refused before anything is written."""
    if args.models[0] == "keygen":
        return _keygen(args.models[1:])
    if args.models[0] in VERBS:
        return run_verb(args, args.models[0], args.models[1:])
    single = bool(args.key and args.out is not None)
    if single == bool(args.keys and args.repository is not None) or bool(args.against) == args.first:
        raise UsageError(
            "a release needs --keys and --repository (or --key and --out, for devices that know updates.keys alone), "
            "and either --against MODEL or --first"
        )
    for name, value, most in (
        ("--tolerance", args.tolerance, _FALL), ("--class-tolerance", args.class_tolerance, _CLASS_FALL),
    ):  # fmt: skip
        if not 0 <= value <= most:
            raise UsageError(
                f"{name} {value:g}: from 0 to {most:g}; a figure that may fall further is named, with the reason: "
                "--allow 'FIGURE=REASON'"
            )
    keys = [read_key(path) for path in args.key]
    repository = None if single else opened(args, args.repository)
    allowed = _reasons(args.allow)
    current = {card.name: (card, folder) for card, folder in map(_find, args.against)}
    judged: list[tuple[Card, Path, Comparison | None]] = []
    for name in args.models:
        card, folder = _find(name)
        if card.task not in MODELS:
            raise UsageError(f"{name}: models for {card.task!r} are not released; those for {', '.join(MODELS)} are")
        comparison = None
        if not args.first:
            if card.name not in current:
                raise UsageError(f"{name}: name the {card.name!r} that is in service with --against, or say --first")
            comparison = _judge(args, (card, folder), current[card.name], allowed)
        judged.append((card, folder, comparison))
    unused = [name for name in allowed if all(c is None or name not in c.allowed for _, _, c in judged)]
    if unused:
        raise UsageError(f"--allow {unused[0]!r}: nothing of that name fell")
    for card, folder, comparison in judged:
        if repository is None:
            print(release(card, folder, args.out, keys, comparison))
        else:
            print(release_into(repository, card, folder, comparison, args.share, args.group))
    return 0


def _judge(
    args: argparse.Namespace, new: tuple[Card, Path], current: tuple[Card, Path], allowed: dict[str, str]
) -> Comparison:
    measured = None
    if args.data is not None:
        measured = (_measure(args, *new), _measure(args, *current))
    tolerances = Tolerances(args.tolerance, args.class_tolerance)
    both, falls = compare(new[0], current[0], tolerances, measured)
    print(f"{new[0].name} {new[0].version} beside {current[0].name} {current[0].version} in service:")
    for name, (was, now) in both.items():
        if was is not None and now is not None and not was.single:
            print(f"  {name:62}{was.value:8.4f} → {now.value:.4f}   of {now.n}")
    against = [fall for fall in falls if fall.name not in allowed]
    if against:
        lines = "".join(f"\n  {fall.name}{_from_to(fall)}: {fall.why}" for fall in against)
        raise ModelError(
            f"{new[0].name} {new[0].version} is not released; {len(against)} things speak against it:{lines}\n"
            "Train it better, or say why it goes out all the same: --allow 'FIGURE=REASON'"
        )
    reasons = {fall.name: (fall, allowed[fall.name]) for fall in falls}
    some = f" on the first {args.limit} photos of each set" if args.limit else ""
    how = f"measured side by side{some}" if measured else "as their cards say"
    return Comparison(current[0], both, tolerances, reasons, how)


def _from_to(fall: Fall) -> str:
    return "" if fall.was is None else f" ({fall.was:.4f} → {'?' if fall.now is None else f'{fall.now:.4f}'})"


def _measure(args: argparse.Namespace, card: Card, folder: Path) -> dict[str, Any]:
    path = folder / f"{card.name}.card.json"
    nobody = args.data / "empty"
    empty = [nobody] if card.task == "detector" and nobody.is_dir() else []
    return {
        f"{file.engine} {file.precision}": quality_of(
            card.task, path, args.data, file.engine, file.precision, args.limit, empty
        )
        for file in card.files
    }


def _find(name: str) -> tuple[Card, Path]:
    try:
        card, folder = find_model(name)
    except CardError as error:
        raise ModelError(str(error)) from error
    if not (folder / f"{card.name}.card.json").is_file():
        raise ModelError(f"{name}: the card of {card.name!r} is to be named {card.name}.card.json")
    return card, folder


def _reasons(words: Sequence[str]) -> dict[str, str]:
    reasons = {}
    for word in words:
        name, equals, reason = word.partition("=")
        if not equals or not reason.strip():
            raise UsageError(f"--allow {word!r}: write FIGURE=REASON; the reason stands in the card")
        reasons[name.strip()] = reason.strip()
    return reasons


def _keygen(words: Sequence[str]) -> int:
    if len(words) != 1:
        raise UsageError("keygen takes the name of one file for the private key")
    path = Path(words[0])
    private, public = new_key()
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(private)
    except FileExistsError as error:
        raise UsageError(f"{path} exists, and a key is not written over: name another file") from error
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from error
    print(f"private key: {path} (readable by you alone; keep it off the devices, and a copy in a safe place)")
    print(f"public key, for the settings of devices: {public}")
    return 0
