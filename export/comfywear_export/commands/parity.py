"""`comfywear-export parity`: whether all forms of a model give the same answers to the same photos."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from comfywear.errors import ModelError
from comfywear.vision.attributes import AttributeModel
from comfywear.vision.detector import Detector
from comfywear.vision.nms import box_iou
from comfywear_export.attribute_data import read_examples
from comfywear_export.datasets import read_photo, read_set
from comfywear_export.evaluate import attributes as evaluate_attributes
from comfywear_export.runs import MODELS
from comfywear_models import CardError, find

_SAME = 0.8  # IoU of two boxes that are taken to be the same find
_FORMS = (("onnxruntime", "fp16"), ("litert", "fp16"), ("onnxruntime", "int8"), ("litert", "int8"))


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("parity", help="do all forms of a model give the same answers?")
    parser.add_argument("task", choices=MODELS)
    parser.add_argument("model", nargs="?", help="a shipped model's name or the path of a *.card.json")
    parser.add_argument("--data", type=Path, required=True, help="a folder with instances.json")
    parser.add_argument("--split", default="validation")
    parser.add_argument("--limit", type=int, default=60, help="how many photos")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare each form with the first, which computes in 32 bits on ONNX Runtime."""
    compare = _detector if args.task == "detector" else _attributes
    try:
        card = find(args.model or args.task)[0]
    except CardError as error:
        raise ModelError(str(error)) from error
    there = {(file.engine, file.precision) for file in card.files}
    rows = compare(args, [form for form in _FORMS if form in there])
    if args.json:
        print(json.dumps(rows, indent=1))
        return 0
    for row in rows:
        print("  ".join(f"{key} {value:.4f}" if isinstance(value, float) else f"{value}" for key, value in row.items()))
    return 0


def _attributes(args: argparse.Namespace, forms: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Largest difference of a probability, and the share of decisions that change."""
    examples = read_examples(args.data, args.split)[: args.limit]
    rows: list[dict[str, Any]] = []
    reference = None
    for engine, precision in forms:
        model = AttributeModel.load(args.model or args.task, engine=engine, precision=precision, threads=args.threads)
        values = evaluate_attributes.answers(model, examples)
        limits = np.array([model.thresholds[label] for label in model.labels], np.float32)
        reference = values if reference is None else reference
        rows.append(
            {
                "form": f"{engine} {precision}",
                "largest difference": float(np.abs(values - reference).max()),
                "mean difference": float(np.abs(values - reference).mean()),
                "changed decisions": float(((values >= limits) != (reference >= limits)).mean()),
                "ms a crop": 1000 * model.engine_s / len(examples),
            }
        )
    return rows


def _detector(args: argparse.Namespace, forms: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Share of finds that have no counterpart (label, IoU ≥ .8) in the other form, and the counterparts' difference."""
    photos = [read_photo(photo.path) for photo in read_set(args.data, args.split)[: args.limit]]
    rows: list[dict[str, Any]] = []
    reference = None
    for engine, precision in forms:
        model = Detector.load(args.model or args.task, engine=engine, precision=precision, threads=args.threads)
        finds = [model.detect(photo) for photo in photos]
        reference = finds if reference is None else reference
        differences, alone, total = [0.0], 0, 0
        for mine, theirs in zip(finds, reference, strict=True):
            for one, others in ((mine, theirs), (theirs, mine)):
                for found in one:
                    total += 1
                    same = [other for other in others if other.label == found.label]
                    boxes = np.array([other.box for other in same], np.float32).reshape(-1, 4)
                    overlaps = box_iou(np.array([found.box], np.float32), boxes)[0]
                    if len(same) and overlaps.max() >= _SAME:
                        differences.append(abs(same[int(overlaps.argmax())].score - found.score))
                    else:
                        alone += 1
        rows.append(
            {
                "form": f"{engine} {precision}",
                "largest difference": float(np.max(differences)),
                "mean difference": float(np.mean(differences)),
                "finds without counterpart": alone / max(total, 1),
                "finds": sum(len(found) for found in finds),
                "ms a photo": 1000 * model.engine_s / len(photos),
            }
        )
    return rows
