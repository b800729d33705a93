"""`comfywear-export evaluate robustness`: the figures of a model on the same photos in worse conditions."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from comfywear.errors import ModelError, UsageError
from comfywear.system.paths import find_model
from comfywear.vision.attributes import AttributeModel
from comfywear.vision.detectors.composed import ComposedDetector, open_detector
from comfywear.vision.detectors.detector import Detector
from comfywear_export.data.attribute_data import Example, read_examples
from comfywear_export.data.crops import cut_out
from comfywear_export.data.datasets import IGNORED, Photo, read_photo
from comfywear_export.data.labels import ATTRIBUTE_LABELS, NEEDS_LEGS
from comfywear_export.evaluate.detector import add_arguments, heading, photos_of
from comfywear_export.measure.answers import measure_answers
from comfywear_export.measure.detection import FLOOR, Tally, without_nan
from comfywear_export.measure.spoiling import SPOILS, Spoilt
from comfywear_export.progress import counted
from comfywear_models import CardError

__all__ = ["add_parser", "attribute_rows", "detector_rows"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("robustness", help="a model on the same photos darker, blurred, tilted, hidden, small")
    add_arguments(parser, "detector")
    parser.add_argument("--garments", default="", metavar="MODEL", help="find garments with it on persons' crops")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print a row for each condition."""
    how = {"engine": args.engine, "precision": args.precision, "threads": args.threads}
    try:
        task = find_model(args.model)[0].task
    except CardError as error:
        raise ModelError(str(error)) from error
    model: Detector | AttributeModel
    if task == "detector":
        detector = open_detector(args.model, garments=args.garments, interval_s=0.0, **how)
        photos = photos_of(args)
        rows, count, model = detector_rows(detector, photos), f"{len(photos)} photos", detector.parts[0][1]
    elif task == "attributes":
        answering = AttributeModel.load(args.model, **how)
        examples = read_examples(args.data, None if args.split == "all" else args.split)
        examples = examples[: args.limit or None]
        rows, count, model = attribute_rows(answering, examples), f"{len(examples)} persons", answering
    else:
        raise UsageError(f"model {args.model!r} is for {task!r}; detectors and attribute models look at photos")
    result = {
        "model": model.card.name,
        "version": model.card.version,
        "engine": model.engine_name,
        "precision": model.precision,
        "data": args.data.name,
        "split": args.split,
        "conditions": rows,
    }
    print(json.dumps(without_nan(result), indent=1) if args.json else _table(result, count))
    return 0


def detector_rows(detector: Detector | ComposedDetector, photos: Sequence[Photo]) -> dict[str, dict[str, Any]]:
    """For each condition `person` (ap50, recall50, precision50, n) and `garments` (map50); see `Tally`."""
    tallies = {name: Tally() for name in SPOILS}
    for photo in counted(photos, "photos"):
        image = read_photo(photo.path)
        for name, spoil in SPOILS.items():
            spoilt = spoil(image, photo.boxes, photo.persons)
            tallies[name].add(_labelled(photo, spoilt), detector.detect(spoilt.image, threshold=FLOOR))
    rows = {}
    for name, tally in tallies.items():
        person, garments = tally.person(detector.thresholds["person"]), tally.garments()
        kept = ("ap50", "recall50", "precision50", "n")
        rows[name] = {"person": {k: person[k] for k in kept}, "garments": {"map50": garments["map50"]}}
    return rows


def attribute_rows(model: AttributeModel, examples: Sequence[Example]) -> dict[str, dict[str, Any]]:
    """For each condition `map_groups`, `f1_groups` and `decisions` of `measure_answers`.

    Where legs are hidden, what only legs show (trousers, skirts, shoes) is not asked.
    """
    shared = [label for label in model.labels if label in ATTRIBUTE_LABELS]
    columns = [model.labels.index(label) for label in shared]
    needs_legs = np.array([label in NEEDS_LEGS for label in shared])
    truth = np.stack([example.answers for example in examples])[:, [ATTRIBUTE_LABELS.index(s) for s in shared]]
    said: dict[str, list[Any]] = {name: [] for name in SPOILS}
    asked: dict[str, list[Any]] = {name: [] for name in SPOILS}
    for example, answers in zip(counted(examples, "persons"), truth, strict=True):
        image, box = read_photo(example.path), example.box[None].astype(np.float32)
        for name, spoil in SPOILS.items():
            spoilt = spoil(image, box, box)
            said[name].append(model.predict([cut_out(spoilt.image, spoilt.boxes[0])])[0, columns])
            asked[name].append(answers if spoilt.legs else np.where(needs_legs, np.nan, answers))
    rows = {}
    for name in SPOILS:
        figures = measure_answers(np.stack(said[name]), np.stack(asked[name]), shared, model.thresholds)
        rows[name] = {key: figures[key] for key in ("map_groups", "f1_groups", "decisions")}
        rows[name]["groups"] = sum(label.startswith("group/") for label in figures["labels"])
    return rows


def _labelled(photo: Photo, spoilt: Spoilt) -> Photo:
    """The photo with the boxes that can still be seen; a garment that cannot counts neither way."""
    classes = np.where(spoilt.hidden & (photo.classes != 0), IGNORED, photo.classes)
    keep = ~(spoilt.hidden & (photo.classes == 0))
    names = tuple(name for name, kept in zip(photo.names, keep, strict=True) if kept)
    return replace(photo, boxes=spoilt.boxes[keep], classes=classes[keep], names=names)


def _table(result: dict[str, Any], count: str) -> str:
    rows = result["conditions"]
    if "map_groups" in next(iter(rows.values())):
        lines = [f"{'':14}{'groups mAP':>12}{'mean F1':>10}{'right':>8}{'groups':>8}"]
        lines += [
            f"{name:14}{row['map_groups']:12.3f}{row['f1_groups']:10.3f}{row['decisions']['right']:8.3f}{row['groups']:8}"
            for name, row in rows.items()
        ]
    else:
        lines = [f"{'':14}{'person AP50':>12}{'found':>8}{'right':>8}{'garments AP50':>15}"]
        lines += [
            f"{name:14}{row['person']['ap50']:12.3f}{row['person']['recall50']:8.3f}{row['person']['precision50']:8.3f}"
            f"{row['garments']['map50']:15.3f}"
            for name, row in rows.items()
        ]
    return "\n".join([heading(result, count), *lines])
