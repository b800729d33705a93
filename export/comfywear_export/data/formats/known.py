"""Which formats there are, and which of them a file or folder is in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from comfywear.errors import UsageError
from comfywear_export.data.formats import captures, coco, cvat, deepfashion2, labelstudio, upar, yolo
from comfywear_export.data.formats.records import Box, Damaged, Dataset, Picture
from comfywear_export.data.formats.target import Target

__all__ = ["READERS", "WRITERS", "divided", "guess_format", "read_dataset", "renamed", "write_dataset"]

READERS: dict[str, ModuleType] = {
    "captures": captures,
    "deepfashion2": deepfashion2,
    "coco": coco,
    "yolo": yolo,
    "cvat": cvat,
    "upar": upar,
}
"""In the order in which they are tried."""

WRITERS: dict[str, Callable[[Dataset, Target], None]] = {
    "coco": coco.write,
    "yolo": yolo.write,
    "cvat": cvat.write,
    "labelstudio": labelstudio.write,
}


def guess_format(path: Path) -> str:
    """The name of the format that a file or folder is in.

    Raises:
        UsageError: It is in none.
    """
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder")
    if path.suffix == ".zip":
        raise UsageError(f"{path}: unzip it and give the folder")
    for name, module in READERS.items():
        if module.found_in(path):
            return name
    raise UsageError(
        f"{path}: none of the known data sets: captures (*.json sidecars), COCO (instances.json, annotations/*.json, "
        "_annotations.coco.json, result.json), YOLO (data.yaml, classes.txt, obj.names), CVAT (annotations.xml), "
        "DeepFashion2 (image/ and annos/), "
        "UPAR (*.csv)"
    )


def read_dataset(
    path: Path,
    form: str | None = None,
    images: Path | None = None,
    damaged: Damaged | None = None,
    min_score: float | None = None,
) -> Dataset:
    """The data set at a file or folder.

    Args:
        path: The folder, or its annotation file.
        form: A name of `READERS`; guessed when None.
        images: The folder of the pictures, where they are not where the format has them.
        damaged: What happens to damaged pictures and labels; they are refused when None.
        min_score: Guesses below it are left out and counted, 0…1; those that their own model does not believe, when
            None.

    Raises:
        UsageError: It is not in that format, holds no picture, or something in it is damaged.
    """
    form = form or guess_format(path)
    if not READERS[form].found_in(path):
        raise UsageError(f"{path}: no data set in the format {form}")
    dataset: Dataset = READERS[form].read(path, images, damaged or Damaged())
    if not dataset.pictures:
        raise UsageError(f"{path}: the data set has no picture")
    return _believed(dataset, min_score)


def _believed(dataset: Dataset, min_score: float | None) -> Dataset:
    """The same without guesses below a score, or below the threshold of the model that made them."""

    def sure(box: Box) -> bool:
        least = box.threshold if min_score is None else min_score
        return box.score is None or least is None or box.score >= least

    pictures = [replace(picture, boxes=tuple(filter(sure, picture.boxes))) for picture in dataset.pictures]
    fewer = sum(len(old.boxes) - len(new.boxes) for old, new in zip(dataset.pictures, pictures, strict=True))
    below = "their model's threshold (--min-score 0 keeps them)" if min_score is None else f"{min_score:g}"
    if fewer:
        dataset.notes[f"guesses below {below} left out"] += fewer
    return replace(dataset, pictures=pictures)


def write_dataset(dataset: Dataset, form: str, target: Target) -> None:
    """Fill the target in the format `form` of `WRITERS`.

    Raises:
        UsageError: A picture is damaged, or two would have the same name.
        StoreError: Something cannot be written.
    """
    WRITERS[form](dataset, target)


def renamed(dataset: Dataset, names: Mapping[str, str], only: bool = False) -> Dataset:
    """The same with other labels; with `only`, boxes whose label is not among the names are left out and counted."""
    notes = dataset.notes.copy()
    pictures = []
    for picture in dataset.pictures:
        kept = [replace(b, label=names.get(b.label, b.label)) for b in picture.boxes if b.label in names or not only]
        if len(kept) < len(picture.boxes):
            notes["boxes of other labels left out"] += len(picture.boxes) - len(kept)
        pictures.append(replace(picture, boxes=tuple(kept)))
    # All of the new names, whether they occur or not: their numbers are then the same in every set.
    labels = dict.fromkeys(names.values() if only else (names.get(label, label) for label in dataset.labels))
    return Dataset(tuple(labels), pictures, notes, dataset.known)


def divided(dataset: Dataset, part: float) -> Dataset:
    """The same with a split for pictures that have none: about `part` of them, 0…1, are for validation.

    What belongs together stays together, and a picture's side depends on nothing else: a set that grows keeps it.
    """

    def side(picture: Picture) -> str:
        text = picture.together or picture.name
        drawn = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32
        return "validation" if drawn < part else "train"

    pictures = [p if p.split else replace(p, split=side(p)) for p in dataset.pictures]
    return replace(dataset, pictures=pictures)
