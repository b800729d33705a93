"""No secret leaves: a marker in every setting that may hold one is in nothing that a real device says or keeps."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from paho.mqtt import publish
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from children import Child
from comfywear import settings as settings_file
from comfywear.cli import main
from comfywear.device.page.settings_tables import settings_tables
from comfywear.device.sight.vision_worker import shown_camera
from comfywear.errors import ComfyWearError
from comfywear.feedback import ask
from comfywear.settings import CameraSettings, Settings
from comfywear.system.log import RedactingFormatter
from ports import free_port
from waiting import until

MARK = "Zq7Marker"
TOKEN = f"{MARK}-token-of-the-page"
CAMERAS = {
    "a password in a stream's address": f"rtsp://admin:{MARK}@127.0.0.1:1/live",
    "a password with an @": f"rtsp://admin:p@ss!{MARK}@127.0.0.1:1/live",
    "a password with a /": f"rtsp://admin:12/34{MARK}@127.0.0.1:1/live",
    "a user name alone": f"rtsp://{MARK}@127.0.0.1:1/live",
    "parameters": f"rtsp://127.0.0.1:1/live?user={MARK}&password={MARK}&authtoken={MARK}",
    "parameters in the path": f"rtsp://127.0.0.1:1/user=admin_password={MARK}_channel=1.sdp",
    "a page with pictures": f"http://admin:{MARK}@127.0.0.1:1/video.mjpg?token={MARK}",
    "none that can be opened": f"ftp://admin:{MARK}@127.0.0.1/picture",
}
PAGES = ("", "login", "api/start", "api/now", "api/day", "api/settings", "metrics", "words/de.json", "words/en.json")
PAGES += ("api/now?zone=nosuch", "nosuch", "static/page.html")


def settings_of(folder: Path, camera: str, port: int) -> Path:
    """A file with the marker in each setting that may hold a secret, and with files that hold one."""
    for name, content in {"mqtt": MARK, "sensor": MARK, "page": TOKEN}.items():
        (folder / f"{name}.secret").write_text(content)
    sensors = (
        f"mqtt://ann:{MARK}@127.0.0.1:{port}/room/a",
        f"mqtt://ann@127.0.0.1:{port}/room/b?password={MARK}",
        f"mqtt://ann:{MARK}%40%2F@127.0.0.1:1/room/c",
        f"mqtt://{MARK}@127.0.0.1:{port}/room/d?password_file={folder / 'sensor.secret'}",
        f"modbus://ann:{MARK}@127.0.0.1:1/1?air_temp=30001",
        f"serial://ann:{MARK}@host/dev/ttyNOSUCH",
    )
    path = folder / "device.toml"
    path.write_text(
        f"""
[device]
id = "d1"
state_dir = "{folder / "state"}"
[outdoors]
uris = ["mqtt://ann:{MARK}@127.0.0.1:{port}/roof", "mqtt://ann@127.0.0.1:1/roof?password={MARK}"]
[camera]
source = "{camera}"
[mqtt]
host = "127.0.0.1"
port = {port}
interval_s = 0.5
username = "{MARK}"
password_file = "{folder / "mqtt.secret"}"
[web]
enabled = true
port = {free_port()}
token_file = "{folder / "page.secret"}"
[homeassistant]
enabled = true
[updates]
keys = ["{"A" * 43}="]
sources = ["http://ann:{MARK}@127.0.0.1:1/models/", "http://127.0.0.1:1/models/"]
"""
        + "".join(f'[[sensors]]\nuri = "{each}"\n' for each in sensors if readable(each))
    )
    return path


def readable(uri: str) -> bool:
    """Whether a settings file may hold it; what may not be is tried by itself below."""
    from comfywear_sensors import BadSensorURI, check_uri

    try:
        check_uri(uri)
    except BadSensorURI as error:
        assert MARK not in str(error)
        return False
    return True


@contextmanager
def heard(port: int) -> Iterator[list[str]]:
    """All that goes over the broker, topics and payloads."""
    found: list[str] = []

    def take(_: object, __: object, message: Any) -> None:
        found.append(f"{message.topic} {message.payload.decode(errors='replace')}")

    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = take
    client.on_connect = lambda *_: client.subscribe([("#", 1), ("$SYS/#", 0)])
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield found
    finally:
        client.loop_stop()


@pytest.fixture
def quick_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engines have tests of their own, and say nothing of the settings."""
    monkeypatch.setattr("comfywear.doctor.machine.engines", lambda *_: iter(()))


