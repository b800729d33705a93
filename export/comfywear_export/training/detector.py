"""What the detector learns from: endless views of photos, and the loss of a batch of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zlib import crc32

import cv2
import numpy as np

from comfywear_export.data.augment import MAP_STRIDE, View, balanced, light, mosaic, random_view
from comfywear_export.data.cutouts import Cutouts
from comfywear_export.data.datasets import Photo, read_photo
from comfywear_export.data.rarity import repeats

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

__all__ = ["SHARES", "Loss", "Views"]

_T = TypeVar("_T")

_MOSAIC = 0.4
_PASTE = 0.2
_MOST = 6  # people in a room that was empty
_BARE = 0.35  # share of views without anybody, where there are such photos
_LEFT = 0.35  # share of those with garments that somebody left there
SHARES = {
    "people": 0.24, "ccp": 0.12, "cfpd": 0.16, "cafe": 0.07, "office-lobby": 0.12, "factory": 0.04, "teacher": 0.03,
    "store": 0.08, "empty": 0.10, "clothing-small": 0.05,
}  # fmt: skip
"""How often a photo of each set is chosen, in proportion; `_OTHER` of a set that is not named."""
_OTHER = 0.1
_CAST = frozenset({"office-lobby"})
"""Sets whose raw colours are wrong: a third of their photos is balanced, a third grey."""


class Views:
    """Endless training views; view number `i` of a seed is always the same.

    Args:
        photos: To choose from.
        size: Of a view, pixels.
        seed: Of everything random.
        batch: Views a batch.
        frozen: Turns the pictures into the maps that the learning part starts from.
        without: Which of `augment.LEVERS` are left out.
        shares: How often a photo of each set is chosen, in proportion, where it is not as in `SHARES`.
    """

    def __init__(
        self,
        photos: list[Photo],
        size: int,
        seed: int,
        batch: int,
        frozen: Callable[[NDArray[np.uint8]], NDArray[Any]],
        without: Collection[str] = (),
        shares: Mapping[str, float] | None = None,
    ) -> None:
        self.shares = {**SHARES, **(shares or {})}
        self.sets: dict[str, list[Photo]] = {}
        for photo in photos:
            self.sets.setdefault(photo.set_name, []).append(photo)
        # All photos of such a set are empty: single ones of other sets may only lack labels.
        empty = {name: own for name, own in self.sets.items() if all(p.all_persons and not len(p.boxes) for p in own)}
        self.bare = {} if "bare" in without else {name: list(_by_folder(own).values()) for name, own in empty.items()}
        self.often = {} if "rare" in without else {name: np.cumsum(repeats(own)) for name, own in self.sets.items()}
        self.cutouts = Cutouts(photos, self.read)
        self.without = frozenset(without)
        self.size, self.seed, self.batch, self.frozen = size, seed, batch, frozen
        self._decoded: dict[Path, NDArray[np.uint8]] = {}

    def read(self, photo: Photo) -> NDArray[np.uint8]:
        """The photo's pixels, decoded once; without a cast that is none of the light's."""
        if photo.path not in self._decoded:
            image = read_photo(photo.path)
            if photo.set_name in _CAST:
                way = crc32(photo.path.name.encode()) % 3
                image = (image, balanced(image), np.repeat(image.mean(2, keepdims=True).astype(np.uint8), 3, 2))[way]
            self._decoded[photo.path] = image
        return self._decoded[photo.path]

    def choose(self, rng: np.random.Generator, bare: bool = False) -> Photo:
        """A photo; the sets come in a fixed proportion. With `bare`, one with nobody in it."""
        if bare:
            # A few photos of animals count more beside many of doors than their number says.
            folders = _drawn(list(self.bare.values()), [self.shares.get(name, _OTHER) for name in self.bare], rng)
            own = _drawn(folders, [len(some) ** 0.5 for some in folders], rng)
            return own[rng.integers(len(own))]
        name = _drawn(list(self.sets), [self.shares.get(name, _OTHER) for name in self.sets], rng)
        own = self.sets[name]
        if name not in self.often:
            return own[rng.integers(len(own))]
        sums = self.often[name]
        return own[int(np.searchsorted(sums, rng.random() * sums[-1], side="right"))]

    def view(self, number: int) -> View:
        """View `number`."""
        rng = np.random.default_rng([self.seed, number])
        bare = bool(self.bare) and rng.random() < _BARE
        photo = self.choose(rng, bare)
        if rng.random() < _MOSAIC and "mosaic" not in self.without:
            others = [self.choose(rng, bare) for _ in range(3)]
            view = mosaic([photo, *others], self.read, self.size, rng, self.without)
        else:
            view = random_view(photo, self.read(photo), self.size, rng, self.without)
            if "cutouts" not in self.without and self.cutouts.people and not bare:
                # An empty room that is not to stay empty gets more people than a photo that has some.
                if photo.all_persons and not len(photo.boxes):
                    view = self.cutouts.people_into(view, rng, _MOST)
                elif rng.random() < _PASTE:
                    view = self.cutouts.people_into(view, rng)
        if bare and self.cutouts.dressed and "garments" not in self.without and rng.random() < _LEFT:
            view = self.cutouts.garments_into(view, rng)
        if "light" not in self.without:
            view.image = light(view.image, rng)
        return view

    def __getitem__(self, step: int) -> dict[str, NDArray[Any]]:
        """The batch of a step, as arrays: maps of the frozen part, boxes, classes, and what is known."""
        cv2.setNumThreads(1)
        views = [self.view(step * self.batch + i) for i in range(self.batch)]
        most = max(1, *(len(v.boxes) for v in views))
        boxes = np.zeros((self.batch, most, 4), np.float32)
        classes = np.full((self.batch, most), -1, np.int64)
        for i, view in enumerate(views):
            boxes[i, : len(view.boxes)], classes[i, : len(view.boxes)] = view.boxes, view.classes
        return {
            "maps": self.frozen(np.stack([v.image[..., ::-1] for v in views])),
            "boxes": boxes,
            "classes": classes,
            "person_known": np.stack([v.person_known for v in views]),
            "garments_known": np.stack([v.garments_known for v in views]),
        }


def _by_folder(photos: list[Photo]) -> dict[Path, list[Photo]]:
    folders: dict[Path, list[Photo]] = {}
    for photo in photos:
        folders.setdefault(photo.path.parent, []).append(photo)
    return folders


def _drawn(choices: list[_T], shares: list[float], rng: np.random.Generator) -> _T:
    sums = np.cumsum(shares)
    return choices[int(np.searchsorted(sums, rng.random() * sums[-1], side="right"))]


class Loss:
    """The loss of a batch of views of one size."""

    def __init__(self, size: int) -> None:
        from comfywear_export.nets.detector import cells

        self.centres, self.strides = cells(size)
        self.places = (self.centres / MAP_STRIDE).long()

    def __call__(self, net: Any, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """The loss of `net`, whose trunk goes on from the batch's maps, and its parts."""
        import torch

        fine = batch["maps"].contiguous(memory_format=torch.channels_last)
        logits, raw = net.read(net.trunk.rest(fine))
        return self.of(logits, raw, batch)

    def of(
        self, logits: torch.Tensor, raw: torch.Tensor, batch: dict[str, torch.Tensor]
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """The loss of what a network said of a batch."""
        from comfywear_export.training.detector_loss import Targets, detector_loss

        x, y = self.places.unbind(1)
        garments = batch["garments_known"][..., y, x].transpose(1, 2)
        targets = Targets(batch["boxes"], batch["classes"], batch["person_known"][:, y, x], garments)
        return detector_loss(logits, raw, targets, self.centres, self.strides)
