"""`comfywear-export train painter`: rooms painted from their edges and the colours of garments alone."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2

from comfywear.errors import UsageError
from comfywear.system.arguments import number, whole
from comfywear_export.data.datasets import find_sets, read_set
from comfywear_export.data.painting import Original, Paintings
from comfywear_export.training.provenance import commit

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("painter", help="rooms from their edges and the colours of garments alone")
    parser.add_argument("--data", type=Path, required=True, help="a data set, or a folder of data sets")
    parser.add_argument(
        "--sets",
        nargs="+",
        default=["empty", "cfpd", "cafe", "office-lobby", "store"],
        help="which of the folder's sets",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument(
        "--minutes", type=number(0.0, 1e6), default=30.0, help="wall time of all sittings together (default 30)"
    )
    parser.add_argument("--steps", type=whole(0), default=0, help="stop after so many steps (0: by time alone)")
    parser.add_argument("--batch", type=whole(1), default=4, help="pictures a step (default 4)")
    parser.add_argument("--threads", type=whole(1, 1000), default=1, help="threads of the network")
    parser.add_argument("--seed", type=whole(0, 2**32 - 1), default=20261122, help="of what is drawn")
    parser.add_argument("--no-resume", action="store_true", help="start anew although the folder has a checkpoint")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train; writes the averaged network to OUT/painter.pt, for `comfywear-export export painter`."""
    try:
        import torch
    except ModuleNotFoundError as error:
        raise UsageError(f"training needs torch ({error}); run scripts/setup --export and use .venv-export") from error
    from comfywear_export.nets.painter import PainterNet, painter_loss
    from comfywear_export.training.loop import Plan, endless, fit

    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(args.seed)
    folders = [folder for folder in find_sets(args.data) if folder.name in args.sets or folder == args.data]
    if not folders:
        raise UsageError(f"{args.data}: none of the sets {' '.join(args.sets)} is there")
    originals = [original for folder in folders for original in _originals(folder)]
    print(f"{len(originals)} photos of {' '.join(folder.name for folder in folders)}; {args.batch} a step")
    paintings = Paintings(originals, args.seed, args.batch)
    note = {"commit": commit(), "sets": " ".join(folder.name for folder in folders)}
    plan = Plan(args.minutes, args.batch, 3e-3, 3e-3, seed=args.seed, steps=args.steps, note=note)
    net = PainterNet().to(memory_format=torch.channels_last)
    done = fit(net, lambda step: endless(paintings, step), painter_loss, plan, args.out, resume=not args.no_resume)
    path = args.out / "painter.pt"
    torch.save({"weights": done.net.state_dict(), "step": done.step, "seconds": done.seconds}, path)
    print(f"{path}: {done.step} steps, {done.step * args.batch} pictures, {done.seconds / 60:.1f} min")
    return 0


def _originals(folder: Path) -> list[Original]:
    """The train split; of photos whose garments nobody labelled, edges alone are shown."""
    return [Original(photo, photo.boxes[photo.classes > 0]) for photo in read_set(folder, "train")]
