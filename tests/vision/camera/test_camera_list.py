"""`comfywear cameras list`: what is plugged in and who answers in the network, each with a line that settings take."""

from __future__ import annotations

import datetime as dt
import errno
import struct
from pathlib import Path

import pytest
from onvif_camera import Onvif, onvif_camera

from comfywear.cli import main
from comfywear.errors import LoginRefusedError, SourceError
from comfywear.vision.camera import parse_camera_uri
from comfywear.vision.camera.login import Login
from comfywear.vision.camera.onvif import probe, streams
from comfywear.vision.camera.v4l2 import VideoDevice, video_devices


class Kernel:
    """Answers the requests as a driver does; by the device's content: its kind."""

    def __call__(self, fd: int, request: int, data: bytearray) -> int:
        import os

        kind = os.pread(fd, 20, 0).decode().strip()
        if request == 0x80685600:  # VIDIOC_QUERYCAP
            assert len(data) == 104
            if kind == "not v4l2":
                raise OSError(errno.ENOTTY, "no")
            data[16:48] = {"webcam": b"HD Webcam C270", "codec": b"bcm2835-codec"}.get(kind, b"x").ljust(32, b"\0")
            own = {"webcam": 0x1, "metadata": 0x800000, "codec": 0x8000, "raw": 0x1}[kind] | 0x4000000
            struct.pack_into("<II", data, 84, 0x85A00001 | 0x80000000, own)
        elif request == 0xC0405602:  # VIDIOC_ENUM_FMT
            assert len(data) == 64
            index, buffers = struct.unpack_from("<II", data, 0)
            codes = {"webcam": [b"YUYV", b"MJPG"], "raw": [b"pRAA"]}[kind]
            if buffers != 1 or index >= len(codes):
                raise OSError(errno.EINVAL, "no more")
            data[44:48] = codes[index]
        else:
            assert (request, len(data)) == (0xC02C564A, 44)  # VIDIOC_ENUM_FRAMESIZES
            index, code = struct.unpack_from("<I4s", data, 0)
            if code == b"MJPG" and index == 0:
                struct.pack_into("<7I", data, 8, 3, 160, 1920, 2, 120, 1080, 2)  # stepwise
            elif code == b"YUYV" and index < 2:
                struct.pack_into("<3I", data, 8, 1, *[(640, 480), (320, 240)][index])
            else:
                raise OSError(errno.EINVAL, "no more")
        return 0


def plug_in(root: Path) -> None:
    (root / "dev/v4l/by-id").mkdir(parents=True)
    for number, kind in enumerate(("webcam", "metadata", "codec", "raw", "not v4l2")):
        (root / f"dev/video{number}").write_text(kind)
    (root / "dev/v4l/by-id/usb-Logitech_C270-video-index0").symlink_to("../../video0")


def test_devices_that_give_pictures_are_listed_with_what_they_can(tmp_path: Path) -> None:
    plug_in(tmp_path)
    assert video_devices(tmp_path, Kernel()) == [
        VideoDevice(
            "/dev/v4l/by-id/usb-Logitech_C270-video-index0",
            "HD Webcam C270",
            (("YUYV", (640, 480)), ("MJPG", (1920, 1080))),
        )
    ]
    (tmp_path / "dev/v4l/by-id/usb-Logitech_C270-video-index0").unlink()
    assert video_devices(tmp_path, Kernel())[0].path == "/dev/video0"
    assert video_devices(tmp_path / "nothing", Kernel()) == []


def test_a_camera_that_answers_is_asked_for_its_streams(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "password").write_text("geheim\n")
    there = Onvif(
        ahead=dt.timedelta(hours=-7),  # its clock was never set
        streams={
            "main": "rtsp://192.168.255.9:554/Streaming/Channels/101?transportmode=unicast",
            "sub": "rtsp://admin:geheim@{host}/user=admin&amp;password=geheim&amp;channel=1",
        },
    )
    with onvif_camera(there):
        words = ["cameras", "list", "--root", str(tmp_path), "--seconds", "2", "--ask", f"127.0.0.1:{there.udp}"]
        assert main([*words, "--user", "admin", "--password-file", str(tmp_path / "password")]) == 0
    shown = capsys.readouterr().out
    assert (
        "Front Door DS-2CD at 127.0.0.1: main, 1920 × 1080, H264; put NAME:PASSWORD and an at sign in front of the host"
        in shown
    )
    assert 'source = "rtsp://127.0.0.1:554/Streaming/Channels/101?transportmode=unicast"' in shown
    assert "geheim" not in shown
    for line in shown.splitlines():
        if line.startswith("source = "):
            parse_camera_uri(line.split('"')[1])
    assert all(there.logins)
    assert not any(b"geheim" in body for body in there.bodies)


