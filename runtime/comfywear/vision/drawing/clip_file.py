"""A clip that appears under its name only when it is complete and can be read back."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import final

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import SourceError, UsageError

__all__ = ["CODECS", "ClipFile"]

Image = NDArray[np.uint8]

CODECS = {".mp4": "mp4v", ".mkv": "mp4v", ".avi": "MJPG", ".webm": "VP80"}


@final
class ClipFile:
    """Frames with their times become a clip of a steady rate; a context manager whose end completes the file.

    Args:
        path: Ends in one of `CODECS`.
        fps: Frames a second of the clip.
        force: Write over a file that exists.

    Attributes:
        frames: Frames written so far.

    Raises:
        UsageError: The ending is not known, or the file exists and `force` is not set.
        SourceError: The folder cannot be written.
    """

    def __init__(self, path: Path, fps: float, *, force: bool = False) -> None:
        if path.suffix.lower() not in CODECS:
            raise UsageError(f"{path}: a clip ends in {', '.join(CODECS)}")
        if path.exists() and not force:
            raise UsageError(f"{path} exists; name another file, or write over it with --force")
        self.frames = 0
        self._path, self._fps = path, fps
        self._part = path.with_name(f".{path.stem}.part{path.suffix.lower()}")
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        try:
            self._part.open("wb").close()  # said now, not after the recording
        except OSError as error:
            raise SourceError(f"{path}: cannot be written ({error.strerror})") from error

    def add(self, image: Image, at_s: float) -> None:
        """Add the frame `(H, W, 3) uint8` BGR that is to be seen `at_s` seconds after the clip's beginning.

        Time without frames shows the last one; of frames that come faster than the rate some are left out. Frames of
        another shape are fitted to the first one's.

        Raises:
            SourceError: This OpenCV cannot write such a clip.
        """
        if self._writer is None:
            self._size = (image.shape[1] // 2 * 2, image.shape[0] // 2 * 2)  # the codecs want even sides
            codec = CODECS[self._path.suffix.lower()]
            self._writer = cv2.VideoWriter(str(self._part), cv2.VideoWriter.fourcc(*codec), self._fps, self._size)
            if not self._writer.isOpened():
                others = ", ".join(ending for ending in CODECS if ending != self._path.suffix.lower())
                raise SourceError(
                    f"{self._path}: this OpenCV cannot write {self._path.suffix} clips (codec {codec} is missing); "
                    f"try another ending: {others}"
                )
        if (image.shape[1], image.shape[0]) != self._size:
            image = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        for _ in range(max(round(at_s * self._fps) + 1 - self.frames, 0)):
            self._writer.write(image)
            self.frames += 1

    def __enter__(self) -> ClipFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._writer is not None:
                self._writer.release()
            if error is None and self.frames:
                self._complete()
        finally:
            self._part.unlink(missing_ok=True)

    def _complete(self) -> None:
        """OpenCV says nothing of a full disk: only reading the clip shows whether it was written."""
        written = cv2.VideoCapture(str(self._part))
        try:
            readable = written.read()[0] and written.get(cv2.CAP_PROP_FRAME_COUNT) >= self.frames - 1
        finally:
            written.release()
        if not readable:
            raise SourceError(f"{self._path}: the clip could not be written whole; has the disk room?")
        try:
            self._part.replace(self._path)
        except OSError as error:
            raise SourceError(f"{self._path}: cannot be written ({error.strerror})") from error
