"""What camera URIs mean and how they are shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.cli import main
from comfywear.errors import UsageError
from comfywear.vision.camera import parse_camera_uri
from comfywear_sensors.redaction import redact


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
    "uri", ["", "ftp://host/clip.mp4", "udp://host:5000", "file://", "rtsp://", "rtsp://[x/y", "a\0b"]
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


@pytest.mark.parametrize(
    ("uri", "meant"),
    [
        ("0", "v4l2:///dev/video0"),
        ("2", "picamera://2"),
        ("192.168.1.165:81/stream", "http://192.168.1.165:81/stream"),
        ("192.168.1.165:554/h264", "rtsp://192.168.1.165:554/h264"),
        ("camera.local/mjpeg", "http://camera.local/mjpeg"),
        ("192.168.1.165", "rtsp://192.168.1.165/… or http://192.168.1.165/…"),
        ("admin:geheim@192.168.1.165:554/live", "rtsp://192.168.1.165:554/…, with the user name and password in it"),
        ("images://tmp/pictures", "images:///tmp/pictures"),
        ("file://home/pi/clip.mp4", "file:///home/pi/clip.mp4"),
        ("v4l2://0", "v4l2:///dev/video0"),
        ("v4l2://video3", "v4l2:///dev/video3"),
        ("v4l2://v4l2:///dev/video1", "v4l2:///dev/video1"),
        ("webcam", "v4l2:///dev/video0"),
        ("csi", "picamera://0"),
        ("video2", "v4l2:///dev/video2"),
        ("usb:1", "v4l2:///dev/video1"),
        ("picamera:1", "picamera://1"),
        ("rtsp:192.168.1.5/live", "rtsp://"),
        ("rtsp:/admin:geheim@192.168.1.5/live", "rtsp://"),
        ("file:/home/pi/clip.mp4", "file:///"),
        ("nvarguscamerasrc ! video/x-raw(memory:NVMM) ! appsink", "GStreamer pipelines are not read"),
        ("rtps://admin:geheim@cam/live", "rtsp://"),
        ("htpp://cam/stream", "http://"),
        ("file://admin:geheim@cam/live", "begins with rtsp:// or http://"),
        ("images://admin:geheim@cam/live", "begins with rtsp:// or http://"),
        ("picamera://admin:geheim@cam", "begins with rtsp:// or http://"),
        ("file://http://admin:geheim@cam/live", "two URIs in one"),
        ("admin:geheim://cam", "known forms"),
        ("v4l2:///dev/v4l/by-id/usb-…", "comfywear cameras list"),
    ],
)
def test_what_no_camera_can_open_is_refused_with_what_was_probably_meant(uri: str, meant: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_camera_uri(uri)
    assert meant in str(refused.value)
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    "uri",
    [
        "rtsp://admin:ge@heim#1@127.0.0.1:9/live",
        "rtsp://admin:ge@heim!word@10.0.0.5/stream",
        "rtsp://admin:12/34geheim@cam/stream",
        "http://admin:geheim?@cam.local/shot",
        "http://admin:geheim#@cam/shot",
        "https://ad min:geheim@cam/shot",
        "rtsp://admin:geheim@cam/live#1",
    ],
)
def test_a_password_that_is_not_encoded_is_refused_with_the_way_to_write_it_and_not_shown(uri: str) -> None:
    with pytest.raises(UsageError, match="@ as %40, / as %2F") as refused:
        parse_camera_uri(uri)
    assert "heim" not in str(refused.value)
    assert redact(str(refused.value)) == str(refused.value), "what redacts it later would take the advice away"


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        (
            "rtsp://10.0.0.5:554/user=admin&password=geheim&channel=1&stream=0.sdp?",
            "rtsp://10.0.0.5:554/user=…&password=…&channel=1&stream=0.sdp",
        ),
        ("rtsp://10.0.0.5/user=admin_password=geheim_channel=1", "rtsp://10.0.0.5/user=…_password=…_channel=1"),
        ("http://cam/cgi-bin/mjpg?loginuse=admin&loginpas=geheim", "http://cam/cgi-bin/mjpg"),
        ("http://admin:geheim@cam.local:8080/videostream.cgi?pwd=geheim", "http://cam.local:8080/videostream.cgi"),
        ("rtsp://192.168.1.5:554/who=me@home.org", "rtsp://192.168.1.5:554/who=me@home.org"),
        ("rtmp://cam/bcs/ch0.bcs?token=geheim", "rtmp://cam/bcs/ch0.bcs"),
        ("https://[fe80::1]:8443/a", "https://[fe80::1]:8443/a"),
        ("picamera://1?width=1280&height=720", "picamera://1?width=1280&height=720"),
    ],
)
def test_network_cameras_are_shown_without_secrets_wherever_they_stand(uri: str, shown: str) -> None:
    assert parse_camera_uri(uri).shown == shown


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("picamera://0?widht=640", "no option 'widht'"),
        ("picamera://0?width=640", "width and height are given together"),
        ("picamera://0?width=wide&height=480", "a number of pixels"),
        ("picamera://front", "names no camera"),
        ("http://cam:eighty/x", "cannot be read"),
        ("rtsp://IP…/live", "cannot be read"),
    ],
)
def test_what_is_incomplete_is_refused(uri: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_camera_uri(uri)


def test_the_settings_check_refuses_them_with_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "device.toml"
    for text, line, words in (
        ("[camera]\nfps = 1\nsource = '0'\n", 3, "camera.source: '0' is a number, not a camera"),
        ("[camera]\nfps = 0.0005\n", 2, "camera.fps: must be in 0.001…1000 a second"),
        ("[camera]\ncrop = [0.5, 0, 0.5, 1]\n", 2, "camera.crop: [left, top, right, bottom] leaves nothing"),
        ("[camera]\nmask_all_but = true\n", 2, "camera.mask_all_but: without a [[camera.mask]]"),
        (
            "[[camera.mask]]\npolygon = [[0, 0], [1, 0], [1, 1]]\n[[camera.mask]]\npolygon = [[0, 2]]\n",
            4,
            "camera.mask[2]",
        ),
        ("[camera]\nsource = 'rtsp://admin:ge@heim#1@127.0.0.1:9/live'\n", 2, "write @ as %40"),
    ):
        file.write_text(text)
        assert main(["config", "check", str(file)]) == 2
        said = capsys.readouterr().err
        assert f"device.toml:{line}: " in said
        assert words in said
        assert "heim" not in said
    file.write_text("[camera]\nsource = 'file:///no/such/clip.mp4'\n")
    assert main(["config", "check", str(file)]) == 0
    assert "camera file:///no/such/clip.mp4 (no such file: /no/such/clip.mp4 at the moment)" in capsys.readouterr().out
    file.write_text("[camera]\nsource = 'http://admin:geheim@cam/stream?token=geheim'\n")
    assert main(["config", "check", str(file)]) == 0
    said = capsys.readouterr().out
    assert "camera http://cam/stream;" in said
    assert "geheim" not in said
