"""`comfywear-export train attributes`: what a person wears, from crops of persons."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from comfywear.errors import UsageError
from comfywear.vision.attributes import shape_crop
from comfywear_export.attribute_data import Example, read_examples, read_tagged
from comfywear_export.augment import light
from comfywear_export.batches import endless
from comfywear_export.crops import cut_out, jitter
from comfywear_export.datasets import find_sets, read_photo
from comfywear_export.frozen import FrozenPart, export_frozen
from comfywear_export.labels import ATTRIBUTE_LABELS, NEEDS_LEGS

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

__all__ = ["SIZE", "Crops", "add_parser", "run"]

SIZE = (256, 128)
"""Height and width of a crop."""
_LEGS = np.array([label in NEEDS_LEGS for label in ATTRIBUTE_LABELS])


class Crops:
    """Endless training crops; crop number `i` of a seed is always the same.

    Args:
        examples: To choose from.
        seed: Of everything random.
        batch: Crops a batch.
        frozen: Turns crops into the maps that the learning part starts from.
    """

    def __init__(self, examples: list[Example], seed: int, batch: int, frozen: FrozenPart) -> None:
        self.examples, self.seed, self.batch, self.frozen = examples, seed, batch, frozen
        self._decoded: dict[Path, NDArray[np.uint8]] = {}

    def crop(self, number: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Crop `number`, `(256, 128, 3)` RGB, and its answers with NaN for what is not known."""
        rng = np.random.default_rng([self.seed, number])
        example = self.examples[rng.integers(len(self.examples))]
        if example.path not in self._decoded:
            self._decoded[example.path] = read_photo(example.path)
        box, cut = jitter(example.box, rng)
        picture = cut_out(self._decoded[example.path], box)
        if rng.random() < 0.5:
            picture = np.ascontiguousarray(picture[:, ::-1])
        answers = np.where(cut & _LEGS, np.float32(np.nan), example.answers)
        return light(shape_crop(picture, *SIZE), rng), answers

    def __getitem__(self, step: int) -> dict[str, NDArray[Any]]:
        """The batch of a step: maps of the frozen part and answers."""
        cv2.setNumThreads(1)
        crops = [self.crop(step * self.batch + i) for i in range(self.batch)]
        return {"maps": self.frozen(np.stack([c for c, _ in crops])), "answers": np.stack([a for _, a in crops])}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("attributes", help="what a person wears, from crops of persons")
    parser.add_argument("--data", type=Path, required=True, help="a data set, or a folder of data sets")
    parser.add_argument("--sets", nargs="+", default=["ccp"], help="which of the folder's sets")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--minutes", type=float, default=10.0, help="wall time of all sittings together")
    parser.add_argument("--steps", type=int, default=0, help="stop after so many steps (0: by time alone)")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1, help="threads of the network; the crops have a process")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--no-resume", action="store_true", help="start anew although the folder has a checkpoint")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train; writes the averaged network to OUT/attributes.pt."""
    try:
        import torch
    except ModuleNotFoundError as error:
        raise UsageError(f"training needs torch ({error}); run scripts/setup --export and use .venv-export") from error
    from comfywear_export.loop import Plan, fit
    from comfywear_export.nets.attributes import AttributeNet

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    examples = []
    for folder in find_sets(args.data):
        if folder.name in args.sets or folder == args.data:
            examples += _examples(folder)
    print(f"{len(examples)} persons; crops of {args.batch}")
    net = AttributeNet()
    net.trunk.load_imagenet()
    net = net.to(memory_format=torch.channels_last)
    crops = Crops(
        examples, args.seed, args.batch, FrozenPart(export_frozen(net.trunk, *SIZE, args.out / "frozen.onnx"))
    )
    plan = Plan(minutes=args.minutes, batch=args.batch, seed=args.seed, steps=args.steps, weight_decay=0.05)
    done = fit(net, lambda step: endless(crops, step), _loss, plan, args.out, resume=not args.no_resume)
    path = args.out / "attributes.pt"
    torch.save({"weights": done.net.state_dict(), "step": done.step, "seconds": done.seconds}, path)
    print(f"{path}: {done.step} steps, {done.step * args.batch} crops, {done.seconds / 60:.1f} min")
    return 0


def _examples(folder: Path) -> list[Example]:
    """The masked photos of the train split and, where there are some, the tagged ones."""
    examples = read_examples(folder, "train")
    known = {example.path for example in read_examples(folder)}
    parts, sizes = [], {}
    for example in examples:
        height, width = read_photo(example.path).shape[:2]
        parts.append(example.box / np.array([width, height, width, height]))
    for path in sorted((folder / "photos").glob("*.jpg")):
        if path not in known:
            height, width = read_photo(path).shape[:2]
            sizes[path] = (width, height)
    return examples + read_tagged(folder, sizes, np.mean(parts, 0).astype(np.float32))


def _loss(net: Any, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
    """Binary cross-entropy over the answers that are known."""
    import torch
    from torch.nn import functional

    logits = net.read(net.trunk.rest(batch["maps"].contiguous(memory_format=torch.channels_last)))
    known = ~batch["answers"].isnan()
    cost = functional.binary_cross_entropy_with_logits(logits, batch["answers"].nan_to_num(), reduction="none")
    loss = (cost * known).sum() / known.sum().clamp(min=1)
    return loss, {"loss": float(loss.detach())}
