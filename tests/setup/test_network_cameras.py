"""Cameras of the network in the first run: found when somebody asks, proven by a login, looked at, and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from onvif_camera import Onvif, onvif_camera
from rtsp_camera import rtsp_camera

from browsers import PHONE, serious
from comfywear import settings as settings_file
from comfywear.errors import UsageError
from comfywear.setup import network
from comfywear.setup.assistant import SetupAssistant
from comfywear.setup.first_run import FirstRun
from comfywear.system.sd_notify import ServiceManager
from comfywear.web.setup_form import AskStreams, SetupDraft
from waiting import until

LOGIN = ("admin", "a b/c@d:e")


@contextmanager
def first_run(folder: Path, host: str = "127.0.0.1") -> Iterator[FirstRun]:
    run = FirstRun(folder / "device.toml", folder / "state", host, 0)
    worker = threading.Thread(target=run.run, args=(ServiceManager(),))
    worker.start()
    try:
        until(lambda: run.url is not None)
        yield run
    finally:
        run.stop()
        worker.join(60)
        assert not worker.is_alive()


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Onvif]:
    """A camera of the network; it answers where everybody is asked."""
    with rtsp_camera(*LOGIN) as stream:
        streams = {"main": f"rtsp://{{host}}:{stream.port}/live", "other": "rtsp://{host}/user=admin&amp;password=x"}
        with onvif_camera(Onvif(user=LOGIN[0], password=LOGIN[1], streams=streams)) as camera:
            monkeypatch.setattr(network, "EVERYBODY", ("127.0.0.1", camera.udp))
            yield camera


def test_a_camera_is_found_proven_looked_at_and_kept(there: Onvif, tmp_path: Path, screen: Callable[..., Any]) -> None:
    with first_run(tmp_path) as run:
        page = screen(run.url, PHONE, ready="html[data-ready]")
        page.click("[data-step='camera']")
        page.wait_for_selector("#search-network")
        assert there.heard == [], "nothing is asked before somebody wants it"
        page.click("#search-network")
        page.wait_for_selector(".network-camera >> text=Front Door DS-2CD")
        assert there.heard == []
        page.click(".login-of button")
        page.wait_for_selector(".network-camera [role=status] >> text=asks for a user and a password")
        page.get_by_label("User of the camera").fill(LOGIN[0])
        page.get_by_label("Password of the camera").fill("wrong")
        page.keyboard.press("Enter")
        page.wait_for_selector(".network-camera [aria-invalid=true]")
        assert serious(page) == []
        page.get_by_label("Password of the camera").fill(LOGIN[1])
        page.keyboard.press("Enter")
        page.wait_for_selector(".network-camera li >> text=in a way of its own")
        page.click(".network-camera li button")
        page.wait_for_selector("#live img")
        source = page.input_value('[data-path=\'["camera","source"]\'] > input')
        assert source.startswith("rtsp://")
        page.reload()
        page.wait_for_selector("#live img")
        assert "a%20b" not in page.content()
        assert LOGIN[1] not in page.content()
        page.click("[data-step='done']")
        page.wait_for_selector("#findings li")
        page.click("#next")
        until(lambda: (tmp_path / "device.toml").exists())
    kept = settings_file.load(tmp_path / "device.toml")
    assert kept.camera.source.startswith("rtsp://admin:a%20b%2Fc%40d%3Ae@127.0.0.1:")
    assert not any(LOGIN[1].encode() in body for body in there.bodies)
    assert (tmp_path / "device.toml").stat().st_mode & 0o007 == 0, "its address holds a password"


def test_only_who_sets_the_device_up_may_search_and_only_what_was_found_is_asked(there: Onvif, tmp_path: Path) -> None:
    with first_run(tmp_path, "0.0.0.0") as run:
        assert run.url is not None
        url = run.url.replace("0.0.0.0", "127.0.0.1").rstrip("/")
        with httpx.Client(base_url=url, timeout=60) as client:
            paths = ("/api/setup/network-cameras", "/api/setup/streams")
            for path in paths:
                assert client.post(path, json={}).status_code == 401
            client.post("/login", data={"token": run.code}, headers={"Origin": url})
            for path in paths:
                assert client.post(path, json={}, headers={"Origin": "https://evil.example"}).status_code == 403
                assert client.get(path).status_code == 405
            asked = {"host": "127.0.0.1", "user": "admin", "password": "x"}
            answer = client.post("/api/setup/streams", json=asked, headers={"Origin": url})
            assert (answer.status_code, "not found in the network" in answer.text) == (400, True)
            assert there.heard == []
            found = client.post("/api/setup/network-cameras", json={}, headers={"Origin": url}).json()
            assert [each["host"] for each in found] == ["127.0.0.1"]
            refused = client.post("/api/setup/streams", json=asked, headers={"Origin": url}).json()
            assert refused == {"state": "refused", "streams": []}


def test_a_camera_at_a_public_address_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [network.OnvifCamera(host, f"http://{host}/", "one") for host in ("8.8.8.8", "192.168.1.20", "169.254.3.4")]
    monkeypatch.setattr(network, "probe", lambda *_: found)
    assert [each.host for each in network.NetworkCameras().search()] == ["192.168.1.20", "169.254.3.4"]


def test_one_searches_at_a_time_and_a_camera_that_went_away_is_silent(
    there: Onvif, monkeypatch: pytest.MonkeyPatch
) -> None:
    cameras = network.NetworkCameras()
    asked: list[str] = []

    def probe(*_: object) -> list[network.OnvifCamera]:
        with pytest.raises(UsageError, match="under way"):
            cameras.search()
        asked.append("once")
        return [network.OnvifCamera("127.0.0.1", "http://127.0.0.1:9/", "gone")]

    monkeypatch.setattr(network, "probe", probe)
    assert [each.name for each in cameras.search()] == ["gone"]
    assert asked == ["once"]
    assert cameras.streams(AskStreams("127.0.0.1")).state == "silent"


def test_the_draft_of_a_network_camera_is_for_this_user_alone_and_never_shown(tmp_path: Path) -> None:
    assistant = SetupAssistant(tmp_path / "device.toml", tmp_path / "state", "127.0.0.1", 8080, lambda: None)
    assistant.keep(SetupDraft("camera", {"camera": {"source": "rtsp://admin:a%20b%2Fc@192.168.1.20/live"}}))
    assert "a%20b" not in str(assistant.state())
    assert (tmp_path / "state" / "setup.json").stat().st_mode & 0o077 == 0
