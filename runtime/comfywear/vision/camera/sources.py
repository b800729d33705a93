"""The frames of each kind of source, paced as a camera would give them. Runs in the camera's own process."""

from __future__ import annotations

import glob
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import SourceError
from comfywear.vision.camera.photo import looks_like_photo, read_photo
from comfywear.vision.camera.uri import CameraUri

__all__ = ["frames"]

Image = NDArray[np.uint8]

_PHOTO_FPS = 5.0
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
# An RTSP read that stalls returns only after about three times the read timeout, and the capture is dead then.
_RTSP_OPTIONS = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 10_000, cv2.CAP_PROP_READ_TIMEOUT_MSEC, 2_000]


def frames(
    uri: CameraUri, fps: float | None, loop: bool, size: tuple[int, int] | None, max_side: int
) -> Iterator[Image]:
    """Frames `(H, W, 3) uint8` BGR of `uri`, each when it is due.

    Args:
        uri: The source.
        fps: Frames a second; None means a clip's own rate, 5 for photos, all frames of a live source.
        loop: Start again after the last frame of a clip, a folder or a photo.
        size: Width and height asked of a V4L2 camera; it may give others.
        max_side: Photos are shrunk to this longer side.

    Raises:
        SourceError: It cannot be opened, gives no frame, or (a live source) stopped giving frames.
    """
    if uri.live:
        yield from _live(uri, fps, size)
        return
    path = Path(uri.target)
    if uri.kind == "images":
        pictures = _pictures(uri.target)
    elif looks_like_photo(path):
        pictures = [path]
    else:
        yield from _clip(path, fps, loop)
        return
    yield from _photos(pictures, fps or _PHOTO_FPS, loop, max_side)


def _pictures(target: str) -> list[Path]:
    folder = Path(target)
    found = folder.iterdir() if folder.is_dir() else map(Path, glob.glob(target))  # noqa: PTH207 - absolute patterns
    pictures = sorted(path for path in found if path.suffix.lower() in _PICTURES)
    if not pictures:
        raise SourceError(f"no picture in {target} (looked for {', '.join(sorted(_PICTURES))})")
    return pictures


def _photos(pictures: list[Path], fps: float, loop: bool, max_side: int) -> Iterator[Image]:
    due = _Pace(fps)
    if len(pictures) == 1:
        image = read_photo(pictures[0], max_side)
        yield image
        while loop:
            due.wait()
            yield image
        return
    while True:
        readable = 0
        for path in pictures:
            try:
                image = read_photo(path, max_side)
            except SourceError as error:
                problem = error
                continue
            readable += 1
            yield image
            due.wait()
        if not readable:
            raise SourceError(f"none of {len(pictures)} pictures can be read; the last: {problem}")
        if not loop:
            return


def _clip(path: Path, fps: float | None, loop: bool) -> Iterator[Image]:
    while True:
        with _capture(lambda: cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)) as capture:
            own = capture.get(cv2.CAP_PROP_FPS) if capture.isOpened() else 0.0
            due = _Pace(fps or (own if 0.0 < own <= 240.0 else 25.0))
            ok, image = capture.read()
            if not ok:
                raise SourceError(f"{path}: not a clip or photo that can be read (no frame could be decoded)")
            while ok:
                yield image.astype(np.uint8, copy=False)
                due.wait()
                ok, image = capture.read()
        if not loop:
            return


def _live(uri: CameraUri, fps: float | None, size: tuple[int, int] | None) -> Iterator[Image]:
    if uri.kind == "v4l2" and not stat.S_ISCHR(Path(uri.target).stat().st_mode):
        raise SourceError(f"{uri.target} is not a video device")

    def start() -> cv2.VideoCapture:
        if uri.kind == "rtsp":
            return cv2.VideoCapture(uri.target, cv2.CAP_FFMPEG, _RTSP_OPTIONS)
        capture = cv2.VideoCapture(uri.target, cv2.CAP_V4L2)
        wanted = {cv2.CAP_PROP_FRAME_WIDTH: size and size[0], cv2.CAP_PROP_FRAME_HEIGHT: size and size[1]}
        for prop, value in {**wanted, cv2.CAP_PROP_FPS: fps}.items():
            if value:
                capture.set(prop, value)
        return capture

    with _capture(start) as capture:
        if not capture.isOpened():
            raise SourceError(f"{uri.shown} cannot be opened (is it plugged in, switched on and not in use?)")
        due = time.monotonic()
        while capture.grab():  # every frame is taken, so that none gets old in a queue; only due ones are decoded
            now = time.monotonic()
            if fps and now < due:
                continue
            ok, image = capture.retrieve()
            if not ok:
                break
            due = max(due + 1.0 / fps, now) if fps else now
            yield image.astype(np.uint8, copy=False)
    raise SourceError(f"{uri.shown} stopped giving frames")


@contextmanager
def _capture(start: Callable[[], cv2.VideoCapture]) -> Iterator[cv2.VideoCapture]:
    capture = start()
    try:
        yield capture
    finally:
        capture.release()


class _Pace:
    """Waits until the next frame is due; a late frame doesn't make the following ones hurry."""

    def __init__(self, fps: float) -> None:
        self._step = 1.0 / fps
        self._due = time.monotonic()

    def wait(self) -> None:
        now = time.monotonic()
        self._due = max(self._due + self._step, now)
        time.sleep(self._due - now)
