"""`comfywear-export select`: which photos of a folder, of captures or of a clip are worth a person's labels."""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.records import Detection
from comfywear.system.arguments import number, seconds, whole
from comfywear.vision.attributes import AttributeModel
from comfywear.vision.detectors.detector import Detector
from comfywear_export.active.candidates import Candidate, candidates
from comfywear_export.active.diversity import combined, k_centre, standardised, top
from comfywear_export.active.looks import Look, looks
from comfywear_export.active.scores import SCORES, margin
from comfywear_export.active.sheet import sheet
from comfywear_export.active.spacing import spaced
from comfywear_export.active.to_label import ToLabel, write_to_label
from comfywear_export.data.datasets import read_photo
from comfywear_export.data.formats import WRITERS

__all__ = ["WAYS", "add_parser", "ranked", "run", "worth_showing"]

WAYS = (*SCORES, "k-centre", "combined", "random")
"""Ways to choose; see `active.cycle.STRATEGIES`."""
_SHOWN = 60
_DOUBTED, _NEARLY = 3, 0.6  # uncertain boxes a photo on the sheet, from so much of their threshold on


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "select",
        help="which photos of a folder, of captures or of a clip are worth a person's labels",
        description="Ranks photos by what the shipped models say of them, without torch, and writes a list, a contact "
        "sheet, and the chosen photos with the models' guesses as a data set to correct. Killed at any moment, it goes "
        "on where it stopped.",
    )
    parser.add_argument(
        "source", type=Path, metavar="PHOTOS", help="a folder of photos or captures, a data set, a clip"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the list, the sheet and the data set")
    parser.add_argument("--count", type=whole(1), default=50, help="how many (default 50)")
    parser.add_argument(
        "--by", choices=WAYS, default="combined", help="how (default combined: uncertain and different)"
    )
    parser.add_argument("--of", choices=["boxes", "answers"], default="boxes",
                        help="uncertain boxes, or what the surest person wears (default boxes)")  # fmt: skip
    parser.add_argument(
        "--gap", type=number(0.0, 1e6), default=10.0, metavar="S", help="seconds between frames of one clip (10)"
    )
    parser.add_argument(
        "--fps", type=number(0.0, 1000.0), default=0.0, help="the folder holds numbered frames of so many a second"
    )
    parser.add_argument("--every", type=seconds, default=1.0, metavar="S", help="seconds between a clip's frames (1)")
    parser.add_argument("--labelled", type=Path, metavar="PHOTOS", help="photos that have labels: to differ from")
    parser.add_argument("--to", choices=WRITERS, default="coco", help="format of the data set to correct (coco)")
    parser.add_argument(
        "--min-score",
        type=number(0.0, 1.0),
        metavar="S",
        help="lay out guesses from it on (default: the model's thresholds)",
    )
    parser.add_argument(
        "--detector", default="detector", metavar="MODEL", help="looks at the photos: a name or *.card.json"
    )
    parser.add_argument(
        "--attributes", default="attributes", metavar="MODEL", help="says what people wear: a name or *.card.json"
    )
    parser.add_argument("--engine", default="auto", help="onnxruntime, litert, cuda, tensorrt or auto")
    parser.add_argument("--threads", type=whole(1, 1000), default=1, help="of the engine (default 1)")
    parser.add_argument("--seed", type=whole(0, 2**32 - 1), default=0, help="of --by random")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look at every photo, choose, and write; returns the exit code."""
    how = {"engine": args.engine, "threads": args.threads}
    models = Detector.load(args.detector, **how), AttributeModel.load(args.attributes, **how)
    photos, seen, damaged = looks(
        candidates(args.source, args.out / "frames", args.fps, args.every), *models, args.out / "looks.jsonl"
    )
    if not photos:
        raise UsageError(f"{args.source}: none of its photos can be read: {damaged[0]}")
    known: list[Look] = []
    if args.labelled:
        theirs = candidates(args.labelled, args.out / "labelled-frames", args.fps, args.every)
        known = looks(theirs, *models, args.out / "looks.jsonl")[1]
        same = {look.thumbnail.tobytes() for look in known}
        kept = [i for i, look in enumerate(seen) if look.thumbnail.tobytes() not in same]
        photos, seen = [photos[i] for i in kept], [seen[i] for i in kept]
    values, order = ranked(args.by, args.of, models[0], models[1], seen, known, args.count, args.seed)
    chosen = spaced(order, [photo.moment for photo in photos], args.gap, args.count)
    rows = [_row(rank, photos[i], seen[i], float(values[i]), models[0]) for rank, i in enumerate(chosen, 1)]
    folder = _write(args, rows, [photos[i] for i in chosen], [seen[i] for i in chosen], models[0])
    facts = {"photos": len(photos), "damaged": damaged, "chosen": rows, "to_label": str(folder)}
    print(json.dumps(facts, ensure_ascii=False) if args.json else _shown(facts, args))
    return 0


def ranked(
    by: str, of: str, detector: Detector, attributes: AttributeModel, seen: Sequence[Look], known: Sequence[Look],
    count: int, seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:  # fmt: skip
    """Scores `(N,)` (0 where the way has none) and all numbers, the most wanted first.

    Args:
        by: One of `WAYS`.
        of: "boxes" or "answers".
        detector: Whose thresholds a margin is measured from.
        attributes: Likewise.
        seen: Looks to choose from.
        known: Looks at photos that have labels.
        count: How many will be chosen: "combined" prefers that many times three.
        seed: Of "random".
    """
    if by == "random":
        return np.zeros(len(seen)), np.random.default_rng(seed).permutation(len(seen)).astype(np.intp)
    if of == "boxes":
        rows = [np.array([d.score for d in look.found]) for look in seen]
        limits = [np.array([detector.thresholds[d.label] for d in look.found]) for look in seen]
    else:
        rows = [look.answers[~np.isnan(look.answers)] for look in seen]
        limits = [np.array([attributes.thresholds[name] for name in attributes.labels])[: len(row)] for row in rows]
    if by == "margin":
        values = np.array([margin([row], limit)[0] for row, limit in zip(rows, limits, strict=True)])
    else:
        values = SCORES["entropy-sum" if by in ("combined", "k-centre") else by](rows)
    if by in SCORES:
        return values, top(values, len(values))
    space = standardised(np.stack([look.embedding(detector.labels) for look in [*seen, *known]]))
    own, others = space[: len(seen)], space[len(seen) :]
    first = k_centre(own, len(own), others) if by == "k-centre" else combined(values, own, count, others)
    rest = np.setdiff1d(top(values, len(values)), first, assume_unique=True)
    return values, np.concatenate([first, rest])


def _row(rank: int, photo: Candidate, look: Look, value: float, detector: Detector) -> dict[str, Any]:
    sure = [d for d in look.found if d.score >= detector.thresholds[d.label]]
    return {
        "rank": rank,
        "file": str(photo.path),
        "score": round(value, 4),
        "persons": sum(d.label == "person" for d in sure),
        "boxes": len(sure),
        "clip": photo.moment.clip if photo.moment else "",
        "time_s": round(photo.moment.time_s, 3) if photo.moment else "",
    }


def _write(
    args: argparse.Namespace,
    rows: Sequence[dict[str, Any]],
    photos: Sequence[Candidate],
    seen: Sequence[Look],
    detector: Detector,
) -> Path:
    """The data set to correct, `chosen.csv` and `sheet.jpg`; returns the folder of the first."""

    def least(label: str) -> float:
        return detector.thresholds[label] if args.min_score is None else float(args.min_score)

    folder: Path = args.out / "to-label"
    guessed = [[d for d in look.found if d.score >= least(d.label)] for look in seen]
    items = [
        ToLabel(photo.path, photo.name, look.width, look.height, guesses)
        for photo, look, guesses in zip(photos, seen, guessed, strict=True)
    ]
    # First, since it refuses another choice's folder.
    write_to_label(folder, args.to, items, detector.labels, args.min_score)
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    (args.out / "chosen.csv").write_text(text.getvalue(), encoding="utf-8")
    tiles = [
        (
            read_photo(photo.path),
            worth_showing(look, detector.thresholds),
            f"{row['rank']}  {row['score']:.2f}  {photo.path.name}"[:30],
        )
        for row, photo, look in list(zip(rows, photos, seen, strict=True))[:_SHOWN]
    ]
    cv2.imwrite(str(args.out / "sheet.jpg"), sheet(tiles), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return folder


def worth_showing(look: Look, limits: Mapping[str, float]) -> list[tuple[Detection, bool]]:
    """What is believed in a photo, and of the rest the few finds that nearly are, the nearest first.

    Args:
        look: At the photo.
        limits: Score of each label above which a find is believed.

    Returns:
        Finds, each with whether it is believed.
    """
    sure = [(d, True) for d in look.found if d.score >= limits[d.label]]
    near = [d for d in look.found if _NEARLY * limits[d.label] <= d.score < limits[d.label]]
    near.sort(key=lambda d: d.score / limits[d.label], reverse=True)
    return [*sure, *((d, False) for d in near[:_DOUBTED])]


def _shown(facts: dict[str, Any], args: argparse.Namespace) -> str:
    rows = facts["chosen"]
    lines = [f"{len(rows)} of {facts['photos']} photos, by {args.by} of {args.of}:"]
    lines += [f"{r['rank']:4}  {r['score']:8.3f}  {r['boxes']:3} boxes  {r['file']}" for r in rows[:10]]
    lines += ["      …"] if len(rows) > 10 else []
    lines += [f"left out: {line}" for line in facts["damaged"]]
    lines.append(f"list: {args.out / 'chosen.csv'}; sheet: {args.out / 'sheet.jpg'}")
    lines.append(f"to label, with the models' guesses to correct: {facts['to_label']} ({args.to})")
    return "\n".join(lines)
