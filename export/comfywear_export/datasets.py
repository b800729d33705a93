"""Reads photo data sets with `instances.json` (COCO layout with a `split` on each image): numpy only, no torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear_export.labels import AMBIGUOUS, DETECTOR_GROUPS, DETECTOR_LABELS

__all__ = ["CLASSES", "IGNORED", "Photo", "find_sets", "read_photo", "read_set"]

IGNORED = -1
"""Class of a box that is neither a positive nor a negative example."""

_INDEX = {label: DETECTOR_LABELS.index(group) for group, labels in DETECTOR_GROUPS.items() for label in labels}
CLASSES = {
    "person": 0,
    **{group: DETECTOR_LABELS.index(group) for group in DETECTOR_GROUPS},
    **_INDEX,
    **dict.fromkeys(AMBIGUOUS, IGNORED),
}
"""What each label of a data set is to the detector: an index into its labels, or IGNORED; others are not read."""


@dataclass(frozen=True, eq=False)
class Photo:
    """One photo and what is known about it.

    Attributes:
        path: The photo's file.
        width: In pixels.
        height: In pixels.
        boxes: `(N, 4) float32`, x1 y1 x2 y2 in pixels.
        classes: `(N,) int64`, indices into the detector's labels, or IGNORED.
        names: The data set's own label of each box.
        garments: Whether garments are labelled (else their absence means nothing).
        all_persons: Whether every person is labelled, not just the main one.
        mask: The file of pixel labels, if there is one.
        split: The name of the split that the data set puts it in.
    """

    path: Path
    width: int
    height: int
    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]
    names: tuple[str, ...]
    garments: bool
    all_persons: bool
    mask: Path | None
    split: str

    @cached_property
    def persons(self) -> NDArray[np.float32]:
        """`(P, 4) float32`: the boxes of persons."""
        persons: NDArray[np.float32] = self.boxes[self.classes == 0]
        return persons


def read_set(folder: Path, split: str | None = None) -> list[Photo]:
    """The photos of `folder` (of one split, or of all), in the order of `instances.json`.

    Photos without any box are left out where the set labels garments: there an empty list means an empty mask. What a
    set labels is taken from its categories; an object `known` with `garments` and `all_persons` (true or false) in the
    file says otherwise.

    Raises:
        UsageError: The folder has no readable `instances.json`, or the split has no photo.
    """
    path = folder / "instances.json"
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        known: dict[str, Any] = data.get("known", {})
        names = {int(c["id"]): str(c["name"]) for c in data["categories"]}
        by_image: dict[int, list[dict[str, Any]]] = {int(image["id"]): [] for image in data["images"]}
        for annotation in data["annotations"]:
            by_image[int(annotation["image_id"])].append(annotation)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); give a folder with instances.json") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: not in COCO layout: {type(error).__name__} {error}") from error
    garments = bool(known.get("garments", any(CLASSES.get(name, 0) > 0 for name in names.values())))
    # A set with garments labels the one posed person of each photo, unless it says otherwise; bystanders have no box.
    all_persons = bool(known.get("all_persons", not garments))
    photos = [
        photo
        for image in data["images"]
        if split is None or image.get("split") == split
        for photo in [_photo(folder, image, by_image[int(image["id"])], names, (garments, all_persons))]
        if len(photo.boxes) or not garments
    ]
    if not photos:
        splits = ", ".join(sorted({str(image.get("split")) for image in data["images"]}))
        raise UsageError(f"{path}: no photo in split {split!r}; there are: {splits}")
    return photos


def find_sets(folder: Path) -> list[Path]:
    """`folder` itself if it is a data set, else those of its sub-folders that are.

    Raises:
        UsageError: There is none.
    """
    if (folder / "instances.json").is_file():
        return [folder]
    found = sorted(path.parent for path in folder.glob("*/instances.json"))
    if not found:
        raise UsageError(f"{folder}: neither it nor a folder in it has an instances.json")
    return found


def read_photo(path: Path) -> NDArray[np.uint8]:
    """The photo as `(H, W, 3) uint8` BGR; UsageError when it cannot be read."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise UsageError(f"{path}: not a readable photo")
    return np.asarray(image, dtype=np.uint8)


def _photo(
    folder: Path,
    image: dict[str, Any],
    annotations: list[dict[str, Any]],
    names: dict[int, str],
    known: tuple[bool, bool],
) -> Photo:
    annotations = [a for a in annotations if names[int(a["category_id"])] in CLASSES]
    corners = np.array([a["bbox"] for a in annotations], dtype=np.float32).reshape(-1, 4)
    corners[:, 2:] += corners[:, :2]
    labels = tuple(names[int(a["category_id"])] for a in annotations)
    classes = [IGNORED if a.get("iscrowd") else CLASSES[name] for a, name in zip(annotations, labels, strict=True)]
    mask = image.get("mask_file")
    return Photo(
        path=folder / str(image["file_name"]),
        width=int(image["width"]),
        height=int(image["height"]),
        boxes=corners,
        classes=np.array(classes, dtype=np.int64),
        names=labels,
        garments=known[0],
        all_persons=known[1],
        mask=folder / str(mask) if mask else None,
        split=str(image.get("split", "")),
    )
