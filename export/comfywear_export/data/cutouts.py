"""People cut out of photos with pixel masks, pasted into other views: other backgrounds, crowds, half-hidden people.

And what they wear without them: a coat on a hook is no person.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear_export.data.augment import MAP_STRIDE, View
from comfywear_export.data.datasets import IGNORED, Photo
from comfywear_export.data.masks import Palette

__all__ = ["Cutouts"]

_HIDDEN = 0.65
_SMALLEST = 4.0
_MOST = 3
_FAR = 14.0  # px: how high the smallest people are


class Cutouts:
    """Cuts people, or the garments alone that they wear, out of photos and pastes them into views.

    Args:
        photos: Those of one person with a pixel mask or an outline are used.
        read: Gives a photo's pixels.
    """

    def __init__(self, photos: Sequence[Photo], read: Callable[[Photo], NDArray[np.uint8]]) -> None:
        self.people = [p for p in photos if len(p.persons) == 1 and (p.mask is not None or p.outline)]
        self.dressed = [p for p in self.people if p.mask is not None and p.garments]
        self._read = read
        self._palettes: dict[Path, Palette] = {}
        self._labels: dict[Path, NDArray[np.uint8]] = {}

    def people_into(self, view: View, rng: np.random.Generator, most: int = _MOST) -> View:
        """`view` with one to `most` people more, in front of what was there; some only down to the hip, as at a desk.

        Half of them are as small as at the far end of a room. What they cover by two thirds is no longer listed. Where
        they stand, garments are known if their own photo knows them, although the view's may not.
        """
        size = view.image.shape[0]
        out = replace(view, person_known=view.person_known.copy(), garments_known=view.garments_known.copy())
        for _ in range(int(rng.integers(1, most + 1))):
            photo = self.people[int(rng.integers(len(self.people)))]
            x1, y1, x2, y2 = photo.persons[0]
            bottom = float(y2 if rng.random() < 0.6 else y1 + (y2 - y1) * rng.uniform(0.35, 0.65))
            low, high = (_FAR / size, max(0.3, _FAR / size)) if rng.random() < 0.5 else (0.2, 0.9)
            scale = size * np.exp(rng.uniform(np.log(low), np.log(high))) / (bottom - y1)
            stretch = scale * np.exp(rng.uniform(-0.15, 0.35))
            low_x, high_x = -0.2 * (x2 - x1) * stretch, size - 0.8 * (x2 - x1) * stretch
            left = rng.uniform(low_x, max(low_x, high_x))
            top = rng.uniform(0.0, max(1.0, size - 0.7 * (bottom - y1) * scale))
            if rng.random() < 0.5:
                matrix = np.array([[-stretch, 0, left + stretch * x2], [0, scale, top - scale * y1]])
            else:
                matrix = np.array([[stretch, 0, left - stretch * x1], [0, scale, top - scale * y1]])
            alpha = self._person(photo).copy()
            alpha[round(bottom) :] = 0
            over = _over(out, self._read(photo), alpha, matrix, scale)
            if over is None:
                continue
            own, known = _moved(photo, matrix, bottom, size)
            out.boxes, out.classes = np.concatenate([out.boxes[over], own]), np.concatenate([out.classes[over], known])
            for box in own[known == 0]:
                rows, columns = _cells(box)
                out.person_known[rows, columns] = 1
                out.garments_known[:, rows, columns] = float(photo.garments)
        return out

    def garments_into(self, view: View, rng: np.random.Generator) -> View:
        """`view` with one to three garments that nobody wears, hanging or lying: no person; their kind is not asked."""
        size = view.image.shape[0]
        out = replace(view, person_known=view.person_known.copy(), garments_known=view.garments_known.copy())
        for _ in range(int(rng.integers(1, _MOST + 1))):
            photo = self.dressed[int(rng.integers(len(self.dressed)))]
            alpha, box = self._garment(photo, rng)
            if alpha is None:
                continue
            centre = np.array([box[0] + box[2], box[1] + box[3]]) / 2
            scale = size * np.exp(rng.uniform(np.log(0.08), np.log(0.8))) / max(box[2] - box[0], box[3] - box[1])
            angle = rng.uniform(0, 2 * np.pi) if rng.random() < 0.5 else rng.normal(0, 0.1)
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            turn = turn @ np.diag(scale * np.exp(rng.uniform(-0.2, 0.4, 2)))
            matrix = np.column_stack([turn, rng.uniform(0.1, 0.9, 2) * size - turn @ centre])
            over = _over(out, self._read(photo), alpha, matrix, scale)
            if over is None:
                continue
            out.boxes, out.classes = out.boxes[over], out.classes[over]
            corners = np.array([[box[i], box[j], 1.0] for i in (0, 2) for j in (1, 3)]) @ matrix.T
            rows, columns = _cells(np.clip(np.concatenate([corners.min(0), corners.max(0)]), 0, size))
            out.person_known[rows, columns] = 1
            out.garments_known[:, rows, columns] = 0
        return out

    def _mask(self, photo: Photo) -> NDArray[np.uint8]:
        """The mask's label indices."""
        assert photo.mask is not None
        if photo.mask not in self._labels:
            folder = photo.mask.parent.parent
            if folder not in self._palettes:
                self._palettes[folder] = Palette.read(folder)
            self._labels[photo.mask] = self._palettes[folder].mask(photo.mask)
        return self._labels[photo.mask]

    def _person(self, photo: Photo) -> NDArray[np.uint8]:
        """255 where the person is: `(H, W) uint8`."""
        if photo.mask is not None:
            return np.where(self._mask(photo) > 0, 255, 0).astype(np.uint8)
        alpha = np.zeros((photo.height, photo.width), np.uint8)
        cv2.fillPoly(alpha, list(photo.outline), 255)
        return alpha

    def _garment(self, photo: Photo, rng: np.random.Generator) -> tuple[NDArray[np.uint8] | None, NDArray[np.float32]]:
        """255 where one garment of the photo is, and its box; None where it has none of some size."""
        x1, y1, x2, y2 = photo.persons[0]
        sides = photo.boxes[:, 2:] - photo.boxes[:, :2]
        large = np.flatnonzero((photo.classes != 0) & (sides.prod(1) > 0.03 * (x2 - x1) * (y2 - y1)))
        if not len(large):
            return None, photo.persons[0]
        chosen = int(rng.choice(large))
        labels = self._mask(photo)
        names = self._palettes[photo.mask.parent.parent].names if photo.mask else {}
        index = [i for i, name in names.items() if name == photo.names[chosen]]
        return np.where(np.isin(labels, index), 255, 0).astype(np.uint8), photo.boxes[chosen]


