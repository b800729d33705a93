"""People cut out of photos with pixel masks, pasted into other views: other backgrounds, crowds, half-hidden people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear_export.augment import MAP_STRIDE, View
from comfywear_export.datasets import IGNORED, Photo

__all__ = ["paste", "with_masks"]

_HIDDEN = 0.65
_SMALLEST = 6.0
_MOST = 3


def with_masks(photos: Sequence[Photo]) -> list[Photo]:
    """Those whose one person can be cut out."""
    return [photo for photo in photos if photo.mask is not None and len(photo.persons) == 1]


def paste(
    view: View, photos: Sequence[Photo], read: Callable[[Photo], NDArray[np.uint8]], rng: np.random.Generator
) -> View:
    """`view` with one to three people more, in front of what was there; some only down to the hip, as behind a desk.

    What they cover by two thirds is no longer listed. Where they stand, garments are known although the view's own
    photo may not know them.
    """
    size = view.image.shape[0]
    image, boxes, classes = view.image.copy(), view.boxes, view.classes
    person_known, garments_known = view.person_known.copy(), view.garments_known.copy()
    for _ in range(int(rng.integers(1, _MOST + 1))):
        photo = photos[int(rng.integers(len(photos)))]
        picture, alpha = read(photo), _foreground(photo.mask)
        x1, y1, x2, y2 = photo.persons[0]
        bottom = y2 if rng.random() < 0.6 else y1 + (y2 - y1) * rng.uniform(0.35, 0.65)
        scale = size * rng.uniform(0.2, 0.9) / (bottom - y1)
        stretch = scale * np.exp(rng.uniform(-0.15, 0.35))
        flip = rng.random() < 0.5
        left = rng.uniform(-0.2 * (x2 - x1) * stretch, size - 0.8 * (x2 - x1) * stretch)
        top = rng.uniform(0.0, max(1.0, size - 0.7 * (bottom - y1) * scale))
        if flip:
            matrix = np.array([[-stretch, 0, left + stretch * x2], [0, scale, top - scale * y1]])
        else:
            matrix = np.array([[stretch, 0, left - stretch * x1], [0, scale, top - scale * y1]])
        alpha[round(float(bottom)) :] = 0
        small: NDArray[Any] = picture
        soft: NDArray[Any] = alpha
        into = matrix
        if scale < 0.6:
            small, soft = (cv2.resize(x, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for x in (small, soft))
            into = matrix.copy()
            into[:, 0] *= picture.shape[1] / small.shape[1]
            into[:, 1] *= picture.shape[0] / small.shape[0]
        shape = (size, size)
        over = cv2.warpAffine(soft, into, shape)[..., None].astype(np.float32) / 255
        if not over.any():
            continue
        front = cv2.warpAffine(small, into, shape, borderMode=cv2.BORDER_REPLICATE)
        image = np.asarray(np.round(front * over + image * (1 - over)), dtype=np.uint8)
        solid = cv2.integral((over[..., 0] > 0.5).astype(np.uint8))
        seen = np.array([_share(solid, box) < _HIDDEN for box in boxes], dtype=np.bool_)
        own, known = _moved(photo, matrix, float(bottom), size)
        boxes, classes = np.concatenate([boxes[seen], own]), np.concatenate([classes[seen], known])
        for box, label in zip(own, known, strict=True):
            if label == 0:
                cells = _cells(box)
                person_known[cells] = garments_known[cells] = 1
    return View(image, boxes.astype(np.float32), classes, person_known, garments_known)


def _foreground(path: Path | None) -> NDArray[np.uint8]:
    """255 where the mask names anything: `(H, W) uint8`."""
    mask = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if mask is None:
        raise UsageError(f"{path}: not a readable mask")
    background = mask[0, 0] if (mask[0, 0] == mask[0, -1]).all() else np.zeros(3, np.uint8)
    return np.where((mask != background).any(-1), 255, 0).astype(np.uint8)


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


def _cells(box: NDArray[np.float32]) -> tuple[slice, slice]:
    x1, y1, x2, y2 = box / MAP_STRIDE
    return slice(int(y1), int(np.ceil(y2))), slice(int(x1), int(np.ceil(x2)))
