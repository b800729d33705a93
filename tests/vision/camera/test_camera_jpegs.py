"""JPEG pictures are cut out of any bytes, however these come."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from http_camera import jpeg
from hypothesis import example, given
from hypothesis import strategies as st

from comfywear.errors import SourceError
from comfywear.vision.camera.jpegs import LARGEST_BYTES, cut_jpegs

RNG = np.random.default_rng(5)
NOISY = bytes(cv2.imencode(".jpg", RNG.integers(0, 256, (60, 80, 3)).astype(np.uint8))[1])
PROGRESSIVE = bytes(
    cv2.imencode(".jpg", RNG.integers(0, 256, (60, 80, 3)).astype(np.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1]
)
RESTARTS = bytes(
    cv2.imencode(".jpg", RNG.integers(0, 256, (60, 80, 3)).astype(np.uint8), [cv2.IMWRITE_JPEG_RST_INTERVAL, 1])[1]
)
SMALL = jpeg(90, 16, 16)
WITH_THUMBNAIL = NOISY[:2] + b"\xff\xe1" + (len(SMALL) + 8).to_bytes(2, "big") + b"Exif\0\0" + SMALL + NOISY[2:]
PICTURES = [NOISY, PROGRESSIVE, RESTARTS, SMALL, WITH_THUMBNAIL]


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


between = st.binary(max_size=40).filter(lambda junk: b"\xff" not in junk)


@given(
    parts=st.lists(st.tuples(between, st.sampled_from(PICTURES)), max_size=5), end=between, size=st.integers(1, 5000)
)
def test_what_went_in_comes_out_whatever_stands_between(
    parts: list[tuple[bytes, bytes]], end: bytes, size: int
) -> None:
    stream = b"".join(junk + picture for junk, picture in parts) + end
    assert list(cut_jpegs(pieces(stream, size))) == [picture for _, picture in parts]


@example(size=7, cut=4)  # right behind a marker
@given(size=st.integers(1, 400), cut=st.integers(2, len(NOISY) - 1))
def test_a_picture_that_is_broken_off_costs_at_most_the_next_one(size: int, cut: int) -> None:
    found = list(cut_jpegs(pieces(NOISY[:cut] + SMALL + PROGRESSIVE, size)))
    assert found[-1] == PROGRESSIVE
    assert set(found) <= {SMALL, PROGRESSIVE} or len(found) == 2


@given(st.binary(max_size=3000), st.integers(1, 500))
def test_any_bytes_are_passed_over_or_cut(data: bytes, size: int) -> None:
    for found in cut_jpegs(pieces(data, size)):
        assert found in data


def test_a_picture_without_an_end_does_not_fill_the_memory() -> None:
    endless = (NOISY[:-2] if at == 0 else bytes(1 << 20) for at in range(LARGEST_BYTES // 2**20 + 5))
    with pytest.raises(SourceError, match="more than 32 MB"):
        list(cut_jpegs(endless))
