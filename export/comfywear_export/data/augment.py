"""Training views of photos for the detector: scale, crop, flip, tilt, light, mosaic. Numpy and OpenCV only.

Everything that is known about a view goes along: its boxes, and two maps that say where the *absence* of a person or of
garments means something (a set may label persons only, or one person a photo).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear_export.data.datasets import IGNORED, Photo
from comfywear_export.data.labels import GARMENT_LABELS

__all__ = [
    "LEVERS",
    "MAP_STRIDE",
    "View",
    "balanced",
    "letterbox_view",
    "light",
    "mosaic",
    "random_view",
    "warp",
    "warp_boxes",
]

MAP_STRIDE = 4
"""Pixels of the input to a cell of the maps `person_known` and `garments_known`."""

LEVERS = ("mosaic", "cutouts", "tilt", "aspect", "light", "tiles", "turns", "bare", "garments", "rare")
"""What a training run may go without, to see what it gives (`train detector --without`)."""
_GREY = 114
_VISIBLE = 0.3
_SMALLEST = 5.0
_TILTED = 0.25
_TILES = 0.25  # share of views that show a part of the photo only, as where the device looks closer
_TURNED = 0.08  # by a quarter, as people look from above

Reader = Callable[[Photo], NDArray[np.uint8]]


@dataclass(eq=False)
class View:
    """A square picture to learn from.

    Attributes:
        image: `(S, S, 3) uint8` BGR.
        boxes: `(N, 4) float32` in its pixels.
        classes: `(N,) int64`.
        person_known: `(S/4, S/4) float32`, 1 where no person box means no person.
        garments_known: `(10, S/4, S/4) float32`, the same for each kind of garments.
    """

    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]
    person_known: NDArray[np.float32]
    garments_known: NDArray[np.float32]


def letterbox_view(photo: Photo, image: NDArray[np.uint8], size: int) -> View:
    """The whole photo, centred, as the device sees it."""
    scale = size / max(photo.width, photo.height)
    offset = ((size - scale * photo.width) / 2, (size - scale * photo.height) / 2)
    return warp(photo, image, _matrix(scale, 1.0, offset), (size, size))


def random_view(
    photo: Photo, image: NDArray[np.uint8], size: int, rng: np.random.Generator, without: Container[str] = ()
) -> View:
    """One photo at a random scale, place and aspect; some cut to an upper body, some as from a tilted camera."""
    persons = photo.persons
    aspect = _aspect(rng, without)
    if len(persons) and rng.random() < 0.2:
        x1, y1, x2, y2 = persons[rng.integers(len(persons))]
        # From above the head down to somewhere between chest and knee, with room at the sides.
        height = (y2 - y1) * rng.uniform(0.3, 0.75)
        side = max(height * rng.uniform(1.0, 1.5), (x2 - x1) * rng.uniform(1.0, 1.6), 24.0)
        scale = size / side
        centre_x, top = (x1 + x2) / 2 + rng.normal(0, 0.1) * side, y1 - rng.uniform(0.0, 0.15) * side
        offset_x, offset_y = size / 2 - scale * aspect * centre_x, -scale * top
    else:
        # Mostly about as large as the device will see them, some as small as from the far end of a room.
        part = rng.random() < _TILES and "tiles" not in without
        low, high = (1.5, 2.8) if part else (0.25, 0.7) if rng.random() < 0.25 else (0.6, 1.6)
        scale = size / max(photo.width, photo.height * aspect**0.5) * np.exp(rng.uniform(np.log(low), np.log(high)))
        offset_x, offset_y = (
            rng.uniform(min(0.0, size - length), max(0.0, size - length))
            for length in (scale * aspect * photo.width, scale * photo.height)
        )
    matrix = _maybe_flip(_matrix(scale, aspect, (offset_x, offset_y)), size, rng)
    if rng.random() < _TILTED and "tilt" not in without:
        matrix = _tilt(size, rng) @ matrix
    if rng.random() < _TURNED and "turns" not in without:
        matrix = _quarter(size, rng) @ matrix
    return warp(photo, image, matrix, (size, size))


def mosaic(
    photos: Sequence[Photo], read: Reader, size: int, rng: np.random.Generator, without: Container[str] = ()
) -> View:
    """Four photos around a random centre."""
    centre_x, centre_y = (int(size * rng.uniform(0.3, 0.7)) // MAP_STRIDE * MAP_STRIDE for _ in range(2))
    image = np.full((size, size, 3), _GREY, np.uint8)
    side = size // MAP_STRIDE
    maps = np.ones((side, side), np.float32), np.ones((len(GARMENT_LABELS), side, side), np.float32)
    boxes, classes = [], []
    corners = ((0, 0), (centre_x, 0), (0, centre_y), (centre_x, centre_y))
    ends = ((centre_x, centre_y), (size, centre_y), (centre_x, size), (size, size))
    for photo, (left, top), (right, bottom) in zip(photos, corners, ends, strict=True):
        width, height = right - left, bottom - top
        fit = max(width / photo.width, height / photo.height)
        scale, aspect = fit * np.exp(rng.uniform(np.log(0.6), np.log(1.6))), _aspect(rng, without)
        offset_x, offset_y = (
            rng.uniform(min(0.0, room - length), max(0.0, room - length))
            for room, length in ((width, scale * aspect * photo.width), (height, scale * photo.height))
        )
        matrix = _matrix(scale, aspect, (offset_x, offset_y))
        tile = warp(photo, read(photo), _maybe_flip(matrix, width, rng), (width, height))
        image[top:bottom, left:right] = tile.image
        rows = slice(top // MAP_STRIDE, bottom // MAP_STRIDE)
        columns = slice(left // MAP_STRIDE, right // MAP_STRIDE)
        maps[0][rows, columns], maps[1][:, rows, columns] = tile.person_known, tile.garments_known
        boxes.append(tile.boxes + np.array([left, top, left, top], np.float32))
        classes.append(tile.classes)
    return View(image, np.concatenate(boxes), np.concatenate(classes), maps[0], maps[1])


def light(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Other light and another camera: gain, gamma, colour cast, grey, dark with noise, blur."""
    levels = np.arange(256, dtype=np.float32) / 255
    dark = rng.random() < 0.12
    gain = rng.uniform(0.25, 0.6) if dark else rng.uniform(0.7, 1.35)
    curve = levels[:, None] ** np.exp(rng.uniform(-0.35, 0.35)) * gain * rng.uniform(0.9, 1.1, 3)
    table = np.clip(curve * 255, 0, 255).astype(np.uint8)
    out = cv2.LUT(image, table.reshape(1, 256, 3))
    if rng.random() < 0.12:
        out = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.1:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.5, 1.6))
    if dark or rng.random() < 0.05:
        noise = rng.normal(0, rng.uniform(2, 10), image.shape).astype(np.float32)
        out = np.clip(out.astype(np.float32) + noise, 0, 255).astype(np.uint8)
    return np.asarray(out, dtype=np.uint8)


