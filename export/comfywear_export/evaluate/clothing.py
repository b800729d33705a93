"""`comfywear-export evaluate clothing`: the clo of photos, from labels and from models, against `derived.json`.

The data set's sums are weak labels: plain sums of table values by the garments in the mask. Plain sums are compared.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from comfywear.comfort import clothing_of
from comfywear.errors import ModelError, SourceError, UsageError
from comfywear.records import Clothing, Frame, Garment, Person

# Labels of the set that are no clothing.
NOT_WORN = {"person", "skin", "hair", "null", "umbrella"}
SLEEVES = {"long": (0.0, 0.0), "short": (1.0, 0.0), "sleeveless": (1.0, 1.0), "short_or_sleeveless": (1.0, 0.5)}
WITHIN = 0.15  # what a camera's clo must be within to beat a fixed value (clo)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("clothing", help="the clo of photos, from labels and from the models")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the Clothing Co-Parsing folder")
    parser.add_argument("--split", default="validation", help="train or validation (default validation)")
    parser.add_argument("--detector", default="detector", metavar="NAME", help="model, by name or path of its card")
    parser.add_argument("--attributes", default="attributes", metavar="NAME", help="model, by name or path of its card")
    parser.add_argument("--engine", default="auto", help="onnxruntime, litert or auto")
    parser.add_argument("--precision", default="fp16", help="fp16 or int8 (default fp16)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print; exit code 0, also when the models are not there (the answer says so)."""
    folder = args.data / "ccp" if (args.data / "ccp").is_dir() else args.data
    derived = _read(folder / "derived.json")
    photos = {name: entry for name, entry in derived.items() if _usable(entry, args.split)}
    if not photos:
        raise UsageError(f"{folder}: no photo with a clo in split {args.split!r}")
    truth = np.array([entry["clo"]["sum"] for entry in photos.values()])
    known = np.array([entry["clo"]["sum"] for entry in derived.values() if _usable(entry, "train")])
    constant = float(np.median(known)) if known.size else float(np.median(truth))
    labels = _labels(folder)
    figures: dict[str, Any] = {
        "photos": len(photos),
        "split": args.split,
        "constant": _errors(np.full(truth.shape, constant), truth) | {"clo": constant},
        "from_labels": _measure(lambda name: clothing_of(_labelled(photos[name], labels[name])), photos, truth),
    }
    try:
        look = _models(args, folder)
    except (ModelError, OSError, ImportError) as error:
        figures |= {"from_models": None, "models_missing": str(error)}
    else:
        figures |= {"from_models": _measure(look, photos, truth), "models_missing": None}
    print(json.dumps(figures, ensure_ascii=False) if args.json else _table(figures))
    return 0


def _measure(look: Callable[[str], Clothing], photos: Mapping[str, Any], truth: Any) -> dict[str, float]:
    worn = [look(name) for name in photos]
    sums = np.array([clothing.sum_clo for clothing in worn], float)
    deviations = np.array([clothing.clo_sd for clothing in worn])
    covered = np.abs(sums - truth) <= 2.0 * deviations
    return _errors(sums, truth) | {"mean_sd": float(deviations.mean()), "within_2_sd": float(covered.mean())}


def _errors(found: Any, truth: Any) -> dict[str, float]:
    gap = found - truth
    return {
        "mae": float(np.abs(gap).mean()),
        "rmse": float(np.sqrt((gap**2).mean())),
        "bias": float(gap.mean()),
        "within_0.15": float((np.abs(gap) <= WITHIN).mean()),
    }


def _usable(entry: Mapping[str, Any], split: str) -> bool:
    return entry.get("split") == split and bool(entry.get("clo", {}).get("complete"))


def _labels(folder: Path) -> dict[str, set[str]]:
    """The labels of every photo that has masks."""
    coco = _read(folder / "instances.json")
    names = {category["id"]: category["name"] for category in coco["categories"]}
    photo_of = {image["id"]: Path(image["file_name"]).stem for image in coco["images"]}
    labels: dict[str, set[str]] = {photo: set() for photo in photo_of.values()}
    for annotation in coco["annotations"]:
        labels[photo_of[annotation["image_id"]]].add(names[annotation["category_id"]])
    return labels


def _labelled(entry: Mapping[str, Any], labels: set[str]) -> Person:
    """A person as a perfect model would see them: the labels, and sleeve and hem where the masks show them."""
    attributes: dict[str, float] = {}
    if (sleeve := SLEEVES.get(str(entry.get("sleeve", {}).get("value")))) is not None:
        attributes |= {"sleeve/short": sleeve[0], "sleeve/none": sleeve[1]}
    if (short := entry.get("upar", {}).get("LowerBody-Length-Short")) is not None:
        attributes["leg/short"] = float(short)
    garments = tuple(Garment(label, 1.0) for label in sorted(labels - NOT_WORN))
    return Person(0, (0.0, 0.0, 1.0, 1.0), 1.0, garments, attributes, 0.0, "photo")


def _models(args: argparse.Namespace, folder: Path) -> Callable[[str], Clothing]:
    """A function from a photo's name to the clothing that the shipped models see; ModelError when one is missing."""
    from comfywear.vision import AttributeModel, Detector, PersonBook, read_photo

    detector = Detector.load(args.detector, engine=args.engine, precision=args.precision)
    attributes = AttributeModel.load(args.attributes, engine=args.engine, precision=args.precision)

    def look(name: str) -> Clothing:
        path = folder / "photos" / f"{name}.jpg"
        image = read_photo(path)
        book = PersonBook(thresholds=detector.card.thresholds)
        persons = book.update(Frame(image, 0, 0.0, str(path)), detector.detect(image), attributes)
        nobody = Person(0, (0.0, 0.0, 1.0, 1.0), 0.0, (), {}, 0.0, "photo")
        return clothing_of(max(persons, key=_area, default=nobody))

    return look


def _area(person: Person) -> float:
    x1, y1, x2, y2 = person.box
    return (x2 - x1) * (y2 - y1)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(
            f"{path}: cannot be read ({error}); give the folder of the Clothing Co-Parsing set"
        ) from error


def _table(figures: Mapping[str, Any]) -> str:
    lines = [f"{figures['photos']} photos of split {figures['split']}, plain sums of garment values, clo"]
    for name in ("constant", "from_labels", "from_models"):
        scores = figures[name]
        if scores is None:
            lines.append(f"{name.replace('_', ' '):12} not measured: {figures['models_missing']}")
        else:
            lines.append(
                f"{name.replace('_', ' '):12} " + "  ".join(f"{key} {value:.3f}" for key, value in scores.items())
            )
    return "\n".join(lines)
