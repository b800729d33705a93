"""`comfywear-export evaluate room`: what fitting a detector to a simulated room is worth, label by label."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from comfywear.errors import UsageError
from comfywear.system.arguments import number, whole
from comfywear_export.data.datasets import find_sets, read_set
from comfywear_export.measure.interval import over_seeds
from comfywear_export.training.runs import RUN_HELP, load_detector

__all__ = ["add_parser", "table"]

_GARMENT_PHOTOS = 80


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser(
        "room",
        help="what fitting the detector to a simulated room is worth, label by label",
        description="The validation photos of a set with every person labelled become a room: a camera from above, "
        "tilted, without colour, in low light. A part of them is the pool to learn from, the others measure. Goes on "
        "where it stopped: finished rows in OUT are kept.",
    )
    parser.add_argument("--run", required=True, type=Path, dest="checkpoint", metavar="RUN", help=RUN_HELP)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets people and ccp")
    parser.add_argument("--out", type=Path, default=Path("runs/room"), help="folder of everything on the way")
    parser.add_argument("--seeds", type=whole(1), default=3, help="repetitions (default 3)")
    parser.add_argument("--asked", type=whole(1), nargs="+", default=[10, 30, 100], help="labels asked for (10 30 100)")
    parser.add_argument("--arms", nargs="+", help="only these of the rows")
    parser.add_argument("--pool", type=whole(1), default=120, help="photos of the room to learn from (default 120)")
    parser.add_argument("--steps", type=whole(1), default=200, help="of each training (default 200)")
    parser.add_argument(
        "--rate", type=number(0.0, 1.0, above=True), default=1e-3, help="peak learning rate (default 0.001)"
    )
    parser.add_argument("--first-seed", type=whole(0, 2**32 - 1), default=0, help=argparse.SUPPRESS)
    parser.add_argument("--batch", type=whole(4), default=8, help="views a step, a multiple of 4 (default 8)")
    parser.add_argument("--threads", type=whole(1, 1000), default=1, help="of torch (default 1)")
    parser.add_argument("--json", action="store_true", help="print the rows as one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run what is missing, then print means and intervals."""
    if args.batch % 4:
        raise UsageError("--batch is a multiple of 4")
    net, size = load_detector(args.checkpoint)
    import torch

    from comfywear_export.nets.trunk_maps import TrunkMaps, export_trunk
    from comfywear_export.room.trial import Sets, Settings, arms, seed_rows, simulated

    torch.set_num_threads(args.threads)
    folders = [f for f in find_sets(args.data) if f.name in ("people", "ccp")]
    sets = {folder.name: folder for folder in folders}
    if "people" not in sets:
        raise UsageError(f"{args.data}: holds no set named people")
    level = read_set(sets["people"], "validation")
    train = [photo for folder in folders for photo in read_set(folder, "train")]
    garments = read_set(sets["ccp"], "validation")[:_GARMENT_PHOTOS] if "ccp" in sets else []
    maps = TrunkMaps(export_trunk(net.trunk, size, size, args.out / "trunk.onnx"))
    settings = Settings(size, args.pool, args.steps, args.batch, args.rate, refresh=max(1, args.steps // 2))
    data = Sets(train, level, simulated(level, args.out / "photos"), garments)
    names = args.arms or arms(args.asked)
    folder = args.out / _how(args)
    rows: list[dict[str, Any]] = []
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        torch.manual_seed(seed)
        rows += seed_rows(net, data, settings, seed, names, folder, maps, lambda line: print(line, flush=True))
    print(json.dumps({"rows": rows}) if args.json else table(rows))
    return 0


def _how(args: argparse.Namespace) -> str:
    """A folder's name that holds what the rows depend on, so that none is taken for another's."""
    path = args.checkpoint / "detector.pt" if args.checkpoint.is_dir() else args.checkpoint
    mark = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return f"{mark}-pool{args.pool}-steps{args.steps}-batch{args.batch}-rate{args.rate:g}"


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Means over the seeds and 95 % intervals; gains are paired with the model as it is, seed by seed."""
    first = {row["seed"]: row for row in rows if row["arm"] == "before"}
    lines = [
        f"{'':14}{'labels':>7}{'boxes':>7}{'room AP50':>16}{'gain':>17}{'released':>10}{'elsewhere':>19}{'share':>7}"
    ]
    for name in dict.fromkeys(row["arm"] for row in rows):
        own = [row for row in rows if row["arm"] == name]
        gains = [row["room"] - first[row["seed"]]["room"] for row in own if row["seed"] in first]
        mean = {
            key: over_seeds([row[key] for row in own])[0] for key in own[0] if isinstance(own[0][key], (int, float))
        }
        elsewhere = f"{mean['source_person']:.3f} / {mean['source_garments']:.3f}"
        lines.append(
            f"{name:14}{mean['labels']:7.0f}{mean['boxes']:7.0f}{_shown([row['room'] for row in own]):>16}"
            f"{_shown(gains):>17}{mean['room_released']:10.3f}{elsewhere:>19}{mean['share']:7.2f}"
        )
    return "\n".join(lines)


def _shown(values: Sequence[float]) -> str:
    mean, _, high = over_seeds(values) if values else (float("nan"),) * 3
    return f"{mean:.3f} ± {high - mean:.3f}"
