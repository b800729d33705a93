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
from comfywear_export.data.labels import AMBIGUOUS, DETECTOR_GROUPS, DETECTOR_LABELS, GARMENT_LABELS

__all__ = ["CLASSES", "IGNORED", "Photo", "find_sets", "read_bare", "read_photo", "read_set"]

IGNORED = -1
"""Class of a box that is neither a positive nor a negative example."""

_SURE = 0.35
"""Boxes that a detector drew (`weak`) with a lower score are IGNORED."""
_PHOTOS = (".jpg", ".jpeg", ".png")

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
        source: Where the data set has it from, as the set calls it, or "".
        weak: Whether a detector, not a person, drew boxes of it.
        kinds: Which kinds of garments the set labels; of the others nothing is known.
        set_name: The name of the data set's folder.
        outline: Corners of the one person's outline, `(N, 2)` pixels each piece, where there is no mask.
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
    source: str = ""
    weak: bool = False
    kinds: frozenset[str] = frozenset(GARMENT_LABELS)
    set_name: str = ""
    outline: tuple[NDArray[np.int32], ...] = ()

    @cached_property
    def persons(self) -> NDArray[np.float32]:
        """`(P, 4) float32`: the boxes of persons."""
        persons: NDArray[np.float32] = self.boxes[self.classes == 0]
        return persons


def read_set(folder: Path, split: str | None = None) -> list[Photo]:
    """The photos of `folder` (of one split, or of all), in the order of `instances.json`.

    Photos without any box are left out where the set labels garments: there an empty list means an empty mask. What a
    set labels is taken from its categories; an object `known` with `garments` and `all_persons` (true or false) in the
    file says otherwise. A category may carry our own word for it as `product_class`. Boxes that are `weak` with a low
    `score` are IGNORED.

    Raises:
        UsageError: The folder has no readable `instances.json`, or the split has no photo.
    """
    path = folder / "instances.json"
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8-sig"))
        known: dict[str, Any] = data.get("known", {})
        names = {int(c["id"]): str(c.get("product_class") or c["name"]) for c in data["categories"]}
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
    labelled = {CLASSES[name] for name in names.values() if CLASSES.get(name, 0) > 0}
    kinds = frozenset(DETECTOR_LABELS[index] for index in labelled)
    photos = [
        photo
        for image in data["images"]
        if split is None or image.get("split") == split
        for photo in [_photo(folder, image, by_image[int(image["id"])], names, (garments, all_persons), kinds)]
        if len(photo.boxes) or not garments
    ]
    if not photos:
        splits = ", ".join(sorted({str(image.get("split")) for image in data["images"]}))
        raise UsageError(f"{path}: no photo in split {split!r}; there are: {splits}")
    return photos


def read_bare(folder: Path) -> list[Photo]:
    """The photos in `folder` and below it as photos with nobody in them; nothing is known of garments.

    Raises:
        UsageError: There is none.
    """
    photos = []
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in _PHOTOS):
        height, width = read_photo(path).shape[:2]
        nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.int64), ()
        photos.append(Photo(path, width, height, *nothing, False, True, None, folder.name, set_name=folder.parent.name))
    if not photos:
        raise UsageError(f"{folder}: no photo in it")
    return photos


def find_sets(folder: Path) -> list[Path]:
    """`folder` itself if it is a data set, else those of its sub-folders, and of theirs, that are.

    Raises:
        UsageError: There is none.
    """
    if (folder / "instances.json").is_file():
        return [folder]
    found = sorted(path.parent for depth in ("*", "*/*") for path in folder.glob(f"{depth}/instances.json"))
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
    kinds: frozenset[str],
) -> Photo:
    annotations = [a for a in annotations if names[int(a["category_id"])] in CLASSES]
    corners = np.array([a["bbox"] for a in annotations], dtype=np.float32).reshape(-1, 4)
    corners[:, 2:] += corners[:, :2]
    labels = tuple(names[int(a["category_id"])] for a in annotations)
    classes = [IGNORED if _doubted(a) else CLASSES[name] for a, name in zip(annotations, labels, strict=True)]
    mask = image.get("mask_file")
    pieces = annotations[0].get("segmentation") if len(annotations) == 1 else None
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
        source=str(image.get("source") or ""),
        weak=any(a.get("weak") for a in annotations),
        kinds=kinds,
        set_name=folder.name,
        outline=tuple(np.array(p, np.float32).reshape(-1, 2).astype(np.int32) for p in pieces or ()),
    )


def _doubted(annotation: dict[str, Any]) -> bool:
    weak = bool(annotation.get("weak")) and float(annotation.get("score", 1.0)) < _SURE
    return bool(annotation.get("iscrowd")) or weak
