"""Label Studio's tasks (labelstud.io, "Label Studio JSON format"): `tasks.json`, `label-config.xml` and `images/`.

Only written: what people labelled there comes back as its COCO or YOLO export. Boxes that people drew are annotations,
guesses of a model are predictions, which Label Studio offers for correction. The pictures are named as files of a local
storage, below the folder that holds the data set's.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import Any
from urllib.parse import quote

from comfywear_export.data.formats.records import Box, Dataset, Picture
from comfywear_export.data.formats.target import Target

__all__ = ["write"]

_LABELS, _IMAGE = "label", "image"  # the names of the two tags, which each region refers to


def write(dataset: Dataset, target: Target) -> None:
    """`tasks.json`, `label-config.xml` and `images/SPLIT/NAME`."""
    root = target.folder.resolve().name
    tasks = [_task(picture, f"{root}/{placed}") for picture, placed in target.place(dataset.pictures)]
    target.write("tasks.json", json.dumps(tasks, ensure_ascii=False))
    view = ET.Element("View")
    ET.SubElement(view, "Image", name=_IMAGE, value=f"${_IMAGE}")
    labels = ET.SubElement(view, "RectangleLabels", name=_LABELS, toName=_IMAGE)
    for label in dataset.labels:
        ET.SubElement(labels, "Label", value=label)
    ET.indent(view)
    target.write("label-config.xml", ET.tostring(view, encoding="unicode") + "\n")


def _task(picture: Picture, placed: str) -> dict[str, Any]:
    data = {_IMAGE: f"/data/local-files/?d={quote(placed)}", "name": picture.name, "split": picture.split}
    task: dict[str, Any] = {"data": {**data, **picture.attributes}}
    drawn = [_region(number, box, picture) for number, box in enumerate(picture.boxes) if box.score is None]
    guessed = [_region(number, box, picture) for number, box in enumerate(picture.boxes) if box.score is not None]
    if drawn:
        task["annotations"] = [{"result": drawn}]
    if guessed:
        task["predictions"] = [{"model_version": "comfywear", "result": guessed}]
    return task


def _region(number: int, box: Box, picture: Picture) -> dict[str, Any]:
    """A box in per cent of its picture."""
    across, down = 100 / picture.width, 100 / picture.height
    value = {"x": box.x * across, "y": box.y * down, "width": box.width * across, "height": box.height * down}
    region: dict[str, Any] = {
        "id": f"box-{number}",
        "type": "rectanglelabels",
        "from_name": _LABELS,
        "to_name": _IMAGE,
        "original_width": picture.width,
        "original_height": picture.height,
        "image_rotation": 0,
        "value": {**value, "rotation": 0, "rectanglelabels": [box.label]},
    }
    if box.score is not None:
        region["score"] = box.score
    if box.attributes:
        region["meta"] = {"text": [f"{name}: {text}" for name, text in box.attributes.items()]}
    return region
