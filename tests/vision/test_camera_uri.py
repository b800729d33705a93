"""What camera URIs mean and how they are shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.errors import UsageError
from comfywear.vision.camera import parse_camera_uri


@pytest.mark.parametrize(
    ("uri", "kind", "target"),
    [
        ("file:///a/clip.mp4", "file", "/a/clip.mp4"),
        ("file://localhost/a%20b.mp4", "file", "/a b.mp4"),
        ("file://clip.mp4", "file", "clip.mp4"),
        ("clip.mp4", "file", "clip.mp4"),
        ("images:///a/folder", "images", "/a/folder"),
        ("images:///a/*.jpg", "images", "/a/*.jpg"),
        ("/a/*.jpg", "images", "/a/*.jpg"),
        ("v4l2:///dev/video0", "v4l2", "/dev/video0"),
        ("/dev/video2", "v4l2", "/dev/video2"),
        ("RTSP://h/x", "rtsp", "RTSP://h/x"),
    ],
)
def test_known_forms(uri: str, kind: str, target: str) -> None:
    camera = parse_camera_uri(uri)
    assert (camera.kind, camera.target) == (kind, target)
    assert camera.live == (kind in ("v4l2", "rtsp"))


def test_a_bare_folder_is_a_folder_of_pictures(tmp_path: Path) -> None:
    assert parse_camera_uri(str(tmp_path)).kind == "images"


@pytest.mark.parametrize(
    "uri", ["", "ftp://host/clip.mp4", "http://host/x", "file://", "rtsp://", "rtsp://[x/y", "a\0b"]
)
def test_unknown_forms_are_refused_with_the_known_ones(uri: str) -> None:
    with pytest.raises(UsageError, match=r"known forms|write rtsp"):
        parse_camera_uri(uri)


secret = st.text("abcdefXYZ0189!$&'()*+,;=%._~-", min_size=6, max_size=20).map(lambda s: "Q" + s)


@given(user=secret, password=secret, token=secret, port=st.integers(1, 65535))
def test_no_secret_of_an_rtsp_address_is_shown(user: str, password: str, token: str, port: int) -> None:
    camera = parse_camera_uri(f"rtsp://{user}:{password}@camera.example:{port}/live/1?token={token}")
    assert camera.shown == f"rtsp://camera.example:{port}/live/1"
    assert password in camera.target


@given(st.text(max_size=60))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        camera = parse_camera_uri(text)
    except UsageError:
        return
    assert camera.target