@pytest.mark.parametrize("http_digest", [False, True])
def test_a_login_is_proven_by_a_digest_in_both_ways_and_refused_in_words(http_digest: bool) -> None:
    with onvif_camera(Onvif(http_digest=http_digest)) as there:
        (camera,) = probe(1.0, ("127.0.0.1", there.udp))
        assert (camera.name, camera.host) == ("Front Door DS-2CD", "127.0.0.1")
        (stream,) = streams(camera, Login("admin", "geheim"))
        assert stream.uri == "rtsp://127.0.0.1:554/Streaming/101"
        with pytest.raises(LoginRefusedError, match=r"user name or password refused \(401\)"):
            streams(camera, Login("admin", "wrong"))
        assert there.logins.count(False) <= 1
        with pytest.raises(LoginRefusedError, match=r"asks for a user name and password \(401\): --user NAME"):
            streams(camera, None)
        assert not any(b"Basic" in body for body in there.bodies)


def test_an_answer_that_names_another_host_is_not_followed() -> None:
    with onvif_camera(Onvif(elsewhere="http://10.9.8.7/onvif/device_service")) as there:
        assert probe(1.0, ("127.0.0.1", there.udp)) == []


@pytest.mark.parametrize("address", ["http://[oops/device", "http://127.0.0.1:port/device"])
def test_an_address_that_is_none_is_passed_over(address: str) -> None:
    with onvif_camera(Onvif(elsewhere=address)) as there:
        assert probe(1.0, ("127.0.0.1", there.udp)) == []


def test_a_media_service_at_no_address_is_told() -> None:
    with onvif_camera(Onvif(media="http://127.0.0.1:port/media")) as there:
        (camera,) = probe(1.0, ("127.0.0.1", there.udp))
        with pytest.raises(SourceError, match="an address that cannot be read"):
            streams(camera, Login("admin", "geheim"))


def test_a_stream_at_no_address_is_left_out() -> None:
    with onvif_camera(
        Onvif(streams={"a": "rtsp://[oops/x", "b": "rtsp://{host}:port/x", "c": "rtsp://{host}/c"})
    ) as there:
        (camera,) = probe(1.0, ("127.0.0.1", there.udp))
        assert [stream.uri for stream in streams(camera, Login("admin", "geheim"))] == ["rtsp://127.0.0.1/c"]


def test_a_stream_that_would_break_a_settings_file_is_left_out() -> None:
    bad = Onvif(
        streams={"a": 'rtsp://{host}/x"\n[web]\nhost="0.0.0.0"', "b": "http://{host}/x", "c": "rtsp://{host}/c"}
    )
    with onvif_camera(bad) as there:
        (camera,) = probe(1.0, ("127.0.0.1", there.udp))
        assert [stream.uri for stream in streams(camera, Login("admin", "geheim"))] == ["rtsp://127.0.0.1/c"]


BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "boom">]><a>&x;</a>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_an_answer_that_would_grow_is_refused_in_every_encoding(encoding: str) -> None:
    """In UTF-16 the parser would see a document type that a look at the bytes does not."""
    with onvif_camera(Onvif(raw=BOMB.encode(encoding))) as there:
        (camera,) = probe(1.0, ("127.0.0.1", there.udp))
        with pytest.raises(SourceError, match=r"no SOAP|no XML"):
            streams(camera, Login("admin", "geheim"))


def test_ten_thousand_answers_end_with_the_search_and_damaged_ones_are_passed_over() -> None:
    answers = [b"", b"\x00\xff", b"<", b"<a>", BOMB.encode(), BOMB.encode("utf-16-le"), b"<a/>" * 9000]
    flood = [answers[n % len(answers)] for n in range(10_000)]
    with onvif_camera(Onvif(flood=flood)) as there:
        found = probe(4.0, ("127.0.0.1", there.udp))
        assert [each.name for each in found] == ["Front Door DS-2CD"]


def test_a_camera_with_more_profiles_than_one_has_is_asked_for_some() -> None:
    many = {f"p{n}": f"rtsp://{{host}}/{n}" for n in range(3000)}
    with onvif_camera(Onvif(streams=many)) as there:
        (camera,) = probe(1.0, ("127.0.0.1", there.udp))
        assert len(streams(camera, Login("admin", "geheim"))) == 16
        assert there.heard.count("GetStreamUri") == 16


def test_a_camera_that_goes_away_is_told(tmp_path: Path) -> None:
    with onvif_camera(Onvif()) as there:
        (camera,) = probe(1.0, ("127.0.0.1", there.udp))
    with pytest.raises(SourceError, match="does not answer to ONVIF"):
        streams(camera, Login("admin", "geheim"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--user", "admin"], "belong together"),
        (["--user", "admin", "--password-file", "none"], "cannot be read"),
        (["--ask", "host:port"], "--ask is an address"),
        (["--ask", "host:²"], "--ask is an address"),
        (["--ask", f"host:{'1' * 5000}"], "--ask is an address"),
        (["--ask", "fe80::1"], "--ask is an address"),
    ],
)
def test_wrong_words_are_refused_before_anything_is_looked_for(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comfywear.vision.camera.v4l2.video_devices", lambda *_: pytest.fail("it looked for cameras"))
    assert main(["cameras", "list", "--root", "none", *words]) == 2
    assert said in capsys.readouterr().err


def test_nothing_found_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cameras", "list", "--root", str(tmp_path), "--seconds", "0.1", "--ask", "127.0.0.1:9"]) == 0
    assert "No camera was found" in capsys.readouterr().out
