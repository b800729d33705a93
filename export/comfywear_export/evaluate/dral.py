"""`comfywear-export evaluate dral`: what questions about who is who are worth, by how they are chosen.

No set of photos with the same person seen twice is at hand: hard views are made of single photos, as in `evaluate reid`
but worse. A simulated person answers. Nobody who measures was among those on whom policies or embedding were learnt.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import StoreError, UsageError
from comfywear.system.arguments import whole
from comfywear.system.json_file import save_json
from comfywear.vision import AttributeModel, Detector
from comfywear_export.data.attribute_data import Example
from comfywear_export.dral.experiment import POLICIES, REFRESHING, Plan, one_seed
from comfywear_export.dral.scores import interval
from comfywear_export.dral.simulate import Asking
from comfywear_export.measure.reid import distinct_examples
from comfywear_export.progress import counted

__all__ = ["add_parser", "figures", "run", "table"]

Floats = NDArray[np.float64]

_CHUNK = 20  # persons whose views are written at once
_PARTS = ("learning", "asked", "held")
_SHOWN = (0, 1, 2, 3, 5, 10)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser(
        "dral",
        help="rank-1 and mAP against questions asked about who is who, by how they are chosen",
        description="Simulates re-identification with a person in the loop. May be stopped at any time, kill -9 "
        "included: the same command goes on.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the Clothing Co-Parsing folder")
    parser.add_argument("--out", type=Path, default=Path("runs/dral"), metavar="DIR", help="default runs/dral")
    parser.add_argument("--seeds", type=whole(1), default=5, metavar="N", help="default 5")
    parser.add_argument(
        "--persons", type=whole(10), default=80, metavar="N", help="learnt on, and asked about (80 each)"
    )
    parser.add_argument("--held", type=whole(0), default=0, metavar="N", help="who measure (0 = all of validation)")
    parser.add_argument("--views", type=whole(2), default=5, metavar="N", help="of a person, one of them the query (5)")
    parser.add_argument("--questions", type=whole(1), default=10, metavar="N", help="at most, a query (default 10)")
    parser.add_argument(
        "--pool", type=whole(1), default=30, metavar="N", help="nearest views that can be asked about (30)"
    )
    parser.add_argument(
        "--neighbours", type=whole(1), default=8, metavar="K", help="k-reciprocal neighbours (default 8)"
    )
    parser.add_argument("--rounds", type=whole(1), default=1500, metavar="N", help="of Q-learning (default 1500)")
    parser.add_argument(
        "--refreshing", type=whole(1), default=100, metavar="N", help="queries that refresh (default 100)"
    )
    parser.add_argument("--detector", default="detector", metavar="NAME", help="model, by name or path of its card")
    parser.add_argument("--attributes", default="attributes", metavar="NAME", help="model, by name or path of its card")
    parser.add_argument("--engine", default="auto", help="onnxruntime, litert or auto")
    parser.add_argument("--precision", default="fp16", help="fp16 or int8 (default fp16)")
    parser.add_argument("--threads", type=whole(1, 1000), default=1, help="of torch (default 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, write OUT/dral.json, dral.png and policy.json, and print; returns the exit code."""
    plan = Plan(Asking(args.pool, args.questions, args.neighbours), args.rounds, args.refreshing)
    folder = args.data / "ccp" if (args.data / "ccp").is_dir() else args.data
    detector = Detector.load(args.detector, engine=args.engine, precision=args.precision, threads=args.threads)
    attributes = AttributeModel.load(
        args.attributes, engine=args.engine, precision=args.precision, threads=args.threads
    )
    said = {
        **{name: getattr(args, name) for name in ("persons", "held", "views", "questions", "pool", "neighbours")},
        **{name: getattr(args, name) for name in ("rounds", "refreshing")},
        "data": folder.name,
        "models": [detector.file.sha256, attributes.file.sha256],
    }
    _same_plan(args.out, said)
    seeds = []
    for seed in counted(range(args.seeds), "seed", args.seeds):
        path = args.out / f"seed-{seed}.json"
        if not path.is_file():
            rows = _views(folder, args, seed, detector, attributes)
            save_json(path, one_seed(rows["learning"], rows["asked"], rows["held"], plan, seed))
        seeds.append(_read(path))
    result = {
        **said,
        "attributes": f"{attributes.card.name} {attributes.card.version}",
        "seeds": args.seeds,
        "persons": seeds[0]["persons"],
        **figures(seeds),
    }
    save_json(args.out / "dral.json", result)
    from comfywear_export.dral.chart import draw

    save_json(args.out / "policy.json", seeds[0]["policy"])
    draw(result, args.out / "dral.png")
    print(json.dumps(result) if args.json else table(result))
    return 0


