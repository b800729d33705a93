"""This project's captures: a folder of crops that a device kept, each with a sidecar (docs/votes.md).

Their boxes are what the device's model saw, with its scores and thresholds: guesses to correct, not labels.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from comfywear.feedback.capture.folder import SCHEMA
from comfywear_export.data.formats.photos import find_photo, photo_size
from comfywear_export.data.formats.records import Box, Damaged, Dataset, Picture, parsed, plain_name, trimmed
from comfywear_export.progress import counted

__all__ = ["found_in", "read"]

_KEPT = ("sampler", "why", "zone", "ts")


def found_in(path: Path) -> list[Path]:
    """The sidecars of a folder of captures; an empty list when it is none."""
    texts = sorted(path.glob("*.json")) if path.is_dir() else []
    return texts if any(_schema(text) == SCHEMA for text in texts) else []


def read(path: Path, images: Path | None, damaged: Damaged) -> Dataset:
    """All captures of the folder; those of one day stay together when splits are made."""
    notes: Counter[str] = Counter()
    pictures: list[Picture] = []
    for text in counted(found_in(path), "sidecars"):
        with damaged.within(text, "not the sidecar of a capture", OSError, ValueError, KeyError, TypeError):
            found = parsed(text)
            if isinstance(found, dict) and found.get("schema") == SCHEMA:
                pictures.append(_picture(found, text, images or path, damaged, notes))
            else:
                notes["other JSON files left out"] += 1
    labels = sorted({box.label for picture in pictures for box in picture.boxes})
    return Dataset(tuple(labels), pictures, notes)


def _schema(text: Path) -> str | None:
    try:
        found = parsed(text)
    except (OSError, ValueError, RecursionError):
        return None
    return found.get("schema") if isinstance(found, dict) else None


def _picture(found: dict[str, Any], text: Path, folder: Path, damaged: Damaged, notes: Counter[str]) -> Picture:
    name = plain_name(str(found["image"]["file_name"]), "")
    path = find_photo(name, [folder])
    width, height = photo_size(path)
    boxes = []
    for number, each in enumerate(found["annotations"], 1):
        with damaged.within(text, f"annotation {number}", ValueError, KeyError, TypeError):
            x, y, across, down = (float(value) for value in each["bbox"])
            limit = each.get("threshold")
            boxes.append(Box(str(each["label"]), x, y, across, down, float(each["score"]),
                             threshold=None if limit is None else float(limit)))  # fmt: skip
    attributes = {key: str(found[key]) for key in _KEPT if found.get(key) is not None}
    if found.get("vote"):
        attributes["vote"] = str(found["vote"]["level"])
    day = str(found.get("ts") or "")[:10]
    return Picture(name, path, width, height, "", trimmed(boxes, width, height, notes), day, attributes)
