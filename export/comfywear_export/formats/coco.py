"""COCO's object detection layout: one JSON file with images, annotations and categories.

Read: a file, or a folder with `instances.json` (this project's own), with `annotations/*.json` (as COCO is published)
or with `SPLIT/_annotations.coco.json` (as Roboflow exports it). Written: `instances.json` with a `split` on each image,
which `comfywear-export train` and `evaluate` read as it is.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from comfywear.errors import UsageError
from comfywear_export.formats.photos import find_photo, photo_size
from comfywear_export.formats.records import Box, Damaged, Dataset, Picture, plain_name, split_of, trimmed
from comfywear_export.formats.target import Target
from comfywear_export.progress import counted

__all__ = ["annotation", "found_in", "read", "write"]

_KEYS = {"images", "annotations", "categories"}


def found_in(path: Path) -> list[Path]:
    """The annotation files of COCO's layout at a file or folder; an empty list when it is none."""
    if path.is_file():
        return [path] if path.suffix == ".json" and _looks_right(path) else []
    for pattern in ("instances.json", "_annotations.coco.json", "*/_annotations.coco.json", "annotations/*.json"):
        files = [file for file in sorted(path.glob(pattern)) if _looks_right(file)]
        if files:
            return files
    return []


def read(path: Path, images: Path | None, damaged: Damaged) -> Dataset:
    """All pictures of the files that belong to `path`; `images` is where the pictures are, if not beside them."""
    notes: Counter[str] = Counter()
    labels: dict[str, None] = {}
    pictures: list[Picture] = []
    known: dict[str, bool] = {}
    for file in found_in(path):
        known |= _read_file(file, images, damaged, notes, labels, pictures)
    return Dataset(tuple(labels), pictures, notes, known)


def write(dataset: Dataset, target: Target) -> None:
    """`instances.json` and `images/SPLIT/NAME`."""
    numbers = {label: number for number, label in enumerate(dataset.labels, start=1)}
    rows: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for picture, placed in target.place(dataset.pictures):
        row = {"id": len(rows) + 1, "file_name": placed, "width": picture.width, "height": picture.height}
        rows.append(
            {**row, "split": picture.split, **({"attributes": picture.attributes} if picture.attributes else {})}
        )
        for box in picture.boxes:
            annotations.append({"id": len(annotations) + 1, "image_id": row["id"], **annotation(box, numbers)})
    categories = [{"id": number, "name": label} for label, number in numbers.items()]
    known = {"known": dict(dataset.known)} if dataset.known else {}
    found = {**known, "images": rows, "annotations": annotations, "categories": categories}
    target.write("instances.json", json.dumps(found))


def annotation(box: Box, numbers: dict[str, int]) -> dict[str, Any]:
    """COCO's entry of a box, without the numbers of itself and its image."""
    corner = [round(value, 3) for value in (box.x, box.y, box.width, box.height)]
    entry: dict[str, Any] = {
        "category_id": numbers[box.label],
        "bbox": corner,
        "area": round(box.width * box.height, 1),
        "iscrowd": int(box.crowd),
    }
    if box.score is not None:
        entry["score"] = box.score
    if box.attributes:
        entry["attributes"] = dict(box.attributes)
    return entry


def _looks_right(file: Path) -> bool:
    """Whether the JSON has COCO's keys; a damaged file of the right name is one too: it is refused when it is read."""
    if file.name in ("instances.json", "_annotations.coco.json") or file.name.startswith("instances_"):
        return True
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.keys() >= _KEYS


def _read_file(
    file: Path,
    images: Path | None,
    damaged: Damaged,
    notes: Counter[str],
    labels: dict[str, None],
    pictures: list[Picture],
) -> dict[str, bool]:
    """Add what one file holds; returns what it says of what it labels."""
    try:
        data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        names = {int(each["id"]): str(each["name"]) for each in sorted(data["categories"], key=lambda c: int(c["id"]))}
        boxes: dict[int, list[Box]] = {int(image["id"]): [] for image in data["images"]}
        if len(boxes) != len(data["images"]):
            raise ValueError("two images have the same id")
        for each in data["annotations"]:
            if not each.get("bbox"):
                notes["annotations without a box left out"] += 1
                continue
            boxes[int(each["image_id"])].append(_box(each, names))
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        reason = f"{type(error).__name__} {error}"
        raise UsageError(f"{file}: not in COCO's layout ({reason}); export it again") from error
    labels.update(dict.fromkeys(names.values()))
    for image in counted(data["images"], "pictures"):
        with damaged.within(file, f"image {image.get('file_name')!r}", ValueError, KeyError, TypeError):
            pictures.append(_picture(file, images, image, boxes[int(image["id"])], notes))
    return {str(key): bool(value) for key, value in (data.get("known") or {}).items()}


def _box(each: dict[str, Any], names: dict[int, str]) -> Box:
    x, y, width, height = (float(value) for value in each["bbox"])
    number = int(each["category_id"])
    if number not in names:
        raise ValueError(f"annotation {each.get('id')} is of category {number}, which the file does not have")
    score = each.get("score")
    attributes = {str(key): str(value) for key, value in (each.get("attributes") or {}).items()}
    crowd = bool(each.get("iscrowd"))
    return Box(names[number], x, y, width, height, None if score is None else float(score), crowd, attributes)


def _picture(file: Path, images: Path | None, image: dict[str, Any], boxes: list[Box], notes: Counter[str]) -> Picture:
    folder = file.parent
    # annotations/instances_val2017.json belongs to val2017/, SPLIT/_annotations.coco.json to its own folder.
    beside = file.stem.rpartition("_")[2]
    split = split_of(str(image.get("split") or "")) or split_of(beside) or split_of(folder.name)
    given = str(image["file_name"])
    name = plain_name(given, split)
    roots = [images] if images else [folder, folder / "images", folder.parent, folder.parent / "images"]
    path = find_photo(given, [*roots, *(root / beside for root in roots)])
    said, real = (int(image["width"]), int(image["height"])), photo_size(path)
    if said != real:
        raise ValueError(f"the file says {said[0]} × {said[1]} pixels, the picture has {real[0]} × {real[1]}")
    attributes = {str(key): str(value) for key, value in (image.get("attributes") or {}).items()}
    return Picture(name, path, *real, split, trimmed(boxes, *real, notes), attributes=attributes)
