"""`comfywear-export evaluate detector`: who is found on labelled photos, and who is seen where nobody is."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from comfywear.errors import ModelError, UsageError
from comfywear.system.arguments import number, whole
from comfywear.vision import AttributeModel
from comfywear.vision.detectors.company import LAYOUT as WITH_COMPANY
from comfywear.vision.detectors.company import MOST
from comfywear.vision.detectors.composed import ComposedDetector, open_detector
from comfywear.vision.detectors.detector import Detector
from comfywear.vision.layouts.comfywear_1 import LAYOUT as DECODED
from comfywear_export.data.datasets import Photo, read_set
from comfywear_export.data.empty_photos import read_empty
from comfywear_export.evaluate._detector_table import heading, table
from comfywear_export.measure.detection import (
    FLOOR,
    Finds,
    Tally,
    figures,
    learned_from,
    look,
    mean_boxes,
    without_nan,
)
from comfywear_export.measure.dressed import Dresser
from comfywear_export.measure.false_persons import Tradeoff, best_scores, tradeoff
from comfywear_export.measure.kept_answers import KeptAnswers
from comfywear_export.measure.nobody import SOURCES, by_source, choose_threshold, empty_figures
from comfywear_export.measure.parity import compare
from comfywear_export.report.charts import Trade, write_trades
from comfywear_export.report.page import check_name
from comfywear_models import Card

__all__ = [
    "add_arguments",
    "add_parser",
    "forms_of",
    "heading",
    "kept_for",
    "photos_of",
]


_PHOTOS = 3  # with fewer photos of each, sources are no parts of a set
_STEPS = [round(0.05 * i, 2) for i in range(1, 20)]
"""Thresholds of the curve in figures."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("detector", help="who is found on labelled photos, and who is seen where nobody is")
    add_arguments(parser, "detector", several=True)
    parser.add_argument(
        "--garments", default="", metavar="MODEL", help="find garments with it on persons' crops, as [vision] garments"
    )
    parser.add_argument(
        "--attributes", default="attributes", metavar="MODEL",
        help="weigh garments by what it says of their wearers, as a device does; '' = the detector alone",
    )  # fmt: skip
    parser.add_argument(
        "--some-persons", type=Path, action="append", default=[], metavar="FOLDER",
        help="as --data, of a set that labels some persons alone: finds elsewhere count neither way; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--empty", type=Path, action="append", default=[], metavar="FOLDER",
        help="photos with nobody in them: a folder with instances.json, or of photos; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--quick", action="store_true", help="the quick look alone; else also closer, as a device does now and then"
    )
    parser.add_argument(
        "--model",
        dest="others",
        action="append",
        default=[],
        metavar="MODEL",
        help="another one beside; may be repeated",
    )
    parser.add_argument(
        "--choose-threshold", action="store_true", help="the highest recall at which few --empty photos fire"
    )
    parser.add_argument(
        "--most",
        type=number(0.0, 1.0),
        default=0.02,
        metavar="SHARE",
        help="how many may, for --choose-threshold (default 0.02)",
    )
    parser.add_argument(
        "--choose-on", action="append", default=[], metavar="SOURCE",
        help="choose on the empty photos of this source or folder alone; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--company",
        type=number(0.0, MOST),
        metavar="WEIGHT",
        help="of persons' company, instead of the card's",
    )
    parser.add_argument(
        "--curve", type=Path, metavar="FILE", help="draw false persons over recall, of all models: FILE.svg or .png"
    )
    parser.set_defaults(run=run)


def add_arguments(parser: argparse.ArgumentParser, model: str, several: bool = False) -> None:
    """The arguments that evaluations of models share; with `several`, --data may be repeated or left out."""
    parser.add_argument("model", nargs="?", default=model, help="a shipped model's name or the path of a *.card.json")
    if several:
        parser.add_argument(
            "--data", type=Path, action="append", default=[], metavar="FOLDER",
            help="a folder with instances.json; may be repeated, then a summary is added",
        )  # fmt: skip
    else:
        parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="a folder with instances.json")
    parser.add_argument("--split", default="validation", help='which split of the folder, or "all"')
    parser.add_argument("--engine", default="auto", help="onnxruntime, litert, cuda, tensorrt or auto")
    parser.add_argument("--precision", default="fp16", help="fp16 or int8 (default fp16)")
    parser.add_argument("--threads", type=whole(1, 1000), default=1, help="of the engine (default 1)")
    parser.add_argument(
        "--limit", type=whole(0), default=0, help="only the first so many photos of each set or source (0: all)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--report", type=Path, metavar="FILE", help="also write a page with charts: FILE.html or .md")
    parser.add_argument(
        "--forms-limit", type=whole(1), default=60, help="photos to compare all forms on, for the report"
    )


