"""A camera's secrets, wherever they stand in its address, show in nothing that is printed, logged or published."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from rtsp_camera import rtsp_camera
from test_camera import until

from comfywear import settings
from comfywear.cli import main
from comfywear.device.sight.vision_worker import shown_camera
from comfywear.doctor.doors import camera as check_camera
from comfywear.vision import open_camera

MARKER = "geheim73"
# From makers and from reports: XMEye (nmap/nmap#873), Foscam and its clones, Reolink, Dahua, tokens of go2rtc.
ADDRESSES = [
    f"rtsp://admin:{MARKER}@127.0.0.1:9/live",
    f"rtsp://127.0.0.1:9/user=admin&password={MARKER}&channel=1&stream=0.sdp?",
    f"rtsp://127.0.0.1:9/user=admin_password={MARKER}_channel=1_stream=0.sdp?real_stream",
    f"rtmp://127.0.0.1:9/bcs/channel0_main.bcs?channel=0&stream=0&user=admin&password={MARKER}",
    f"http://127.0.0.1:9/videostream.cgi?user=admin&pwd={MARKER}",
    f"http://127.0.0.1:9/videostream.cgi?loginuse=admin&loginpas={MARKER}",
    f"https://admin:{MARKER}@127.0.0.1:9/cgi-bin/api.cgi?cmd=Snap&token={MARKER}",
    f"http://127.0.0.1:9/api/stream.mjpeg?src=front&auth={MARKER}&sig={MARKER}",
]
WRONG = [
    f"rtsp://admin:{MARKER}@{MARKER}@127.0.0.1:9/live",
    f"rtsp://admin:{MARKER}/{MARKER}@cam.local/live",
    f"rtsp://admin:{MARKER}#{MARKER}@127.0.0.1:9/live",
    f"admin:{MARKER}@192.168.1.5:554/live",
    f"rtps://admin:{MARKER}@192.168.1.5:554/live",
    f"v4l2://rtsp://admin:{MARKER}@192.168.1.5/live",
    f"http://admin:{MARKER}@cam:port/x",
]


def write(folder: Path, source: str) -> Path:
    path = folder / "device.toml"
    path.write_text(f"[device]\nid = 'd1'\nstate_dir = '{folder}/state'\n[camera]\nsource = '{source}'\n")
    return path


@pytest.mark.parametrize("source", [*ADDRESSES, *WRONG])
def test_commands_and_the_check_up_show_no_secret(
    tmp_path: Path, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, source)
    assert main(["config", "check", str(file)]) == (2 if source in WRONG else 0)
    assert main(["zones", "--config", str(file), "--out", str(tmp_path / "zones.png")]) in (1, 2)
    shown = capsys.readouterr()
    text = shown.out + shown.err
    if source in ADDRESSES:
        found = check_camera(settings.load(file).camera, patience_s=20.0)
        assert found.state == "fault"
        text += f"{found.said} {found.do} {shown_camera(source)}"
    assert text.strip()
    assert MARKER not in text


@pytest.mark.parametrize("source", ADDRESSES)
def test_the_camera_itself_says_no_secret(source: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), open_camera(source, retry_s=(30, 30)) as camera:
        until(camera, lambda: camera.state.name == "gone")
        text = f"{camera.state} {camera.source} {caplog.text} {camera.state.reason!r}"
    assert "nothing answers at this address and port" in text
    assert MARKER not in text


def test_the_check_up_names_the_refused_login_and_what_to_do(tmp_path: Path) -> None:
    with rtsp_camera("admin", "right") as there:
        file = write(tmp_path, f"rtsp://admin:{MARKER}@127.0.0.1:{there.port}/live")
        found = check_camera(settings.load(file).camera)
        assert found.said == f"rtsp://127.0.0.1:{there.port}/live: user name or password refused (401)"
        assert "correct user name and password in camera.source" in found.do
        assert there.logins == [False]
