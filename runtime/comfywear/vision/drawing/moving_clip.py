"""A moving clip from one photograph: a slow pan and zoom that begins again where it ends."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import SourceError, UsageError
from comfywear.vision.camera.photo import read_photo

__all__ = ["moving_views", "write_clip"]

Image = NDArray[np.uint8]

_ZOOM = (0.90, 1.0)  # of the largest size at which all of the photo is in view
_SWAY = 0.35  # of the room that is left at the sides


def moving_views(photo: Image, *, frames: int = 100, size: tuple[int, int] = (640, 480)) -> Iterator[Image]:
    """Views `(H, W, 3) uint8` of `photo`, as of a camera that sways and zooms a little, the same at every call.

    All of the photo stays in view, so that nobody in it loses the head or the feet; what is left of a frame of another
    shape shows a dim, blurred backdrop.

    Args:
        photo: `(H, W, 3) uint8`.
        frames: How many; after the last one the first fits again.
        size: Width and height of the views in pixels.
    """
    width, height = size
    if frames < 1 or not (16 <= width <= 4096 and 16 <= height <= 4096):
        raise UsageError(f"a clip needs a frame or more of 16…4096 pixels, not {frames} of {width} × {height}")
    tall, wide = photo.shape[:2]
    scale = min(width / wide, height / tall)
    fitted = cv2.resize(
        photo,
        (max(round(wide * scale), 1), max(round(tall * scale), 1)),
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
    )
    backdrop = _backdrop(photo, width, height)
    for index in range(frames):
        turn = 2.0 * math.pi * index / frames
        low, high = _ZOOM
        zoom = low + (high - low) * 0.5 * (1.0 - math.cos(turn))
        yield _view(
            fitted.astype(np.uint8, copy=False), backdrop, zoom, _SWAY * math.sin(turn), _SWAY * math.sin(2.0 * turn)
        )


def write_clip(
    photo: str | Path, out: Path, *, frames: int = 100, size: tuple[int, int] = (640, 480), fps: float = 10.0
) -> Path:
    """Write the views of the file `photo` to `out` (.avi, Motion JPEG); returns `out`.

    Raises:
        SourceError: The photo cannot be read, or the clip cannot be written.
    """
    image = read_photo(photo)
    writer = cv2.VideoWriter(str(out), cv2.VideoWriter.fourcc(*"MJPG"), fps, size)
    try:
        if not writer.isOpened():
            raise SourceError(f"{out}: the clip cannot be written (does the folder exist, and does it end in .avi?)")
        for view in moving_views(image, frames=frames, size=size):
            writer.write(view)
    finally:
        writer.release()
    return out


def _backdrop(photo: Image, width: int, height: int) -> Image:
    """The photo so blurred and dim that nobody is seen in it twice."""
    tiny = cv2.resize(photo, (8, 6), interpolation=cv2.INTER_AREA)
    wash = cv2.resize(tiny, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return (0.5 * wash + 0.5 * 48.0).astype(np.uint8)


def _view(fitted: Image, backdrop: Image, zoom: float, sway_x: float, sway_y: float) -> Image:
    height, width = backdrop.shape[:2]
    tall, wide = fitted.shape[0] * zoom, fitted.shape[1] * zoom
    x = 0.5 * (width - wide) * (1.0 + sway_x)
    y = 0.5 * (height - tall) * (1.0 + sway_y)
    move = np.array([[zoom, 0.0, x], [0.0, zoom, y]])
    view = cv2.warpAffine(
        fitted, move, (width, height), dst=backdrop.copy(), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
    )
    return view.astype(np.uint8, copy=False)
