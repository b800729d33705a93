"""The first run in a real browser: from no settings to a device that runs, left and taken up again."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from browsers import IN_BOTH, PHONE, serious
from comfywear import settings as settings_file
from comfywear.cli import main
from comfywear.errors import UsageError
from comfywear.setup.assistant import DRAFT, SetupAssistant
from comfywear.web.settings_form import SettingsSecret
from comfywear.web.setup_form import SetupDraft
from ports import free_port
from waiting import until


@contextmanager
def first_run(folder: Path, host: str, port: int) -> Iterator[subprocess.Popen[str]]:
    """`comfywear run` without settings; its state folder is below `folder`."""
    arguments = [sys.executable, "-m", "comfywear.cli", "run", "--setup", f"{host}:{port}"]
    environment = {**os.environ, "STATE_DIRECTORY": str(folder / "state")}
    with (folder / "said").open("a") as said:
        process = subprocess.Popen(arguments, env=environment, stdout=said, stderr=said, text=True)
    try:
        until(lambda: _answers(port) or process.poll() is not None, 90)
        assert process.poll() is None, (folder / "said").read_text()
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) == 0, (folder / "said").read_text()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/words/en.json", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def show(screen: Callable[..., Any], port: int, locale: str = "en-GB") -> Any:
    return screen(f"http://127.0.0.1:{port}/", PHONE, locale=locale, ready="html[data-ready]")


def control(*path: str | int) -> str:
    name = ",".join(f'"{step}"' if isinstance(step, str) else str(step) for step in path)
    return f"[data-path='[{name}]'] > :is(input, select, textarea)"


def step(page: Any, name: str) -> None:
    page.click(f"[data-step='{name}']")
    page.wait_for_selector(f"[data-step='{name}'][aria-current]")


def made_up(folder: Path) -> tuple[Path, Path]:
    """A picture for the camera, and a recording of a sensor that says °F without saying so."""
    picture = folder / "room.png"
    cv2.imwrite(str(picture), np.random.default_rng(1).integers(0, 255, (120, 160, 3), dtype=np.uint8))
    warm = folder / "warm.csv"
    warm.write_text("t,temperature,humidity\n" + "".join(f"{n},{75 + n / 100:.2f},40\n" for n in range(300)))
    return picture, warm


@IN_BOTH
def test_a_device_is_set_up_by_its_page_alone_and_doctor_finds_no_fault(
    tmp_path: Path, screen: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, warm = made_up(tmp_path)
    port = free_port()
    made = tmp_path / "state" / "device.toml"
    with first_run(tmp_path, "127.0.0.1", port):
        page = show(screen, port)
        page.fill(control("device", "site"), "of fice")
        until(lambda: "letters" in page.inner_text('[data-path=\'["device","site"]\'] > .problem').lower())
        page.fill(control("device", "site"), "office")
        page.fill(control("device", "id"), "lab1")
        assert serious(page) == []
        step(page, "camera")
        page.fill(control("camera", "source"), str(picture))
        page.wait_for_selector("#live img")
        assert serious(page) == []
        step(page, "sensors")
        page.fill(control("sensors", 0, "uri"), f"replay://{warm}")
        page.click("#fahrenheit")
        page.wait_for_selector("#live strong:has-text('23')")
        assert serious(page) == []
        step(page, "password")
        page.fill("[data-path='[\"web\",\"token_file\"]'] input[type='password']", "a long password")
        step(page, "done")
        page.wait_for_selector("#findings li")
        assert page.locator("#findings .fault").count() == 0
        assert not made.exists(), "nothing is written before it is wanted"
        page.click("#next")
        page.wait_for_selector("#open")
        page.click("#open")
        page.fill("input[name='token']", "a long password")
        page.click("form button")
        page.wait_for_selector("#chips span", state="attached")
        found = settings_file.load(made)
        assert (found.device.site, found.device.id, found.camera.source) == ("office", "lab1", str(picture))
        assert found.device.state_dir == str(tmp_path / "state"), "other commands are not told of it otherwise"
        assert found.sensors[0].uri == f"replay://{warm}?unit=F"
        assert Path(found.web.token_file).read_text() == "a long password\n"
        assert stat.S_IMODE(Path(found.web.token_file).stat().st_mode) == 0o600
        assert not (tmp_path / "state" / DRAFT).exists()
        assert "a long password" not in (tmp_path / "said").read_text()
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    assert main(["doctor", "--config", str(made)]) == 0
    assert "0 faults" in capsys.readouterr().out


def test_it_is_left_and_taken_up_again_also_by_another_process_and_in_german(
    tmp_path: Path, screen: Callable[..., Any]
) -> None:
    port = free_port()
    with first_run(tmp_path, "127.0.0.1", port):
        page = show(screen, port, locale="de-DE")
        page.fill(control("device", "id"), "lab2")
        step(page, "broker")
        page.fill(control("mqtt", "host"), "127.0.0.1")
        page.fill("[data-path='[\"mqtt\",\"password_file\"]'] input[type='password']", "of the broker")
        page.click("#check")
        page.wait_for_selector("#findings .fault")
        page.reload()
        page.wait_for_selector("[data-step='broker'][aria-current]")
        assert page.input_value(control("mqtt", "host")) == "127.0.0.1"
    draft = tmp_path / "state" / DRAFT
    assert stat.S_IMODE(draft.stat().st_mode) == 0o600
    assert "of the broker" not in draft.read_text()
    with first_run(tmp_path, "127.0.0.1", port):
        page = show(screen, port, locale="de-DE")
        page.wait_for_selector("[data-step='broker'][aria-current]")
        assert "Schritt 5 von 8" in page.inner_text("#count")
        step(page, "place")
        assert page.input_value(control("device", "id")) == "lab2"


@IN_BOTH
def test_the_keyboard_alone_goes_through_it(tmp_path: Path, screen: Callable[..., Any]) -> None:
    port = free_port()
    with first_run(tmp_path, "127.0.0.1", port):
        page = show(screen, port)
        for name in ("camera", "sensors", "zones", "broker", "homeassistant", "password", "done"):
            for _ in range(40):
                page.keyboard.press("Tab")
                if page.evaluate("document.activeElement.id") == "next":
                    break
            page.keyboard.press("Enter")
            page.wait_for_selector(f"[data-step='{name}'][aria-current]")


def test_the_network_reaches_it_with_a_code_that_works_once(tmp_path: Path) -> None:
    port = free_port()
    with first_run(tmp_path, "0.0.0.0", port) as device:
        found = re.search(r"with the code ([A-Z2-9]{12}) ", (tmp_path / "said").read_text())
        assert found
        url = f"http://127.0.0.1:{port}"
        device.send_signal(signal.SIGHUP)  # a reload: there is nothing to read again, and it goes on
        with httpx.Client(base_url=url, timeout=60) as phone, httpx.Client(base_url=url, timeout=60) as other:
            assert phone.get("/api/setup").status_code == 401
            bearer = {"Authorization": f"Bearer {found[1]}"}
            assert phone.get("/api/setup", headers=bearer).status_code == 401, "it works through the form, once"
            assert phone.get("/").headers["location"].startswith("/login")
            assert phone.post("/login", data={"token": "WRONGWRONG22"}).status_code == 403
            assert phone.post("/login", data={"token": found[1]}).status_code == 303
            assert phone.get("/api/setup").json()["network"] is True
            assert other.post("/login", data={"token": found[1]}).status_code == 403
            assert other.get("/api/setup").status_code == 401
            assert other.get("/api/setup", headers=bearer).status_code == 401
            for path in ("/api/setup/cameras", "/api/setup/sensors", "/api/setup/readings", "/api/setup/sketch.jpg"):
                assert other.get(path).status_code == 401
            for path in ("/api/setup/draft", "/api/setup/try", "/api/setup/finish"):
                assert other.post(path, json={}).status_code == 401
                assert phone.post(path, json={}, headers={"Origin": "https://evil.example"}).status_code == 403
            refused = phone.post("/api/setup/finish", json={}, headers={"Origin": url})
            assert refused.status_code == 400
            assert "token_file" in refused.json()["text"], "a page that the network reaches needs a password"
    assert not (tmp_path / "state" / "device.toml").exists()


@pytest.fixture
def assistant(tmp_path: Path) -> SetupAssistant:
    return SetupAssistant(tmp_path / "device.toml", tmp_path / "state", "127.0.0.1", 8080, lambda: None)


def test_what_is_wrong_is_said_by_its_step_and_no_file_is_made(assistant: SetupAssistant, tmp_path: Path) -> None:
    state = assistant.keep(SetupDraft("camera", {"camera": {"source": "nonsense://x", "fps": 0}}))
    assert {each.path for each in state.faults} == {("camera", "fps"), ("camera", "source")}
    assert {each.state for each in assistant.attempt("camera")} == {"fault"}
    assert [each.state for each in assistant.attempt("broker")] == ["note"]
    with pytest.raises(UsageError, match=r"camera\.fps"):
        assistant.finish()
    with pytest.raises(UsageError, match="10 characters"):
        assistant.keep(SetupDraft("password", {}, [SettingsSecret(["web", "token_file"], "short")]))
    assert not (tmp_path / "device.toml").exists()


def test_a_damaged_draft_begins_anew_and_a_file_that_came_meanwhile_stays(
    assistant: SetupAssistant, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / DRAFT).write_bytes(b"{\x00")
    again = SetupAssistant(tmp_path / "device.toml", tmp_path / "state", "127.0.0.1", 8080, lambda: None)
    assert again.state().step == "place"
    (tmp_path / "device.toml").write_text("# mine\n")
    with pytest.raises(UsageError, match="is there by now"):
        assistant.finish()
    assert (tmp_path / "device.toml").read_text() == "# mine\n"


def test_a_camera_s_password_in_the_draft_is_not_shown_and_comes_back(
    assistant: SetupAssistant, tmp_path: Path
) -> None:
    assistant.keep(SetupDraft("camera", {"camera": {"source": "rtsp://me:xq7secretxq@127.0.0.1:9/x"}}))
    shown = assistant.state()
    assert "xq7secretxq" not in str(shown)
    assistant.keep(SetupDraft("zones", dict(shown.values)))
    assert "xq7secretxq" not in str(assistant.attempt("camera"))
    assistant.finish()
    assert settings_file.load(tmp_path / "device.toml").camera.source == "rtsp://me:xq7secretxq@127.0.0.1:9/x"


def test_run_refuses_a_file_that_is_not_there_where_no_first_run_was_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--config", str(tmp_path / "none.toml")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert main(["run", "--config", str(tmp_path / "none.toml"), "--setup", "no port:x"]) == 2
    assert "--setup is an address" in capsys.readouterr().err
