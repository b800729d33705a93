"""The page of a real device: what it shows, what it never shows, and what its absence costs."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import cv2
import httpx
import msgspec
import numpy as np
import pytest

from comfywear import settings as settings_file
from comfywear.device.device import Device
from comfywear.device.page.settings_tables import settings_tables
from comfywear.errors import SettingsError, UsageError
from comfywear.web import History, Point
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
        assert (now.sketch, page.sketch("camera")) == ("off", None)
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


def test_a_page_for_guests_alone_lets_them_vote_and_nothing_more(tmp_path: Path) -> None:
    (tmp_path / "guests").write_text("a word for guests\n")
    more = f"host = '0.0.0.0'\nport = 0\n[[web.tokens]]\nfile = '{tmp_path / 'guests'}'\nrole = 'vote'"
    with device_of(tmp_path, more) as device:
        assert device.page is not None
        until(lambda: device.page is not None and device.page.server.url is not None)
        url = str(device.page.server.url).replace("0.0.0.0", "127.0.0.1")
        with httpx.Client(base_url=url, timeout=60, headers={"Authorization": "Bearer a word for guests"}) as guest:
            assert guest.post("/api/vote", json={"level": 4}).status_code == 200
            assert guest.get("/api/settings").status_code == 403
            assert guest.get("/api/start").json()["role"] == "vote"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[[web.tokens]]\nfile = '/x'\nrole = 'owner'", "'owner' is not known; .*'admin', 'read', 'vote'"),
        ("[[web.tokens]]\nrole = 'read'", "web.tokens.*'file' is missing"),
        ("[[web.tokens]]\nfile = '/no/such'", "web.tokens.file /no/such: cannot be read"),
    ],
)
def test_a_password_with_a_role_that_cannot_be_is_refused_in_words(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        device_of(tmp_path, more)


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
    with httpx.stream("GET", f"{page.server.url}api/events", timeout=60) as answer:
        next(answer.iter_lines())
        device.stop()
    assert device.health()["page"].restarts == 0


def test_a_week_and_a_month_are_means_of_what_the_device_kept(tmp_path: Path) -> None:
    now_s = time.time()
    history = History(tmp_path / "state" / "page.sqlite")
    for ago_h in (20 * 24, 3 * 24, 2):  # each stands for quarter hours that are over
        for minute in range(0, 90, 5):
            at_s = now_s - ago_h * 3600 + 60 * minute
            history.add([("room", Point(at_s, 20.0 + ago_h % 5, 40.0, 0.1, 0.2, 1.0))])
    history.close()
    with device_of(tmp_path) as device:
        assert device.page is not None
        found = {span: device.page.day("room", span) for span in ("day", "week", "month")}
    quarters = [point.unix_s for point in found["week"].points]
    assert quarters
    assert all(at_s % 900 == 0 and now_s - at_s < 7 * 86400 for at_s in quarters)
    assert min(quarters) < now_s - 2 * 86400
    hours = [point.unix_s for point in found["month"].points]
    assert all(at_s % 3600 == 0 for at_s in hours)
    assert min(hours) < now_s - 19 * 86400
    assert all(point.unix_s > now_s - 86400 for point in found["day"].points)
    assert {point.occupied for point in found["month"].points} == {1.0}


@pytest.mark.parametrize(
    ("web", "shown"), [("", True), ("view = 'sketch'", True), ("view = 'off'", False), ("sketch = false", False)]
)
def test_the_view_that_the_settings_name_is_shown_and_never_the_picture(tmp_path: Path, web: str, shown: bool) -> None:
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[:, :, 2] = np.random.default_rng(0).integers(0, 256, (480, 640))
    cv2.imwrite(str(tmp_path / "room.png"), picture)
    camera = f"[camera]\nsource = '{tmp_path / 'room.png'}'\nloop = true\n"
    with device_of(tmp_path, f"port = 0\n{web}", camera) as device:
        assert device.page is not None
        assert device.vision is not None
        page, vision = device.page, device.vision
        until(lambda: vision.frames > 0 and bool(device.estimates()))
        assert page.now("room").sketch == ("on" if shown else "off")
        if not shown:
            assert page.sketch("camera") is None
            return
        until(lambda: page.sketch("camera") is not None)
        view = cv2.imdecode(np.frombuffer(page.sketch("camera") or b"", np.uint8), cv2.IMREAD_COLOR)
        assert view is not None
        assert view.shape == picture.shape
        assert view[:, :, 2].astype(float).std() < 0.3 * picture[:, :, 2].std()
        dark = cv2.imdecode(np.frombuffer(page.sketch("camera", dark=True) or b"", np.uint8), cv2.IMREAD_COLOR)
        assert dark is not None
        assert dark.mean() < 0.75 * view.mean()
