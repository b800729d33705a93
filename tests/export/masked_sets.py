"""Small data sets as training reads them, with people who can be cut out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

PALETTE = [
    {"index": 0, "name": "null", "palette_rgb": [0, 0, 0]},
    {"index": 1, "name": "skin", "palette_rgb": [250, 200, 150]},
    {"index": 2, "name": "coat", "palette_rgb": [10, 20, 200]},
]


def data_set(folder: Path, images: list[dict[str, Any]], annotations: list[dict[str, Any]], names: list[Any]) -> Path:
    """`instances.json`, and a grey photo for each image that has no file yet."""
    categories = [{"id": i, **(n if isinstance(n, dict) else {"name": n})} for i, n in enumerate(names)]
    numbered = [{"id": i, **annotation} for i, annotation in enumerate(annotations)]
    whole = [{"id": i, "split": "train", **image} for i, image in enumerate(images)]
    for image in whole:
        path = folder / image["file_name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            cv2.imwrite(str(path), np.full((image["height"], image["width"], 3), 90, np.uint8))
    (folder / "instances.json").write_text(
        json.dumps({"images": whole, "annotations": numbered, "categories": categories})
    )
    return folder


def dressed(folder: Path, width: int = 96, height: int = 128) -> Path:
    """One photo of one person from head to foot in a red coat (BGR), with a mask: three quarters of the photo each way.

    The coat covers the middle half of the person, the rest is skin.
    """
    x1, y1, x2, y2 = width // 8, height // 8, width * 7 // 8, height * 7 // 8
    top, bottom = y1 + (y2 - y1) // 4, y2 - (y2 - y1) // 4
    photo, mask = (np.zeros((height, width, 3), np.uint8) for _ in range(2))
    for rows, colour, label in (((y1, y2), (60, 160, 60), PALETTE[1]), ((top, bottom), (20, 20, 230), PALETTE[2])):
        photo[rows[0] : rows[1], x1:x2] = colour
        mask[rows[0] : rows[1], x1:x2] = label["palette_rgb"][::-1]
    for name, picture in (("photos", photo), ("masks", mask)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name / "0.png"), picture)
    (folder / "labels.json").write_text(json.dumps(PALETTE))
    image = {"file_name": "photos/0.png", "mask_file": "masks/0.png", "width": width, "height": height}
    boxes = [(0, [x1, y1, x2 - x1, y2 - y1]), (1, [x1, top, x2 - x1, bottom - top])]
    annotations = [{"image_id": 0, "category_id": kind, "bbox": box} for kind, box in boxes]
    return data_set(folder, [image], annotations, ["person", "coat"])
