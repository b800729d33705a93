"""Batches from several kinds of photos: source data, the room's own, and those of the room that people labelled."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear_export.data.augment import View, warp
from comfywear_export.data.datasets import Photo, read_photo
from comfywear_export.nets.trunk_maps import TrunkMaps
from comfywear_export.room.finding import tensors
from comfywear_export.training.detector import Views

__all__ = ["Mix", "batched", "merged", "room_view"]

_SCALES = (0.7, 1.4)


def room_view(photo: Photo, size: int, seed: int, version: int) -> View:
    """One of a photo's changed views: scaled, cropped, flipped. The room's own light and tilt are what is to be learnt.

    It depends on the photo's name, `seed` and `version` alone, never on its labels, so that its maps can be kept.
    """
    rng = np.random.default_rng([seed, version, zlib.crc32(photo.path.name.encode())])
    scale = size / max(photo.width, photo.height) * float(np.exp(rng.uniform(*np.log(_SCALES))))
    left, top = (
        rng.uniform(min(0.0, size - length), max(0.0, size - length))
        for length in (scale * photo.width, scale * photo.height)
    )
    matrix = np.array([[scale, 0, left], [0, scale, top], [0, 0, 1]])
    if rng.random() < 0.5:
        matrix = np.array([[-1.0, 0, size], [0, 1, 0], [0, 0, 1]]) @ matrix
    return warp(photo, read_photo(photo.path), matrix, (size, size))


class Mix:
    """Endless batches: half source views, half views of the room.

    Args:
        source: Labelled photos of elsewhere.
        asked: Photos of the room that people labelled; they are half of the room's views where there are any.
        size: Of a view, pixels.
        seed: Of everything random.
        batch: Views a batch, a multiple of four.
        maps: The trunk.
        versions: Different views of each photo of the room.
        kept: Source views by seed, number a batch and step, where several trainings share them.
    """

    def __init__(
        self,
        source: list[Photo],
        asked: list[Photo],
        size: int,
        seed: int,
        batch: int,
        maps: TrunkMaps,
        versions: int,
        kept: dict[tuple[int, int, int], dict[str, NDArray[Any]]] | None = None,
    ) -> None:
        self._source, self._asked, self._own = source, asked, list[Photo]()
        self._size, self._seed, self._batch, self._versions = size, seed, batch, versions
        self._maps, self._elsewhere, self._kept = maps, dict[int, Views](), kept

    def relabel(self, own: Sequence[Photo]) -> None:
        """From now on these are the labels of the room's other photos (those without any box are backgrounds)."""
        self._own = list(own)

    def batches(self, step: int) -> Iterator[dict[str, Any]]:
        """The batches from `step` on: three maps, boxes, classes, and what is known, as tensors."""
        import torch

        while True:
            whole = merged(self._parts(step))
            batch: dict[str, Any] = {n: torch.from_numpy(value) for n, value in whole.items() if n != "maps"}
            yield batch | {"maps": tensors(self._maps(whole["maps"]))}
            step += 1

    def _parts(self, step: int) -> list[dict[str, NDArray[Any]]]:
        half, rng = self._batch // 2, np.random.default_rng([self._seed, step])
        if self._own and self._asked:
            shares = [(self._asked, half // 2), (self._own, half - half // 2)]
        else:
            shares = [(photos, half) for photos in (self._asked, self._own) if photos]
        count = self._batch - sum(number for _, number in shares)
        views = [
            room_view(photos[rng.integers(len(photos))], self._size, self._seed, int(rng.integers(self._versions)))
            for photos, number in shares
            for _ in range(number)
        ]
        return [self._from_source(count, step), *([batched(views)] if views else [])]

    def _from_source(self, count: int, step: int) -> dict[str, NDArray[Any]]:
        key = self._seed, count, step
        if self._kept is not None and key in self._kept:
            return self._kept[key]
        if count not in self._elsewhere:
            self._elsewhere[count] = Views(self._source, self._size, self._seed, count, _pictures)
        batch = self._elsewhere[count][step]
        if self._kept is not None:
            self._kept[key] = batch
        return batch


def _pictures(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return images


def batched(views: Sequence[View]) -> dict[str, NDArray[Any]]:
    """Views as one batch, like that of `training.detector.Views`, with pictures in RGB as its maps."""
    return merged(
        [
            {
                "maps": np.ascontiguousarray(view.image[None, ..., ::-1]),
                "boxes": view.boxes[None],
                "classes": view.classes[None],
                "person_known": view.person_known[None],
                "garments_known": view.garments_known[None],
            }
            for view in views
        ]
    )


def merged(batches: Sequence[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """One batch from several; lists of boxes are filled up to the longest with class −1."""
    most = max(1, *(batch["boxes"].shape[1] for batch in batches))
    whole: dict[str, NDArray[Any]] = {}
    for name in batches[0]:
        parts = [batch[name] for batch in batches]
        if name in ("boxes", "classes"):
            fill = -1 if name == "classes" else 0
            more = [[(0, 0), (0, most - p.shape[1])] + [(0, 0)] * (p.ndim - 2) for p in parts]
            parts = [np.pad(p, pad, constant_values=fill) for p, pad in zip(parts, more, strict=True)]
        whole[name] = np.concatenate(parts)
    return whole
