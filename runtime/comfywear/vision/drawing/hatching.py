"""What may not be seen, hatched: a mask is no dark corner of the room."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from comfywear.settings import CameraSettings
from comfywear.vision.camera.view import view_of, visible

__all__ = ["hatched"]

Image = NDArray[np.uint8]

_GROUND, _LINE = 60, 150


def hatched(image: Image, camera: CameraSettings) -> Image:
    """`image` `(H, W, 3) uint8` with the masks of its camera hatched; itself where there are none."""
    view = view_of(camera)
    if not view.masks:
        return image
    height, width = image.shape[:2]
    step = max(height // 40, 6)
    rows, columns = np.indices((height, width))
    lines = np.where((rows + columns) % (2 * step) < max(step // 3, 2), _LINE, _GROUND).astype(np.uint8)
    hidden = visible(view, (height, width)) == 0
    return np.where(hidden[:, :, None], lines[:, :, None], image).astype(np.uint8, copy=False)
