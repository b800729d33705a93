"""`comfywear-export cycle`: how many labels each way to choose photos needs, in simulation."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from comfywear.errors import UsageError
from comfywear.system import arguments
from comfywear_export.active.chart import draw
from comfywear_export.active.cycle import STRATEGIES, Pool, Schedule, mean_precision, run_arm
from comfywear_export.active.features import KINDS, features
from comfywear_export.active.head import Head, principal
from comfywear_export.active.pool import Held, read_held
from comfywear_export.active.worth import summary
from comfywear_export.data.attribute_data import read_examples
from comfywear_export.data.labels import ATTRIBUTE_GROUPS

__all__ = ["add_parser", "run"]

_LABELS = len(ATTRIBUTE_GROUPS)
_SHARE = 0.95


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "cycle",
        help="how many labels each way to choose photos needs for 95 %% of the full-data score",
        description="In simulation: a part of the train persons gets its labels, a head learns on frozen features, is "
        "measured on the validation persons, and chooses the next photos. Killed at any moment, it goes on where it "
        "stopped.",
    )
    parser.add_argument("--data", type=Path, required=True, help="a set with garments, such as ccp")
    parser.add_argument("--out", type=Path, default=Path("runs/cycle"), help="folder of everything on the way")
    parser.add_argument("--strategies", nargs="+", default=list(STRATEGIES), choices=STRATEGIES, metavar="NAME",
                        help=f"of {', '.join(STRATEGIES)} (default all)")  # fmt: skip
    parser.add_argument(
        "--seeds", type=arguments.whole(1), default=10, help="repetitions with other first photos (default 10)"
    )
    parser.add_argument(
        "--start",
        type=arguments.number(0.0, 100.0, above=True),
        default=5.0,
        help="labelled first, %% of the pool (default 5)",
    )
    parser.add_argument(
        "--batch",
        type=arguments.number(0.0, 100.0, above=True),
        default=5.0,
        help="labelled each time, %% of the pool (default 5)",
    )
    parser.add_argument(
        "--until",
        type=arguments.number(0.0, 100.0, above=True),
        default=70.0,
        help="where it ends, %% of the pool (default 70)",
    )
    parser.add_argument("--warm", action="store_true", help="go on from the last weights instead of a new head")
    parser.add_argument("--features", choices=KINDS, default="imagenet",
                        help="imagenet has not seen the labels; shipped needs no torch but has seen ccp's")  # fmt: skip
    parser.add_argument("--without-tags", action="store_true", help="leave out photos with image-level tags")
    parser.add_argument("--chart", type=Path, help="where the chart goes (default: beside the rows)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run what is missing, then print a table and draw the chart."""
    if args.start > args.until:
        raise UsageError("--start is at most --until")
    held = read_held(args.data, args.out, not args.without_tags)
    pool = _pool(args.data, args.features, args.out, held)
    size = len(pool.features)
    part = [max(1, round(size * value / 100)) for value in (args.start, args.batch, args.until)]
    schedule = Schedule(part[0], part[1], part[2], reset=not args.warm)
    full = _full(pool)
    show = partial(print, file=sys.stderr if args.json else sys.stdout, flush=True)
    show(f"{size} photos, {full['boxes']} boxes in the pool; {len(pool.test_features)} persons measure")
    show(f"all labels: mean AP {full['score']:.3f}")
    # The folder's name holds what the figures depend on, so that nothing goes on with another pool's photos.
    how = f"{schedule.start}-{schedule.batch}-{schedule.most}-{'reset' if schedule.reset else 'warm'}"
    folder = args.out / f"{args.features}-{size}-{how}"
    arms = _arms(args, pool, schedule, folder, show)
    rows = summary(arms, full, _SHARE)
    chart = args.chart or folder / "cycle.png"
    draw(arms, full, _SHARE, chart)
    result = {"full": full, "schedule": vars(schedule), "strategies": rows}
    (folder / "cycle.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result) if args.json else _table(rows, full))
    show(f"chart: {chart}")
    return 0


def _pool(data: Path, kind: str, out: Path, held: Held) -> Pool:
    test = read_examples(data, "validation")
    own, others = principal(features(kind, held.examples, out), features(kind, test, out))
    answers, asked = (np.stack([e.answers for e in part])[:, :_LABELS] for part in (held.examples, test))
    return Pool(own, answers, held.boxes, others, asked)


def _full(pool: Pool) -> dict[str, float]:
    head = Head()
    head.fit(pool.features, pool.answers, warm=False)
    score = mean_precision(head.predict(pool.test_features), pool.test_answers)
    return {"photos": len(pool.features), "boxes": int(pool.boxes.sum()), "score": score}


def _arms(
    args: argparse.Namespace, pool: Pool, schedule: Schedule, folder: Path, show: Callable[[str], None]
) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """Every strategy with every seed."""
    arms = {}
    pairs = [(name, seed) for seed in range(args.seeds) for name in args.strategies]
    for number, (name, seed) in enumerate(pairs, 1):
        say = partial(_progress, show, f"{number}/{len(pairs)}  {name} {seed}")
        arms[name, seed] = run_arm(pool, name, seed, schedule, folder / f"{name}-{seed}.npz", say)
    return arms


def _progress(show: Callable[[str], None], what: str, row: Mapping[str, Any]) -> None:
    show(f"{what}  {row['photos']} photos {row['boxes']} boxes  {row['score']:.3f}")


def _table(rows: Sequence[Mapping[str, Any]], full: Mapping[str, float]) -> str:
    lines = [f"needed for {_SHARE:.0%} of {full['score']:.3f}, % of all (mean ± 95 % over the seeds)"]
    lines.append(f"{'':16}{'photos':>14}{'fewer':>16}{'boxes':>14}{'fewer':>16}{'mean score':>16}")
    for row in rows:
        cells = [_percent(row[key]) for key in ("photos", "saved_photos", "boxes", "saved_boxes")]
        area = f"{row['area'][0]:.3f} ± {row['area'][1]:.3f}"
        lines.append(f"{row['strategy']:16}{cells[0]:>14}{cells[1]:>16}{cells[2]:>14}{cells[3]:>16}{area:>16}")
    return "\n".join(lines)


def _percent(pair: tuple[float, float]) -> str:
    return f"{pair[0] * 100:.1f} ± {pair[1] * 100:.1f}"
