"""`comfywear-export train detector`: persons and garments, jointly from sets that label one or both."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from comfywear.errors import UsageError
from comfywear.system.arguments import number, whole
from comfywear_export.data.augment import LEVERS
from comfywear_export.data.datasets import find_sets, read_bare, read_set
from comfywear_export.training.detector import SHARES, Loss, Views
from comfywear_export.training.frozen import FrozenPart, export_frozen
from comfywear_export.training.provenance import commit, mark

if TYPE_CHECKING:
    import torch

__all__ = ["add_parser", "run"]

_SETTLE = 6  # batches that the batch norms of exported weights are measured on
_MAIN_ALONE = frozenset({"teacher"})
"""Sets that label one person a photo although they say nothing of garments."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("detector", help="persons and ten kinds of garments in whole photos")
    parser.add_argument("--data", type=Path, required=True, help="a data set, or a folder of data sets")
    parser.add_argument("--sets", nargs="+", default=["people", "ccp"], help="which of the folder's sets")
    parser.add_argument(
        "--bare", type=Path, nargs="+", default=[], help="folders of photos with nobody in them, such as garments alone"
    )
    parser.add_argument("--also", type=Path, nargs="+", default=[], help="further sets, such as those of pseudo")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument(
        "--weights",
        type=Path,
        help="a detector.pt of an earlier run to begin from, or an exported *.onnx such as the shipped one, "
        "instead of --start",
    )
    parser.add_argument(
        "--rate",
        type=number(0.0, 100.0, above=True),
        default=1.0,
        help="times the usual learning rates (less with --weights)",
    )
    parser.add_argument("--start", type=Path, help="weights to start from (default: those that scripts/setup fetched)")
    parser.add_argument("--minutes", type=number(0.0, 1e6), default=40.0, help="wall time of all sittings together")
    parser.add_argument("--steps", type=whole(0), default=0, help="stop after so many steps (0: by time alone)")
    parser.add_argument("--size", type=whole(32, 4096), default=320, help="input side in pixels, a multiple of 32")
    parser.add_argument("--without", nargs="+", default=[], choices=LEVERS, help="leave out, to see what it gives")
    parser.add_argument(
        "--share", nargs="+", default=[], metavar="SET=NUMBER",
        help="how often photos of a set are chosen, in proportion, instead of as usual: "
        + ", ".join(f"{name}={value:g}" for name, value in SHARES.items()),
    )  # fmt: skip
    parser.add_argument("--batch", type=whole(1), default=16, help="views a step (default 16)")
    parser.add_argument(
        "--threads", type=whole(1, 1000), default=1, help="threads of the network; the views have a process"
    )
    parser.add_argument(
        "--seed", type=whole(0, 2**32 - 1), default=20261122, help="of what is drawn (default 20261122)"
    )
    parser.add_argument("--no-resume", action="store_true", help="start anew although the folder has a checkpoint")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train; writes the averaged network to OUT/detector.pt."""
    try:
        import torch
    except ModuleNotFoundError as error:
        raise UsageError(f"training needs torch ({error}); run scripts/setup --export and use .venv-export") from error
    from comfywear_export.nets.detector import DetectorNet
    from comfywear_export.nets.shipped import read_exported, settle_norms
    from comfywear_export.training.loop import Plan, endless, fit

    if args.size % 32:
        raise UsageError(f"--size {args.size} is not a multiple of 32")
    shares = _shares(args.share)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    folders = [f for f in find_sets(args.data) if f.name in args.sets or f == args.data] + args.also
    photos = [photo for folder in folders for photo in read_set(folder, "train")]
    photos = [replace(p, all_persons=False) if p.set_name in _MAIN_ALONE else p for p in photos]
    photos += [photo for folder in args.bare for photo in read_bare(folder)]
    strange = shares.keys() - {p.set_name for p in photos}
    if strange:
        here = ", ".join(sorted({p.set_name for p in photos}))
        raise UsageError(f"--share {min(strange)}: no such set here; there are: {here}")
    names = ", ".join(f.name for f in [*folders, *args.bare])
    print(f"{len(photos)} photos of {names}; {args.size} px; views of {args.batch}")
    net = DetectorNet()
    exported = args.weights is not None and args.weights.suffix == ".onnx"
    if args.weights is None:
        net.trunk.load_pretrained(args.start)
    elif exported:
        read_exported(net, args.weights)
    else:
        net.load_state_dict(_weights(args.weights))
    net = net.to(memory_format=torch.channels_last)
    frozen = FrozenPart(export_frozen(net.trunk, args.size, args.size, args.out / "frozen.onnx"))
    note = {
        "commit": commit(),
        "size": str(args.size),
        "sets": " ".join(dict.fromkeys(photo.set_name for photo in photos)),
        "without": " ".join(sorted(args.without)),
        "shares": " ".join(f"{name}={value:g}" for name, value in sorted(shares.items())),
        "weights": mark(args.weights) if args.weights else "",
    }
    plan = Plan(
        args.minutes,
        args.batch,
        trunk_rate=2e-4 * args.rate,
        head_rate=2e-3 * args.rate,
        seed=args.seed,
        steps=args.steps,
        note=note,
    )
    views = Views(photos, args.size, args.seed, args.batch, frozen, args.without, shares)
    if exported:
        settle_norms(net, (torch.from_numpy(views[step]["maps"]) for step in range(_SETTLE)))
    done = fit(net, lambda step: endless(views, step), Loss(args.size), plan, args.out, resume=not args.no_resume)
    path = args.out / "detector.pt"
    torch.save({"weights": done.net.state_dict(), "size": args.size, "step": done.step, "seconds": done.seconds}, path)
    print(f"{path}: {done.step} steps, {done.step * args.batch} views, {done.seconds / 60:.1f} min")
    return 0


def _shares(said: Sequence[str]) -> dict[str, float]:
    """`--share`'s sets with their numbers."""
    shares = {}
    for each in said:
        name, _, value = each.rpartition("=")
        try:
            shares[name] = number(0.0, 1e6, above=True)(value)
        except argparse.ArgumentTypeError as error:
            raise UsageError(
                f"--share {each}: SET=NUMBER, as people=0.3; sets not to be chosen are left out of --sets ({error})"
            ) from error
    return shares


def _weights(path: Path) -> dict[str, torch.Tensor]:
    """The averaged weights of an earlier run."""
    import pickle

    import torch

    try:
        state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)["weights"]
    except (OSError, RuntimeError, KeyError, EOFError, pickle.UnpicklingError) as error:
        raise UsageError(f"{path}: no detector.pt of a training run ({error})") from error
    return state
