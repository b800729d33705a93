"""DeepFashion2 (Ge et al., CVPR 2019): a JSON file a photo in `annos/`, the photos in `image/`, in a folder a split.

Of each item its box and category are read; masks and landmarks are not.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from comfywear_export.data.formats.photos import find_photo, photo_size
from comfywear_export.data.formats.records import Box, Damaged, Dataset, Picture, parsed, split_of, trimmed
from comfywear_export.progress import counted

__all__ = ["CATEGORIES", "found_in", "read"]

CATEGORIES = (
    "short sleeve top", "long sleeve top", "short sleeve outwear", "long sleeve outwear", "vest", "sling", "shorts",
    "trousers", "skirt", "short sleeve dress", "long sleeve dress", "vest dress", "sling dress",
)  # fmt: skip
"""In the order of `category_id`, which counts from 1."""

_KEPT = ("style", "scale", "occlusion", "zoom_in", "viewpoint")


def found_in(path: Path) -> list[Path]:
    """The folders with `annos/` and `image/` at or in a folder; an empty list when there is none."""
    return [each for each in (path, *sorted(path.glob("*"))) if (each / "annos").is_dir() and (each / "image").is_dir()]


def read(path: Path, images: Path | None, damaged: Damaged) -> Dataset:
    """All photos that have an annotation file."""
    notes: Counter[str] = Counter()
    pictures: list[Picture] = []
    texts = [text for folder in found_in(path) for text in sorted((folder / "annos").glob("*.json"))]
    for text in counted(texts, "annotations"):
        faults = (OSError, ValueError, KeyError, TypeError, AttributeError)
        with damaged.within(text, "not an annotation of DeepFashion2", *faults):
            pictures.append(_picture(parsed(text), text, images or text.parent.parent / "image", damaged, notes))
    return Dataset(CATEGORIES, pictures, notes)


def _picture(data: dict[str, Any], text: Path, folder: Path, damaged: Damaged, notes: Counter[str]) -> Picture:
    path = find_photo(f"{text.stem}.jpg", [folder])
    width, height = photo_size(path)
    boxes = []
    for key, item in data.items():
        if not key.startswith("item"):
            continue
        with damaged.within(text, key, ValueError, KeyError, TypeError):
            boxes.append(_box(item))
    attributes: dict[str, str] = {key: str(data[key]) for key in ("source", "pair_id") if key in data}
    # The photos of a pair show the same garment.
    pair = f"pair {attributes['pair_id']}" if "pair_id" in attributes else ""
    split = split_of(text.parent.parent.name)
    return Picture(path.name, path, width, height, split, trimmed(boxes, width, height, notes), pair, attributes)


def _box(item: dict[str, Any]) -> Box:
    number = int(item["category_id"])
    if not 1 <= number <= len(CATEGORIES):
        raise ValueError(f"category {number}; there are 1 to {len(CATEGORIES)}")
    x1, y1, x2, y2 = (float(value) for value in item["bounding_box"])
    attributes = {name: str(item[name]) for name in _KEPT if name in item}
    return Box(CATEGORIES[number - 1], x1, y1, x2 - x1, y2 - y1, attributes=attributes)
