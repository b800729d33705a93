"""`comfywear-export evaluate attributes`: right answers on crops of labelled persons, constant answers beside them."""

from __future__ import annotations

import argparse
import json
from typing import Any

from comfywear.errors import UsageError
from comfywear.vision.attributes import AttributeModel
from comfywear.vision.detectors.detector import Detector
from comfywear_export.data.attribute_data import read_examples
from comfywear_export.data.crop_views import upper_bodies
from comfywear_export.evaluate.detector import add_arguments, forms_of, heading, kept_for
from comfywear_export.measure.answers import detected, judged, lower_claimed, measure_answers
from comfywear_export.measure.detection import without_nan
from comfywear_export.report.page import check_name

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("attributes", help="right answers on crops of persons, constant answers beside them")
    add_arguments(parser, "attributes")
    parser.add_argument(
        "--crops",
        choices=["truth", "detector", "waist"],
        default="truth",
        help="crops of the labelled boxes, of what a detector finds there, or of upper bodies alone: how often is "
        "something claimed below?",
    )
    parser.add_argument("--detector", default="detector", metavar="MODEL", help="for --crops detector")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    if args.report:
        check_name(args.report)
    model = AttributeModel.load(args.model, engine=args.engine, precision=args.precision, threads=args.threads)
    examples = read_examples(args.data, None if args.split == "all" else args.split)
    examples = examples[: args.limit or None]
    crops: dict[str, Any] = {"from": "truth"}
    if args.crops == "detector":
        detector = Detector.load(args.detector, engine=args.engine, precision=args.precision, threads=args.threads)
        labelled = len(examples)
        examples = detected(detector, examples)
        crops = {"from": detector.card.name, "found": len(examples), "missed": labelled - len(examples)}
    if args.crops == "waist":
        examples = upper_bodies(examples)
        crops = {"from": "waist"}
        if not examples:
            raise UsageError(
                f"{args.data}: nobody in split {args.split!r} wears trousers, shorts or a skirt with a box"
            )
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
    if args.crops == "waist":
        result["lower_claimed"] = lower_claimed(probabilities, labels, model.thresholds)
    if args.report:
        from comfywear_export.report.attributes import report

        report(args.report, result, model.thresholds, (labels, probabilities, truth), forms_of(args, "attributes"),
               model.card)  # fmt: skip
        kept.forget()
    print(json.dumps(without_nan(result), indent=1) if args.json else _table(result))
    return 0


def _origin(crops: dict[str, Any]) -> str:
    if crops["from"] == "waist":
        return " cut at the waist"
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
        f"{'claimed below the waist: ' + name:34}{share:8.3f}"
        for name, share in result.get("lower_claimed", {}).items()
    ]
    lines += [
        f"  {label:32}{row['ap']:8.3f}{row['prevalence']:10.3f}   F1 {row['f1']:.2f} from {row['threshold']:.2f}, "
        f"{row['positives']} of {row['n']}"
        for label, row in result["labels"].items()
    ]
    return "\n".join(lines)
