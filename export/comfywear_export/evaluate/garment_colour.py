"""`comfywear-export evaluate garment-colour`: a garment's colour from its box against the one of its mask."""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.colour import garment_colours, name_shares
from comfywear.errors import SourceError, UsageError
from comfywear.records import Box
from comfywear.system.arguments import number
from comfywear_export.data.masks import Palette

__all__ = ["GROUPS", "add_parser", "evaluate", "run"]

# ccp's labels of each of the detector's groups.
GROUPS = {
    "top": ("t-shirt", "top", "blouse", "shirt", "bodysuit", "vest"),
    "knit": ("sweater", "cardigan", "jumper", "sweatshirt", "hoodie"),
    "outer": ("coat", "jacket", "blazer", "cape", "suit"),
    "dress": ("dress", "romper"),
    "trousers": ("pants", "jeans", "leggings"),
    "skirt": ("skirt",),
    "shorts": ("shorts",),
    "footwear": ("shoes", "boots", "heels", "sandals", "sneakers", "loafers", "pumps", "flats", "wedges", "clogs"),
    "bag": ("bag", "purse", "wallet"),
    "hat": ("hat",),
}
# Smaller masks say little about a colour.
_MIN_PIXELS = 30


@dataclass(frozen=True, slots=True)
class _Piece:
    group: str
    label: int
    box: Box


def evaluate(data: Path, split: str, jitter: float = 0.0, seed: int = 0) -> dict[str, Any]:
    """Compare box and mask over all garments of a split of ccp.

    The name to meet is the one with the largest share of the mask's pixels inside the box, by people's shares. Boxes
    are those drawn around the masks; with `jitter` each edge is moved by so much of the box's size (one standard
    deviation), and the name to meet stays.

    Returns:
        n, and the fractions that agree: `whole_box` (the baseline: all pixels of the box), `centre` (a Gaussian of a
        quarter of the box's size), `garment_colours`, and that one by group.
    """
    rng = np.random.default_rng(seed)
    right: Counter[str] = Counter()
    groups: dict[str, list[bool]] = defaultdict(list)
    for image, mask, pieces in _photos(data / "ccp", split):
        boxes = [_jittered(piece.box, jitter, rng) for piece in pieces]
        for index, piece in enumerate(pieces):
            rows, columns = _span(piece.box, image.shape)
            own = mask[rows, columns] == piece.label
            if own.sum() < _MIN_PIXELS:
                continue
            truth = _name(image[rows, columns][own])
            box = boxes[index]
            rows, columns = _span(box, image.shape)
            crop = image[rows, columns]
            right["whole_box"] += _name(crop.reshape(-1, 3)) == truth
            right["centre"] += _name(crop.reshape(-1, 3), _centre_weight(*crop.shape[:2])) == truth
            found = garment_colours(image, box, boxes[:index] + boxes[index + 1 :])
            groups[piece.group].append(bool(found) and found[0].name == truth)
    hits = [hit for group in groups.values() for hit in group]
    if not hits:
        raise UsageError(f"no garments in the split {split!r} of {data / 'ccp'}: ccp has train and validation")
    return {
        "split": split,
        "jitter": jitter,
        "n": len(hits),
        "whole_box": round(right["whole_box"] / len(hits), 4),
        "centre": round(right["centre"] / len(hits), 4),
        "garment_colours": round(sum(hits) / len(hits), 4),
        "by_group": {group: round(sum(groups[group]) / len(groups[group]), 4) for group in GROUPS if groups[group]},
    }


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("garment-colour", help="a garment's colour from its box against that of its mask")
    parser.add_argument("--data", type=Path, required=True, help="the folder of data sets, which holds ccp")
    parser.add_argument("--split", default="validation", help="of ccp: train or validation (the default)")
    parser.add_argument(
        "--jitter",
        type=number(0.0, 1.0),
        default=0.0,
        help="move each edge by so much of the box's size (standard deviation)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the agreement on one split."""
    result = evaluate(args.data, args.split, args.jitter)
    if args.json:
        print(json.dumps(result))
        return 0
    print(f"{result['n']} garments of {result['split']}, edges moved by {result['jitter']:.0%}")
    for method in ("whole_box", "centre", "garment_colours"):
        print(f"{method:16} {result[method]:.1%}")
    for group, share in result["by_group"].items():
        print(f"  {group:14} {share:.1%}")
    return 0


def _photos(folder: Path, split: str) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8], list[_Piece]]]:
    """Each photo of a split as RGB, its mask of label indices, and its garments."""
    try:
        instances = json.loads((folder / "instances.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(f"cannot read ccp's boxes: {error} (--data names the folder above ccp)") from None
    group_of = {name: group for group, names in GROUPS.items() for name in names}
    palette = Palette.read(folder)
    group_of_label = {index: group_of[name] for index, name in palette.names.items() if name in group_of}
    pieces: dict[int, list[_Piece]] = defaultdict(list)
    for note in instances["annotations"]:
        if note["category_id"] in group_of_label:
            x, y, width, height = note["bbox"]
            label = note["category_id"]
            pieces[note["image_id"]].append(_Piece(group_of_label[label], label, (x, y, x + width, y + height)))
    for entry in instances["images"]:
        if entry["split"] == split:
            photo = _read(folder / entry["file_name"])
            mask = palette.mask(folder / entry["mask_file"])
            yield photo, mask, pieces[entry["id"]]


def _read(path: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SourceError(f"cannot read the picture {path}")
    return np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8, copy=False)


def _span(box: Box, shape: tuple[int, ...]) -> tuple[slice, slice]:
    x1, y1, x2, y2 = (round(value) for value in box)
    x1, y1 = min(max(x1, 0), shape[1] - 1), min(max(y1, 0), shape[0] - 1)
    return slice(y1, max(y2, y1 + 1)), slice(x1, max(x2, x1 + 1))


def _jittered(box: Box, jitter: float, rng: np.random.Generator) -> Box:
    if jitter == 0.0:
        return box
    width, height = box[2] - box[0], box[3] - box[1]
    x1, y1, x2, y2 = np.array(box) + rng.normal(0.0, jitter, 4) * (width, height, width, height)
    return float(min(x1, x2)), float(min(y1, y2)), float(max(x1, x2)), float(max(y1, y2))


def _centre_weight(height: int, width: int) -> NDArray[np.float64]:
    down, across = ((np.arange(size) + 0.5) / size - 0.5 for size in (height, width))
    weight: NDArray[np.float64] = np.exp(-0.5 * (down[:, None] ** 2 + across**2) / 0.25**2)
    return weight.ravel()


def _name(pixels: NDArray[np.uint8], weight: NDArray[np.float64] | None = None) -> str:
    return name_shares(pixels, np.ones(len(pixels)) if weight is None else weight, n=1)[0].name
