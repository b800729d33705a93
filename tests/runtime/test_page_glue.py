"""The page of a real device: what it shows, what it never shows, and what its absence costs."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import msgspec
import pytest

from comfywear import settings as settings_file
from comfywear.device import Device
from comfywear.errors import SettingsError, UsageError
from comfywear.page import settings_tables
from waiting import until


def device_of(folder: Path, web: str = "port = 0", more: str = "") -> Device:
    path = folder / "device.toml"
    path.write_text(f"[device]\nstate_dir = '{folder / 'state'}'\n[web]\nenabled = true\n{web}\n{more}")
    return Device(settings_file.load(path))


def test_without_sensor_and_camera_the_page_says_why_and_takes_votes(tmp_path: Path) -> None:
    with device_of(tmp_path) as device:
        assert device.page is not None
        page = device.page
        until(lambda: page.server.url is not None and bool(device.estimates()))
        now = page.now("room")
        assert now.air.air_temp_c is None
        assert now.air.reason
        assert now.unseen == "there is no camera in the settings"
        assert (now.sketch, page.sketch()) == ("off", None)
        assert now.comfort.level is None
        assert not now.recording.active
        accepted = page.vote("room", 2, "page-1", None)
        assert page.now("room").votes == 1
        (vote,) = page.day("room").votes
        assert vote.level == 2
        page.undo(accepted.id)
        assert page.now("room").votes == 0
        assert page.day("room").votes == ()


def test_the_history_grows_while_nobody_looks(tmp_path: Path) -> None:
    with device_of(tmp_path, more="[[sensors]]\nuri = 'fake://'\n") as device:
        assert device.page is not None
        page = device.page
        until(lambda: bool(page.day("room").points))
        assert page.day("room").points[0].humidity_pct is not None or page.day("room").points[0].air_temp_c is None


def test_a_port_that_is_taken_leaves_the_rest_of_the_device_running(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with device_of(tmp_path, f"port = {other.getsockname()[1]}") as device:
            until(lambda: "cannot listen" in (device.health()["page"].failure or ""))
            assert device.vote("room", 4, "test").level == 4


def test_a_page_on_the_network_needs_its_password_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="token_file"):
        device_of(tmp_path, "host = '0.0.0.0'")
    with pytest.raises(UsageError, match="cannot be read"):
        device_of(tmp_path, f"host = '0.0.0.0'\ntoken_file = '{tmp_path / 'none'}'")


def test_settings_are_shown_without_what_is_secret(tmp_path: Path) -> None:
    text = """
[camera]
source = "rtsp://admin:hunter2@camera.local/stream?token=abc123&fps=2"
[mqtt]
password_file = "/etc/comfywear/mqtt"
[[zones]]
name = "desk"
polygon = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0]]
"""
    path = tmp_path / "device.toml"
    path.write_text(text)
    tables = settings_tables(settings_file.load(path))
    shown = msgspec.json.encode(tables).decode()
    assert "hunter2" not in shown
    assert "abc123" not in shown
    assert "camera.local/stream" in shown
    titles = [table.title for table in tables]
    assert "Zones 1" in titles
    assert len(titles) == len(set(titles))
    assert all(field.title and field.value for table in tables for field in table.fields)


def test_a_stop_with_an_open_page_is_quick(tmp_path: Path) -> None:
    device = device_of(tmp_path)
    device.start()
    assert device.page is not None
    page = device.page
    until(lambda: page.server.url is not None)
    with httpx.stream("GET", f"{page.server.url}api/events", timeout=30) as answer:
        next(answer.iter_lines())
        device.stop()
    assert device.health()["page"].restarts == 0
