"""The newest frame, shared between two processes without names, copies in between, or torn pictures.

The memory is an anonymous file (`memfd_create`) that the child inherits: nothing stands in /dev/shm, so nothing can be
left behind however a process ends. Three slots lie in it. The writer never touches the slot that is the newest nor one
that is being read, so it never waits for a reader; byte locks of the kernel say which those are, and a process that is
killed lets go of its locks. The file is sparse: only pages that a frame touched use memory.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_FRAME_BYTES", "FrameBuffer"]

MAX_FRAME_BYTES = 64 * 1024 * 1024
_SLOTS = 3
_PAGE = 4096
_SLOT_HEADER = struct.Struct("<qqqd")  # index, height, width, monotonic_s
_NEWEST = struct.Struct("<qq")  # slot, index
_NEWEST_AT = 1024
_NEWEST_LOCK = _SLOTS


class FrameBuffer:
    """Holds the newest frame; one process writes, another reads.

    Args:
        fd: The anonymous file of another process's buffer, inherited; None makes a new one.
    """

    def __init__(self, fd: int | None = None) -> None:
        size = _PAGE + _SLOTS * MAX_FRAME_BYTES
        if fd is None:
            self.fd = os.memfd_create("comfywear-frames")
            os.ftruncate(self.fd, size)
            self._map = mmap.mmap(self.fd, size)
            _NEWEST.pack_into(self._map, _NEWEST_AT, -1, -1)
        else:
            self.fd = fd
            self._map = mmap.mmap(fd, size)

    def write(self, image: NDArray[np.uint8], index: int, monotonic_s: float) -> None:
        """Make `image` (`(H, W, 3) uint8`, at most MAX_FRAME_BYTES) the newest frame."""
        if image.nbytes > MAX_FRAME_BYTES:
            raise ValueError(f"a frame of {image.shape} is larger than {MAX_FRAME_BYTES} bytes")
        newest, _ = _NEWEST.unpack_from(self._map, _NEWEST_AT)
        for slot in (slot for slot in range(_SLOTS) if slot != newest):
            try:
                fcntl.lockf(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot)
            except OSError:
                continue  # it is being read
            try:
                height, width = image.shape[:2]
                _SLOT_HEADER.pack_into(self._map, slot * 64, index, height, width, monotonic_s)
                self._pixels(slot, height, width)[...] = image
            finally:
                fcntl.lockf(self.fd, fcntl.LOCK_UN, 1, slot)
            with self._locked(fcntl.LOCK_EX, _NEWEST_LOCK):
                _NEWEST.pack_into(self._map, _NEWEST_AT, slot, index)
            return

    def newest_index(self) -> int:
        """The index of the newest frame, −1 before the first."""
        with self._locked(fcntl.LOCK_SH, _NEWEST_LOCK):
            index: int = _NEWEST.unpack_from(self._map, _NEWEST_AT)[1]
        return index

    def read(self, after: int) -> tuple[NDArray[np.uint8], int, float] | None:
        """A copy of the newest frame with its index and time; None when its index is not above `after`."""
        with self._locked(fcntl.LOCK_SH, _NEWEST_LOCK):
            slot, index = _NEWEST.unpack_from(self._map, _NEWEST_AT)
            if index <= after:
                return None
            fcntl.lockf(self.fd, fcntl.LOCK_SH, 1, slot)
        try:
            index, height, width, monotonic_s = _SLOT_HEADER.unpack_from(self._map, slot * 64)
            return self._pixels(slot, height, width).copy(), index, monotonic_s
        finally:
            fcntl.lockf(self.fd, fcntl.LOCK_UN, 1, slot)

    def close(self) -> None:
        """Give the memory back; the kernel frees it when the other process has closed it too."""
        self._map.close()
        os.close(self.fd)
        self.fd = -1

    def _pixels(self, slot: int, height: int, width: int) -> NDArray[np.uint8]:
        start = _PAGE + slot * MAX_FRAME_BYTES
        flat = np.frombuffer(self._map, np.uint8, height * width * 3, start)
        return flat.reshape(height, width, 3)

    @contextmanager
    def _locked(self, kind: int, byte: int) -> Iterator[None]:
        fcntl.lockf(self.fd, kind, 1, byte)
        try:
            yield
        finally:
            fcntl.lockf(self.fd, fcntl.LOCK_UN, 1, byte)
