"""The camera's own process: `python -m comfywear.vision.camera.child`, told on stdin what to open.

It writes frames into the shared buffer and one line for each into a pipe: `f` for a frame, `!reason` when the source
cannot be read, `.` at the end of a clip. The address comes over stdin, not as an argument, so that no password shows in
the list of processes. When stdin ends (the parent closed it, or is dead), this process ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from dataclasses import dataclass

from comfywear.errors import ComfyWearError
from comfywear.vision.camera.framebuffer import FrameBuffer
from comfywear.vision.camera.uri import CameraUri, Kind

__all__ = ["Order", "main"]

STOP_GRACE_S = 0.4


@dataclass(frozen=True, slots=True)
class Order:
    """What the parent wants: the arguments of `comfywear.vision.camera.sources.frames`, and where to put the frames."""

    kind: Kind
    target: str
    shown: str
    fps: float | None
    loop: bool
    size: tuple[int, int] | None
    max_side: int
    first_index: int
    buffer_fd: int
    bell_fd: int


def main() -> None:
    """Read the order from stdin, then give frames until the source or the parent ends."""
    order = Order(**json.loads(sys.stdin.readline()))
    stopping = threading.Event()
    threading.Thread(target=_watch_parent, args=(stopping,), daemon=True).start()
    os.set_blocking(order.bell_fd, False)
    try:
        _give_frames(order, stopping)
    except BrokenPipeError:
        pass  # the parent is gone
    except (ComfyWearError, OSError) as error:
        _say(order.bell_fd, f"!{error}".replace(order.target, order.shown))
    except Exception as error:  # whatever OpenCV raises is the parent's to tell, without a traceback
        _say(order.bell_fd, f"!{type(error).__name__}: {error}".replace(order.target, order.shown))
    else:
        _say(order.bell_fd, ".")


def _give_frames(order: Order, stopping: threading.Event) -> None:
    from comfywear.vision.camera.photo import fit
    from comfywear.vision.camera.sources import frames

    buffer = FrameBuffer(order.buffer_fd)
    uri = CameraUri(order.kind, order.target, order.shown)
    source = frames(uri, order.fps, order.loop, order.size, order.max_side)
    for index, image in enumerate(source, order.first_index):
        if stopping.is_set():
            break
        buffer.write(fit(image, order.max_side), index, time.monotonic())
        # A full pipe is thousands of bells that the parent has not heard yet: one more would tell it nothing.
        with contextlib.suppress(BlockingIOError):
            os.write(order.bell_fd, b"f\n")


def _say(fd: int, line: str) -> None:
    os.set_blocking(fd, True)
    with contextlib.suppress(BrokenPipeError):
        os.write(fd, " ".join(line.split()).encode()[:4000] + b"\n")


def _watch_parent(stopping: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stopping.set()
    time.sleep(STOP_GRACE_S)  # a source that still gives frames is released in order
    os._exit(0)


if __name__ == "__main__":
    main()
