"""COCO's object detection layout: one JSON file with images, annotations and categories.

Read: a file, or a folder with `instances.json` (this project's own), with `annotations/*.json` (as COCO is published
and CVAT exports it), with `SPLIT/_annotations.coco.json` (as Roboflow does) or with `result.json` (as Label Studio
does), else with any JSON file of COCO's keys. A turned box (CVAT's attribute `rotation`) is read as the upright one
around it. Written: `instances.json` with a `split` on each image,
which `comfywear-export train` and `evaluate` read as it is.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from comfywear.errors import UsageError
from comfywear_export.data.formats.photos import find_photo, photo_size
from comfywear_export.data.formats.records import (
    Box,
    Damaged,
    Dataset,
    Picture,
    around,
    leads_out,
    parsed,
    plain_name,
    split_of,
    trimmed,
)
from comfywear_export.data.formats.target import Target
from comfywear_export.progress import counted

__all__ = ["annotation", "found_in", "read", "write"]

_KEYS = {"images", "annotations", "categories"}
_FILES = ("instances.json", "_annotations.coco.json", "*/_annotations.coco.json", "annotations/*.json", "result.json",
          "*.json")  # fmt: skip
_ROTATION = "rotation"  # in degrees, as CVAT writes it beside the box before it was turned
_FAULTS = (ValueError, KeyError, TypeError, AttributeError)


def found_in(path: Path) -> list[Path]:
    """The annotation files of COCO's layout at a file or folder; an empty list when it is none."""
    if path.is_file():
        return [path] if path.suffix == ".json" and _looks_right(path) else []
    for pattern in _FILES:
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
        found = parsed(file)
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
        data: dict[str, Any] = parsed(file)
        names = {int(each["id"]): str(each["name"]) for each in sorted(data["categories"], key=lambda c: int(c["id"]))}
        images_of, annotations = list(data["images"]), list(data["annotations"])
        known = {str(key): bool(value) for key, value in (data.get("known") or {}).items()}
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        reason = f"{type(error).__name__} {error}"
        raise UsageError(f"{file}: not in COCO's layout ({reason}); export it again") from error
    labels.update(dict.fromkeys(names.values()))
    listed: dict[str, dict[str, Any]] = {}
    for image in images_of:
        with damaged.within(file, f"image {_named(image)}", *_FAULTS):
            if listed.setdefault(_id(image["id"]), image) is not image:
                raise ValueError(f"a second image has the id {image['id']}")
    boxes: dict[str, list[Box]] = {key: [] for key in listed}
    ids = {_id(image["id"]) for image in images_of if isinstance(image, dict) and "id" in image}
    for each in annotations:
        with damaged.within(file, f"annotation {_named(each)}", *_FAULTS):
            key = _id(each["image_id"])
            if key not in ids:
                notes["annotations of a picture that the file does not have left out"] += 1
                damaged.leave_out(file, f"annotation {_named(each)} is of image {key}, which the file does not have")
            elif not each.get("bbox"):
                notes["annotations without a box left out"] += 1
            elif key in boxes:
                boxes[key].append(_box(each, names))
    for key, image in counted(list(listed.items()), "pictures"):
        with damaged.within(file, f"image {image.get('file_name')!r}", *_FAULTS):
            pictures.append(_picture(file, images, image, boxes[key], notes))
    return known


def _id(value: Any) -> str:
    """An id, which is 7 in one place and "7" or 7.0 in another of files that programs wrote."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is no id")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _named(entry: Any) -> str:
    return str(entry.get("file_name", entry.get("id"))) if isinstance(entry, dict) else repr(entry)[:40]


def _box(each: dict[str, Any], names: dict[int, str]) -> Box:
    if len(each["bbox"]) == 5:
        raise ValueError("its box has five numbers, the last an angle of a kind that is not said; export upright boxes")
    x, y, width, height = (float(value) for value in each["bbox"])
    number = int(each["category_id"])
    if number not in names:
        raise ValueError(f"annotation {each.get('id')} is of category {number}, which the file does not have")
    score = each.get("score")
    attributes = {str(key): str(value) for key, value in (each.get("attributes") or {}).items()}
    turned = float(attributes.pop(_ROTATION, 0) or 0)
    crowd = bool(each.get("iscrowd"))
    box = Box(names[number], x, y, width, height, None if score is None else float(score), crowd, attributes)
    return around(box, turned) if turned else box


def _picture(file: Path, images: Path | None, image: dict[str, Any], boxes: list[Box], notes: Counter[str]) -> Picture:
    folder = file.parent
    # annotations/instances_val2017.json belongs to val2017/, SPLIT/_annotations.coco.json to its own folder.
    beside = file.stem.rpartition("_")[2]
    split = split_of(str(image.get("split") or "")) or split_of(beside) or split_of(folder.name)
    given = str(image["file_name"])
    roots = [images] if images else [folder, folder / "images", folder.parent, folder.parent / "images"]
    path = find_photo(given, [*roots, *(root / beside for root in roots)])
    name = path.name if leads_out(given) else plain_name(given, split)
    said, real = (int(image["width"]), int(image["height"])), photo_size(path)
    if said != real:
        raise ValueError(f"the file says {said[0]} × {said[1]} pixels, the picture has {real[0]} × {real[1]}")
    attributes = {str(key): str(value) for key, value in (image.get("attributes") or {}).items()}
    return Picture(name, path, *real, split, trimmed(boxes, *real, notes), attributes=attributes)
