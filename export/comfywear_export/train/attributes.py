"""`comfywear-export train attributes`: what a person wears, from crops of persons."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from comfywear.errors import UsageError
from comfywear.system.arguments import number, whole
from comfywear.vision.detectors.detector import Detector
from comfywear_export.data.attribute_data import Example, read_examples, read_tagged
from comfywear_export.data.crops import CROP_SIZE
from comfywear_export.data.datasets import find_sets, read_photo
from comfywear_export.data.masks import Palette
from comfywear_export.training.attributes import Crops, attribute_loss
from comfywear_export.training.frozen import FrozenPart, export_frozen
from comfywear_export.training.provenance import commit, mark

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["add_parser", "run"]

_SETTLE = 6  # batches that the batch norms of exported weights are measured on


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
    parser.add_argument(
        "--weights",
        type=Path,
        help="an exported *.onnx such as the shipped one to begin from, instead of the trunk's pretrained weights",
    )
    parser.add_argument(
        "--mix",
        type=number(0.0, 1.0),
        default=1.0,
        metavar="SHARE",
        help="how much of what is learnt is written; the rest is --weights (default 1: all of it)",
    )
    parser.add_argument(
        "--rate", type=number(0.0, 1e6), default=1.0, help="times the usual learning rates (less with --weights)"
    )
    parser.add_argument("--minutes", type=number(0.0, 1e6), default=20.0, help="wall time of all sittings together")
    parser.add_argument("--steps", type=whole(0), default=0, help="stop after so many steps (0: by time alone)")
    parser.add_argument("--batch", type=whole(1), default=32, help="crops a step (default 32)")
    parser.add_argument(
        "--threads", type=whole(1, 1000), default=1, help="threads of the network; the crops have a process"
    )
    parser.add_argument(
        "--seed", type=whole(0, 2**32 - 1), default=20261122, help="of what is drawn (default 20261122)"
    )
    parser.add_argument("--no-resume", action="store_true", help="start anew although the folder has a checkpoint")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train; writes the averaged network to OUT/attributes.pt."""
    try:
        import torch
    except ModuleNotFoundError as error:
        raise UsageError(f"training needs torch ({error}); run scripts/setup --export and use .venv-export") from error
    from comfywear_export.nets.attributes import TRUNKS, AttributeNet
    from comfywear_export.nets.shipped import mix_with_exported, read_exported, settle_norms
    from comfywear_export.training.loop import Plan, endless, fit

    if args.trunk not in TRUNKS:
        raise UsageError(f"--trunk {args.trunk!r}: there are {', '.join(TRUNKS)}")
    if args.mix == 0 or (args.mix < 1 and not args.weights):
        raise UsageError(f"--mix {args.mix}: a share above 0 up to 1 of what is learnt, beside --weights")
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)  # its threads would be missing in the process that makes the crops, which would wait for them
    torch.manual_seed(args.seed)
    folders = [folder for folder in find_sets(args.data) if folder.name in args.sets or folder == args.data]
    examples = [example for folder in folders for example in _examples(folder)]
    print(f"{len(examples)} persons, {sum(e.mask is not None for e in examples)} with masks; crops of {args.batch}")
    net = AttributeNet(args.trunk)
    if args.weights:
        read_exported(net, args.weights)
    else:
        net.trunk.load_pretrained()
    net = net.to(memory_format=torch.channels_last)
    frozen = FrozenPart(export_frozen(net.trunk, *CROP_SIZE, args.out / "frozen.onnx"))
    teacher = FrozenPart(args.teacher) if args.teacher else None
    masked = [folder for folder in folders if (folder / "labels.json").is_file()]
    palette = Palette.read(masked[0]) if masked else None
    crops = Crops(examples, palette, args.seed, args.batch, frozen, teacher)
    note = {
        "trunk": args.trunk,
        "commit": commit(),
        "sets": " ".join(folder.name for folder in folders),
        "teacher": str(args.teacher or ""),
        "weights": mark(args.weights) if args.weights else "",
    }
    plan = Plan(
        args.minutes,
        args.batch,
        trunk_rate=3e-4 * args.rate,
        head_rate=2e-3 * args.rate,
        seed=args.seed,
        steps=args.steps,
        weight_decay=0.05,
        note=note,
    )
    if args.weights:
        settle_norms(net, (torch.from_numpy(crops[step]["maps"]) for step in range(_SETTLE)))
    done = fit(net, lambda step: endless(crops, step), attribute_loss, plan, args.out, resume=not args.no_resume)
    if args.mix < 1:
        mix_with_exported(done.net, args.weights, args.mix)
        plan_path = args.out / "plan.json"
        begun = json.loads(plan_path.read_text(encoding="utf-8"))
        plan_path.write_text(json.dumps({**begun, "mix": args.mix}, indent=1) + "\n", encoding="utf-8")
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