def _same_plan(out: Path, said: Mapping[str, Any]) -> None:
    """Write what is measured beside it; refuse to go on with something else."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{out}: cannot be made ({error.strerror})") from error
    path = out / "plan.json"
    if not path.is_file():
        save_json(path, said)
    before = _read(path)
    if before != said:
        changed = ", ".join(sorted(name for name in said if before.get(name) != said[name]))
        raise UsageError(f"{out} holds a measurement with other settings ({changed}); name another --out or delete it")


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); delete it and start again") from error
    return found


def _views(
    folder: Path, args: argparse.Namespace, seed: int, detector: Detector, attributes: AttributeModel
) -> dict[str, Floats]:
    """By part `(N, V, D)`; what was made before is read from the folder."""
    rng = np.random.default_rng([seed, 11])
    learners = distinct_examples(folder, "train", 2 * args.persons, rng)
    shuffled = [learners[index] for index in rng.permutation(len(learners))]
    held = distinct_examples(folder, "validation", args.held, np.random.default_rng(11))
    half = len(shuffled) // 2
    parts: dict[str, Sequence[Example]] = {"learning": shuffled[:half], "asked": shuffled[half:], "held": held}
    out = {}
    for number, part in enumerate(_PARTS):
        examples, chunks = parts[part], []
        starts = range(0, len(examples), _CHUNK)
        for first in counted(starts, f"seed {seed}, views of persons {part}", len(starts)):
            path = args.out / f"views-{seed}-{part}-{first}.npy"
            if not path.is_file():
                chunk = examples[first : first + _CHUNK]
                _save(path, _looked_at(chunk, args.views, detector, attributes, (seed, number, first)))
            chunks.append(np.load(path))
        out[part] = np.concatenate(chunks)
    return out


def _looked_at(
    examples: Sequence[Example], views: int, detector: Detector, attributes: AttributeModel, seed: tuple[int, ...]
) -> Floats:
    from comfywear_export.dral.views import vectors

    made = [
        vectors(example, views, detector, attributes, np.random.default_rng([*seed, number]))
        for number, example in enumerate(examples)
    ]
    return np.stack(made)


def _save(path: Path, rows: Floats) -> None:
    """Whole or not at all."""
    beside = path.with_suffix(".new")
    try:
        with beside.open("wb") as file:
            np.save(file, rows)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror})") from error


def figures(seeds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means with their 95 % intervals over persons and seeds, of what `one_seed` gave for each seed."""
    start = _stack([each["start"] for each in seeds])
    rounds = {name: _stack([np.moveaxis(np.array(s["rounds"][name]), 0, -1) for s in seeds]) for name in POLICIES}
    area = {name: values[:, 1, 1:].mean(axis=1) for name, values in rounds.items()}  # mAP, mean of 1 … K questions
    return {
        "start": {"rank1": _figure(start[:, 0]), "map": _figure(start[:, 1])},
        "rounds": {
            name: {
                "rank1": [_figure(values[:, 0, step]) for step in range(values.shape[2])],
                "map": [_figure(values[:, 1, step]) for step in range(values.shape[2])],
                "area": _figure(area[name]),
                "beyond_nearest_first": _figure(area[name] - area["nearest first"]),
                "beyond_greedy": _figure(area[name] - area["greedy"]),
                "beyond_random": _figure(area[name] - area["random"]),
            }
            for name, values in rounds.items()
        },
        "refresh": _refresh(seeds),
        "learning_reward": {
            name: np.mean([each["learning_reward"][name] for each in seeds], axis=0).tolist()
            for name in seeds[0]["learning_reward"]
        },
    }