def balanced(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without its colour cast: each channel scaled to the same mean (the grey-world rule)."""
    means = image.reshape(-1, 3).mean(0).clip(min=1.0)
    return np.asarray(np.clip(image * (means.mean() / means), 0, 255), dtype=np.uint8)


def _matrix(scale: float, aspect: float, offset: tuple[float, float]) -> NDArray[np.float64]:
    """`(3, 3)`: pixels of the photo to pixels of the view."""
    return np.array([[scale * aspect, 0, offset[0]], [0, scale, offset[1]], [0, 0, 1.0]])


def _aspect(rng: np.random.Generator, without: Container[str]) -> float:
    """Width against height: half the time about as it is, else anything that a lens or a stretched photo may do."""
    low, high = (-0.1, 0.1) if rng.random() < 0.5 or "aspect" in without else (-0.25, 0.65)
    return float(np.exp(rng.uniform(low, high)))


def _tilt(size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """`(3, 3)`: what a camera under the ceiling does to a level view: roll, foreshortening, feet smaller than heads."""
    roll = np.deg2rad(np.clip(rng.normal(0, 9), -25, 25))
    squeeze, keystone = rng.uniform(0.6, 1.05), rng.uniform(-0.15, 0.55) / size
    to, back = np.eye(3), np.eye(3)
    to[:2, 2], back[:2, 2] = -size / 2, size / 2
    rotation = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    view = np.array([[1, 0, 0], [0, squeeze, 0], [0, keystone, 1]])
    out: NDArray[np.float64] = back @ view @ rotation @ to
    return out


def _quarter(size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """`(3, 3)`: a quarter turn to either side."""
    turn = np.array([[0.0, -1, size], [1, 0, 0], [0, 0, 1]])
    return turn if rng.random() < 0.5 else np.linalg.inv(turn)


def _maybe_flip(matrix: NDArray[np.float64], width: int, rng: np.random.Generator) -> NDArray[np.float64]:
    if rng.random() < 0.5:
        matrix = np.array([[-1.0, 0, width], [0, 1, 0], [0, 0, 1]]) @ matrix
    return matrix


def warp_boxes(boxes: NDArray[np.floating], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Boxes `(N, 4)` under a homography `(3, 3)`.

    Exact where straight lines stay level; else the hull of the ellipse inside each box, since what is in a box seldom
    fills its corners.
    """
    centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    level = abs(matrix[0, 1]) + abs(matrix[1, 0]) + abs(matrix[2, :2]).sum() < 1e-9
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rim = np.array([[-1, -1], [1, 1]]) if level else np.stack([np.cos(turns), np.sin(turns)], 1)
    points = centre[:, None] + half[:, None] * rim
    flat = np.concatenate([points, np.ones((*points.shape[:2], 1))], 2) @ matrix.T
    flat = flat[..., :2] / np.maximum(flat[..., 2:], 0.05)
    return np.concatenate([flat.min(1), flat.max(1)], 1)


def warp(photo: Photo, image: NDArray[np.uint8], matrix: NDArray[np.float64], extent: tuple[int, int]) -> View:
    """Bring a photo into a frame of `extent` (width, height); lists what is still visible of each box."""
    width, height = extent
    shrink = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    small: NDArray[Any] = image
    into = matrix
    if shrink < 0.6:
        # A warp does not average: shrink first, so that small people do not dissolve into aliasing.
        small = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        into = matrix @ np.diag([image.shape[1] / small.shape[1], image.shape[0] / small.shape[0], 1.0])
    out = cv2.warpPerspective(small, into, extent, flags=cv2.INTER_LINEAR, borderValue=(_GREY, _GREY, _GREY))
    full = warp_boxes(photo.boxes.astype(np.float64), matrix).reshape(-1, 4)
    boxes = np.clip(full, 0, [width, height, width, height])
    sides, whole = boxes[:, 2:] - boxes[:, :2], full[:, 2:] - full[:, :2]
    seen = sides.prod(1) / np.maximum(whole.prod(1), 1e-6)
    thin = sides.min(1, initial=np.inf)
    keep = (seen >= _VISIBLE) & (thin >= _SMALLEST) & (photo.classes != IGNORED)
    person = np.ones((height // MAP_STRIDE, width // MAP_STRIDE), np.float32)
    labelled = [float(photo.garments and kind in photo.kinds) for kind in GARMENT_LABELS]
    garments = np.array(labelled, np.float32)[:, None, None] * person
    if not photo.all_persons:
        person[:] = 0
        for box in boxes[photo.classes == 0]:
            person[_cells(box)] = 1
    scraps = ~keep & (thin > 0)
    for box, name in zip(boxes[scraps], np.array(photo.names, dtype=object)[scraps], strict=True):
        # A scrap of something labelled, or a label that is not used: learn nothing there.
        rows, columns = _cells(box)
        (person if name == "person" else garments)[..., rows, columns] = 0
    return View(np.asarray(out, dtype=np.uint8), boxes[keep].astype(np.float32), photo.classes[keep], person, garments)


def _cells(box: NDArray[np.float64]) -> tuple[slice, slice]:
    x1, y1, x2, y2 = box / MAP_STRIDE
    return slice(int(y1), int(np.ceil(y2))), slice(int(x1), int(np.ceil(x2)))
