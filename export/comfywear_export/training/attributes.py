"""What the attribute model learns from: endless crops of persons, and the loss of a batch of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from comfywear.vision.attributes import shape_crop
from comfywear_export.data.attribute_data import Example
from comfywear_export.data.augment import light
from comfywear_export.data.crop_views import answers_seen, behind_desk, coarse, from_above, stretched
from comfywear_export.data.crops import CROP_SIZE, cut_out, jitter
from comfywear_export.data.datasets import read_photo
from comfywear_export.data.labels import ATTRIBUTE_LABELS, EITHER, LOCATED
from comfywear_export.data.masks import Palette
from comfywear_export.training.frozen import FrozenPart

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

__all__ = ["SHARES", "Crop", "Crops", "attribute_loss"]

CELL = 16
"""Pixels of a crop to a cell of the map that says where a garment is."""
SHARES = {"ccp": 0.6, "cfpd": 0.4}
"""How often a person of each set is chosen, in proportion; `_OTHER` of a set that is not named."""
_OTHER = 0.2
_MASK = 4  # pixels of the crop to a pixel of its mask: enough for shares of a cell
_ERASED = 0.25
_ABOVE, _DESK, _COARSE = 0.25, 0.1, 0.25  # shares of crops
_WHERE_WEIGHT = 0.5
_PAIRS = [tuple(ATTRIBUTE_LABELS.index(label) for label in pair) for pair in EITHER]


class Crop(NamedTuple):
    """One person to learn from; NaN stands for what is not known.

    Attributes:
        picture: `(H, W, 3) uint8` RGB.
        answers: `(A,) float32`: 1, 0 or NaN, of what can be seen.
        shares: `(located, H/16, W/16) float32`: the share of each cell that shows each located label.
        either: `(E,) float32`: 1 where one of the two attributes of a pair is right.
    """

    picture: NDArray[np.uint8]
    answers: NDArray[np.float32]
    shares: NDArray[np.float32]
    either: NDArray[np.float32]


class Crops:
    """Endless training crops; crop number `i` of a seed is always the same.

    Args:
        examples: To choose from.
        palette: Labels of the masks, or None where there are no masks.
        seed: Of everything random.
        batch: Crops a batch.
        frozen: Turns crops into the maps that the learning part starts from.
        teacher: Answers each crop too (logits), or None.
    """

    def __init__(
        self,
        examples: list[Example],
        palette: Palette | None,
        seed: int,
        batch: int,
        frozen: FrozenPart,
        teacher: FrozenPart | None = None,
    ) -> None:
        self.examples, self.palette, self.seed, self.batch = examples, palette, seed, batch
        self.frozen, self.teacher = frozen, teacher
        self._decoded: dict[Path, NDArray[np.uint8]] = {}
        self._masks: dict[Path, NDArray[np.uint8]] = {}
        sizes = Counter(example.set_name for example in examples)
        chances = np.array([SHARES.get(e.set_name, _OTHER) / sizes[e.set_name] for e in examples])
        self._chances = np.cumsum(chances / chances.sum())
        self._shows = np.zeros((256, len(LOCATED)), np.float32)
        for index, name in palette.names.items() if palette else ():
            self._shows[index] = [name in names for names in LOCATED]

    def crop(self, number: int) -> Crop:
        """Crop `number`."""
        rng = np.random.default_rng([self.seed, number])
        last = len(self.examples) - 1
        example = self.examples[min(int(np.searchsorted(self._chances, rng.random(), side="right")), last)]
        if example.path not in self._decoded:
            self._decoded[example.path] = read_photo(example.path)
        box, cut = jitter(example.box, rng)
        corners = from_above(box, rng) if rng.random() < _ABOVE else None
        picture = _shaped(self._decoded[example.path], box, corners)
        shares = self._shares(example, box, corners)
        seen = box.copy()
        if not cut and rng.random() < _DESK:
            cut, top = True, rng.uniform(0.3, 0.6)
            seen[3] = box[1] + top * (box[3] - box[1])
            picture = behind_desk(picture, top, rng)
            shares[:, int(top * shares.shape[1]) + 1 :] *= 0  # what is not known stays so
        picture = light(picture, rng)
        if rng.random() < _COARSE:
            picture = coarse(picture, rng)
        if rng.random() < 0.5:
            picture, shares = picture[:, ::-1], shares[..., ::-1]
        if rng.random() < _ERASED:
            picture = _erase(picture, rng)
        return Crop(picture, answers_seen(example, seen, cut), shares, example.either)

    def _shares(
        self, example: Example, box: NDArray[np.float32], corners: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        rows, columns = CROP_SIZE[0] // CELL, CROP_SIZE[1] // CELL
        if example.mask is None or self.palette is None:
            return np.full((len(LOCATED), rows, columns), np.nan, np.float32)
        if example.mask not in self._masks:
            self._masks[example.mask] = self.palette.mask(example.mask)
        extent = CROP_SIZE[0] // _MASK, CROP_SIZE[1] // _MASK
        if corners is None:
            part = cut_out(self._masks[example.mask], box)
            small = cv2.resize(part, extent[::-1], interpolation=cv2.INTER_NEAREST)
        else:
            small = stretched(self._masks[example.mask], corners, extent, labels=True)
        side = CELL // _MASK
        blocks = small.reshape(rows, side, columns, side).transpose(0, 2, 1, 3).reshape(rows, columns, side * side)
        # A cell that a garment half fills is a full example of it.
        shares: NDArray[np.float32] = np.minimum(self._shows[blocks].mean(2).transpose(2, 0, 1) * 2, 1)
        return shares

    def __getitem__(self, step: int) -> dict[str, NDArray[Any]]:
        """The batch of a step: maps of the frozen part, answers, and shares of the cells."""
        cv2.setNumThreads(1)
        crops = [self.crop(step * self.batch + i) for i in range(self.batch)]
        pictures = np.stack([crop.picture for crop in crops])
        answers = np.stack([crop.answers for crop in crops])
        if self.teacher:
            # Half the data's word, half the teacher's; where the data say nothing, the teacher's alone.
            taught = 1 / (1 + np.exp(-self.teacher(pictures)))
            answers = np.where(np.isnan(answers), taught, (answers + taught) / 2)
        return {
            "maps": self.frozen(pictures),
            "answers": answers,
            "shares": np.stack([crop.shares for crop in crops]),
            "either": np.stack([crop.either for crop in crops]),
        }


def _shaped(
    photo: NDArray[np.uint8], box: NDArray[np.float32], corners: NDArray[np.float32] | None
) -> NDArray[np.uint8]:
    if corners is None:
        return shape_crop(cut_out(photo, box), *CROP_SIZE)
    return np.ascontiguousarray(stretched(photo, corners, CROP_SIZE)[..., ::-1])


def _erase(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A grey patch over part of a crop (Zhong et al. 2017): something stands in front."""
    height, width = (int(rng.uniform(0.1, 0.35) * side) for side in CROP_SIZE)
    top, left = int(rng.integers(CROP_SIZE[0] - height)), int(rng.integers(CROP_SIZE[1] - width))
    picture = picture.copy()
    picture[top : top + height, left : left + width] = rng.integers(0, 256, 3)
    return picture