def _refresh(seeds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name in ("supervised on all", "triplets on all"):
        whole = _stack([each["refresh"][name] for each in seeds])
        out[name] = {"rank1": _figure(whole[:, 0]), "map": _figure(whole[:, 1])}
    last = {
        name: {way: _stack([s["refresh"][name][-1][way] for s in seeds])[:, 1] for way in _WAYS} for name in REFRESHING
    }
    for name in REFRESHING:
        points = []
        for step in range(len(seeds[0]["refresh"][name])):
            at = [each["refresh"][name][step] for each in seeds]
            point: dict[str, Any] = {key: float(np.mean([p[key] for p in at])) for key in ("questions", "same")}
            for way in _WAYS:
                values = _stack([p[way] for p in at])
                point[way] = {"rank1": _figure(values[:, 0]), "map": _figure(values[:, 1])}
            points.append(point)
        out[name] = {
            "points": points,
            "beyond_random": _figure(last[name]["triplets"] - last["random"]["triplets"]),
            "beyond_nearest_first": _figure(last[name]["triplets"] - last["nearest first"]["triplets"]),
            "beyond_supervised": _figure(last[name]["triplets"] - last[name]["supervised"]),
        }
    return out


_WAYS = ("triplets", "supervised")


def _stack(values: Sequence[Any]) -> Floats:
    """`(seeds, …, persons)`."""
    return np.stack([np.asarray(each, np.float64) for each in values])


def _figure(values: Floats) -> dict[str, float]:
    """Mean and interval of `(seeds, persons)`."""
    low, high = interval(values)
    return {"mean": round(float(values.mean()), 4), "low": round(low, 4), "high": round(high, 4)}


def _text(figure: Mapping[str, float]) -> str:
    return f"{100 * figure['mean']:5.1f} [{100 * figure['low']:.1f}, {100 * figure['high']:.1f}]"


def table(result: Mapping[str, Any]) -> str:
    """The figures in percent, as text."""
    persons, start = result["persons"], result["start"]
    steps = [step for step in _SHOWN if step < len(result["rounds"]["random"]["map"])]
    heading = f"{persons['held']} persons in {result['views']} views, {result['seeds']} seeds, {result['attributes']}"
    lines = [
        f"{heading}; percent [95 % interval]",
        f"by distance alone: rank-1 {_text(start['rank1'])}, mAP {_text(start['map'])}",
    ]
    for key, name in (("rank1", "rank-1"), ("map", "mAP")):
        lines += ["", f"{name} after questions" + "".join(f"{step:>8}" for step in steps)]
        for policy in POLICIES:
            at = result["rounds"][policy][key]
            lines.append(f"{policy:{len(name) + 16}}" + "".join(f"{100 * at[step]['mean']:8.1f}" for step in steps))
    lines += ["", f"{'mean mAP of 1 … K questions':30}{'':24}{'beyond nearest first':26}beyond random"]
    for policy in POLICIES:
        each = result["rounds"][policy]
        lines.append(
            f"{policy:30}{_text(each['area']):24}{_text(each['beyond_nearest_first']):26}{_text(each['beyond_random'])}"
        )
    lines += [
        "",
        f"embedding refreshed on other persons, no question about those who measure: mAP {_text(start['map'])}",
    ]
    for policy in REFRESHING:
        point = result["refresh"][policy]["points"][-1]
        lines.append(
            f"{policy:16}{point['questions']:6.0f} questions, {point['same']:4.0f} the same: "
            f"rank-1 {_text(point['triplets']['rank1'])}, mAP {_text(point['triplets']['map'])}; "
            f"plain metric of the same answers mAP {_text(point['supervised']['map'])}"
        )
    for name in ("supervised on all", "triplets on all"):
        whole = result["refresh"][name]
        lines.append(f"{name + ' persons':26} rank-1 {_text(whole['rank1'])}, mAP {_text(whole['map'])}")
    return "\n".join(lines)
