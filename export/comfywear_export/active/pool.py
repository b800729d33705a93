"""The pool of a simulated cycle: persons whose labels are held back, with what each would cost in boxes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from comfywear.vision.detectors.detector import Detector
from comfywear_export.data.attribute_data import Example, read_examples, read_tagged
from comfywear_export.data.datasets import CLASSES, read_photo, read_set
from comfywear_export.progress import counted

__all__ = ["Held", "main_person", "read_held"]


@dataclass(frozen=True)
class Held:
    """Persons, and how many boxes each one's photo has."""

    examples: list[Example]
    boxes: NDArray[np.int64]


def read_held(data: Path, folder: Path, tagged: bool) -> Held:
    """The train split of a set, and with `tagged` its photos with image-level tags.

    Of those the ones in which the shipped detector finds a person; their boxes are the person's and one a garment tag.

    Args:
        data: A set with `instances.json`.
        folder: Keeps where the persons of tagged photos are.
        tagged: Whether photos with tags are taken.
    """
    examples = read_examples(data, "train")
    labelled = {photo.path: len(photo.boxes) for photo in read_set(data, "train")}
    boxes = [labelled[example.path] for example in examples]
    if tagged and (data / "tags.json").is_file():
        tags = json.loads((data / "tags.json").read_text(encoding="utf-8"))
        places = _places(data, sorted(tags), folder / "persons.json")
        more = read_tagged(data, lambda path: places.get(path.stem))
        examples += more
        boxes += [1 + sum(tag in CLASSES for tag in tags[example.path.stem]) for example in more]
    return Held(examples, np.array(boxes, np.int64))


def main_person(detector: Detector, image: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """`(4,)`: the box of the person who is large and sure; None where there is nobody."""
    found = [each for each in detector.detect(image) if each.label == "person"]
    if not found:
        return None
    best = max(found, key=lambda d: d.score * (d.box[2] - d.box[0]) * (d.box[3] - d.box[1]))
    return np.array(best.box, np.float32)


def _places(data: Path, names: list[str], path: Path) -> dict[str, NDArray[np.float32]]:
    """Where the person of each photo is, from `path` where that was found before."""
    if not path.is_file():
        detector, found = Detector.load("detector"), {}
        for name in counted(names, "tagged photos"):
            photo = data / "photos" / f"{name}.jpg"
            box = main_person(detector, read_photo(photo)) if photo.is_file() else None
            if box is not None:
                found[name] = box.tolist()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".part").write_text(json.dumps(found), encoding="utf-8")
        path.with_suffix(".part").replace(path)
    kept = json.loads(path.read_text(encoding="utf-8"))
    return {name: np.array(box, np.float32) for name, box in kept.items()}