def attribute_loss(net: Any, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
    """Binary cross-entropy over the answers that are known, and over the cells weighted by `|target − p|²`.

    Where it is known only that one of two answers is yes, the cross-entropy of that.
    """
    import torch
    from torch.nn import functional

    maps = net.trunk.rest(batch["maps"].contiguous(memory_format=torch.channels_last))
    logits, where = net.read(maps)
    known = ~batch["answers"].isnan()
    cost = functional.binary_cross_entropy_with_logits(logits, batch["answers"].nan_to_num(), reduction="none")
    either = ~batch["either"].isnan()
    # Neither of two is as likely as the product of both absences.
    neither = torch.stack([functional.logsigmoid(-logits[:, list(pair)]).sum(1) for pair in _PAIRS], 1)
    doubted = -torch.log(-torch.expm1(neither.clamp(max=-1e-6)))
    answers = ((cost * known).sum() + (doubted * either).sum()) / (known.sum() + either.sum()).clamp(min=1)
    seen, shares = ~batch["shares"].isnan(), batch["shares"].nan_to_num()
    cost = functional.binary_cross_entropy_with_logits(where, shares, reduction="none")
    cost = cost * (shares - where.sigmoid()).detach().square() * seen
    places = _WHERE_WEIGHT * cost.sum() / (shares * seen).sum().clamp(min=1)
    return answers + places, {"answers": float(answers.detach()), "places": float(places.detach())}
