"""Features of a frozen trunk for every labelled person, made once and kept in a file; the heads need no torch."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.vision.attributes import shape_crop
from comfywear_export.data.attribute_data import Example, read_examples
from comfywear_export.data.crops import cut_out
from comfywear_export.data.datasets import read_photo
from comfywear_export.data.labels import ATTRIBUTE_GROUPS, ATTRIBUTE_LABELS
from comfywear_export.data.masks import Palette

__all__ = ["GROUPS", "REGIONS", "Cached", "load_or_make", "pooled"]

GROUPS = tuple(ATTRIBUTE_GROUPS)
"""What the garment set of a photo is made of."""
REGIONS: dict[str, tuple[str, ...]] = {
    "skin and hair": ("skin", "hair"),
    "upper body": (*ATTRIBUTE_GROUPS["top"], *ATTRIBUTE_GROUPS["knit"], *ATTRIBUTE_GROUPS["outer"]),
    "dress or skirt": ATTRIBUTE_GROUPS["skirt-or-dress"],
    "legs": (*ATTRIBUTE_GROUPS["trousers"], *ATTRIBUTE_GROUPS["shorts"], *ATTRIBUTE_GROUPS["legwear"]),
    "feet": (
        "shoes", "boots", "flats", "heels", "loafers", "pumps", "sandals", "sneakers", "wedges", "clogs",
    ),
    "carried": (*ATTRIBUTE_GROUPS["bag"], "hat", "scarf", "wallet", "accessories"),
}  # fmt: skip
"""Regions of the small segmentation; region 0 is everything else."""
_HEIGHT, _WIDTH = 320, 160
_ROWS, _COLUMNS, _BANDS = 20, 10, 5
_SIDE = 4  # pixels of a reduced mask to a side of a cell

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Cached:
    """What the heads learn from.

    Attributes:
        photo: `(N,)` whole features of each person's crop, `(N, F)`.
        mirrored: The same of the mirrored crop.
        cells: `(N, 200, C) float16` features of cells of 16 pixels, row by row.
        worn: `(N, 12)` 1 where a group of `GROUPS` is worn.
        regions: `(N, 200)` region that covers most of the cell: 0, or 1 + its place in `REGIONS`; −1: photo unmasked.
        group: `(N,)` photos of one number are near-duplicates.
    """

    photo: Array
    mirrored: Array
    cells: NDArray[np.float16]
    worn: NDArray[np.bool_]
    regions: NDArray[np.int8]
    group: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.photo)

    def first(self, count: int) -> Cached:
        """The first few photos, for a quick look."""
        return Cached(**{name: column[:count] for name, column in vars(self).items()})


def load_or_make(path: Path, data: Path, limit: int, say: Callable[[str], None]) -> Cached:
    """The features in `path`, made from the set in `data` first where there is no such file.

    Raises:
        UsageError: torch is not installed and there is no file yet, or the file is something else.
    """
    if path.is_file():
        try:
            with np.load(path) as kept:
                return Cached(**{name: kept[name] for name in Cached.__dataclass_fields__})
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise UsageError(f"{path}: not the cached features of tune rewards ({error}); remove it") from error
    made = _make(data, limit, say)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        np.savez(file, **vars(made))
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    return made


def pooled(middle: Array, coarse: Array) -> Array:
    """Whole features of a crop: mean and maximum of five bands from head to foot.

    Args:
        middle: `(C, 20, 10)` at stride 16.
        coarse: `(D, 10, 5)` at stride 32.
    """
    bands = coarse.reshape(len(coarse), _BANDS, -1)
    fine = middle.reshape(len(middle), _BANDS, -1)
    return np.concatenate([bands.mean(2).ravel(), bands.max(2).ravel(), fine.max(2).ravel()])


def _make(data: Path, limit: int, say: Callable[[str], None]) -> Cached:
    try:
        import torch
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the features need torch ({error}), once; run scripts/setup --export and use .venv-export"
        ) from error
    from comfywear_export.nets.trunk import Normalise, Trunk

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    trunk = Trunk()
    trunk.load_pretrained()
    trunk.eval()
    normalise = Normalise(trunk)
    examples = read_examples(data)
    examples = examples[:limit] if limit else examples
    palette = Palette.read(data)
    shows = np.zeros(256, np.int8)
    for index, name in palette.names.items():
        shows[index] = next((1 + n for n, labels in enumerate(REGIONS.values()) if name in labels), 0)
    columns: dict[str, list[Any]] = {name: [] for name in ("photo", "mirrored", "cells", "worn", "regions")}
    own = [ATTRIBUTE_LABELS.index(f"group/{name}") for name in GROUPS]
    for number, example in enumerate(examples, 1):
        crop = shape_crop(cut_out(read_photo(example.path), example.box), _HEIGHT, _WIDTH)
        pictures = np.stack([crop, crop[:, ::-1]]).astype(np.float32)
        with torch.no_grad():
            _, middle, coarse = trunk(normalise(torch.from_numpy(pictures)))
        middle, coarse = middle.numpy(), coarse.numpy()
        columns["photo"].append(pooled(middle[0], coarse[0]))
        columns["mirrored"].append(pooled(middle[1], coarse[1]))
        wide = coarse[0].repeat(2, axis=1).repeat(2, axis=2)
        columns["cells"].append(np.concatenate([middle[0], wide]).reshape(-1, _ROWS * _COLUMNS).T.astype(np.float16))
        columns["worn"].append(example.answers[own] > 0.5)
        columns["regions"].append(_regions(example, palette, shows))
        if number % 50 == 0 or number == len(examples):
            say(f"features: {number} of {len(examples)} photos")
    return Cached(**{name: np.stack(rows) for name, rows in columns.items()}, group=_near_duplicates(data, examples))


def _regions(example: Example, palette: Palette, shows: NDArray[np.int8]) -> NDArray[np.int8]:
    if example.mask is None:
        return np.full(_ROWS * _COLUMNS, -1, np.int8)
    part = shows[cut_out(palette.mask(example.mask), example.box)]
    size = (_COLUMNS * _SIDE, _ROWS * _SIDE)
    small = cv2.resize(part.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    cells = small.reshape(_ROWS, _SIDE, _COLUMNS, _SIDE).transpose(0, 2, 1, 3).reshape(_ROWS * _COLUMNS, -1)
    counts = np.stack([(cells == region).sum(axis=1) for region in range(len(REGIONS) + 1)], axis=1)
    most: NDArray[np.int8] = counts.argmax(axis=1).astype(np.int8)
    return most


def _near_duplicates(data: Path, examples: list[Example]) -> NDArray[np.int64]:
    names = [example.path.stem for example in examples]
    group = {name: number for number, name in enumerate(names)}
    path = data / "splits.json"
    pairs = json.loads(path.read_text(encoding="utf-8")).get("near_duplicate_pairs", []) if path.is_file() else []
    for one, other in pairs:
        if one in group and other in group:
            group[other] = group[one]
    return np.array([group[name] for name in names])
