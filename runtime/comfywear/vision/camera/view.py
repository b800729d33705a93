"""What is done to every picture once, in the camera's own process: straightened, turned, cut, and masked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.vision.camera.photo import fit

if TYPE_CHECKING:
    from comfywear.settings.camera import CameraSettings

__all__ = ["Dewarp", "View", "Viewer", "view_of", "visible"]

Image = NDArray[np.uint8]
Polygon = tuple[tuple[float, float], ...]

_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
_FLIPS = {"horizontal": 1, "vertical": 0}
_SHIFT = 8  # polygons are drawn in 1/256 of a pixel


@dataclass(frozen=True, slots=True)
class Dewarp:
    """A fisheye lens; see `DewarpSettings`."""

    lens_deg: float
    view_deg: float = 100.0
    centre: tuple[float, float] = (0.5, 0.5)
    k: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class View:
    """What is done to a picture, in this order; the defaults leave it as it is.

    Attributes:
        dewarp: The lens whose picture is straightened.
        rotate: Degrees clockwise: 0, 90, 180 or 270.
        flip: "none", "horizontal" (left and right change places) or "vertical".
        crop: Left, top, right, bottom of the part that is kept, in parts of width and height.
        masks: Polygons, in parts of what is left, that are made black.
        mask_all_but: The polygons are what stays instead.
    """

    dewarp: Dewarp | None = None
    rotate: int = 0
    flip: str = "none"
    crop: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    masks: tuple[Polygon, ...] = ()
    mask_all_but: bool = False


def view_of(camera: CameraSettings) -> View:
    """What the settings say about pictures."""
    lens = camera.dewarp
    return View(
        dewarp=Dewarp(lens.lens_deg, lens.view_deg, lens.centre, lens.k) if lens else None,
        rotate=camera.rotate,
        flip=camera.flip,
        crop=camera.crop,
        masks=tuple(tuple(mask.polygon) for mask in camera.mask),
        mask_all_but=camera.mask_all_but,
    )


class Viewer:
    """Applies a view to pictures of any size; tables are made anew only when the size changes."""

    def __init__(self, view: View, max_side: int) -> None:
        self._view, self._max_side = view, max_side
        self._maps: tuple[tuple[int, int], tuple[NDArray[np.int16], NDArray[np.uint16]]] | None = None
        self._visible: tuple[tuple[int, int], Image] | None = None

    def __call__(self, image: Image) -> Image:
        """The picture as it may be seen, its longer side at most `max_side` pixels."""
        view, found = self._view, image
        if view.dewarp is not None:
            found = self._straight(view.dewarp, found)
        if view.rotate:
            found = _uint8(cv2.rotate(found, _TURNS[view.rotate]))
        if view.flip != "none":
            found = _uint8(cv2.flip(found, _FLIPS[view.flip]))
        found = fit(_cropped(found, view.crop), self._max_side)
        if not view.masks:
            return found
        size = (found.shape[0], found.shape[1])
        if self._visible is None or self._visible[0] != size:
            self._visible = size, visible(view, size)
        return _uint8(cv2.bitwise_and(found, found, mask=self._visible[1]))

    def _straight(self, lens: Dewarp, image: Image) -> Image:
        size = (image.shape[0], image.shape[1])
        if self._maps is None or self._maps[0] != size:
            self._maps = size, _dewarp_maps(lens, size)
        return _uint8(cv2.remap(image, *self._maps[1], interpolation=cv2.INTER_LINEAR))


def visible(view: View, size: tuple[int, int]) -> Image:
    """`(H, W) uint8`: 255 where a picture of `size` (height, width) may be seen, 0 where it is black.

    A pixel that a hidden part touches at all is hidden.
    """
    height, width = size
    inside, edges = np.zeros((2, height, width), np.uint8)
    for polygon in view.masks:  # one by one: where two overlap, both count
        corners = [np.rint((np.array(polygon) * (width, height) - 0.5) * 2**_SHIFT).astype(np.int32)]
        cv2.fillPoly(inside, corners, 255, shift=_SHIFT)
        cv2.polylines(edges, corners, True, 255, thickness=3, shift=_SHIFT)
    seen = inside if view.mask_all_but else 255 - inside
    return _uint8(np.where(edges, np.uint8(0), seen))


def _cropped(image: Image, crop: tuple[float, float, float, float]) -> Image:
    if crop == (0.0, 0.0, 1.0, 1.0):
        return image
    height, width = image.shape[:2]
    left, top = min(math.floor(crop[0] * width), width - 1), min(math.floor(crop[1] * height), height - 1)
    right, bottom = max(math.ceil(crop[2] * width), left + 1), max(math.ceil(crop[3] * height), top + 1)
    return image[top:bottom, left:right]


def _dewarp_maps(lens: Dewarp, size: tuple[int, int]) -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
    """Where each pixel of the straight picture lies in the fisheye picture, for `cv2.remap`.

    The fisheye is equidistant: r = f · θ (1 + k1 θ² + …), as in Kannala & Brandt 2006 and OpenCV's fisheye module.
    """
    height, width = size
    middle = (lens.centre[0] * width - 0.5, lens.centre[1] * height - 0.5)
    focal = width / math.radians(lens.lens_deg)
    straight = (width / 2) / math.tan(math.radians(lens.view_deg) / 2)
    camera = np.array([[focal, 0, middle[0]], [0, focal, middle[1]], [0, 0, 1]])
    target = np.array([[straight, 0, width / 2 - 0.5], [0, straight, height / 2 - 0.5], [0, 0, 1]])
    maps = cv2.fisheye.initUndistortRectifyMap(
        camera, np.array(lens.k), np.eye(3), target, (width, height), cv2.CV_16SC2
    )
    return maps[0].astype(np.int16, copy=False), maps[1].astype(np.uint16, copy=False)


def _uint8(image: cv2.typing.MatLike) -> Image:
    return image.astype(np.uint8, copy=False)
