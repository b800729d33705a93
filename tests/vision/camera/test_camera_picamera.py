"""Camera modules of a Raspberry Pi through their real door: a program on PATH that writes MJPEG to its output."""

from __future__ import annotations

import os
import sys
import textwrap
import time
from pathlib import Path

import pytest
from http_camera import jpeg
from test_camera import gone, until

from comfywear.vision import open_camera
from comfywear.vision.camera.picamera import Module, modules

NEVER = (30.0, 30.0)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


def program(path: Path, name: str, body: str) -> None:
    (path / name).write_text(f"#!{sys.executable}\n" + textwrap.dedent(body))
    (path / name).chmod(0o755)


VIDEO = """
    import os, sys, time
    from pathlib import Path
    here = Path(__file__).parent
    (here / "words").write_text(" ".join(sys.argv[1:]))
    (here / "pid").write_text(str(os.getpid()))
    picture = (here / "picture.jpg").read_bytes()
    for index in range(10_000):
        os.write(1, picture[:100]); os.write(1, picture[100:])
        try:
            os.write(2, b"#%d (30.00 fps) exp 33251.00 ag 8.00 dg 1.00\\n" % index * 50)
        except BlockingIOError:
            pass  # nobody reads it: the real program's stream drops it, too
        time.sleep(0.03)
"""


@pytest.mark.parametrize("name", ["rpicam-vid", "libcamera-vid"])
def test_pictures_of_a_module_come_and_its_program_ends_with_the_camera(path: Path, name: str) -> None:
    (path / "picture.jpg").write_bytes(jpeg(120, 640, 480))
    program(path, name, VIDEO)
    with open_camera("picamera://1?width=640&height=480", fps=5, retry_s=NEVER) as camera:
        frames = [camera.latest(30) for _ in range(4)]
        assert camera.state.name == "running"
        pid = int((path / "pid").read_text())
        assert not gone(pid)
    assert [frame is not None and frame.image.shape for frame in frames] == [(480, 640, 3)] * 4
    end_s = time.monotonic() + 90
    while not gone(pid):
        assert time.monotonic() < end_s
        time.sleep(0.05)
    words = (path / "words").read_text()
    assert "--codec mjpeg --output - --timeout 0 --nopreview" in words
    assert "--camera 1 --width 640 --height 480 --framerate 10" in words


def test_a_module_that_hangs_is_killed_with_its_program(path: Path) -> None:
    (path / "picture.jpg").write_bytes(jpeg(120))
    program(path, "rpicam-vid", VIDEO.replace("range(10_000)", "range(3)") + "    time.sleep(600)\n")
    with open_camera("picamera://0", fps=20, frame_deadline_s=1.0, retry_s=NEVER) as camera:
        until(camera, lambda: camera.state.name == "gone")
        assert "no frame for" in (camera.state.reason or "")
        end_s = time.monotonic() + 10
        while not gone(int((path / "pid").read_text())):
            assert time.monotonic() < end_s
            time.sleep(0.05)


def test_what_is_wrong_with_a_module_is_told(path: Path) -> None:
    with open_camera("picamera://0", retry_s=NEVER) as camera:
        until(camera, lambda: camera.state.name == "gone")
        assert "picamera://0 needs rpicam-vid, which is not installed here" in (camera.state.reason or "")
    program(
        path,
        "rpicam-vid",
        """
        import sys
        sys.stderr.write("Preview window unavailable\\nERROR: *** no cameras available ***\\n"); sys.exit(255)
        """,
    )
    with open_camera("picamera://0", retry_s=NEVER) as camera:
        until(camera, lambda: camera.state.name == "gone")
        assert camera.state.reason == "picamera://0: rpicam-vid ended: ERROR: no cameras available"


def test_modules_are_listed_as_the_system_says(path: Path) -> None:
    assert modules() == []
    program(
        path,
        "rpicam-hello",
        """
        print("Available cameras\\n-----------------")
        print("0 : imx708 [4608x2592 10-bit RGGB] (/base/axi/pcie@120000/rp1/i2c@80000/imx708@1a)")
        print("    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]\\n")
        print("1 : ov5647 [2592x1944 10-bit GBRG] (/base/axi/pcie@120000/rp1/i2c@88000/ov5647@36)")
        """,
    )
    assert modules() == [Module(0, "imx708", "4608x2592 10-bit RGGB"), Module(1, "ov5647", "2592x1944 10-bit GBRG")]
    assert os.environ["PATH"] == str(path)
