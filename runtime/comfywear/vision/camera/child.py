"""The camera's own process: `python -m comfywear.vision.camera.child`, told on stdin what to open.

It writes frames into the shared buffer and one line for each into a pipe: `f` for a frame, `!reason` when the source
cannot be read, `?reason` when it refuses the login, `.reason` at the end of a clip; a
reason is a sentence as JSON. The address comes over stdin, not
as an argument, so that no password shows in the list of processes. When stdin ends (the parent closed it, or is dead),
this process ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass

import msgspec

from comfywear.errors import ComfyWearError, LoginRefusedError
from comfywear.settings.camera_uri import CameraUri, Kind
from comfywear.texts import changed, encode_keyed
from comfywear.vision.camera.framebuffer import FrameBuffer
from comfywear.vision.camera.view import View, Viewer
from comfywear_sensors.redaction import redact

__all__ = ["CameraOrder", "main"]

STOP_GRACE_S = 0.4
LONGEST_LINE, _LONGEST = 4000, 600
"""Of what it says at its end, in bytes and in characters."""


@dataclass(frozen=True, slots=True)
class CameraOrder:
    """What the parent wants: the fields of `CameraUri` and `Wishes`, a view, and where to put the frames."""

    kind: Kind
    target: str
    shown: str
    fps: float | None
    loop: bool
    size: tuple[int, int] | None
    max_side: int
    hold_s: float
    view: View
    first_index: int
    buffer_fd: int
    bell_fd: int


def main() -> None:
    """Read the order from stdin, then give frames until the source or the parent ends."""
    order = msgspec.json.decode(sys.stdin.readline(), type=CameraOrder)
    stopping = threading.Event()
    threading.Thread(target=_watch_parent, args=(stopping,), daemon=True).start()
    os.set_blocking(order.bell_fd, False)
    try:
        kind, said = ".", _give_frames(order, stopping)
    except BrokenPipeError:
        return  # the parent is gone
    except LoginRefusedError as error:
        kind, said = "?", str(error)
    except (ComfyWearError, OSError) as error:
        kind, said = "!", str(error)
    except Exception as error:  # whatever OpenCV raises is the parent's to tell, without a traceback
        kind, said = "!", f"{type(error).__name__}: {error}"
    if "://" in order.target:  # a whole address, which may hold a password
        said = changed(said, lambda part: part.replace(order.target, order.shown))
    said = changed(said, lambda part: " ".join(part.split()))
    _say(order.bell_fd, kind, redact(said))


def _give_frames(order: CameraOrder, stopping: threading.Event) -> str:
    """Write every frame into the buffer; returns why the source is over."""
    from comfywear.vision.camera.sources import Wishes, end_of, frames

    buffer, viewer = FrameBuffer(order.buffer_fd), Viewer(order.view, order.max_side)
    uri = CameraUri(order.kind, order.target, order.shown)
    source = frames(uri, Wishes(order.fps, order.loop, order.size, order.max_side, order.hold_s))
    for index, image in enumerate(source, order.first_index):
        if stopping.is_set():
            break
        buffer.write(viewer(image), index, time.monotonic())
        # A full pipe is thousands of bells that the parent has not heard yet: one more would tell it nothing.
        with contextlib.suppress(BlockingIOError):
            os.write(order.bell_fd, b"f\n")
    return end_of(uri)


def _say(fd: int, kind: str, said: str) -> None:
    line = encode_keyed(said)
    os.set_blocking(fd, True)
    with contextlib.suppress(BrokenPipeError):
        os.write(fd, kind.encode() + (line if len(line) < LONGEST_LINE else encode_keyed(said[:_LONGEST])) + b"\n")


def _watch_parent(stopping: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stopping.set()
    time.sleep(STOP_GRACE_S)  # a source that still gives frames is released in order
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)  # with what it started, such as rpicam-vid
    os._exit(0)


if __name__ == "__main__":
    main()
