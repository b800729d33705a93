"""`comfywear record` as its user meets it: signals, a terminal, and no picture in the clip."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from children import Child
from comfywear.cli import main
from comfywear.demo.scene import sample_photo
from comfywear.vision.drawing.moving_clip import write_clip
from waiting import until

COMMAND = [sys.executable, "-m", "comfywear.cli", "record"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(sample_photo(), tmp_path_factory.mktemp("clip") / "in.avi", frames=20, fps=4.0)


def frames(path: Path) -> list[NDArray[np.uint8]]:
    clip, found = cv2.VideoCapture(str(path)), []
    while (read := clip.read())[0]:
        found.append(read[1].astype(np.uint8))
    return found


@pytest.mark.parametrize("view", ["room", "sketch"])
def test_the_clip_holds_the_view_and_not_the_picture(tmp_path: Path, source: Path, view: str) -> None:
    from comfywear.vision.drawing.persons_picture import annotate
    from comfywear.vision.drawing.room_view import first_view
    from comfywear.vision.drawing.sketch import sketch

    out = tmp_path / "o.mp4"
    arguments = [*COMMAND, "--source", str(source), "--out", str(out), "--fps", "4", "--view", view]
    result = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=240)
    assert result.returncode == 0, result.stderr
    assert "the end of the recording" in result.stdout
    recorded = frames(out)
    assert recorded
    pictures = frames(source)

    # The person is in the middle, and drawn as a figure in the room's view; the room is left and right.
    room, middle = np.r_[0:90, 560:640], np.r_[220:420]

    def off(image: NDArray[np.uint8], others: list[NDArray[np.uint8]], columns: NDArray[np.int_]) -> float:
        """The typical difference of a pixel of these columns from that of the nearest of the others."""
        return min(float(np.abs(image[:, columns].astype(int) - other[:, columns]).mean()) for other in others)

    drawn = sketch if view == "sketch" else first_view
    sketches = [annotate(drawn(picture), ()) for picture in pictures]
    for image in recorded[:: max(len(recorded) // 3, 1)]:
        assert off(image, sketches, room) < 0.5 * off(image, pictures, room)
        assert off(image, pictures, middle) > 30


def test_signals_pause_and_end_it_and_what_there_is_becomes_the_clip(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "o.avi"
    config = tmp_path / "device.toml"
    config.write_text(f"[camera]\nsource = 'file://{source}'\nloop = true\n[vision]\nattributes = ''\n")
    arguments = [*COMMAND, "--config", str(config), "--out", str(out), "--fps", "5", "--paused"]
    log = tmp_path / "log"
    with log.open("w") as stream, Child(arguments, stderr=stream, stdout=stream) as process:
        until(lambda: "paused: 0.0 s" in log.read_text())
        process.send_signal(signal.SIGUSR1)
        until(lambda: "recording" in log.read_text())
        part = tmp_path / ".o.part.avi"
        until(lambda: part.stat().st_size > 0)
        process.send_signal(signal.SIGUSR1)
        until(lambda: log.read_text().count("paused") == 2)
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert process.returncode == 0, log.read_text()
    assert "ended by the user while paused" in log.read_text()
    assert len(frames(out)) >= 1


def test_on_a_terminal_space_pauses_and_q_ends(tmp_path: Path, source: Path) -> None:
    ours, theirs = os.openpty()
    os.set_blocking(ours, False)
    seen = b""

    def saw(pattern: bytes) -> bool:
        nonlocal seen
        with suppress(BlockingIOError):
            seen += os.read(ours, 4096)
        return re.search(pattern, seen) is not None

    config = tmp_path / "device.toml"
    config.write_text("[camera]\nloop = true\n[vision]\nattributes = ''\n")
    arguments = [*COMMAND, "--config", str(config), "--source", str(source), "--out", str(tmp_path / "o.mp4")]
    with Child(arguments, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, text=True) as process:
        until(lambda: saw(rb"recording: [1-9]|recording: 0\.[1-9]"))
        os.write(ours, b" ")
        until(lambda: saw(b"paused"))
        os.write(ours, b"q")
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "ended by the user while paused" in said
    for end in (ours, theirs):
        os.close(end)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--out", "o.mp4"], 2, "name a camera"),
        (["--source", "nowhere.avi", "--out", "o.mp4"], 1, "no such file: nowhere.avi"),
        (["--source", "telescope://x", "--out", "o.mp4"], 2, "telescope"),
        (["--source", "here.avi", "--out", "o.gif"], 2, "ends in .mp4"),
        (["--source", "here.avi", "--out", "none/o.mp4"], 1, "cannot be written"),
        (["--source", "here.avi", "--out", "here.avi"], 2, "--force"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("here.avi").write_text("not a clip")
    assert main(["record", *arguments]) == code
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here.avi"]


def test_an_empty_recording_is_an_error_and_leaves_no_file(tmp_path: Path, source: Path) -> None:
    arguments = [*COMMAND, "--source", str(source), "--out", str(tmp_path / "o.mp4"), "--paused"]
    result = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=240)
    assert result.returncode == 1
    assert "nothing was recorded, so" in result.stderr
    assert list(tmp_path.iterdir()) == []