def forms_of(args: argparse.Namespace, task: str) -> list[dict[str, Any]] | str:
    """Agreement and speed of every form of the model on the first photos; in words why not, where they do not open."""
    most = min(args.forms_limit, args.limit or args.forms_limit)
    data = args.data[0] if isinstance(args.data, list) else args.data
    try:
        return compare(task, args.model, data, _split(args), most, (1, 2))
    except ModelError as error:
        return str(error)


def photos_of(args: argparse.Namespace) -> list[Photo]:
    """The photos of the one folder that the arguments name."""
    return _first(args, read_set(args.data, _split(args)))


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    _check(args)
    sets = {folder: _labelled(args, folder) for folder in [*args.data, *args.some_persons]}
    empty = [(folder, _first_of_each(args, read_empty(folder, _split(args)))) for folder in args.empty]
    result: dict[str, Any] = {}
    trades: list[Trade] = []
    for model in [args.model, *args.others]:
        detector = _open(args, model)
        dress = _dresser(args, detector, sets)
        cards = [part.card for _, part in detector.parts] + ([dress.model.card] if dress else [])
        kept = kept_for(args, cards, detector.engine_name, detector.precision)
        seen = partial(look, detector, kept=kept, quick=args.quick, dress=dress)
        finds = {folder: seen(photos) for folder, photos in sets.items()}
        nobody = [(folder, seen(photos)) for folder, photos in empty]
        measured, trade = _measured(args, detector, finds, nobody)
        measured["attributes"] = f"{dress.model.card.name} {dress.model.card.version}" if dress else None
        if trade:
            trades.append(Trade(f"{measured['model']} {measured['version']}", trade, measured["threshold"]))
        if result:
            result["others"].append(measured)
        else:
            result = {**measured, **({"others": []} if args.others else {})}
            if args.report:
                _report(args, result, detector, finds)
        kept.forget()
    if args.curve:
        write_trades(args.curve, trades, args.most)
    print(json.dumps(without_nan(result), indent=1) if args.json else table(result))
    return 0


def _check(args: argparse.Namespace) -> None:
    """UsageError where the arguments contradict each other, before anything is measured."""
    if args.report:
        check_name(args.report)
        if len(args.data) != 1 or args.some_persons:
            raise UsageError("--report is of one set: give --data once")
    if not args.data and not args.some_persons and not args.empty:
        raise UsageError("there is nothing to look at: give --data FOLDER, --empty FOLDER, or both")
    if (args.choose_threshold or args.choose_on) and not args.empty:
        raise UsageError("--choose-threshold needs photos with nobody in them: give --empty FOLDER")
    if args.curve:
        if args.curve.suffix not in (".svg", ".png") or not args.curve.parent.is_dir():
            raise UsageError(f"--curve {args.curve}: a file that ends in .svg or .png, in a folder that exists")
        if not args.empty or not (args.data or args.some_persons):
            raise UsageError("--curve needs photos with people (--data) and photos with nobody (--empty)")


def _split(args: argparse.Namespace) -> str | None:
    return None if args.split == "all" else str(args.split)


def _first(args: argparse.Namespace, photos: list[Photo]) -> list[Photo]:
    return photos[: args.limit or None]


def _first_of_each(args: argparse.Namespace, photos: list[Photo]) -> list[Photo]:
    """The first photos of every source, where not all are wanted."""
    parts = by_source([(photo, ()) for photo in photos])
    return [photo for found in parts.values() for photo in _first(args, [photo for photo, _ in found])]


def _labelled(args: argparse.Namespace, folder: Path) -> list[Photo]:
    photos = _first(args, read_set(folder, _split(args)))
    if folder not in args.some_persons:
        return photos
    return [replace(photo, all_persons=False) for photo in photos]


def _open(args: argparse.Namespace, model: str) -> Detector | ComposedDetector:
    how = {"engine": args.engine, "precision": args.precision, "threads": args.threads}
    garments = args.garments if model == args.model else ""
    detector = open_detector(model, garments=garments, interval_s=0.0, **how)
    if args.company is not None and model == args.model:
        _, persons = detector.parts[0]
        if persons.card.layout not in (DECODED, WITH_COMPANY):
            raise UsageError(f"--company: {persons.card.name} is of another family, whose persons have no company")
        persons.company = args.company
    return detector


def _dresser(
    args: argparse.Namespace, detector: Detector | ComposedDetector, sets: Mapping[Path, Sequence[Photo]]
) -> Dresser | None:
    """What weighs garments, where there are any to weigh."""
    labelled = any(photo.garments for photos in sets.values() for photo in photos)
    if not args.attributes or not labelled or not detector.labels[1:]:
        return None
    model = AttributeModel.load(args.attributes, engine=args.engine, precision=args.precision, threads=args.threads)
    return Dresser(model, detector.thresholds["person"])


