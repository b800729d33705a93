"""`comfywear-export train detector`: persons and garments, jointly from sets that label one or both."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from comfywear.errors import UsageError
from comfywear_export.augment import LEVERS, MAP_STRIDE, View, light, mosaic, random_view
from comfywear_export.batches import endless
from comfywear_export.commands.make import commit
from comfywear_export.cutouts import paste, with_masks
from comfywear_export.datasets import Photo, find_sets, read_photo, read_set
from comfywear_export.frozen import FrozenPart, export_frozen

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

__all__ = ["Loss", "Views", "add_parser", "run"]

_MOSAIC = 0.4
_PASTE = 0.2
_PERSON_SETS = 0.55  # share of photos from sets that label every person but no garment


class Views:
    """Endless training views; view number `i` of a seed is always the same.

    Args:
        photos: To choose from.
        size: Of a view, pixels.
        seed: Of everything random.
        batch: Views a batch.
        frozen: Turns the pictures into the maps that the learning part starts from.
        without: Which of `augment.LEVERS` are left out.
    """

    def __init__(
        self,
        photos: list[Photo],
        size: int,
        seed: int,
        batch: int,
        frozen: Callable[[NDArray[np.uint8]], NDArray[Any]],
        without: Collection[str] = (),
    ) -> None:
        kinds = [[p for p in photos if not p.garments], [p for p in photos if p.garments]]
        self.kinds = [kind for kind in kinds if kind]
        self.cut_out = [] if "cutouts" in without else with_masks(photos)
        self.without = frozenset(without)
        self.size, self.seed, self.batch, self.frozen = size, seed, batch, frozen
        self._decoded: dict[Path, NDArray[np.uint8]] = {}

    def read(self, photo: Photo) -> NDArray[np.uint8]:
        """The photo's pixels, decoded once."""
        if photo.path not in self._decoded:
            self._decoded[photo.path] = read_photo(photo.path)
        return self._decoded[photo.path]

    def choose(self, rng: np.random.Generator) -> Photo:
        """A photo; the kinds of sets come in a fixed proportion."""
        kind = self.kinds[0 if len(self.kinds) == 1 or rng.random() < _PERSON_SETS else 1]
        return kind[rng.integers(len(kind))]

    def view(self, number: int) -> View:
        """View `number`."""
        rng = np.random.default_rng([self.seed, number])
        if rng.random() < _MOSAIC and "mosaic" not in self.without:
            view = mosaic([self.choose(rng) for _ in range(4)], self.read, self.size, rng, self.without)
        else:
            photo = self.choose(rng)
            view = random_view(photo, self.read(photo), self.size, rng, self.without)
            if self.cut_out and rng.random() < _PASTE:
                view = paste(view, self.cut_out, self.read, rng)
        if "light" not in self.without:
            view.image = light(view.image, rng)
        return view

    def __getitem__(self, step: int) -> dict[str, NDArray[Any]]:
        """The batch of a step, as arrays: maps of the frozen part, boxes, classes, and what is known."""
        cv2.setNumThreads(1)
        views = [self.view(step * self.batch + i) for i in range(self.batch)]
        most = max(1, *(len(v.boxes) for v in views))
        boxes = np.zeros((self.batch, most, 4), np.float32)
        classes = np.full((self.batch, most), -1, np.int64)
        for i, view in enumerate(views):
            boxes[i, : len(view.boxes)], classes[i, : len(view.boxes)] = view.boxes, view.classes
        return {
            "maps": self.frozen(np.stack([v.image[..., ::-1] for v in views])),
            "boxes": boxes,
            "classes": classes,
            "person_known": np.stack([v.person_known for v in views]),
            "garments_known": np.stack([v.garments_known for v in views]),
        }


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("detector", help="persons and ten kinds of garments in whole photos")
    parser.add_argument("--data", type=Path, required=True, help="a data set, or a folder of data sets")
    parser.add_argument("--sets", nargs="+", default=["people", "ccp"], help="which of the folder's sets")
    parser.add_argument("--also", type=Path, nargs="+", default=[], help="further sets, such as those of pseudo")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument(
        "--weights", type=Path, help="a detector.pt of an earlier run to begin from, instead of --start"
    )
    parser.add_argument("--rate", type=float, default=1.0, help="times the usual learning rates (less with --weights)")
    parser.add_argument("--start", type=Path, help="weights to start from (default: those that scripts/setup fetched)")
    parser.add_argument("--minutes", type=float, default=40.0, help="wall time of all sittings together")
    parser.add_argument("--steps", type=int, default=0, help="stop after so many steps (0: by time alone)")
    parser.add_argument("--size", type=int, default=320, help="input side in pixels, a multiple of 32")
    parser.add_argument("--without", nargs="+", default=[], choices=LEVERS, help="leave out, to see what it gives")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1, help="threads of the network; the views have a process")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--no-resume", action="store_true", help="start anew although the folder has a checkpoint")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train; writes the averaged network to OUT/detector.pt."""
    try:
        import torch
    except ModuleNotFoundError as error:
        raise UsageError(f"training needs torch ({error}); run scripts/setup --export and use .venv-export") from error
    from comfywear_export.loop import Plan, fit
    from comfywear_export.nets.detector import DetectorNet

    if args.size % 32:
        raise UsageError(f"--size {args.size} is not a multiple of 32")
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    folders = [f for f in find_sets(args.data) if f.name in args.sets or f == args.data] + args.also
    photos = [photo for folder in folders for photo in read_set(folder, "train")]
    print(f"{len(photos)} photos of {', '.join(f.name for f in folders)}; {args.size} px; views of {args.batch}")
    net = DetectorNet()
    if args.weights is None:
        net.trunk.load_pretrained(args.start)
    else:
        net.load_state_dict(_weights(args.weights))
    net = net.to(memory_format=torch.channels_last)
    frozen = FrozenPart(export_frozen(net.trunk, args.size, args.size, args.out / "frozen.onnx"))
    note = {
        "commit": commit(),
        "size": str(args.size),
        "sets": " ".join(folder.name for folder in folders),
        "without": " ".join(sorted(args.without)),
        "weights": str(args.weights or ""),
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
    views = Views(photos, args.size, args.seed, args.batch, frozen, args.without)
    done = fit(net, lambda step: endless(views, step), Loss(args.size), plan, args.out, resume=not args.no_resume)
    path = args.out / "detector.pt"
    torch.save({"weights": done.net.state_dict(), "size": args.size, "step": done.step, "seconds": done.seconds}, path)
    print(f"{path}: {done.step} steps, {done.step * args.batch} views, {done.seconds / 60:.1f} min")
    return 0


def _weights(path: Path) -> dict[str, torch.Tensor]:
    """The averaged weights of an earlier run."""
    import pickle

    import torch

    try:
        state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)["weights"]
    except (OSError, RuntimeError, KeyError, EOFError, pickle.UnpicklingError) as error:
        raise UsageError(f"{path}: no detector.pt of a training run ({error})") from error
    return state


class Loss:
    """The loss of a batch of views of one size."""

    def __init__(self, size: int) -> None:
        from comfywear_export.nets.detector import cells

        self.centres, self.strides = cells(size)
        self.places = (self.centres / MAP_STRIDE).long()

    def __call__(self, net: Any, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """The loss of `net`, whose trunk goes on from the batch's maps, and its parts."""
        import torch

        fine = batch["maps"].contiguous(memory_format=torch.channels_last)
        logits, raw = net.read(net.trunk.rest(fine))
        return self.of(logits, raw, batch)

    def of(
        self, logits: torch.Tensor, raw: torch.Tensor, batch: dict[str, torch.Tensor]
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """The loss of what a network said of a batch."""
        from comfywear_export.detector_loss import Targets, detector_loss

        x, y = self.places.unbind(1)
        targets = Targets(
            batch["boxes"], batch["classes"], batch["person_known"][:, y, x], batch["garments_known"][:, y, x]
        )
        return detector_loss(logits, raw, targets, self.centres, self.strides)
