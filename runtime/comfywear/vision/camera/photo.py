"""Photos from files: read once, turned the right way up, never larger than asked."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import SourceError
from comfywear.settings.camera_uri import parse_camera_uri
from comfywear.texts import Text

__all__ = ["KINDS", "MAX_SIDE", "decode", "fit", "looks_like_photo", "read_photo"]

MAX_SIDE = 1920
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0", b"MM\0*", b"P5", b"P6", b"\0\0\0\x0cjP  ")
# Brands of the ISO container that hold a still picture, as against a clip (HEIF, ISO/IEC 23008-12; AVIF).
_STILL_BRANDS = frozenset({b"avif", b"avis", b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})
KINDS = "JPEG, PNG, WebP, AVIF, BMP or TIFF"
"""The photos that are read, in words."""


def read_photo(path: str | Path, max_side: int = MAX_SIDE) -> NDArray[np.uint8]:
    """The photo at `path` (also a `file://` URI) as `(H, W, 3) uint8` BGR, its longer side at most `max_side` pixels.

    The turn that a phone noted in the file (EXIF orientation) is applied.

    Raises:
        SourceError: There is no such file, it cannot be read, or it is not a photo.
        UsageError: A URI of another kind than `file://`.
    """
    uri = parse_camera_uri(str(path))
    if uri.kind != "file":
        raise SourceError(Text("{shown} is not a photo; give the path of a {kinds} file", shown=uri.shown, kinds=KINDS))
    try:
        data = Path(uri.target).read_bytes()
    except OSError as error:
        raise SourceError(
            Text("{target}: the photo cannot be read ({why})", target=uri.target, why=error.strerror)
        ) from error
    image = decode(data)
    if image is None:
        if data[4:8] == b"ftyp" and data[8:12] in _STILL_BRANDS:
            kind = Text("an AVIF") if data[8:12] in (b"avif", b"avis") else Text("a HEIC")
            raise SourceError(
                Text(
                    "{target}: {kind} photo, which the OpenCV here cannot read; save it as JPEG",
                    target=uri.target,
                    kind=kind,
                )
            )
        raise SourceError(Text("{target}: not a photo that can be read ({kinds})", target=uri.target, kinds=KINDS))
    return fit(image, max_side)


def decode(data: bytes) -> NDArray[np.uint8] | None:
    """The picture in `data` as `(H, W, 3) uint8` BGR, turned as its EXIF says; None when it is none."""
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error:  # such as a picture of absurd size
        return None
    return None if image is None else image.astype(np.uint8, copy=False)


def fit(image: NDArray[np.uint8], max_side: int) -> NDArray[np.uint8]:
    """`image` itself, or shrunk so that its longer side is `max_side` pixels."""
    height, width = image.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1.0:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def looks_like_photo(path: Path) -> bool:
    """Whether the first bytes of the file are those of a photo, as against a clip."""
    with path.open("rb") as file:
        head = file.read(16)
    if head[4:8] == b"ftyp":
        return head[8:12] in _STILL_BRANDS
    return head.startswith(_SIGNATURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
