"""Frames between two real processes: always whole, always the newest."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from children import Child
from comfywear.vision.camera.framebuffer import MAX_FRAME_BYTES, FrameBuffer

WRITER = """
import itertools, select, sys
import numpy as np
from comfywear.vision.camera.framebuffer import FrameBuffer
buffer = FrameBuffer(int(sys.argv[1]))
for index in itertools.count():
    shape = (200 + index % 7, 300 - index % 5, 3)
    buffer.write(np.full(shape, index % 251, np.uint8), index, float(index))
    if select.select([sys.stdin], [], [], 0)[0]:  # closed: this was the last one
        break
print(index)
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
    """The writer goes on until enough was read, however the machine shares its time between the two."""
    buffer = FrameBuffer()
    command = [sys.executable, "-c", WRITER, str(buffer.fd)]
    pipe = subprocess.PIPE
    with Child(command, stdin=pipe, stdout=pipe, text=True, pass_fds=(buffer.fd,)) as writer:
        last = -1
        for _ in range(500):
            last = next_whole(buffer, last, writer)
        said, _ = writer.communicate(timeout=60)  # closes its stdin
        last_frame = int(said)
        if last < last_frame:
            last = next_whole(buffer, last, writer)
        assert last == last_frame
    assert writer.returncode == 0
    buffer.close()


def next_whole(buffer: FrameBuffer, last: int, writer: subprocess.Popen[str]) -> int:
    """The index of the next frame that is read, which must be whole."""
    while (found := buffer.read(last)) is None:
        assert writer.poll() is None, "the writer ended without a frame to read"
    image, index, monotonic_s = found
    assert index > last
    assert image.shape == (200 + index % 7, 300 - index % 5, 3)
    assert monotonic_s == float(index)
    assert (image == index % 251).all()
    return index
