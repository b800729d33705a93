"""The page of a data set: labels by split, and how large the boxes are for the detector."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfywear_export.data.formats import Box, Dataset, Picture
from comfywear_export.report.charts import bars
from comfywear_export.report.page import Block, Chart, Table, Text, write_report

__all__ = ["report", "size_of"]

_SIDE = 320  # pixels of the detector's picture
_SMALL, _LARGE = 32**2, 96**2  # square pixels, as COCO divides them


def report(path: Path, dataset: Dataset, facts: Mapping[str, Any]) -> None:
    """Write the page.

    Args:
        path: FILE.html or FILE.md.
        dataset: As it was read.
        facts: What `dataset --json` prints.
    """
    splits = list(facts["pictures"])
    labels = {label: found for label, found in facts["labels"].items() if found}
    header = ["label", *(split or "no split" for split in splits), "together"]
    rows = [
        [name, *(str(found.get(split, 0)) for split in splits), str(sum(found.values()))]
        for name, found in {"pictures": facts["pictures"], **facts["labels"]}.items()
    ]
    sizes: dict[str, dict[str, float]] = {label: {"small": 0, "medium": 0, "large": 0} for label in labels}
    for picture in dataset.pictures:
        for box in picture.boxes:
            sizes[box.label][size_of(box, picture)] += 1
    small, boxes = sum(own["small"] for own in sizes.values()), sum(facts["boxes"].values())
    words = f"{small:.0f} of {boxes} boxes are small"
    lines = [f"{facts['format']}: {len(dataset.pictures)} pictures, {boxes} boxes."]
    if facts["guessed"]:
        lines.append(
            f"{facts['guessed']} boxes are a model's guesses: have people correct them before you train on them."
        )
    lines += [f"{number} {note}." for note, number in facts["notes"].items()]
    lines += [f"Left out: {each}." for each in facts["damaged"]]
    blocks: list[Block] = [
        Text("", lines),
        Table("Labels", header, rows),
    ]
    if labels:
        blocks.append(
            Chart(
                "Boxes by size",
                bars(sizes, "boxes", digits=0),
                words,
                f"As the detector sees them, its picture {_SIDE} pixels on the longer side: small is below 32 × 32 "
                f"pixels of it, large from 96 × 96 on. {words}.",
            )
        )
    write_report(path, "What is in the data set?", blocks)


def size_of(box: Box, picture: Picture) -> str:
    """How large a box is in the detector's picture by COCO's bounds: "small", "medium" or "large"."""
    area = box.width * box.height * (_SIDE / max(picture.width, picture.height)) ** 2
    return "small" if area < _SMALL else "medium" if area < _LARGE else "large"
