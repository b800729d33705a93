"""Frames between two real processes: always whole, always the newest."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

from comfywear.vision.camera.framebuffer import MAX_FRAME_BYTES, FrameBuffer

WRITER = """
import sys, time
import numpy as np
from comfywear.vision.camera.framebuffer import FrameBuffer
buffer = FrameBuffer(int(sys.argv[1]))
for index in range(int(sys.argv[2])):
    shape = (200 + index % 7, 300 - index % 5, 3)
    buffer.write(np.full(shape, index % 251, np.uint8), index, float(index))
"""


def test_what_is_written_is_read_once() -> None:
    buffer = FrameBuffer()
    try:
        assert buffer.newest_index() == -1
        assert buffer.read(-1) is None
        for index in range(5):
            buffer.write(np.full((4, 6, 3), index, np.uint8), index, 0.5 * index)
        found = buffer.read(2)
        assert found is not None
        image, index, monotonic_s = found
        assert (image.shape, int(image[0, 0, 0]), index, monotonic_s) == ((4, 6, 3), 4, 4, 2.0)
        assert buffer.read(4) is None
    finally:
        buffer.close()


def test_a_frame_that_does_not_fit_is_refused() -> None:
    buffer = FrameBuffer()
    try:
        huge = np.lib.stride_tricks.as_strided(np.zeros(1, np.uint8), (8000, 8000, 3), (0, 0, 0))
        assert huge.nbytes > MAX_FRAME_BYTES
        with pytest.raises(ValueError, match="larger than"):
            buffer.write(huge, 0, 0.0)
    finally:
        buffer.close()


def test_frames_of_another_process_are_never_torn() -> None:
    buffer = FrameBuffer()
    last_frame = 3000
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(buffer.fd), str(last_frame + 1)], pass_fds=(buffer.fd,)
    )
    try:
        last, seen, end = -1, 0, time.monotonic() + 60
        while last < last_frame and time.monotonic() < end:
            found = buffer.read(last)
            if found is None:
                continue
            image, index, monotonic_s = found
            assert index > last
            assert image.shape == (200 + index % 7, 300 - index % 5, 3)
            assert monotonic_s == float(index)
            assert (image == index % 251).all()
            last, seen = index, seen + 1
        assert last == last_frame
        assert seen > 10
    finally:
        writer.wait()
        buffer.close()
