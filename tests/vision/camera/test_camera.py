"""Cameras through their real door: a process that reads real files, and that dies, hangs and comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest

from comfywear.errors import SourceError, UsageError
from comfywear.records import Frame
from comfywear.vision import Camera, open_camera, read_photo

PATIENCE_S = 90.0
SLOWLY = (2.0, 2.0)  # a camera that is tried again after this is seen to be gone before, however slow the test is


def picture(value: int, width: int = 64, height: int = 48) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def write_clip(path: Path, values: list[int]) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10.0, (64, 48))
    for value in values:
        writer.write(picture(value))
    writer.release()
    return path


def until(camera: Camera, condition: Callable[[], bool]) -> list[Frame]:
    """The frames that came until the condition held; fails when it never does."""
    frames: list[Frame] = []
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"never happened; the camera is {camera.state}"
        frame = camera.latest(0.2)
        if frame is not None:
            frames.append(frame)
    return frames


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_clip_is_played_at_its_pace_and_ends(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a clip.avi", [40, 80, 120, 160, 200])
    with open_camera(f"file://{tmp_path}/a%20clip.avi", fps=20) as camera:
        assert camera.state.name == "starting"
        frames = until(camera, lambda: camera.state.name == "ended")
        last = camera.latest(0)
        frames += [last] if last else []
    assert [f.index for f in frames] == sorted({f.index for f in frames})
    assert frames[-1].index == 4
    for frame in frames:
        assert frame.image.shape == (48, 64, 3)
        assert frame.image.dtype == np.uint8
        assert abs(int(frame.image.mean()) - 40 * (frame.index + 1)) < 8
        assert frame.source == f"file://{clip}"
    assert frames[-1].monotonic_s - frames[0].monotonic_s >= 0.04 * (frames[-1].index - frames[0].index)


def test_a_looping_clip_goes_on_and_a_slow_reader_gets_the_newest(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.avi", [40, 200])
    with open_camera(str(clip), fps=100, loop=True) as camera:
        until(camera, lambda: camera.state.name == "running")

        def gets_the_newest() -> bool:
            before = camera.latest(PATIENCE_S)
            time.sleep(1.0)
            asked_s = time.monotonic()
            frame = camera.latest(PATIENCE_S)
            assert before is not None
            assert frame is not None
            return frame.index > before.index + 5 and frame.monotonic_s > asked_s - 0.4

        assert any(gets_the_newest() for _ in range(60))  # once: a busy machine may be late with some


def test_a_photo_is_a_camera_that_sees_the_same_again(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "photo.png"), picture(90, 640, 320))
    with open_camera(str(tmp_path / "photo.png"), fps=50, loop=True, max_side=320) as camera:
        frames = [camera.latest(PATIENCE_S) for _ in range(3)]
    assert [frame is not None and frame.image.shape for frame in frames] == [(160, 320, 3)] * 3


def test_a_folder_is_sorted_its_pictures_may_differ_in_size_and_one_may_be_broken(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "b.png"), picture(100, 80, 60))
    cv2.imwrite(str(tmp_path / "a.png"), picture(50))
    (tmp_path / "aa.jpg").write_text("not a picture")
    (tmp_path / "notes.txt").write_text("not looked at")
    with open_camera(f"images://{tmp_path}", fps=4) as camera:
        frames = [camera.latest(PATIENCE_S), camera.latest(PATIENCE_S)]
    assert [frame is not None and frame.image.shape for frame in frames] == [(48, 64, 3), (60, 80, 3)]
    with open_camera(f"images://{tmp_path}/b*.png") as camera:
        frame = camera.latest(PATIENCE_S)
        assert frame is not None
        assert frame.image.shape == (60, 80, 3)


def test_a_killed_process_is_a_state_and_comes_back(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "photo.png"), picture(90))
    with open_camera(str(tmp_path / "photo.png"), fps=20, loop=True, retry_s=SLOWLY) as camera:
        before = until(camera, lambda: camera.state.name == "running")
        assert camera.pid is not None
        os.kill(camera.pid, signal.SIGKILL)
        before += until(camera, lambda: camera.state.name == "gone")
        assert camera.state.reason is not None
        assert "signal 9" in camera.state.reason
        after = until(camera, lambda: camera.state.name == "running")
        assert camera.state.restarts == 1
        assert after[-1].index > before[-1].index


def test_a_hung_process_is_killed_and_started_again(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "photo.png"), picture(90))
    with open_camera(str(tmp_path / "photo.png"), fps=20, loop=True, frame_deadline_s=1.0, retry_s=SLOWLY) as camera:
        until(camera, lambda: camera.state.name == "running")
        stopped = camera.pid
        assert stopped is not None
        os.kill(stopped, signal.SIGSTOP)
        until(camera, lambda: camera.state.name == "gone")
        assert camera.state.reason is not None
        assert "no frame for" in camera.state.reason
        assert gone(stopped)
        until(camera, lambda: camera.state.name == "running")


def test_a_source_that_hangs_when_it_is_opened_is_given_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.avi")
    with open_camera(str(tmp_path / "pipe.avi"), open_deadline_s=0.3, retry_s=(30, 30)) as camera:
        until(camera, lambda: camera.state.name == "gone")
        assert "no frame for" in (camera.state.reason or "")
        assert camera.pid is None


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("v4l2:///dev/video-that-is-not", "no such device: /dev/video-that-is-not"),
        ("file:///no/such/clip.mp4", "no such file: /no/such/clip.mp4"),
        ("images:///no/such/folder", "no such folder: /no/such/folder"),
    ],
)
def test_a_missing_source_is_a_state_without_a_process_and_is_tried_again_ever_slower(uri: str, reason: str) -> None:
    with open_camera(uri, retry_s=(0.05, 0.4)) as camera:
        assert camera.latest(1.0) is None
        assert (camera.state.name, camera.state.reason, camera.pid) == ("gone", reason, None)
        assert 2 <= camera.state.restarts <= 6


@pytest.mark.parametrize(
    "content", [b"hello, this is a text", b"", b"\xff\xd8\xff\xe0 broken JPEG", b"RIFF\0\0\0\0AVI "]
)
def test_a_file_that_is_no_picture_is_told_as_such(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "thing").write_bytes(content)
    with open_camera(str(tmp_path / "thing"), retry_s=(30, 30)) as camera:
        until(camera, lambda: camera.state.name == "gone")
        assert f"{tmp_path}/thing: not a" in (camera.state.reason or "")


def test_an_empty_folder_and_a_device_that_is_no_camera_are_told_as_such(tmp_path: Path) -> None:
    with open_camera(str(tmp_path), retry_s=(30, 30)) as camera:
        until(camera, lambda: camera.state.name == "gone")
        assert "no picture in" in (camera.state.reason or "")
    with open_camera("v4l2:///dev/null", retry_s=(30, 30)) as camera:
        until(camera, lambda: camera.state.name == "gone")
        assert "cannot be opened" in (camera.state.reason or "")


def test_the_password_of_a_network_camera_shows_nowhere() -> None:
    with open_camera("rtsp://user:geheim@127.0.0.1:9/stream?token=geheim", retry_s=(0.5, 0.5)) as camera:
        commands: list[bytes] = []

        def seen() -> bool:
            with suppress(OSError):  # its process may be over already; the next try has another
                proc = Path(f"/proc/{camera.pid}")
                commands.append((proc / "cmdline").read_bytes() + (proc / "environ").read_bytes())
            return any(commands)

        until(camera, seen)
        until(camera, lambda: camera.state.name == "gone")
        assert "rtsp://127.0.0.1:9/stream" in (camera.state.reason or "")
        assert "geheim" not in f"{camera.state} {camera.source}"
        assert not any(b"geheim" in command for command in commands)


def test_closing_ends_the_process_and_frees_every_handle(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "photo.png"), picture(90))
    before = sorted(Path("/proc/self/fd").iterdir())
    camera = open_camera(str(tmp_path / "photo.png"), loop=True)
    until(camera, lambda: camera.state.name == "running")
    pid = camera.pid
    assert pid is not None
    camera.close()
    camera.close()
    assert gone(pid)
    assert camera.state.reason == "closed"
    assert camera.latest(0.1) is None
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_the_process_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "photo.png"), picture(90))
    program = (
        "import sys, time; from comfywear.vision import open_camera; c = open_camera(sys.argv[1], loop=True)\n"
        "assert c.latest(30) is not None; print(c.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "photo.png")], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert not gone(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + PATIENCE_S
    while not gone(pid):
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(("fps", "max_side"), [(0, 640), (float("nan"), 640), (-1, 640), (5, 0), (5, 100_000)])
def test_senseless_numbers_are_refused(fps: float, max_side: int) -> None:
    with pytest.raises(UsageError):
        open_camera("/tmp", fps=fps, max_side=max_side)


def test_a_photo_is_read_in_one_call_and_turned_as_its_exif_says(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "photo.jpg"), picture(90, 200, 100))
    assert read_photo(tmp_path / "photo.jpg").shape == (100, 200, 3)
    assert read_photo(f"file://{tmp_path}/photo.jpg", max_side=100).shape == (50, 100, 3)
    plain = (tmp_path / "photo.jpg").read_bytes()
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"  # orientation 6: on its side
    turned = plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + plain[2:]
    (tmp_path / "turned.jpg").write_bytes(turned)
    assert read_photo(tmp_path / "turned.jpg").shape == (200, 100, 3)


def test_a_photo_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("hello")
    with pytest.raises(SourceError, match="not a photo that can be read"):
        read_photo(tmp_path / "text.jpg")
    with pytest.raises(SourceError, match="No such file"):
        read_photo(tmp_path / "none.jpg")
    with pytest.raises(SourceError, match="is not a photo"):
        read_photo(tmp_path)
