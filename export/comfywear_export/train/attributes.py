"""`comfywear-export train attributes`: what a person wears, from crops of persons."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from comfywear.errors import UsageError
from comfywear.vision.attributes import shape_crop
from comfywear.vision.detector import Detector
from comfywear_export.attribute_data import Example, read_examples, read_tagged
from comfywear_export.augment import light
from comfywear_export.batches import endless
from comfywear_export.commands.make import commit
from comfywear_export.crops import cut_out, jitter
from comfywear_export.datasets import find_sets, read_photo
from comfywear_export.frozen import FrozenPart, export_frozen
from comfywear_export.labels import ATTRIBUTE_LABELS, LOCATED, NEEDS_LEGS
from comfywear_export.masks import Palette

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

__all__ = ["SIZE", "Crops", "add_parser", "run"]

SIZE = (320, 160)
"""Height and width of a crop."""
CELL = 16
"""Pixels of a crop to a cell of the map that says where a garment is."""
_LEGS = np.array([label in NEEDS_LEGS for label in ATTRIBUTE_LABELS])
_MASK = 4  # pixels of the crop to a pixel of its mask: enough for shares of a cell
_ERASED = 0.25
_WHERE_WEIGHT = 0.5


class Crops:
    """Endless training crops; crop number `i` of a seed is always the same.

    Args:
        examples: To choose from.
        palette: Labels of the masks, or None where there are no masks.
        seed: Of everything random.
        batch: Crops a batch.
        frozen: Turns crops into the maps that the learning part starts from.
        teacher: Answers each crop too (logits), or None.
    """

    def __init__(
        self,
        examples: list[Example],
        palette: Palette | None,
        seed: int,
        batch: int,
        frozen: FrozenPart,
        teacher: FrozenPart | None = None,
    ) -> None:
        self.examples, self.palette, self.seed, self.batch = examples, palette, seed, batch
        self.frozen, self.teacher = frozen, teacher
        self._decoded: dict[Path, NDArray[np.uint8]] = {}
        self._masks: dict[Path, NDArray[np.uint8]] = {}
        self._shows = np.zeros((256, len(LOCATED)), np.float32)
        for index, name in palette.names.items() if palette else ():
            self._shows[index] = [name in names for names in LOCATED]

    def crop(self, number: int) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
        """Crop `number`, `(H, W, 3)` RGB, its answers, and the share of each cell that shows each located label.

        NaN stands for what is not known.
        """
        rng = np.random.default_rng([self.seed, number])
        example = self.examples[rng.integers(len(self.examples))]
        if example.path not in self._decoded:
            self._decoded[example.path] = read_photo(example.path)
        box, cut = jitter(example.box, rng)
        picture = light(shape_crop(cut_out(self._decoded[example.path], box), *SIZE), rng)
        shares = self._shares(example, box)
        if rng.random() < 0.5:
            picture, shares = picture[:, ::-1], shares[..., ::-1]
        answers = np.where(cut & _LEGS, np.float32(np.nan), example.answers)
        if rng.random() < _ERASED:
            picture = _erase(picture, rng)
        return picture, answers, shares

    def _shares(self, example: Example, box: NDArray[np.float32]) -> NDArray[np.float32]:
        rows, columns = SIZE[0] // CELL, SIZE[1] // CELL
        if example.mask is None or self.palette is None:
            return np.full((len(LOCATED), rows, columns), np.nan, np.float32)
        if example.mask not in self._masks:
            self._masks[example.mask] = self.palette.mask(example.mask)
        part = cut_out(self._masks[example.mask], box)
        small = cv2.resize(part, (SIZE[1] // _MASK, SIZE[0] // _MASK), interpolation=cv2.INTER_NEAREST)
        side = CELL // _MASK
        blocks = small.reshape(rows, side, columns, side).transpose(0, 2, 1, 3).reshape(rows, columns, side * side)
        # A cell that a garment half fills is a full example of it.
        shares: NDArray[np.float32] = np.minimum(self._shows[blocks].mean(2).transpose(2, 0, 1) * 2, 1)
        return shares

    def __getitem__(self, step: int) -> dict[str, NDArray[Any]]:
        """The batch of a step: maps of the frozen part, answers, and shares of the cells."""
        cv2.setNumThreads(1)
        crops = [self.crop(step * self.batch + i) for i in range(self.batch)]
        pictures = np.stack([picture for picture, _, _ in crops])
        answers = np.stack([answers for _, answers, _ in crops])
        if self.teacher:
            # Half the data's word, half the teacher's; where the data say nothing, the teacher's alone.
            taught = 1 / (1 + np.exp(-self.teacher(pictures)))
            answers = np.where(np.isnan(answers), taught, (answers + taught) / 2)
        return {
            "maps": self.frozen(pictures),
            "answers": answers,
            "shares": np.stack([shares for _, _, shares in crops]),
        }


def _erase(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A grey patch over part of a crop (Zhong et al. 2017): something stands in front."""
    height, width = (int(rng.uniform(0.1, 0.35) * side) for side in SIZE)
    top, left = int(rng.integers(SIZE[0] - height)), int(rng.integers(SIZE[1] - width))
    picture = picture.copy()
    picture[top : top + height, left : left + width] = rng.integers(0, 256, 3)
    return picture


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("attributes", help="what a person wears, from crops of persons")
    parser.add_argument("--data", type=Path, required=True, help="a data set, or a folder of data sets")
    parser.add_argument("--sets", nargs="+", default=["ccp"], help="which of the folder's sets")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument(
        "--trunk", default="efficientnet_lite0", help="efficientnet_lite0, mobilenetv2, mobilenetv3 or resnet50"
    )
    parser.add_argument(
        "--teacher", type=Path, help="an exported attribute model (*.onnx) whose answers are learnt too"
    )
    parser.add_argument("--minutes", type=float, default=20.0, help="wall time of all sittings together")
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
    from comfywear_export.nets.attributes import TRUNKS, AttributeNet

    if args.trunk not in TRUNKS:
        raise UsageError(f"--trunk {args.trunk!r}: there are {', '.join(TRUNKS)}")
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)  # its threads would be missing in the process that makes the crops, which would wait for them
    torch.manual_seed(args.seed)
    folders = [folder for folder in find_sets(args.data) if folder.name in args.sets or folder == args.data]
    examples = [example for folder in folders for example in _examples(folder)]
    print(f"{len(examples)} persons, {sum(e.mask is not None for e in examples)} with masks; crops of {args.batch}")
    net = AttributeNet(args.trunk)
    net.trunk.load_pretrained()
    net = net.to(memory_format=torch.channels_last)
    frozen = FrozenPart(export_frozen(net.trunk, *SIZE, args.out / "frozen.onnx"))
    teacher = FrozenPart(args.teacher) if args.teacher else None
    masked = [folder for folder in folders if (folder / "labels.json").is_file()]
    palette = Palette.read(masked[0]) if masked else None
    crops = Crops(examples, palette, args.seed, args.batch, frozen, teacher)
    note = {
        "trunk": args.trunk,
        "commit": commit(),
        "sets": " ".join(folder.name for folder in folders),
        "teacher": str(args.teacher or ""),
    }
    plan = Plan(args.minutes, args.batch, seed=args.seed, steps=args.steps, weight_decay=0.05, note=note)
    done = fit(net, lambda step: endless(crops, step), _loss, plan, args.out, resume=not args.no_resume)
    path = args.out / "attributes.pt"
    state = {"weights": done.net.state_dict(), "trunk": args.trunk, "step": done.step, "seconds": done.seconds}
    torch.save(state, path)
    print(f"{path}: {done.step} steps, {done.step * args.batch} crops, {done.seconds / 60:.1f} min")
    return 0


