"""A clip is there whole, under its name, or not at all."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from comfywear.errors import SourceError, UsageError
from comfywear.vision.drawing.clip_file import CODECS, ClipFile


def grey(value: int, size: tuple[int, int] = (64, 48)) -> NDArray[np.uint8]:
    return np.full((size[1], size[0], 3), value, np.uint8)


def fail(clip: ClipFile) -> None:
    clip.add(grey(40), 0.0)
    clip.add(np.zeros((0, 0, 3), np.uint8), 1.0)


def write(path: Path, pictures: list[NDArray[np.uint8]]) -> None:
    with ClipFile(path, 10.0) as clip:
        for number, picture in enumerate(pictures):
            clip.add(picture, number / 10)


def read(path: Path) -> list[float]:
    """The mean brightness of each frame."""
    clip, found = cv2.VideoCapture(str(path)), []
    while (read := clip.read())[0]:
        found.append(float(read[1].mean()))
    return found


@pytest.mark.parametrize("ending", sorted(CODECS))
def test_frames_come_back_at_their_times(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"clip{ending}"
    with ClipFile(path, 10.0) as clip:
        clip.add(grey(40), 0.0)
        clip.add(grey(120), 0.3)  # what was seen before stays until here
        clip.add(grey(200), 0.31)  # too soon for this rate
        assert not path.exists()
    found = read(path)
    assert len(found) == clip.frames == 4
    assert found[0] == pytest.approx(40, abs=6)
    assert found[3] == pytest.approx(120, abs=6)
    assert list(tmp_path.iterdir()) == [path]


def test_odd_and_changing_shapes_are_fitted(tmp_path: Path) -> None:
    with ClipFile(tmp_path / "c.mp4", 10.0) as clip:
        clip.add(grey(40, (65, 49)), 0.0)
        clip.add(grey(200, (30, 90)), 0.1)
    assert len(read(tmp_path / "c.mp4")) == 2


def test_nothing_is_left_of_an_empty_or_failed_recording(tmp_path: Path) -> None:
    with ClipFile(tmp_path / "empty.mp4", 10.0):
        pass
    with pytest.raises(cv2.error), ClipFile(tmp_path / "failed.mp4", 10.0) as clip:
        fail(clip)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_exists_is_kept_unless_it_may_be_written_over(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_text("precious")
    with pytest.raises(UsageError, match="--force"):
        ClipFile(path, 10.0)
    assert path.read_text() == "precious"
    with ClipFile(path, 10.0, force=True):
        pass
    assert path.read_text() == "precious"  # nothing was recorded
    with ClipFile(path, 10.0, force=True) as clip:
        clip.add(grey(40), 0.0)
    assert len(read(path)) == 1


@pytest.mark.parametrize(
    ("name", "words"), [("clip.mov", "ends in .mp4"), ("clip", "ends in"), ("none/clip.mp4", "cannot be written")]
)
def test_what_cannot_be_written_is_said_before_recording(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises((UsageError, SourceError), match=words):
        ClipFile(tmp_path / name, 10.0)


def test_a_missing_codec_is_said_with_the_other_endings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CODECS, ".mp4", "ZZZZ")  # no FFmpeg has it
    with pytest.raises(SourceError, match=r"codec ZZZZ is missing.*\.avi"), ClipFile(tmp_path / "c.mp4", 10.0) as clip:
        clip.add(grey(40), 0.0)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a tmpfs (root)")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


@pytest.mark.parametrize("ending", [".mp4", ".avi"])
def test_a_full_disk_is_said_and_no_half_clip_stays(small_disk: Path, ending: str) -> None:
    noise = np.random.default_rng(1)
    pictures = [noise.integers(0, 255, (240, 320, 3), dtype=np.uint8) for _ in range(40)]
    with pytest.raises(SourceError, match="has the disk room"):
        write(small_disk / f"c{ending}", pictures)
    assert list(small_disk.iterdir()) == []
