"""Pictures from which the ranges of INT8 activations are taken: of the training photos, shaped as on the device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from comfywear.vision.attributes import shape_crop
from comfywear.vision.detectors.letterbox import letterbox
from comfywear_export.data.attribute_data import read_examples
from comfywear_export.data.crops import cut_out
from comfywear_export.data.datasets import find_sets, read_photo, read_set

__all__ = ["pictures"]


def pictures(name: str, data: Path, height: int, width: int, count: int) -> list[NDArray[np.float32]]:
    """`count` inputs `(1, height, width, 3) float32` of the model `name`, spread evenly over the sets' train splits."""
    folders = [folder for folder in find_sets(data) if folder.name in ("people", "ccp") or folder == data]
    shaped: list[NDArray[np.uint8]] = []
    if name == "detector":
        for folder in folders:
            photos = read_set(folder, "train")
            chosen = photos[:: max(1, len(photos) * len(folders) // count)]
            shaped += [letterbox(read_photo(photo.path), height)[0][..., ::-1] for photo in chosen]
    else:
        examples = [e for folder in folders if folder.name != "people" for e in read_examples(folder, "train")]
        some = examples[:: max(1, len(examples) // count)]
        shaped += [shape_crop(cut_out(read_photo(e.path), e.box), height, width) for e in some]
    return [np.ascontiguousarray(picture[None], dtype=np.float32) for picture in shaped]