@pytest.mark.usefixtures("quick_doctor")
@pytest.mark.parametrize(
    ("kind", "runs", "words"),
    [
        ("a password with an @", False, "camera.source: the password in this RTSP address"),
        ("a password with a /", False, "camera.source: the password in this RTSP address"),
        ("parameters in the path", True, "rtsp://127.0.0.1:1/user="),
    ],
)
def test_nothing_that_the_device_says_or_keeps_holds_a_secret(
    kind: str, runs: bool, words: str, tmp_path: Path, mosquitto: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    path = settings_of(tmp_path, CAMERAS[kind], mosquitto.port)
    sinks: dict[str, str] = {}
    run = [sys.executable, "-m", "comfywear.cli", "run", "--verbose", "--config", str(path)]
    with (
        heard(mosquitto.port) as messages,
        Child(run, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process,
    ):
        if status := status_of(tmp_path / "state", process):
            until(lambda: any(f"/{name} " in each for each in messages for name in ("meta",)))
            until(lambda: any("/comfort " in each for each in messages))
            sinks["control: status"] = json.dumps(status)
            for name in ("models-pull", "reload", "nosuch"):
                order(mosquitto.port, name, {"url": f"http://ann:{MARK}@127.0.0.1:1/models/x.json"})
            until(lambda: sum("/reply/" in each for each in messages) >= 2)
            sinks |= pages_of(path)
            time.sleep(1.0)
            sinks["control: status after that"] = json.dumps(ask_patiently(tmp_path / "state"))
            sinks["doctor beside it"] = printed(capfd, "doctor", "--config", str(path), "--patience", "0.5")
        process.send_signal(signal.SIGTERM)
        sinks["log"], _ = process.communicate(timeout=60)
    said = [each for each in messages if "/cmd/" not in each.split(" ", 1)[0]]  # what this test itself sent
    sinks |= {f"topic {number}": each for number, each in enumerate(said)}
    for file in (tmp_path / "state").rglob("*"):
        if file.is_file():
            sinks[f"file {file.name}"] = file.read_bytes().decode("latin-1")
    for command in (
        ("config", "check", str(path)),
        ("doctor", "--config", str(path), "--json", "--patience", "0.5"),
        ("homeassistant", "show", "--config", str(path)),
        ("sensors", "list"),
        ("zones", "--config", str(path), "--out", str(tmp_path / "zones.png")),
    ):
        sinks[" ".join(command[:2])] = printed(capfd, *command)
    assert [name for name, text in sinks.items() if MARK in text] == []
    assert [name for name in ("log", "doctor --config", "config check") if words not in sinks[name]] == []
    assert bool(status) == runs
    if status:
        topics = {
            text.split(" ", 1)[0].rpartition("/d1/")[2] for name, text in sinks.items() if name.startswith("topic")
        }
        assert {"meta", "status"} <= topics
        assert any(name.startswith("page ") for name in sinks)
        assert any(name.startswith("file ") and name.endswith(".sqlite") for name in sinks)


def status_of(folder: Path, process: subprocess.Popen[str]) -> dict[str, Any] | None:
    """The status once the device answers; None where its settings were refused."""
    deadline = time.monotonic() + 90
    while process.poll() is None:
        try:
            return ask(folder, {"verb": "status"})
        except ComfyWearError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    return None


def ask_patiently(folder: Path) -> dict[str, Any]:
    """The status, also while the device starts anew."""

    def status() -> dict[str, Any] | None:
        try:
            return ask(folder, {"verb": "status"})
        except ComfyWearError:
            return None

    found = until(status)
    assert found is not None
    return found


def order(port: int, name: str, payload: dict[str, Any]) -> None:
    publish.single(f"comfywear/v1/home/d1/cmd/{name}", json.dumps(payload), port=port, qos=1)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}login", timeout=60).status_code == 200
    except httpx.TransportError:
        return False


def pages_of(path: Path) -> dict[str, str]:
    """What every address of the page answers, with the right token, a wrong one and none."""
    url = f"http://127.0.0.1:{settings_file.load(path).web.port}/"
    until(lambda: answers(url))  # it starts anew after `reload`
    found = {}
    with httpx.stream("GET", f"{url}api/events", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as answer:
        found["page events"] = next(line for line in answer.iter_lines() if line.startswith("data:"))
    for who, header in {
        "right": {"Authorization": f"Bearer {TOKEN}"},
        "wrong": {"Authorization": f"Bearer {MARK}-which-is-wrong"},
        "nobody": {},
    }.items():
        for page in PAGES:
            answer = httpx.get(f"{url}{page}", headers=header, timeout=60)
            found[f"page {page} for {who}"] = f"{answer.headers} {answer.text}"
    assert sum(len(text) for text in found.values()) > 5000
    return found


def printed(capfd: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command prints, and on stderr."""
    capfd.readouterr()
    try:
        main(words)
    except SystemExit as refused:
        assert refused.code == 2
    said = capfd.readouterr()
    return said.out + said.err


@pytest.mark.parametrize(
    "line",
    [
        f'[camera]\nsource = "rtsp://admin:a b{MARK}@host/live"',
        f'[camera]\nsource = "http://admin:{MARK}@"',
        f'[camera]\nsource = "admin:{MARK}@192.168.1.5:81/stream"',
        f'[[sensors]]\nuri = "serial:///dev/ttyUSB0?token={MARK}"',
        f'[[sensors]]\nuri = "mqtt://ann:{MARK}@host/t?qos=x"',
        f'[[sensors]]\nuri = "mqtt://ann:a#{MARK}@host/t"',
        f'[[sensors]]\nuri = "mqtt://ann:a/{MARK}@host/+"',
        f'[[sensors]]\nuri = "ann:{MARK}@host/t"',
        f'[[sensors]]\nuri = "modbus://ann:{MARK}@host:99999/1"',
        f'[[sensors]]\nuri = "nosuch://ann:{MARK}@host/1"',
        f'[[buttons]]\nsource = "gpio://ann:{MARK}@host"',
        f'[[buttons]]\nsource = "mqtt://ann:{MARK}@host"',
        f'[[buttons]]\nsource = "serial:///dev/ttyUSB0?password={MARK}"',
        f'[mqtt]\nhost = "mqtt://ann:{MARK}@broker"',
        f'[mqtt]\npassword = "{MARK}"',
        f'[updates]\nsources = ["https://ann:{MARK}@host/models"]',
        f'[web]\nenabled = true\nhost = "http://ann:{MARK}@0.0.0.0"',
    ],
)
@pytest.mark.usefixtures("quick_doctor")
@pytest.mark.parametrize("command", [("config", "check"), ("doctor", "--config"), ("run", "--config")])
def test_a_wrong_setting_is_refused_without_its_secret(
    line: str, command: tuple[str, str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "device.toml"
    path.write_text(f"[device]\nstate_dir = '{tmp_path / 'state'}'\n{line}\n")
    if command[0] == "run" and ": right" in printed(capfd, "config", "check", str(path)):
        return  # what it leads to is tried with a real device
    said = printed(capfd, *command, str(path), *(("--patience", "0.5") if command[0] == "doctor" else ()))
    assert said
    assert MARK not in said


@pytest.mark.parametrize("kind", CAMERAS)
def test_a_camera_is_shown_without_its_secret(kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = settings_of(tmp_path, CAMERAS[kind], 1)
    assert MARK not in printed(capfd, "config", "check", str(path))
    shown = msgspec.json.encode(settings_tables(Settings(camera=CameraSettings(source=CAMERAS[kind])))).decode()
    assert "127.0.0.1" in shown
    assert MARK not in shown
    try:
        assert MARK not in shown_camera(CAMERAS[kind])
    except ComfyWearError as error:
        assert MARK not in str(error)


def test_a_log_line_is_cut_in_its_words_its_arguments_and_its_traceback(make_record: Callable[..., Any]) -> None:
    try:
        raise ValueError(f"rtsp://ann:{MARK}@host/live")
    except ValueError:
        record = make_record("token=%s and http://ann:%s@host", MARK, MARK, exc_info=sys.exc_info())
    said = RedactingFormatter("%(name)s %(message)s").format(record)
    assert MARK not in said
    assert "@host/live" in said


@pytest.fixture
def make_record() -> Callable[..., Any]:
    import logging

    def make(words: str, *args: object, exc_info: Any = None) -> logging.LogRecord:
        return logging.LogRecord("x", logging.ERROR, "x.py", 1, words, args, exc_info)

    return make
