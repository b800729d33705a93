"""A folder of pictures as a camera: by name, each as long as it needs, and new ones as they come; a single photo."""

from __future__ import annotations

import glob
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import SourceError
from comfywear.texts import Text
from comfywear.vision.camera.pace import FramePace
from comfywear.vision.camera.photo import read_photo

__all__ = ["PICTURES", "folder_frames", "list_pictures", "photo_frames"]

Image = NDArray[np.uint8]

PICTURES = frozenset((
    ".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".heic", ".heif", ".jp2"
))  # fmt: skip
"""Endings of the names that are looked at."""

_SETTLED_S = 1.0  # a picture that was written to within so long may not be whole yet
_OTHER_PHOTO = 20.0  # mean difference of two small grey pictures, of 255, above which they are no sequence


def folder_frames(target: str, fps: float, loop: bool, max_side: int, hold_s: float) -> Iterator[Image]:
    """The pictures of a folder or a glob pattern.

    Args:
        target: The folder or pattern; it is listed anew after every picture, and new pictures are shown first.
        fps: Frames a second.
        loop: Begin again after the last one, instead of ending.
        max_side: Pictures are shrunk to this longer side.
        hold_s: How long a picture is shown again and again that is another photo than the one before.

    Raises:
        SourceError: There is no picture, or none that can be read.
    """
    due, photos = FramePace(fps), _Photos(max_side)
    seen: set[Path] = set()
    shown: set[Path] = set()  # in this round
    while True:
        found = list_pictures(target)
        ready = [path for path in found if not seen or path in seen or _settled(path)]
        fresh = [path for path in ready if seen and path not in seen]
        path = next(iter(fresh or [path for path in ready if path not in shown]), None)
        if path is not None:
            seen.update(ready if not seen else [path])
            shown.add(path)
            for image in photos.read(path, hold_s, [other for other in ready if other != path]):
                yield image
                due.wait()
        elif len(ready) < len(found):
            due.wait()  # one is still being written
        elif not photos.readable:
            raise SourceError(
                Text(
                    "none of {found} pictures can be read; the last: {problem}",
                    found=len(found),
                    problem=photos.problem,
                )
            )
        elif loop:
            shown.clear()
            photos.readable = 0
        else:
            return


def photo_frames(path: Path, fps: float, loop: bool, max_side: int) -> Iterator[Image]:
    """One photo, again and again with `loop`; it is read anew when the file was written anew.

    Raises:
        SourceError: It cannot be read.
    """
    due, photos = FramePace(fps), _Photos(max_side)
    yield from photos.read(path)
    if not photos.readable:
        raise photos.problem or SourceError(Text("{path} cannot be read", path=path))
    while loop:
        due.wait()
        yield from photos.read(path)


class _Photos:
    """Reads pictures, the same file once only while it doesn't change."""

    def __init__(self, max_side: int) -> None:
        self._max_side = max_side
        self._last: tuple[Path, int, Image] | None = None
        self.readable = 0
        self.problem: SourceError | None = None

    def read(self, path: Path, hold_s: float = 0.0, others: Sequence[Path] = ()) -> Iterator[Image]:
        """The picture: once, or for `hold_s` when it is another photo than the one before; nothing when unreadable.

        The first picture of all is compared with the first of the others instead.
        """
        before = self._last
        try:
            changed_ns = path.stat().st_mtime_ns
            if before is None or before[:2] != (path, changed_ns):
                self._last = (path, changed_ns, read_photo(path, self._max_side))
        except SourceError as error:
            self.problem = error
        except OSError as error:
            self.problem = SourceError(Text("{path}: the photo cannot be read ({why})", path=path, why=error.strerror))
        else:
            assert self._last is not None
            image = self._last[2]
            self.readable += 1
            neighbour = before[2] if before else self._first(others) if hold_s else None
            held = neighbour is not None and _another(neighbour, image)
            end_s = time.monotonic() + (hold_s if held else 0.0)
            yield image
            while time.monotonic() < end_s:
                yield image

    def _first(self, others: Sequence[Path]) -> Image | None:
        for path in others[:1]:
            with suppress(SourceError):
                return read_photo(path, self._max_side)
        return None


def list_pictures(target: str) -> list[Path]:
    """The pictures of a folder or a glob pattern, sorted by name; SourceError when there is none."""
    folder = Path(target)
    try:
        found = folder.iterdir() if folder.is_dir() else map(Path, glob.glob(target))  # noqa: PTH207 - absolute patterns
        pictures = sorted(path for path in found if path.suffix.lower() in PICTURES)
    except OSError as error:
        raise SourceError(
            Text("{target}: the folder cannot be read ({why})", target=target, why=error.strerror)
        ) from error
    if not pictures:
        raise SourceError(
            Text("no picture in {target} (looked for {pictures})", target=target, pictures=", ".join(sorted(PICTURES)))
        )
    return pictures


def _settled(path: Path) -> bool:
    try:
        return abs(time.time() - path.stat().st_mtime) > _SETTLED_S
    except OSError:
        return False


def _another(before: Image, image: Image) -> bool:
    """Whether a picture is another photo than the one before, and not the next of a sequence."""
    if before.shape != image.shape:
        return True
    first, second = (
        cv2.resize(cv2.cvtColor(one, cv2.COLOR_BGR2GRAY), (32, 32), interpolation=cv2.INTER_AREA)
        for one in (before, image)
    )
    return float(np.abs(first.astype(np.float32) - second.astype(np.float32)).mean()) > _OTHER_PHOTO
