"""Features of persons' crops that have not seen the labels: of a trunk as ImageNet left it, computed once and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.vision.attributes import AttributeModel, shape_crop
from comfywear_export.data.attribute_data import Example
from comfywear_export.data.crops import cut_out
from comfywear_export.data.datasets import read_photo
from comfywear_export.nets.trunk_maps import TrunkMaps, export_trunk
from comfywear_export.progress import counted

__all__ = ["KINDS", "features"]

KINDS = ("imagenet", "shipped")
"""Where features come from: an EfficientNet-Lite0 with ImageNet weights, or the answers of the shipped model."""

_SIZE = (320, 160)
_BANDS = 5  # from head to foot, so that it stays known where on a person something is

Rows = NDArray[np.float32]


def features(kind: str, examples: Sequence[Example], folder: Path) -> Rows:
    """`(N, D)` features of the labelled person of each example, from `folder` where they were computed before.

    Raises:
        UsageError: `kind` is "imagenet" and torch or the package with the weights is not installed.
    """
    what = hashlib.sha256(kind.encode())
    for example in examples:
        what.update(f"{example.path.resolve()} {example.path.stat().st_size} {example.box.tolist()}".encode())
    path = folder / f"features-{kind}-{what.hexdigest()[:12]}.npz"
    if path.is_file():
        with np.load(path) as kept:
            return np.asarray(kept["features"], np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    look = _imagenet(folder) if kind == "imagenet" else _shipped()
    rows = np.stack([look(cut_out(read_photo(e.path), e.box)) for e in counted(examples, "crops")])
    with path.with_suffix(".part").open("wb") as file:
        np.savez(file, features=rows)
    path.with_suffix(".part").replace(path)
    return rows


def _imagenet(folder: Path) -> Callable[[NDArray[np.uint8]], Rows]:
    """Means and maxima of the maps at strides 16 and 32 in five bands: `(3040,)`."""
    try:
        from comfywear_export.nets.trunk import Trunk

        trunk = Trunk()
        trunk.load_pretrained()
    except ModuleNotFoundError as error:
        raise UsageError(
            f"features from ImageNet weights need torch ({error}); run scripts/setup --export and use .venv-export, "
            "or choose --features shipped"
        ) from error
    maps = TrunkMaps(export_trunk(trunk, *_SIZE, folder / "trunk.onnx"), most_bytes=0)

    def look(crop: NDArray[np.uint8]) -> Rows:
        parts = []
        for whole in maps(shape_crop(crop, *_SIZE)[None])[1:]:
            for band in np.array_split(whole[0], _BANDS, axis=1):
                parts += [band.mean((1, 2)), band.max((1, 2))]
        return np.concatenate(parts)

    return look


def _shipped() -> Callable[[NDArray[np.uint8]], Rows]:
    """Logits of the shipped attribute model: `(54,)`."""
    model = AttributeModel.load("attributes")

    def look(crop: NDArray[np.uint8]) -> Rows:
        p = np.clip(model.predict([crop])[0], 1e-6, 1 - 1e-6)
        return np.asarray(np.log(p / (1 - p)), np.float32)

    return look
