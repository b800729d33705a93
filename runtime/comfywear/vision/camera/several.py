"""Several cameras, looked at in turn, so that one that gives many frames takes nothing from the others."""

from __future__ import annotations

import select
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from comfywear.records import Frame

if TYPE_CHECKING:
    from comfywear.vision.camera.process import Camera

__all__ = ["Turns"]

_SLICE_S = 0.1  # the longest wait before a camera without a process is asked whether it is to be tried again


class Turns:
    """The newest frames of cameras by name: who had a turn waits until the others were asked.

    Attributes:
        cameras: Those that take part.
    """

    def __init__(self, cameras: Mapping[str, Camera] | None = None) -> None:
        self.cameras: dict[str, Camera] = dict(cameras or {})
        self._order = list(self.cameras)

    def add(self, name: str, camera: Camera) -> None:
        """Another camera takes part; it is closed by `remove`."""
        self.cameras[name] = camera
        self._order.append(name)

    def remove(self, name: str) -> None:
        """A camera is closed: its process has ended, and the memory of its frames is given back."""
        self._order.remove(name)
        self.cameras.pop(name).close()

    def close(self) -> None:
        """Close all."""
        for name in list(self.cameras):
            self.remove(name)

    def next(self, timeout_s: float) -> tuple[str, Frame] | None:
        """The next frame and whose it is, waiting up to `timeout_s` for it; None when there is none."""
        if len(self._order) == 1:
            (name,) = self._order
            frame = self.cameras[name].latest(timeout_s)
            return None if frame is None else (name, frame)
        end_s = time.monotonic() + timeout_s
        while True:
            for name in list(self._order):
                frame = self.cameras[name].latest(0.0)
                if frame is not None:
                    self._order.remove(name)
                    self._order.append(name)
                    return name, frame
            left_s = end_s - time.monotonic()
            if left_s <= 0:
                return None
            self._wait(min(left_s, _SLICE_S))

    def _wait(self, seconds: float) -> None:
        """Until a camera's process says something."""
        poll = select.poll()
        for camera in self.cameras.values():
            if (bell := camera.bell) is not None:
                poll.register(bell, select.POLLIN)
        poll.poll(1000 * seconds)
