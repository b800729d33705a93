"""`comfywear-export evaluate detector`: average precision on labelled photos, a constant box beside it."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from comfywear.errors import ModelError, UsageError
from comfywear.records import Detection
from comfywear.vision.composed import ComposedDetector, open_detector
from comfywear.vision.detector import Detector
from comfywear_export.commands.parity import compare
from comfywear_export.datasets import Photo, read_photo, read_set
from comfywear_export.kept_answers import KeptAnswers, file_key
from comfywear_export.measure.detection import FLOOR, mean_boxes, measure
from comfywear_export.progress import counted
from comfywear_export.report.page import check_name
from comfywear_models import Card

__all__ = ["Finds", "add_parser", "evaluate", "figures", "forms_of", "kept_for", "look", "without_nan"]

Finds = Sequence[tuple[Photo, Sequence[Detection]]]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("detector", help="average precision on labelled photos, a constant box beside it")
    add_arguments(parser, "detector")
    parser.add_argument(
        "--garments", default="", metavar="MODEL", help="find garments with it on persons' crops, as [vision] garments"
    )
    parser.set_defaults(run=run)


def add_arguments(parser: argparse.ArgumentParser, model: str) -> None:
    """The arguments that evaluations of models share."""
    parser.add_argument("model", nargs="?", default=model, help="a shipped model's name or the path of a *.card.json")
    parser.add_argument("--data", type=Path, required=True, help="a folder with instances.json")
    parser.add_argument("--split", default="validation", help='which split of the folder, or "all"')
    parser.add_argument("--engine", default="auto", help="onnxruntime, litert, cuda, tensorrt or auto")
    parser.add_argument("--precision", default="fp16", help="fp16 or int8 (default fp16)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=int, default=0, help="only the first so many photos (0: all)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--report", type=Path, metavar="FILE", help="also write a page with charts: FILE.html or .md")
    parser.add_argument("--forms-limit", type=int, default=60, help="photos to compare all forms on, for the report")


def forms_of(args: argparse.Namespace, task: str) -> list[dict[str, Any]] | str:
    """Agreement and speed of every form of the model on the first photos; in words why not, where they do not open."""
    most = min(args.forms_limit, args.limit or args.forms_limit)
    try:
        return compare(task, args.model, args.data, None if args.split == "all" else args.split, most, (1, 2))
    except ModelError as error:
        return str(error)


def photos_of(args: argparse.Namespace) -> list[Photo]:
    """The photos that the arguments name."""
    photos = read_set(args.data, None if args.split == "all" else args.split)
    return photos[: args.limit] if args.limit > 0 else photos


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    if args.report:
        check_name(args.report)
    how = {"engine": args.engine, "precision": args.precision, "threads": args.threads}
    detector = open_detector(args.model, garments=args.garments, interval_s=0.0, **how)
    kept = kept_for(args, [part.card for _, part in detector.parts], detector.engine_name, detector.precision)
    finds = look(detector, photos_of(args), kept)
    result = {
        "model": " + ".join(part.card.name for _, part in detector.parts),
        "version": detector.card.version,
        "engine": detector.engine_name,
        "precision": detector.precision,
        "data": args.data.name,
        "split": args.split,
        **figures(finds, detector.thresholds["person"], args.data),
    }
    if args.report:
        from comfywear_export.report.detector import report

        constant = mean_boxes(learned_from(photos_of(args), args.data)[0])
        base = [(photo, constant(photo)) for photo, _ in finds]
        report(args.report, result, detector.thresholds, (finds, base), forms_of(args, "detector"), detector.card)
        kept.forget()
    print(json.dumps(without_nan(result), indent=1) if args.json else _table(result))
    return 0


def kept_for(args: argparse.Namespace, cards: Sequence[Card], engine: str, precision: str) -> KeptAnswers:
    """Where the answers are kept while a report is made: in a hidden file beside it, until it is written."""
    path = args.report.with_name(f".{args.report.name}.answers") if args.report else None
    files = [file.sha256 for card in cards for file in card.files]
    return KeptAnswers(path, {"files": files, "engine": engine, "precision": precision, "floor": FLOOR})


def look(detector: Detector | ComposedDetector, photos: Sequence[Photo], kept: KeptAnswers | None = None) -> Finds:
    """Each photo with what the detector finds in it, however unsure."""
    kept = kept or KeptAnswers(None, {})

    def seen(photo: Photo) -> list[list[Any]]:
        found = detector.detect(read_photo(photo.path), threshold=FLOOR)
        return [[[float(side) for side in each.box], float(each.score), each.label] for each in found]

    return [
        (p, [Detection(tuple(box), score, label) for box, score, label in kept.get(file_key(p.path), partial(seen, p))])
        for p in counted(photos, "photos")
    ]


def evaluate(detector: Detector | ComposedDetector, photos: Sequence[Photo], data: Path) -> dict[str, Any]:
    """The figures of a detector on photos: `images`, `person`, `garments`, `mean_box`."""
    return figures(look(detector, photos), detector.thresholds["person"], data)


def figures(finds: Finds, threshold: float, data: Path) -> dict[str, Any]:
    """The same figures of what was found; `threshold` is that of persons."""
    photos = [photo for photo, _ in finds]
    found = {id(photo): detections for photo, detections in finds}
    result = measure(photos, lambda photo: found[id(photo)], threshold)
    learned, origin = learned_from(photos, data)
    constant = measure(photos, mean_boxes(learned), threshold)
    result["mean_box"] = {"person": constant["person"], "garments": constant["garments"], "from": origin}
    return result


def learned_from(photos: Sequence[Photo], data: Path) -> tuple[list[Photo], str]:
    """The photos whose mean box the constant answer is, and which those are."""
    try:
        return read_set(data, "train"), "train"
    except UsageError:
        return list(photos), "the photos measured: the set has no split named train"


def heading(result: dict[str, Any], count: str) -> str:
    """The first line of a table: which model, on what."""
    model = f"{result['model']} {result['version']} on {result['engine']} {result['precision']}"
    return f"{model}; {count} of {result['data']} {result['split']}"


def without_nan(value: Any) -> Any:
    """The same with None for figures that do not exist."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def _table(result: dict[str, Any]) -> str:
    person, constant = result["person"], result["mean_box"]["person"]
    sure = f"   of {person['n']}, at a score of {person['threshold']:.2f} or more"
    lines = [
        heading(result, f"{result['images']} photos"),
        f"{'':22}{'model':>8}{'mean box':>10}",
        f"{'person AP50':22}{person['ap50']:8.3f}{constant['ap50']:10.3f}",
        f"{'person AP50:95':22}{person['ap']:8.3f}{constant['ap']:10.3f}",
        f"{'persons found':22}{person['recall50']:8.3f}{constant['recall50']:10.3f}{sure}",
        f"{'finds that are right':22}{person['precision50']:8.3f}{constant['precision50']:10.3f}",
    ]
    garments, base = result["garments"], result["mean_box"]["garments"]
    if garments["per_class"]:
        lines.append(f"{'garments mean AP50':22}{garments['map50']:8.3f}{base['map50']:10.3f}")
        lines += [
            f"  {label:20}{entry['ap50']:8.3f}{base['per_class'][label]['ap50']:10.3f}   of {entry['n']}"
            for label, entry in garments["per_class"].items()
        ]
    return "\n".join(lines)
