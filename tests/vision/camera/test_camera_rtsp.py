"""Cameras over RTSP and RTMP through their real door: a camera that logs in, stalls, breaks off and changes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from rtmp_camera import rtmp_camera
from rtsp_camera import rtsp_camera
from test_camera import until

from comfywear.vision import open_camera

NEVER = (30.0, 30.0)


def test_a_camera_that_breaks_off_is_opened_anew_and_may_have_another_size() -> None:
    with rtsp_camera("admin", "a b/c@d:e") as there:
        uri = f"RTSP://admin:a%20b%2Fc%40d%3Ae@127.0.0.1:{there.port}/live"
        with open_camera(uri, fps=5, retry_s=(0.2, 0.5)) as camera:
            first = camera.latest(30)
            assert first is not None, camera.state
            assert first.image.shape == (120, 160, 3)
            there.size = (320, 240)
            there.cut()
            until(camera, lambda: camera.state.name == "gone")
            assert camera.state.reason == f"rtsp://127.0.0.1:{there.port}/live stopped giving frames"
            after = until(camera, lambda: camera.state.name == "running")
            newest = after[-1] if after else camera.latest(30)
            assert newest is not None
            assert newest.image.shape == (240, 320, 3)
        assert all(there.logins)


def test_a_camera_that_stalls_is_gone_and_comes_back() -> None:
    with (
        rtsp_camera("admin", "geheim") as there,
        open_camera(f"rtsp://admin:geheim@127.0.0.1:{there.port}/live", fps=5, frame_deadline_s=2.0) as camera,
    ):
        assert camera.latest(30) is not None, camera.state
        there.paused.set()
        until(camera, lambda: camera.state.name == "gone")
        there.paused.clear()
        until(camera, lambda: camera.state.name == "running")


def test_a_stream_over_rtmp_is_read_to_its_end(tmp_path: Path) -> None:
    flv = tmp_path / "made.flv"
    writer = cv2.VideoWriter(str(flv), cv2.VideoWriter.fourcc(*"FLV1"), 10, (160, 120))
    for index in range(120):
        writer.write(np.full((120, 160, 3), 40 + index, np.uint8))
    writer.release()
    with rtmp_camera(flv) as port, open_camera(f"rtmp://127.0.0.1:{port}/live/stream", retry_s=NEVER) as camera:
        frames = until(camera, lambda: camera.state.name == "gone")
        assert camera.state.reason == f"rtmp://127.0.0.1:{port}/live/stream stopped giving frames"
    assert frames
    levels = [float(frame.image.mean()) for frame in frames]
    assert levels == sorted(levels)
    assert frames[0].image.shape == (120, 160, 3)


@pytest.mark.parametrize(
    ("login", "words", "tries"),
    [
        ("admin:wrong@", ": user name or password refused (401)", 1),
        ("", " asks for a user name and password (401): put NAME:PASSWORD and an at sign in front of the host", 0),
    ],
)
def test_a_refused_login_is_said_and_not_tried_again_soon(login: str, words: str, tries: int) -> None:
    with rtsp_camera("admin", "geheim") as there:
        with open_camera(f"rtsp://{login}127.0.0.1:{there.port}/live", retry_s=(0.01, 0.02)) as camera:
            until(camera, lambda: camera.state.name == "gone")
            assert camera.state.reason == f"rtsp://127.0.0.1:{there.port}/live{words}"
            assert camera.latest(1.5) is None
            assert camera.state.restarts == 1
        assert there.logins == [False] * tries


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("rtsp://admin:geheim@127.0.0.1:PORT/other", "the camera has no stream at this path (404)"),
        ("rtsp://admin:geheim@127.0.0.1:9/live", "nothing answers at this address and port"),
        ("rtsp://no-such-host.invalid/live", "there is no such host"),
        ("rtmp://admin:geheim@127.0.0.1:9/live", "nothing answers at this address and port"),
    ],
)
def test_why_a_camera_cannot_be_opened_is_told(uri: str, words: str) -> None:
    with (
        rtsp_camera("admin", "geheim") as there,
        open_camera(uri.replace("PORT", str(there.port)), retry_s=NEVER) as camera,
    ):
        until(camera, lambda: camera.state.name == "gone")
        assert words in (camera.state.reason or "")
        assert "geheim" not in f"{camera.state}"


def test_the_reason_is_told_also_where_opencv_was_silenced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCV_FFMPEG_LOGLEVEL", "-8")  # as `comfywear record` does
    monkeypatch.setenv("OPENCV_LOG_LEVEL", "OFF")
    with open_camera("rtsp://127.0.0.1:9/live", retry_s=NEVER) as camera:
        until(camera, lambda: camera.state.name == "gone")
        assert "nothing answers at this address and port" in (camera.state.reason or "")