def _measured(
    args: argparse.Namespace,
    detector: Detector | ComposedDetector,
    finds: Mapping[Path, Finds],
    nobody: Sequence[tuple[Path, Finds]],
) -> tuple[dict[str, Any], Tradeoff | None]:
    """All figures of one model, and its curve where there are photos with people and photos with nobody."""
    threshold = detector.thresholds["person"]
    result: dict[str, Any] = {
        "model": " + ".join(part.card.name for _, part in detector.parts),
        "version": detector.card.version,
        "engine": detector.engine_name,
        "precision": detector.precision,
        "look": "quick" if args.quick else "far",
        "threshold": threshold,
        "split": args.split,
    }
    rows = [_set_figures(folder, found, threshold) for folder, found in finds.items()]
    if not detector.labels[1:]:
        for row in rows:  # a model of persons alone has not missed the garments
            row["garments"] = {"map50": float("nan"), "per_class": {}}
    if len(rows) == 1:
        result |= rows[0]
    elif rows:
        result |= {"images": sum(row["images"] for row in rows), "sets": rows, "summary": _summary(rows)}
    trade = None
    if nobody:
        result["empty"] = empty_figures(nobody, threshold)
        drawn = _drawn(finds)
        persons = [_tally(found).found["person"] for found in drawn.values()]
        trade = tradeoff(persons, best_scores([found for _, each in nobody for _, found in each]))
        steps = sorted({*_STEPS, round(threshold, 4)})
        curve = [{"threshold": step, **dict(zip(("recall50", "share"), trade.at(step), strict=True))} for step in steps]
        result["curve"] = curve
        result["recall_on"] = [folder.name for folder in drawn]
        if args.choose_threshold:
            chosen = choose_threshold(nobody, args.most, args.choose_on)
            found = [_tally(each).person(chosen["threshold"]) for each in drawn.values()]
            chosen |= {key: _mean(row[key] for row in found) for key in ("recall50", "precision50")}
            result["chosen"] = {**chosen, "empty": empty_figures(nobody, chosen["threshold"])}
    return result, trade if nobody and finds else None


def kept_for(args: argparse.Namespace, cards: Sequence[Card], engine: str, precision: str) -> KeptAnswers:
    """Where the answers are kept while a report is made: in a hidden file beside it, until it is written."""
    path = args.report.with_name(f".{args.report.name}.answers") if args.report else None
    files = [file.sha256 for card in cards for file in card.files]
    how = {"quick": getattr(args, "quick", True), "company": getattr(args, "company", None)}
    return KeptAnswers(path, {"files": files, "engine": engine, "precision": precision, "floor": FLOOR, **how})


def _set_figures(folder: Path, finds: Finds, threshold: float) -> dict[str, Any]:
    """`data` and the figures of one set, with `sources` where it has a few."""
    parts = {source: found for source, found in by_source(finds).items() if source}
    sources = {
        source: {"images": len(found), "person": _tally(found).person(threshold)}
        for source, found in sorted(parts.items())
    }
    row = {"data": folder.name, **figures(finds, threshold, folder)}
    if _is_weak(finds):
        row["weak"] = True
    few = 1 < len(sources) <= SOURCES and len(finds) >= _PHOTOS * len(sources)
    return {**row, "sources": sources} if few else row


def _is_weak(finds: Finds) -> bool:
    """Whether a detector drew the persons."""
    return any(photo.weak for photo, _ in finds)


def _drawn(finds: Mapping[Path, Finds]) -> Mapping[Path, Finds]:
    """The sets whose persons people drew: what another detector missed is no recall; all where there is none."""
    return {folder: found for folder, found in finds.items() if not _is_weak(found)} or finds


def _summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The means over the sets, which count the same; those of persons over sets that people labelled."""
    drawn = [row for row in rows if not row.get("weak")] or rows
    persons = [row["person"] for row in drawn if row["person"]["n"]]
    garments = [row["garments"]["map50"] for row in rows if row["garments"]["per_class"]]
    return {
        "sets": [row["data"] for row in drawn],
        "person": {key: _mean(row[key] for row in persons) for key in ("ap50", "ap", "recall50", "precision50")},
        "garments": {"map50": _mean(garments)},
    }


def _tally(finds: Finds) -> Tally:
    tally = Tally()
    for photo, found in finds:
        tally.add(photo, found)
    return tally


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else float("nan")


def _report(
    args: argparse.Namespace,
    result: Mapping[str, Any],
    detector: Detector | ComposedDetector,
    finds: Mapping[Path, Finds],
) -> None:
    from comfywear_export.report.detector import report

    ((data, found),) = finds.items()
    constant = mean_boxes(learned_from([photo for photo, _ in found], data)[0])
    base = [(photo, constant(photo)) for photo, _ in found]
    report(args.report, result, detector.thresholds, (found, base), forms_of(args, "detector"), detector.card)
