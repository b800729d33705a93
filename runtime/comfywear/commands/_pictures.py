"""Writes pictures for people, with errors that say what to do."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import SourceError, UsageError

__all__ = ["write_picture"]


def write_picture(path: Path, picture: NDArray[np.uint8], quality: int = 90) -> None:
    """Write `(H, W, 3) uint8` BGR as the name's ending says (JPEG with `quality`).

    Raises:
        UsageError: The ending is not that of a picture.
        SourceError: The place cannot be written.
    """
    jpeg = path.suffix.lower() in (".jpg", ".jpeg")
    try:
        done, data = cv2.imencode(path.suffix or ".", picture, [cv2.IMWRITE_JPEG_QUALITY, quality] if jpeg else [])
    except cv2.error:
        done = False
    if not done:
        raise UsageError(f"cannot write a picture as {path.name!r}: let its name end in .png or .jpg")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise SourceError(f"cannot write {path}: {error.strerror or error}; choose another place") from error