def _over(
    view: View, picture: NDArray[np.uint8], alpha: NDArray[np.uint8], matrix: NDArray[np.float64], scale: float
) -> NDArray[np.bool_] | None:
    """Lays a picture, where `alpha` says so, over the view's.

    Returns:
        Which of the view's boxes can still be seen, or None if nothing of the picture came to lie inside.
    """
    size = view.image.shape[0]
    small: NDArray[Any] = picture
    soft: NDArray[Any] = alpha
    into = matrix
    if scale < 0.6:
        height, width = (max(1, round(scale * side)) for side in alpha.shape)
        small, soft = (cv2.resize(x, (width, height), interpolation=cv2.INTER_AREA) for x in (picture, alpha))
        into = matrix.copy()
        into[:, 0] *= picture.shape[1] / small.shape[1]
        into[:, 1] *= picture.shape[0] / small.shape[0]
    over = cv2.warpAffine(soft, into, (size, size))[..., None].astype(np.float32) / 255
    if not over.any():
        return None
    front = cv2.warpAffine(small, into, (size, size), borderMode=cv2.BORDER_REPLICATE)
    view.image = np.asarray(np.round(front * over + view.image * (1 - over)), dtype=np.uint8)
    solid = cv2.integral((over[..., 0] > 0.5).astype(np.uint8))
    return np.array([_share(solid, box) < _HIDDEN for box in view.boxes], dtype=np.bool_)


def _moved(
    photo: Photo, matrix: NDArray[np.float64], bottom: float, size: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The boxes of a cut-out person and garments, those that can still be seen."""
    boxes = photo.boxes.astype(np.float64)
    cut = boxes.copy()
    cut[:, 3] = np.minimum(cut[:, 3], bottom)
    xs = np.sort(cut[:, 0::2] * matrix[0, 0] + matrix[0, 2], axis=1)
    ys = cut[:, 1::2] * matrix[1, 1] + matrix[1, 2]
    moved = np.clip(np.stack([xs[:, 0], ys[:, 0], xs[:, 1], ys[:, 1]], 1), 0, size)
    sides = moved[:, 2:] - moved[:, :2]
    whole = (boxes[:, 2:] - boxes[:, :2]).prod(1) * abs(matrix[0, 0]) * matrix[1, 1]
    # A person cut at the hip is a whole find; a garment of which little is left is none.
    enough = np.where(photo.classes == 0, 0.1, 0.35)
    keep = (sides.min(1) >= _SMALLEST) & (sides.prod(1) >= enough * whole) & (photo.classes != IGNORED)
    return moved[keep].astype(np.float32), photo.classes[keep]


def _share(solid: NDArray[Any], box: NDArray[np.float32]) -> float:
    """How much of a box is covered, from the integral image of the cover."""
    limit = solid.shape[0] - 1
    x1, y1, x2, y2 = (int(np.clip(round(float(v)), 0, limit)) for v in box)
    area = max((x2 - x1) * (y2 - y1), 1)
    return float(solid[y2, x2] - solid[y1, x2] - solid[y2, x1] + solid[y1, x1]) / area


def _cells(box: NDArray[np.floating]) -> tuple[slice, slice]:
    x1, y1, x2, y2 = box / MAP_STRIDE
    return slice(int(y1), int(np.ceil(y2))), slice(int(x1), int(np.ceil(x2)))
