"""The command `pseudo`: completes a set's labels with what a model finds, as a new set to train on."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from comfywear.errors import UsageError
from comfywear.records import Box
from comfywear.vision.detectors.composed import ComposedDetector, open_detector
from comfywear.vision.detectors.detector import Detector
from comfywear_export.data.attribute_data import tagged_photos
from comfywear_export.data.datasets import IGNORED, Photo, read_photo, read_set
from comfywear_export.data.labels import DETECTOR_LABELS
from comfywear_export.data.pseudo import DOUBT, Label, bystanders, garments_by_tags, sure_garments, tagged_groups
from comfywear_export.progress import counted

__all__ = ["add_parser", "run"]

Teacher = Detector | ComposedDetector


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("pseudo", help="complete a set's labels with what a model finds, as a new set")
    parser.add_argument("--data", type=Path, required=True, help="a folder with instances.json (and tags.json)")
    parser.add_argument("--split", default="train", help="which of its photos (default train)")
    parser.add_argument("--persons", default="detector", metavar="MODEL", help="finds persons without a label")
    parser.add_argument("--garments", default="detector", metavar="MODEL", help="finds garments without a label")
    parser.add_argument(
        "--missed",
        action="store_true",
        help="the set means to label everybody: learn nothing where --persons sees one more, and no garments",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the new set; photos stay where they are")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write OUT/instances.json; `train detector --also OUT` reads it."""
    if args.out.resolve() == args.data.resolve():
        raise UsageError(f"--out {args.out} is the set itself; its labels would be lost: give another folder")
    photos = read_set(args.data, args.split)
    persons, garments = open_detector(args.persons), open_detector(args.garments)
    if "person" not in persons.labels:
        raise UsageError(f"--persons {args.persons}: the model finds no persons")
    crops = ComposedDetector(
        persons if isinstance(persons, Detector) else persons.persons, _whole(garments), interval_s=0
    )
    complete = photos[0].garments
    if args.missed:
        made = list(_missed(photos, persons))
    else:
        made = [*_labelled(photos, persons, crops), *(_tagged(args.data, persons, garments) if complete else [])]
    known = {"garments": complete, "all_persons": True}
    counts = _write(
        args.out, made, known, f"{args.data.name} {args.split}, completed by {args.persons}, {args.garments}"
    )
    print(f"{args.out / 'instances.json'}: {len(made)} photos, {len(photos)} of them with labels of their own")
    print("found: " + ", ".join(f"{n} {name}" for name, n in counts.items()))
    return 0


def _whole(detector: Teacher) -> Detector:
    return detector if isinstance(detector, Detector) else detector.garments


def _labelled(photos: list[Photo], persons: Teacher, crops: ComposedDetector) -> Iterator[tuple[Photo, list[Label]]]:
    """Photos with labels: bystanders where only the main person has one, garments where none has."""
    for photo in counted(photos, "photos with labels"):
        image = read_photo(photo.path)
        found = [] if photo.garments else sure_garments(crops.detect(image, threshold=DOUBT))
        if not photo.all_persons:
            found += bystanders(persons.detect(image, threshold=DOUBT), [_box(box) for box in photo.persons])
        yield photo, found


def _missed(photos: list[Photo], persons: Teacher) -> Iterator[tuple[Photo, list[Label]]]:
    """Photos of which everybody should have a label, and who may have none."""
    for photo in counted(photos, "photos"):
        found = bystanders(
            persons.detect(read_photo(photo.path), threshold=DOUBT), [_box(box) for box in photo.persons]
        )
        yield photo, [replace(label, doubted=True) for label in found]


def _tagged(data: Path, persons: Teacher, garments: Teacher) -> Iterator[tuple[Photo, list[Label]]]:
    """Photos of which only the tags are known, and in which somebody is found."""
    import numpy as np

    for path, tags in counted(tagged_photos(data), "photos with tags"):
        image = read_photo(path)
        found = garments.detect(image, threshold=DOUBT)
        seen = bystanders(persons.detect(image, threshold=DOUBT), [])
        # Whom one teacher misses, the other may see.
        seen += bystanders(found, [label.box for label in seen])
        sure = [label for label in seen if not label.doubted]
        if not sure:
            continue
        main = max((label.box for label in sure), key=lambda b: (b[2] - b[0]) * (b[3] - b[1]))
        worn = garments_by_tags(found, tagged_groups(tags), main)
        nothing = np.zeros((0, 4), np.float32)
        height, width = image.shape[:2]
        bare = Photo(path, width, height, nothing, np.zeros(0, np.int64), (), True, True, None, "train")
        yield bare, seen + worn


def _write(out: Path, made: list[tuple[Photo, list[Label]]], known: dict[str, bool], origin: str) -> dict[str, int]:
    """Write the set; returns how many labels of each name the teachers gave."""
    categories = sorted({name for photo, _ in made for name in photo.names} | set(DETECTOR_LABELS))
    index = {name: number for number, name in enumerate(categories)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    for number, (photo, found) in enumerate(made):
        image: dict[str, Any] = {"id": number, "file_name": str(photo.path.resolve()), "split": photo.split}
        image |= {"width": photo.width, "height": photo.height}
        images.append(image | ({"mask_file": str(photo.mask.resolve())} if photo.mask else {}))
        own = [
            Label(_box(box), name, doubted=bool(kind == IGNORED))
            for box, name, kind in zip(photo.boxes, photo.names, photo.classes, strict=True)
        ]
        for label in own + found:
            x1, y1, x2, y2 = label.box
            annotations.append(
                {
                    "id": len(annotations),
                    "image_id": number,
                    "category_id": index[label.name],
                    "bbox": [round(float(v), 1) for v in (x1, y1, x2 - x1, y2 - y1)],
                    "iscrowd": int(label.doubted),
                }
            )
        for label in found:
            if not label.doubted:
                counts[label.name] = counts.get(label.name, 0) + 1
    data = {
        "info": {"description": origin},
        "known": known,
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": name} for name, number in index.items()],
    }
    out.mkdir(parents=True, exist_ok=True)
    new = out / "instances.json.new"
    new.write_text(json.dumps(data) + "\n", encoding="utf-8")
    new.replace(out / "instances.json")
    return dict(sorted(counts.items()))


def _box(box: Any) -> Box:
    x1, y1, x2, y2 = (float(value) for value in box)
    return (x1, y1, x2, y2)
