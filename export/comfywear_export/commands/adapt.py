"""`comfywear-export adapt`: fit the detector to a room that it has never seen, with few labels or none."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from comfywear.errors import ModelError, UsageError
from comfywear.system import arguments
from comfywear_export.active.candidates import candidates
from comfywear_export.active.to_label import ToLabel, write_to_label
from comfywear_export.data.datasets import Photo, find_sets, read_photo, read_set
from comfywear_export.data.formats import WRITERS
from comfywear_export.measure.detection import without_nan
from comfywear_export.room.gate import SHARES, Kept
from comfywear_export.training.runs import RUN_HELP, load_detector

__all__ = ["add_parser", "run"]

_RECALL_AT = 0.3  # AP, which is all that is shown, does not depend on it


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "adapt",
        help="fit the detector to a room that it has never seen, with few labels or none",
        description="A teacher, the average of the network that learns, labels the room's photos; source data stay in "
        "the mix; the result is refused where it got worse on them. With --ask the most promising photos are laid out "
        "for people first. Killed at any moment, it goes on where it stopped.",
    )
    parser.add_argument("photos", type=Path, metavar="PHOTOS", help="photos of the room, captures, a clip")
    parser.add_argument("--run", required=True, type=Path, dest="checkpoint", metavar="RUN", help=RUN_HELP)
    parser.add_argument("--source", type=Path, required=True, help="the data sets that the detector was trained on")
    parser.add_argument("--out", type=Path, required=True, help="folder of everything on the way and of detector.pt")
    parser.add_argument(
        "--ask", type=arguments.whole(0), default=0, metavar="N", help="lay out the N photos to label, and stop"
    )
    parser.add_argument("--to", choices=WRITERS, default="coco", help="format of what --ask lays out (coco)")
    parser.add_argument("--labelled", type=Path, metavar="SET", help="photos of the room that people labelled: the "
                        "split train is learnt, validation measured")  # fmt: skip
    parser.add_argument("--steps", type=arguments.whole(1), default=200, help="of the training (default 200)")
    parser.add_argument("--batch", type=arguments.whole(4), default=8, help="views a step, a multiple of 4 (default 8)")
    parser.add_argument(
        "--rate", type=arguments.number(0.0, 1.0, above=True), default=1e-3, help="peak learning rate (default 0.001)"
    )
    parser.add_argument(
        "--precision",
        type=arguments.number(0.0, 1.0, above=True),
        default=0.8,
        help="that the teacher's labels are to have (0.8)",
    )
    parser.add_argument(
        "--may-lose",
        type=arguments.number(-1.0, 1.0),
        default=0.01,
        help="AP50 that may be lost elsewhere (default 0.01)",
    )
    parser.add_argument(
        "--check", type=arguments.whole(1), default=200, help="photos of each source set that are measured (200)"
    )
    parser.add_argument(
        "--every", type=arguments.seconds, default=1.0, metavar="S", help="seconds between a clip's frames (1)"
    )
    parser.add_argument(
        "--threads", type=arguments.whole(1, 1000), default=1, help="of torch and the engine (default 1)"
    )
    parser.add_argument("--seed", type=arguments.whole(0, 2**32 - 1), default=0, help="of the training (default 0)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, or train and measure; exit code 1 when the result is refused."""
    if args.batch % 4 or args.precision == 1:
        raise UsageError("--batch is a multiple of 4, --precision is below 1")
    net, size = load_detector(args.checkpoint)
    import torch

    from comfywear_export.nets.trunk_maps import TrunkMaps, export_trunk
    from comfywear_export.room.pseudo import precise_thresholds

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    labelled = read_set(args.labelled) if args.labelled else []
    own = _own(args, {photo.path.name for photo in labelled})
    maps = TrunkMaps(export_trunk(net.trunk, size, size, args.out / "trunk.onnx"))
    folders = find_sets(args.source)
    check = [photo for folder in folders for photo in _some(read_set(folder, "validation"), args.check)]
    from comfywear_export.room.finding import tallied

    # One half says from which score on the teacher is believed, the other is the gate's.
    thresholds = precise_thresholds(tallied(net, maps, size, check[::2]), args.precision)
    if args.ask:
        return _ask(args, net, maps, size, own, thresholds)
    source = [photo for folder in folders for photo in read_set(folder, "train")]
    asked = [photo for photo in labelled if photo.split != "validation"]
    measured = [photo for photo in labelled if photo.split == "validation"]
    return _fit(args, (net, maps, size), (source, own, asked), (check[1::2], measured), thresholds)


def _own(args: argparse.Namespace, taken: set[str]) -> list[Photo]:
    """The room's photos without labels."""
    photos = []
    for each in candidates(args.photos, args.out / "frames", 0.0, args.every):
        if each.path.name not in taken:
            height, width = read_photo(each.path).shape[:2]
            nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
            photos.append(Photo(each.path, width, height, *nothing, (), False, True, None, ""))
    if not photos:
        raise UsageError(f"{args.photos}: no photo in it that has no label yet")
    return photos


