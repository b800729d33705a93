"""`comfywear-export evaluate attributes`: right answers on crops of labelled persons, constant answers beside them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.vision.attributes import AttributeModel
from comfywear.vision.detector import Detector
from comfywear.vision.nms import box_iou
from comfywear_export.attribute_data import Example, read_examples
from comfywear_export.crops import cut_out
from comfywear_export.datasets import read_photo
from comfywear_export.evaluate.detector import add_arguments, forms_of, heading, kept_for, without_nan
from comfywear_export.kept_answers import KeptAnswers, file_key
from comfywear_export.labels import ATTRIBUTE_LABELS
from comfywear_export.measure.answers import measure_answers
from comfywear_export.progress import counted
from comfywear_export.report.page import check_name

__all__ = ["add_parser", "answers", "detected", "evaluate", "judged"]

_SAME = 0.5  # IoU of a find with the labelled person


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("attributes", help="right answers on crops of persons, constant answers beside them")
    add_arguments(parser, "attributes")
    parser.add_argument(
        "--crops",
        choices=["truth", "detector"],
        default="truth",
        help="crops of the labelled boxes, or of what a detector finds there",
    )
    parser.add_argument("--detector", default="detector", metavar="MODEL", help="for --crops detector")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    if args.report:
        check_name(args.report)
    model = AttributeModel.load(args.model, engine=args.engine, precision=args.precision, threads=args.threads)
    examples = read_examples(args.data, None if args.split == "all" else args.split)
    examples = examples[: args.limit] if args.limit > 0 else examples
    crops: dict[str, Any] = {"from": "truth"}
    if args.crops == "detector":
        detector = Detector.load(args.detector, engine=args.engine, precision=args.precision, threads=args.threads)
        labelled = len(examples)
        examples = detected(detector, examples)
        crops = {"from": detector.card.name, "found": len(examples), "missed": labelled - len(examples)}
    result = {
        "model": model.card.name,
        "version": model.card.version,
        "engine": model.engine_name,
        "precision": model.precision,
        "data": args.data.name,
        "split": args.split,
        "crops": crops,
    }
    kept = kept_for(args, [model.card], model.engine_name, model.precision)
    labels, probabilities, truth = judged(model, examples, kept)
    result |= measure_answers(probabilities, truth, labels, model.thresholds)
    if args.report:
        from comfywear_export.report.attributes import report

        report(args.report, result, model.thresholds, (labels, probabilities, truth), forms_of(args, "attributes"),
               model.card)  # fmt: skip
        kept.forget()
    print(json.dumps(without_nan(result), indent=1) if args.json else _table(result))
    return 0


def answers(model: AttributeModel, examples: Sequence[Example], kept: KeptAnswers | None = None) -> NDArray[np.float32]:
    """`(N, A)` probabilities of the model for the labelled person of each photo."""
    kept = kept or KeptAnswers(None, {})

    def seen(example: Example) -> list[float]:
        return [float(p) for p in model.predict([cut_out(read_photo(example.path), example.box)])[0]]

    rows = [
        kept.get(file_key(each.path, each.box.tolist()), partial(seen, each)) for each in counted(examples, "crops")
    ]
    return np.array(rows, np.float32) if rows else np.zeros((0, len(model.labels)), np.float32)


def detected(detector: Detector, examples: Sequence[Example]) -> list[Example]:
    """The examples whose person the detector believes to see, with the box that it gives (IoU ≥ .5 with the label's).

    Raises:
        UsageError: It finds none of them.
    """
    found = []
    for example in counted(examples, "photos"):
        persons = [d for d in detector.detect(read_photo(example.path)) if d.label == "person"]
        boxes = np.array([d.box for d in persons], np.float32).reshape(-1, 4)
        overlaps = box_iou(example.box[None].astype(np.float32), boxes)[0]
        if len(overlaps) and overlaps.max() >= _SAME:
            found.append(replace(example, box=boxes[int(overlaps.argmax())]))
    if not found:
        raise UsageError(f"detector {detector.card.name!r} finds none of the {len(examples)} labelled persons")
    return found


def evaluate(model: AttributeModel, examples: Sequence[Example]) -> dict[str, Any]:
    """The figures of `measure_answers`, for the labels that model and data sets share."""
    labels, probabilities, truth = judged(model, examples)
    return measure_answers(probabilities, truth, labels, model.thresholds)


def judged(
    model: AttributeModel, examples: Sequence[Example], kept: KeptAnswers | None = None
) -> tuple[list[str], NDArray[np.float32], NDArray[np.float32]]:
    """The labels that model and data sets share, and `(N, A)` probabilities and truth (NaN: not known) of each."""
    shared = [label for label in model.labels if label in ATTRIBUTE_LABELS]
    if not shared:
        raise UsageError(f"model {model.card.name!r} has none of the labels that data sets are read for")
    columns = [model.labels.index(label) for label in shared]
    truth = np.stack([example.answers for example in examples])[:, [ATTRIBUTE_LABELS.index(s) for s in shared]]
    return shared, answers(model, examples, kept)[:, columns], truth


def _origin(crops: dict[str, Any]) -> str:
    return "" if crops["from"] == "truth" else f" found by {crops['from']} ({crops['missed']} missed)"


def _table(result: dict[str, Any]) -> str:
    base = result["prevalence"]
    lines = [
        heading(result, f"{result['persons']} persons{_origin(result['crops'])}"),
        f"{'':34}{'model':>8}{'constant':>10}",
        f"{'mean AP of the groups':34}{result['map_groups']:8.3f}{base['groups']:10.3f}",
        f"{'mean AP of single garments':34}{result['map_labels']:8.3f}{base['labels']:10.3f}",
        f"{'mean F1 of the groups':34}{result['f1_groups']:8.3f}",
        f"{'right group decisions':34}{result['decisions']['right']:8.3f}{'':10}   of {result['decisions']['n']}",
        f"{'calibration error':34}{result['calibration_error']:8.3f}",
    ]
    lines += [
        f"  {label:32}{row['ap']:8.3f}{row['prevalence']:10.3f}   F1 {row['f1']:.2f} from {row['threshold']:.2f}, "
        f"{row['positives']} of {row['n']}"
        for label, row in result["labels"].items()
    ]
    return "\n".join(lines)
