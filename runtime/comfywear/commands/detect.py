"""`comfywear detect`: what the device sees in photos: persons, garments, attributes, colours."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import SourceError, UsageError
from comfywear.records import Frame, Person
from comfywear.system.arguments import whole

if TYPE_CHECKING:
    from comfywear.vision import AttributeModel, ComposedDetector, Detector

_WEAK = 0.1  # as on the device: garments down to this score count as evidence
_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
_SHOWN = 6  # attributes of a person that are drawn


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("detect", help="draw or print what the device sees in photos")
    parser.add_argument("photo", type=Path, metavar="PHOTO|FOLDER", help="a photo, or a folder of photos")
    parser.add_argument("--out", type=Path, metavar="PATH", help="the drawn photo; for a folder, a folder of them")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="all drawn photos in one picture")
    parser.add_argument("--json", action="store_true", help="one JSON object a photo, one a line")
    parser.add_argument("--detector", default="detector", help="name or card path (default: detector)")
    parser.add_argument("--garments", default="detector", help="as [vision] garments in settings; empty = none")
    parser.add_argument("--attributes", default="attributes", help="name or card path; empty = none")
    parser.add_argument("--engine", default="auto", help="auto, onnxruntime, litert, xnnpack, cuda or tensorrt")
    parser.add_argument("--precision", default="fp16", choices=["fp16", "int8"])
    parser.add_argument("--threads", type=whole(1), default=2)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look at each photo; 1 when one of a folder could not be read."""
    from comfywear.commands._pictures import write_picture
    from comfywear.vision import read_photo
    from comfywear.vision.drawing.persons_picture import annotate
    from comfywear.vision.drawing.sheet import contact_sheet

    paths = _photos(args.photo)
    detector, attributes = _load(args)
    drawn, faults = [], 0
    for number, path in enumerate(paths, 1):
        if len(paths) > 1 and sys.stderr.isatty():
            print(f"\r{number}/{len(paths)} {path.name[:50]:50}", end="", file=sys.stderr, flush=True)
        try:
            image = read_photo(path)
        except SourceError as error:
            if len(paths) == 1:
                raise
            print(f"{error}", file=sys.stderr)
            faults += 1
            continue
        persons = see(image, detector, attributes)
        lines = [line for person in persons for line in _lines(person, attributes)]
        if args.json:
            print(json.dumps({"photo": str(path), "persons": [_plain(person) for person in persons]}))
        else:
            print("\n".join([f"{path.name}: {_count(persons)}", *(f"  {line}" for line in lines)]))
        if args.out is not None:
            target = args.out / f"{path.stem}.jpg" if args.photo.is_dir() else args.out
            write_picture(target, annotate(image, persons, lines))
        if args.sheet is not None:
            drawn.append((path.stem.replace("_", " "), annotate(image, persons, height=640)))
    if len(paths) > 1 and sys.stderr.isatty():
        print(f"\r{'':70}\r", end="", file=sys.stderr)
    if args.sheet is not None and drawn:
        write_picture(args.sheet, contact_sheet(drawn))
    return 1 if faults else 0


def see(
    image: NDArray[np.uint8], detector: Detector | ComposedDetector, attributes: AttributeModel | None
) -> list[Person]:
    """The persons of one photo, as the device sees them in the first frame of a camera."""
    from comfywear.vision import PersonBook

    book = PersonBook(thresholds=detector.thresholds, crops_a_frame=1000)
    frame = Frame(image, 0, 0.0, "photo")
    return book.update(frame, detector.detect(image, threshold=_WEAK), attributes)


def _load(args: argparse.Namespace) -> tuple[Detector | ComposedDetector, AttributeModel | None]:
    from comfywear.vision import AttributeModel, open_detector

    how = {"engine": args.engine, "precision": args.precision, "threads": args.threads}
    detector = open_detector(args.detector, garments=args.garments, interval_s=0.0, **how)
    return detector, AttributeModel.load(args.attributes, **how) if args.attributes else None


def _photos(path: Path) -> list[Path]:
    """The photo itself, or those of a folder by name."""
    if not path.exists():
        raise SourceError(f"{path}: there is no such photo or folder")
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.iterdir() if p.suffix.lower() in _ENDINGS)
    if not found:
        raise UsageError(f"{path}: no photo in this folder (files that end in {', '.join(_ENDINGS)})")
    return found


def _count(persons: Sequence[Person]) -> str:
    return {0: "nobody", 1: "one person"}.get(len(persons), f"{len(persons)} persons")


def _lines(person: Person, model: AttributeModel | None) -> list[str]:
    """A heading line for a person and one a garment; attributes that are believed at the end."""
    lines = [f"person {person.track_id}  {100 * person.score:.0f} %"]
    for garment in person.garments:
        colours = " ".join(f"{colour.name} {100 * colour.share:.0f} %" for colour in garment.colours)
        lines.append(f"{garment.kind}  {100 * garment.probability:.0f} %{', ' + colours if colours else ''}")
    believed = _believed(person, model)[:_SHOWN]
    if believed:
        lines.append(f"also  {', '.join(believed)}")
    return lines


def _believed(person: Person, model: AttributeModel | None) -> list[str]:
    """Attributes above their thresholds besides the groups (which count in the garments), likeliest first."""
    if model is None:
        return []
    sure = [
        (probability, label)
        for label, probability in person.attributes.items()
        if not label.startswith("group/") and probability >= model.thresholds[label]
    ]
    return [f"{label.partition('/')[2] or label} {100 * p:.0f} %" for p, label in sorted(sure, reverse=True)]


def _plain(person: Person) -> dict[str, Any]:
    return {
        "box": [round(side, 1) for side in person.box],
        "score": round(person.score, 4),
        "garments": [
            {
                "kind": garment.kind,
                "probability": round(garment.probability, 4),
                "box": [round(side, 1) for side in garment.box] if garment.box else None,
                "colours": [{"name": c.name, "share": round(c.share, 3), "rgb": list(c.rgb)} for c in garment.colours],
                "alternatives": {kind: round(p, 4) for kind, p in garment.alternatives.items()},
            }
            for garment in person.garments
        ],
        "attributes": {label: round(p, 4) for label, p in person.attributes.items()},
    }
