"""The frames of each kind of source, paced as a camera would give them. Runs in the camera's own process."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import SourceError
from comfywear.settings.camera_uri import CameraUri
from comfywear.texts import Text
from comfywear.vision.camera.ffmpeg import overhearing, refusal
from comfywear.vision.camera.folder import folder_frames, list_pictures, photo_frames
from comfywear.vision.camera.jpegs import cut_jpegs
from comfywear.vision.camera.pace import FramePace
from comfywear.vision.camera.photo import KINDS, decode, looks_like_photo

__all__ = ["Wishes", "end_of", "frames"]

Image = NDArray[np.uint8]

_PHOTO_FPS = 5.0
_CLIP_FPS = 25.0  # of clips that do not say theirs
_RAW_MJPEG = frozenset({".mjpeg", ".mjpg"})
_CHUNK_BYTES = 256 * 1024
# An RTSP read that stalls returns only after about three times the read timeout, and the capture is dead then.
_STREAM_OPTIONS = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 10_000, cv2.CAP_PROP_READ_TIMEOUT_MSEC, 2_000]


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a source is to be read.

    Attributes:
        fps: Frames a second; None means a clip's own rate, 5 for photos, 1 for single pictures over HTTP, all frames
            of other live sources.
        loop: Start again after the last frame of a clip, a folder or a photo.
        size: Width and height asked of a V4L2 camera; it may give others.
        max_side: Photos are shrunk to this longer side.
        hold_s: How long each picture of a folder is shown that is another photo than the one before.
    """

    fps: float | None
    loop: bool
    size: tuple[int, int] | None
    max_side: int
    hold_s: float


def frames(uri: CameraUri, wishes: Wishes) -> Iterator[Image]:
    """Frames `(H, W, 3) uint8` BGR of `uri`, each when it is due.

    Raises:
        LoginRefusedError: A camera in the network refuses the user name or password.
        SourceError: It cannot be opened, gives no frame, or (a live source) stopped giving frames.
    """
    fps, path = wishes.fps, Path(uri.target)
    match uri.kind:
        case "http":  # imported where it is needed: TLS takes memory in a process that has no other use for it
            from comfywear.vision.camera.http import http_frames

            return http_frames(uri, fps)
        case "picamera":
            from comfywear.vision.camera.picamera import picamera_frames

            return picamera_frames(uri, fps)
        case "rtsp" | "rtmp" | "v4l2":
            return _live(uri, fps, wishes.size)
        case "images":
            return folder_frames(uri.target, fps or _PHOTO_FPS, wishes.loop, wishes.max_side, wishes.hold_s)
        case _:
            if _is_raw_mjpeg(path):
                return _mjpeg(path, fps or _CLIP_FPS, wishes.loop)
            if looks_like_photo(path):
                return photo_frames(path, fps or _PHOTO_FPS, wishes.loop, wishes.max_side)
            return _clip(path, fps, wishes.loop)


def end_of(uri: CameraUri) -> str:
    """Why a source that does not loop is over, and what would go on."""
    if uri.kind == "images":
        return Text(
            "the last of {n} pictures was shown; loop = true begins again",
            n=len(list_pictures(uri.target)),
        )
    return Text("the end of the recording; loop = true begins it again")


def _is_raw_mjpeg(path: Path) -> bool:
    """Whether JPEG pictures stand in the file one after the other, all of a clip.

    A photo may hold a second picture, too (a preview, a depth map), but says so (CIPA DC-007, the marker "MPF").
    """
    with path.open("rb") as file:
        if path.suffix.lower() in _RAW_MJPEG:
            return True
        head = file.read(_CHUNK_BYTES)
        if not head.startswith(b"\xff\xd8\xff") or b"MPF\0" in head:
            return False
        pictures = cut_jpegs(chain([head], iter(lambda: file.read(_CHUNK_BYTES), b"")))
        shapes = [_shape(picture) for _, picture in zip(range(3), pictures, strict=False)]
    return len(shapes) == 3 and len(set(shapes)) == 1


def _shape(jpeg: bytes) -> tuple[int, ...] | None:
    image = decode(jpeg)
    return None if image is None else image.shape


def _mjpeg(path: Path, fps: float, loop: bool) -> Iterator[Image]:
    due = FramePace(fps)
    while True:
        readable = 0
        with path.open("rb") as file:
            for picture in cut_jpegs(iter(lambda: file.read(_CHUNK_BYTES), b"")):
                image = decode(picture)
                if image is not None:
                    readable += 1
                    yield image
                    due.wait()
        if not readable:
            raise SourceError(Text("{path}: not a clip or photo that can be read (no JPEG picture in it)", path=path))
        if not loop:
            return


def _clip(path: Path, fps: float | None, loop: bool) -> Iterator[Image]:
    while True:
        with _capture(lambda: cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)) as capture:
            own = capture.get(cv2.CAP_PROP_FPS) if capture.isOpened() else 0.0
            due = FramePace(fps or (own if 0.0 < own <= 240.0 else _CLIP_FPS))
            ok, image = capture.read()
            if not ok:
                raise SourceError(
                    Text(
                        "{path}: not a clip or photo that can be read (no frame could be decoded; photos are {kinds})",
                        path=path,
                        kinds=KINDS,
                    )
                )
            while ok:
                yield image.astype(np.uint8, copy=False)
                due.wait()
                ok, image = capture.read()
        if not loop:
            return


def _live(uri: CameraUri, fps: float | None, size: tuple[int, int] | None) -> Iterator[Image]:
    if uri.kind == "v4l2" and not stat.S_ISCHR(Path(uri.target).stat().st_mode):
        raise SourceError(Text("{target} is not a video device", target=uri.target))

    def start() -> cv2.VideoCapture:
        if uri.kind != "v4l2":
            scheme, _, rest = uri.target.partition("://")  # FFmpeg knows schemes in small letters only
            return cv2.VideoCapture(f"{scheme.lower()}://{rest}", cv2.CAP_FFMPEG, _STREAM_OPTIONS)
        capture = cv2.VideoCapture(uri.target, cv2.CAP_V4L2)
        wanted = {cv2.CAP_PROP_FRAME_WIDTH: size and size[0], cv2.CAP_PROP_FRAME_HEIGHT: size and size[1]}
        for prop, value in {**wanted, cv2.CAP_PROP_FPS: fps}.items():
            if value:
                capture.set(prop, value)
        return capture

    with overhearing() as heard:
        capture = start()
        if not capture.isOpened():
            capture.release()
            raise refusal(uri.shown, heard.text, login="@" in uri.target.partition("://")[2].partition("/")[0])
    with _capture(lambda: capture):
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
    raise SourceError(Text("{shown} stopped giving frames", shown=uri.shown))


@contextmanager
def _capture(start: Callable[[], cv2.VideoCapture]) -> Iterator[cv2.VideoCapture]:
    capture = start()
    try:
        yield capture
    finally:
        capture.release()