def _some(photos: Sequence[Photo], count: int) -> list[Photo]:
    """At most so many, spread evenly."""
    return list(photos[:: max(1, -(-len(photos) // count))])


def _ask(
    args: argparse.Namespace, net: Any, maps: Any, size: int, own: Sequence[Photo], thresholds: Mapping[str, float]
) -> int:
    """Lay out the most promising photos for people."""
    from comfywear_export.measure.detection import FLOOR
    from comfywear_export.room.asking import promising
    from comfywear_export.room.finding import finds

    found = finds(net, maps, size, own, FLOOR)
    items = []
    for number in promising(found, maps, size, own, args.ask):
        photo = own[number]
        sure = [d for d in found[number] if d.score >= thresholds.get(d.label, np.inf)]
        items.append(ToLabel(photo.path, photo.path.name, photo.width, photo.height, sure))
    folder = args.out / f"to-label-{args.ask}"
    write_to_label(folder, args.to, items)
    if args.json:
        print(json.dumps({"to_label": str(folder), "photos": [str(item.path) for item in items]}))
    else:
        print(f"{folder}: {len(items)} photos with guesses to correct ({args.to}); then: adapt … --labelled {folder}")
    return 0


def _fit(
    args: argparse.Namespace,
    model: tuple[Any, Any, int],
    learnt: tuple[list[Photo], list[Photo], list[Photo]],
    measured: tuple[list[Photo], list[Photo]],
    thresholds: Mapping[str, float],
) -> int:
    """Train, let the gate decide, and save what it lets through."""
    import torch

    from comfywear_export.room.adapting import Room, adapt
    from comfywear_export.room.finding import tallied
    from comfywear_export.room.gate import mixed, passed
    from comfywear_export.training.loop import Plan

    (net, maps, size), (source, own, asked), (elsewhere, room) = model, learnt, measured
    say = partial(print, file=sys.stderr if args.json else sys.stdout, flush=True)

    def measure(weights: Mapping[str, Any]) -> Kept:
        trial.load_state_dict(weights)
        tally = tallied(trial, maps, size, elsewhere)
        return Kept(tally.person(_RECALL_AT)["ap50"], tally.garments()["map50"])

    def in_the_room(weights: Mapping[str, Any]) -> float | None:
        trial.load_state_dict(weights)
        return tallied(trial, maps, size, room).person(_RECALL_AT)["ap50"] if room else None

    old = {name: value.clone() for name, value in net.state_dict().items()}
    plan = Plan(
        24 * 60.0, args.batch, trunk_rate=0.0, head_rate=args.rate, average=0.9, settle=0, seed=args.seed,
        steps=args.steps, warm_up=max(1, min(50, args.steps // 4)),
    )  # fmt: skip
    say(f"{len(own)} photos of the room, {len(asked)} with labels; believed from {_rounded(thresholds)}")
    done = adapt(net, size, Room(source, own, asked, thresholds), plan, args.out / "training", maps,
                 refresh=max(1, args.steps // 4), versions=4, say=say)  # fmt: skip
    new = {name: value.clone() for name, value in done.net.state_dict().items()}
    trial = done.net
    before = measure(old)
    through = passed(old, new, measure, before, args.may_lose)
    facts: dict[str, Any] = {
        "steps": done.step, "seconds": round(done.seconds, 1), "share": through.share, "elsewhere": through.figures,
        "room": {"before": in_the_room(old), "after": in_the_room(mixed(old, new, through.share))},
        "thresholds": dict(thresholds), "photos": len(own), "labelled": len(asked), "measured": len(room),
    }  # fmt: skip
    (args.out / "adapt.json").write_text(json.dumps(without_nan(facts), indent=1) + "\n", encoding="utf-8")
    if not through.share:
        least = through.figures[f"{SHARES[-1]:g}"]
        raise ModelError(
            f"refused: elsewhere AP50 fell from {_rounded(asdict(before))} to {_rounded(least)}, by more than "
            f"{args.may_lose}, even with a quarter of the step; the old model stays (more source data, a lower --rate)"
        )
    state = {"weights": mixed(old, new, through.share), "size": size, "step": done.step, "seconds": done.seconds}
    path = args.out / "detector.pt"
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)
    print(json.dumps(without_nan(facts)) if args.json else _shown(facts, path))
    return 0


def _rounded(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in values.items())


def _shown(facts: Mapping[str, Any], path: Path) -> str:
    share = f"{facts['share']:g}"
    lines = [f"elsewhere, AP50 before: {_rounded(facts['elsewhere']['before'])}"]
    lines.append(f"elsewhere, AP50 after:  {_rounded(facts['elsewhere'][share])} (with {share} of the step)")
    if facts["measured"]:
        room = facts["room"]
        lines.append(
            f"in the room, person AP50: {room['before']:.3f} → {room['after']:.3f} ({facts['measured']} photos)"
        )
    else:
        lines.append("in the room: not measured (no photo of --labelled is in a split named validation)")
    lines.append(f"{path}: goes on with comfywear-export export detector --run {path.parent}")
    return "\n".join(lines)
