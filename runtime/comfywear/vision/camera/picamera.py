"""Camera modules of a Raspberry Pi: the system's own `rpicam-vid` reads them, since OpenCV from PyPI cannot."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import SourceError
from comfywear.settings.camera_uri import CameraUri
from comfywear.texts import Text
from comfywear.vision.camera.jpegs import cut_jpegs
from comfywear.vision.camera.photo import decode

__all__ = ["Module", "modules", "picamera_frames"]

_READERS = ("rpicam-vid", "libcamera-vid")  # the second is what the first was called before 2023
_LISTERS = ("rpicam-hello", "libcamera-hello")
_USUAL_SIZE = "1280", "720"
# Asked for 2 pictures a second, the module would expose each for half a second, and who moves would be a blur.
_SLOWEST_FPS, _FASTEST_FPS = 10.0, 30.0
_LIST_PATIENCE_S = 15.0
_LISTED = re.compile(r"^\s*(\d+) : (\S+) \[([^\]]+)\]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Module:
    """A camera module: its number for `picamera://`, its sensor's name, and what else the system says of it."""

    number: int
    name: str
    words: str


def picamera_frames(uri: CameraUri, fps: float | None) -> Iterator[NDArray[np.uint8]]:
    """Frames `(H, W, 3) uint8` BGR of the module that `uri` names, thinned to `fps`.

    Raises:
        SourceError: The system's program is not there, or ended.
    """
    command = _find(_READERS)
    if command is None:
        raise SourceError(
            Text(
                "{shown} needs {readers}, which is not installed here: on Raspberry Pi OS, sudo apt install "
                "rpicam-apps",
                shown=uri.shown,
                readers=_READERS[0],
            )
        )
    number, _, query = uri.target.partition("?")
    options = parse_qs(query)
    width, height = options.get("width", [_USUAL_SIZE[0]])[-1], options.get("height", [_USUAL_SIZE[1]])[-1]
    rate = min(max(fps or _FASTEST_FPS, _SLOWEST_FPS), _FASTEST_FPS)
    words = [command, "--codec", "mjpeg", "--output", "-", "--timeout", "0", "--nopreview", "--flush"]
    words += ["--camera", number, "--width", width, "--height", height, "--framerate", f"{rate:g}"]
    due_s = time.monotonic()
    with _running(words) as (running, said):
        assert running.stdout is not None
        chunks = iter(lambda: os.read(running.stdout.fileno(), 1 << 16), b"")  # type: ignore[union-attr]
        for picture in cut_jpegs(chunks):
            now_s = time.monotonic()
            if now_s < due_s:  # each is read, so that none gets old in the pipe; only due ones are decoded
                continue
            image = decode(picture)
            if image is not None:
                due_s = max(due_s + 1.0 / fps, now_s) if fps else now_s
                yield image
        running.wait(5.0)
        last = _last_words(said)
        raise SourceError(
            Text(
                "{shown}: {name} ended: {why}" if last else "{shown}: {name} ended",
                shown=uri.shown,
                name=Path(command).name,
                why=last,
            )
        )


def modules() -> list[Module]:
    """The camera modules that the system sees; none where its programs are not installed."""
    command = _find(_LISTERS)
    if command is None:
        return []
    try:
        done = subprocess.run([command, "--list-cameras"], capture_output=True, timeout=_LIST_PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    text = (done.stdout + b"\n" + done.stderr).decode(errors="replace")
    return [Module(int(found[1]), found[2], found[3]) for found in _LISTED.finditer(text)]


def _find(names: tuple[str, ...]) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


@contextmanager
def _running(words: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The program, and where its last words can be read; it is ended with whoever leaves."""
    said, theirs = os.pipe()
    os.set_blocking(said, False)
    os.set_blocking(theirs, False)  # it says something for each frame, and nobody reads it while all is well
    try:
        running = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs)
    finally:
        os.close(theirs)
    try:
        yield running, said
    finally:
        running.kill()
        running.wait()
        os.close(said)
        if running.stdout:
            running.stdout.close()


def _last_words(fd: int) -> str:
    text = b""
    with suppress(BlockingIOError):
        while more := os.read(fd, 1 << 16):
            text += more
    lines = [line.strip() for line in text.decode(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or [""])[-1].replace("*** ", "").strip("* ")