def _examples(folder: Path) -> list[Example]:
    """The masked photos of the train split and, where there are some, the tagged ones with the person found in them."""
    detector = Detector.load("detector")

    def find(path: Path) -> NDArray[np.float32] | None:
        persons = [d for d in detector.detect(read_photo(path)) if d.label == "person"]
        largest = max(persons, key=lambda d: (d.box[2] - d.box[0]) * (d.box[3] - d.box[1]), default=None)
        return np.array(largest.box, np.float32) if largest else None

    return read_examples(folder, "train") + read_tagged(folder, find)


def _loss(net: Any, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
    """Binary cross-entropy over the answers that are known, and over the cells weighted by `|target − p|²`."""
    import torch
    from torch.nn import functional

    maps = net.trunk.rest(batch["maps"].contiguous(memory_format=torch.channels_last))
    logits, where = net.read(maps)
    known = ~batch["answers"].isnan()
    cost = functional.binary_cross_entropy_with_logits(logits, batch["answers"].nan_to_num(), reduction="none")
    answers = (cost * known).sum() / known.sum().clamp(min=1)
    seen, shares = ~batch["shares"].isnan(), batch["shares"].nan_to_num()
    cost = functional.binary_cross_entropy_with_logits(where, shares, reduction="none")
    cost = cost * (shares - where.sigmoid()).detach().square() * seen
    places = _WHERE_WEIGHT * cost.sum() / (shares * seen).sum().clamp(min=1)
    return answers + places, {"answers": float(answers.detach()), "places": float(places.detach())}
