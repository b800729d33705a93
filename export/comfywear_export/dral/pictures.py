"""The pictures that are asked about, and their vectors."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ComfyWearError, SourceError, StoreError, UsageError
from comfywear.feedback.capture import read_captures
from comfywear.vision import AttributeModel, Detector, read_photo
from comfywear.vision.tracking.reid import describe
from comfywear_export.dral.views import described, look, vector
from comfywear_export.progress import counted

__all__ = ["Pictures", "jpeg", "read_pictures"]

Floats = NDArray[np.float64]

_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
_LARGEST = 900  # pixels of the longer side of a picture that is shown
_QUALITY = 88


class Pictures(NamedTuple):
    """Pictures of one person each: names within their folder, and `(N, D)` vectors."""

    folder: Path
    names: tuple[str, ...]
    x: Floats


def read_pictures(folder: Path, cache: Path, detector: Detector, attributes: AttributeModel) -> Pictures:
    """The crops of a device's captures, the oldest first, or all pictures of a folder by name.

    Files that are no pictures are passed over with a line on stderr. The vectors are kept in `cache`, since making them
    takes a while.

    Raises:
        UsageError: There is no such folder, or fewer than two pictures in it.
        StoreError: The cache cannot be written.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder")
    paths = _paths(folder)
    if len(paths) < 2:
        raise UsageError(
            f"{folder}: at least two pictures ({', '.join(sorted(_ENDINGS))}) are needed, not {len(paths)}"
        )
    names = [path.relative_to(folder).as_posix() for path in paths]
    key = _key(paths, names, detector, attributes)
    found = _cached(cache, key)
    if found is None:
        rows = [_vector(path, detector, attributes) for path in counted(paths, "looking at picture", len(paths))]
        good = [row is not None for row in rows]
        names = [name for name, fine in zip(names, good, strict=True) if fine]
        if len(names) < 2:
            raise UsageError(f"{folder}: at least two pictures that can be read are needed, not {len(names)}")
        found = names, np.stack([row for row in rows if row is not None])
        _keep(cache, key, *found)
    return Pictures(folder, tuple(found[0]), found[1])


def jpeg(path: Path) -> bytes:
    """A picture as JPEG of at most 900 pixels a side.

    Raises:
        SourceError: It cannot be read.
    """
    image = read_photo(path)
    factor = min(1.0, _LARGEST / max(image.shape[:2]))
    if factor < 1.0:
        image = np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise SourceError(f"{path}: cannot be shown")
    return data.tobytes()


def _paths(folder: Path) -> list[Path]:
    captures = [folder / str(each["image"]["file_name"]) for each in read_captures(folder)]
    if captures:
        return [path for path in captures if path.is_file() and path.parent == folder]
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS and path.is_file())


def _vector(path: Path, detector: Detector, attributes: AttributeModel) -> Floats | None:
    """Of the person in the picture; of the whole picture, without colours, where the detector finds nobody."""
    try:
        image = read_photo(path)
        found = described(look(image, detector, attributes))
        if found is None:
            found = describe(attributes.predict([image])[0], [])
    except ComfyWearError as error:
        print(f"passed over: {error}", file=sys.stderr)
        return None
    return None if found is None else vector(found)


def _key(paths: list[Path], names: list[str], detector: Detector, attributes: AttributeModel) -> str:
    digest = hashlib.sha256(f"1 {detector.file.sha256} {attributes.file.sha256}".encode())
    for path, name in zip(paths, names, strict=True):
        state = path.stat()
        digest.update(f"\n{name} {state.st_size} {state.st_mtime_ns}".encode())
    return digest.hexdigest()


def _cached(cache: Path, key: str) -> tuple[list[str], Floats] | None:
    try:
        with np.load(cache, allow_pickle=False) as held:
            if str(held["key"]) == key:
                return [str(name) for name in held["names"]], np.asarray(held["x"], np.float64)
    except (OSError, ValueError, KeyError, EOFError):
        return None  # none, or torn: it is made again
    return None


def _keep(cache: Path, key: str, names: list[str], x: Floats) -> None:
    beside = cache.with_name(f"{cache.name}.new")
    try:
        with beside.open("wb") as file:
            np.savez(file, key=np.array(key), names=np.array(names), x=x)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(cache)
    except OSError as error:
        raise StoreError(f"{cache} cannot be written ({error.strerror})") from error
