"""A camera as its user sees it: the newest frame, a state, and no way to hang the caller.

The source is read by a child process. A child that gives no frame before a deadline is killed; a source that is gone is
tried again after a growing, jittered delay. All of this happens inside `latest()`: there is no thread.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import select
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Literal, final

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.records import Frame
from comfywear.settings.camera_uri import CameraUri, parse_camera_uri
from comfywear.texts import Text, decode_keyed, encode
from comfywear.vision.camera.child import STOP_GRACE_S, CameraOrder
from comfywear.vision.camera.framebuffer import FrameBuffer
from comfywear.vision.camera.light import measure_light
from comfywear.vision.camera.photo import MAX_SIDE
from comfywear.vision.camera.view import View, view_of, visible
from comfywear_sensors.backoff import BackOff

if TYPE_CHECKING:
    from comfywear.settings.camera import CameraSettings

__all__ = ["Camera", "CameraState", "open_camera", "open_configured"]

_HEALTHY_S = 10.0  # after this long with frames, the next loss starts again with the shortest delay
# Cameras lock an account after five to seven wrong logins, most for half an hour (Hikvision, Dahua): never so many.
_LOGIN_RETRY_S = (600.0, 3600.0)
# Commands that draw silence OpenCV by these; in the camera's process its words are the reason that is told.
_QUIET = frozenset({"OPENCV_FFMPEG_LOGLEVEL", "OPENCV_LOG_LEVEL"})
_SLICE_S = 0.1  # how long one wait keeps others from closing the camera


@dataclass(frozen=True, slots=True)
class CameraState:
    """What a camera is doing.

    Attributes:
        name: "starting" (no frame yet), "running", "gone" (will be tried again), "ended" (a clip is over, or closed).
        reason: Why it is gone or ended; None otherwise. It never holds a password.
        since_s: When this state began, on the monotonic clock.
        restarts: How often the source was lost so far.
    """

    name: Literal["starting", "running", "gone", "ended"]
    reason: str | None
    since_s: float
    restarts: int = 0


def open_camera(
    uri: str,
    *,
    fps: float | None = None,
    loop: bool = False,
    size: tuple[int, int] | None = None,
    max_side: int = MAX_SIDE,
    hold_s: float = 0.0,
    view: View = View(),  # noqa: B008 - frozen
    open_deadline_s: float = 20.0,
    frame_deadline_s: float = 6.0,
    retry_s: tuple[float, float] = (0.5, 30.0),
) -> Camera:
    """Open the camera `uri` in a process of its own; returns at once, in the state "starting".

    Args:
        uri: `file:///clip.mp4` or a photo, `images:///folder` (sorted by name) or a glob, `v4l2:///dev/video0`,
            `picamera://0`, `rtsp://user:password@host/path`, `http://host/stream`, `rtmp://host/path`, or a bare path.
        fps: Frames a second. Clips and photos are paced to it (a clip's own rate and 5 when None); live sources are
            thinned to it.
        loop: Start a clip, folder or photo again at its end; a photo then is a camera that nobody moves before.
        size: Width and height asked of a V4L2 camera.
        max_side: Larger frames are shrunk to this longer side.
        hold_s: How long each picture of a folder is shown that is another photo than the one before (not the next of a
            sequence); 0 = one frame.
        view: How pictures are turned, cut and masked before they leave the camera's process.
        open_deadline_s: Seconds that the first frame may take before the process is killed.
        frame_deadline_s: Seconds that every further frame may take.
        retry_s: The first and the longest delay before a lost source is tried again; it doubles in between.

    Raises:
        UsageError: The URI or a number makes no sense. A source that is not there is no error but a state.
    """
    if fps is not None and not 0.001 <= fps <= 1000:
        raise UsageError(Text("fps must be in 0.001…1000, not {fps}", fps=fps))
    if not 16 <= max_side <= 4096:
        raise UsageError(Text("max_side must be in 16…4096 pixels, not {max_side}", max_side=max_side))
    if not 0 <= hold_s <= 86_400:
        raise UsageError(Text("hold_s must be in 0…86,400 seconds, not {hold}", hold=hold_s))
    found = parse_camera_uri(uri)
    order = CameraOrder(found.kind, found.target, found.shown, fps, loop, size, max_side, hold_s, view, 0, -1, -1)
    return Camera(found, order, open_deadline_s, max(frame_deadline_s, 3.0 / fps if fps else 0.0), retry_s)


def open_configured(camera: CameraSettings, *, source: str = "", fps: float | None = None) -> Camera:
    """Open the camera of the settings as they say: with its masks, however it is used.

    Args:
        camera: The settings.
        source: Another source, seen in the same way.
        fps: Another rate.

    Raises:
        UsageError: See `open_camera`.
    """
    return open_camera(
        source or camera.source, fps=fps or camera.fps, loop=camera.loop, hold_s=camera.hold_s, view=view_of(camera)
    )


@final
class Camera:
    """The newest frame of a source; made by `open_camera`, a context manager. Any thread may close it."""

    def __init__(
        self,
        uri: CameraUri,
        order: CameraOrder,
        open_deadline_s: float,
        frame_deadline_s: float,
        retry_s: tuple[float, float],
    ) -> None:
        self.source = uri.shown
        self._uri = uri
        self._order = order
        self._deadlines = open_deadline_s, frame_deadline_s
        self._back_off = BackOff(*retry_s, share=(0.75, 1.25))
        self._login_back_off = BackOff(*_LOGIN_RETRY_S, share=(0.75, 1.25))
        self._lock = threading.Lock()
        self._buffer = FrameBuffer()
        self._child: subprocess.Popen[bytes] | None = None
        self._bell = -1
        self._heard = b""
        self._said: bytes | None = None
        self._death = ""
        self._last_index = -1
        self._visible: NDArray[np.uint8] | None = None
        self._alive_s = self._retry_at_s = time.monotonic()
        self._state = CameraState("starting", None, self._alive_s)

    @property
    def state(self) -> CameraState:
        """What the camera was doing when `latest` last looked."""
        return self._state

    @property
    def pid(self) -> int | None:
        """The process that reads the source now, if there is one."""
        return self._child.pid if self._child else None

    def latest(self, timeout_s: float = 1.0) -> Frame | None:
        """The newest frame that was not returned before, waiting up to `timeout_s` for it; None when there is none.

        Frames that came in between are skipped. None says nothing about the reason: look at `state`.
        """
        end = time.monotonic() + timeout_s
        while True:
            left = end - time.monotonic()
            with self._lock:
                if self._state.name == "ended":
                    return self._take()
                self._pump(min(max(left, 0.0), _SLICE_S))
                frame = self._take()
            if frame is not None or left <= 0:
                return frame

    @property
    def bell(self) -> int | None:
        """A file descriptor that can be read when the camera's process has said something; None while there is none."""
        return None if self._child is None else self._bell

    def close(self) -> None:
        """Stop reading and free everything, in well under a second; a second call does nothing."""
        with self._lock:
            if self._buffer.fd < 0:
                return
            self._stop_child(STOP_GRACE_S + 0.2)
            self._buffer.close()
            self._enter("ended", self._state.reason if self._state.name == "ended" else Text("closed"))

    def __enter__(self) -> Camera:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _take(self) -> Frame | None:
        found = None if self._buffer.fd < 0 else self._buffer.read(self._last_index)
        if found is None:
            return None
        image, self._last_index, monotonic_s = found
        size = (image.shape[0], image.shape[1])
        if self._order.view.masks and (self._visible is None or self._visible.shape != size):
            self._visible = visible(self._order.view, size)
        return Frame(image, self._last_index, monotonic_s, self.source, measure_light(image, self._visible))

    def _pump(self, wait_s: float) -> None:
        """Start the child if it is time, hear what it says for up to `wait_s`, and kill it when it is too late."""
        now = time.monotonic()
        if self._child is None:
            if now < self._retry_at_s:
                time.sleep(min(wait_s, self._retry_at_s - now))
                return
            missing = self._uri.missing()
            if missing:
                self._lost(missing)
                return
            if not self._start_child():
                return
        poll = select.poll()
        poll.register(self._bell, select.POLLIN)
        if poll.poll(wait_s * 1000):
            self._hear()
            return
        deadline = self._deadlines[self._state.name == "running"]
        late = time.monotonic() - self._alive_s
        if late > deadline:
            self._stop_child(0.0)
            self._lost(Text("no frame for {seconds} s; the camera's process was stopped", seconds=f"{late:.0f}"))

    def _hear(self) -> None:
        data = os.read(self._bell, 65536)
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            if line == b"f":
                self._alive_s = time.monotonic()
                if self._state.name != "running":
                    self._enter("running", None)
                elif self._alive_s - self._state.since_s > _HEALTHY_S:
                    self._back_off.settle()
            else:
                self._said = line
        if data:
            return
        self._stop_child(STOP_GRACE_S)
        if self._said is None:
            self._lost(self._death)
            return
        kind, said = self._said[:1], decode_keyed(self._said[1:])
        if kind == b".":
            self._enter("ended", said)
        else:
            self._lost(said, self._login_back_off if kind == b"?" else None)

    def _lost(self, reason: str, back_off: BackOff | None = None) -> None:
        self._retry_at_s = time.monotonic() + (back_off or self._back_off).fail()
        self._enter("gone", reason)

    def _enter(self, name: Literal["starting", "running", "gone", "ended"], reason: str | None) -> None:
        old = self._state
        since_s = old.since_s if (old.name, old.reason) == (name, reason) else time.monotonic()
        self._state = CameraState(name, reason, since_s, old.restarts + (name == "gone"))

    def _start_child(self) -> bool:
        self._bell, theirs = os.pipe()
        self._heard, self._said = b"", None
        try:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "comfywear.vision.camera.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # FFmpeg prints addresses with passwords
                env={name: value for name, value in os.environ.items() if name not in _QUIET},
                pass_fds=(self._buffer.fd, theirs),
                start_new_session=True,  # Ctrl-C is for the parent, which then ends the child
            )
        except OSError as error:
            os.close(self._bell)
            self._lost(Text("the camera's process cannot be started ({why})", why=error.strerror))
            return False
        finally:
            os.close(theirs)
        order = dataclasses.replace(
            self._order, first_index=self._buffer.newest_index() + 1, buffer_fd=self._buffer.fd, bell_fd=theirs
        )
        assert self._child.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it is dead already, as its bell will tell
            self._child.stdin.write(encode(order) + b"\n")
            self._child.stdin.flush()
        self._alive_s = time.monotonic()
        return True

    def _stop_child(self, grace_s: float) -> None:
        """End the child and note how it died; one that cannot be killed (a driver that hangs) is left to the kernel."""
        child, self._child = self._child, None
        if child is None:
            return
        assert child.stdin is not None
        for wait_s in (grace_s, 1.0):
            try:
                child.stdin.close()
                code = child.wait(wait_s)
                break
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)  # it leads a session of its own: with what it started
            except BrokenPipeError:
                continue
        else:
            code = -signal.SIGKILL
        os.close(self._bell)
        how = Text("signal {code}", code=-code) if code < 0 else Text("code {code}", code=code)
        self._death = Text("the camera's process ended unexpectedly ({how})", how=how)
