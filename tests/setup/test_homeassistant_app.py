"""The start of the Home Assistant app: the Supervisor's broker, options, and the device as nobody's root."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from comfywear import settings as settings_file
from comfywear.errors import SettingsError, UsageError
from comfywear.setup.homeassistant_app import HomeAssistantBroker, broker_of, device_groups, merged, prepare
from ports import free_port
from waiting import until

BROKER = HomeAssistantBroker("core-mosquitto", 1883, "addons", "first secret")
TOLD = {
    "result": "ok",
    "data": {
        "addon": "core_mosquitto", "host": "core-mosquitto", "port": 1883, "ssl": False, "protocol": "3.1.1",
        "username": "addons", "password": "first secret",
    },
}  # fmt: skip


@contextmanager
def supervisor(status: int, body: bytes) -> Iterator[str]:
    """A real server that answers as the Supervisor does, to who has the token."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            right = self.path == "/services/mqtt" and self.headers["Authorization"] == "Bearer the token"
            self.send_response(status if right else 403)
            self.end_headers()
            self.wfile.write(body if right else b"{}")

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_supervisor_s_broker_is_read() -> None:
    with supervisor(200, json.dumps(TOLD).encode()) as url:
        assert broker_of(url, "the token") == BROKER
        assert broker_of(url, "another token") is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b'{"result": "error", "message": "Service not enabled"}'),
        (200, b"<html>"),
        (200, b"\xff"),
        (200, b'{"result": "ok", "data": {"host": 3}}'),
        (200, b""),
    ],
)
def test_no_broker_or_nonsense_is_none(status: int, body: bytes) -> None:
    with supervisor(status, body) as url:
        assert broker_of(url, "the token") is None
    assert broker_of(url, "the token") is None, "nobody answers any more"


def test_what_is_given_goes_over_and_what_is_empty_does_not() -> None:
    values: dict[str, Any] = {"device": {"site": "home", "id": "box"}, "mqtt": {"interval_s": 60.0}}
    found, secrets = merged(values, {"device": {"site": "office", "id": ""}, "camera": {"source": None}}, BROKER)
    assert found["device"] == {"site": "office", "id": "box"}
    assert "camera" not in found
    assert found["mqtt"]["interval_s"] == 60.0
    assert (found["mqtt"]["host"], found["mqtt"]["tls"]) == ("core-mosquitto", False)
    assert [each.text for each in secrets] == ["first secret"]
    assert values["device"]["site"] == "home"


def test_a_broker_that_somebody_named_stays() -> None:
    values = {"mqtt": {"host": "broker.local", "username": "me"}}
    assert merged(values, {}, BROKER) == (values, [])


def test_the_first_run_finds_broker_and_options_filled_in(tmp_path: Path) -> None:
    prepare(tmp_path, {"device": {"site": "office"}}, BROKER)
    kept = json.loads((tmp_path / "setup.json").read_text())
    assert kept["values"]["device"]["site"] == "office"
    assert kept["values"]["mqtt"]["host"] == "core-mosquitto"
    secret = Path(kept["values"]["mqtt"]["password_file"])
    assert secret.read_text() == "first secret\n"
    assert secret.stat().st_mode & 0o077 == 0
    assert "first secret" not in (tmp_path / "setup.json").read_text()
    prepare(tmp_path, {"device": {"site": "office"}}, BROKER)
    assert list(secret.parent.iterdir()) == [secret], "the same password is not written again"


def test_settings_that_are_there_get_a_new_password_and_keep_their_comments(tmp_path: Path) -> None:
    config = tmp_path / "device.toml"
    config.write_text("# mine\n[device]\nsite = 'home'  # flat 3\n[[zones]]\nname = 'desk'\n")
    prepare(tmp_path, {}, BROKER)
    prepare(
        tmp_path, {"camera": {"source": "v4l2:///dev/video0"}}, HomeAssistantBroker("core-mosquitto", 1884, "a", "b")
    )
    found = settings_file.load(config)
    assert (found.mqtt.host, found.mqtt.port, found.mqtt.username) == ("core-mosquitto", 1884, "a")
    assert Path(found.mqtt.password_file).read_text() == "b\n"
    assert found.camera.source == "v4l2:///dev/video0"
    assert config.read_text().startswith("# mine\n[device]\nsite = 'home'  # flat 3\n")
    before = config.read_text()
    with pytest.raises(UsageError, match=r"device\.site"):
        prepare(tmp_path, {"device": {"site": "not a topic/#"}}, BROKER)
    assert config.read_text() == before


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[mqtt\n"])
def test_settings_that_cannot_be_read_stay_as_they_are(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "device.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"device\.toml"):
        prepare(tmp_path, {"device": {"site": "home"}}, None)
    assert [each.name for each in tmp_path.iterdir()] == ["device.toml"]
    assert (tmp_path / "device.toml").read_bytes() == content


def test_the_groups_are_those_of_devices_and_never_root_s(tmp_path: Path) -> None:
    for name in ("video0", "i2c-1", "null"):
        (tmp_path / name).touch()
    own = tmp_path.stat().st_gid
    assert device_groups(tmp_path) == ([own] if own else [])


MAIN = """
import os, sys
from pathlib import Path
from comfywear.setup.homeassistant_app import main
os.geteuid = lambda: 990  # whoever runs the tests stays who they are
main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
"""


def test_it_becomes_a_device_whose_page_waits_and_forgets_the_supervisor_s_token(tmp_path: Path) -> None:
    (tmp_path / "options.json").write_text('{"device": {"site": "office"}, "camera": {}}')
    port = free_port()
    with supervisor(200, json.dumps(TOLD).encode()) as url, (tmp_path / "said").open("w") as said:
        environment = {**os.environ, "SUPERVISOR_TOKEN": "the token", "HASSIO_TOKEN": "the token"}
        command = [sys.executable, "-c", MAIN, url, str(tmp_path), str(port)]
        process = subprocess.Popen(command, stdout=said, stderr=said, env=environment)
        try:
            until(lambda: answers(port) or process.poll() is not None)
            assert process.poll() is None, (tmp_path / "said").read_text()
            assert b"the token" not in Path(f"/proc/{process.pid}/environ").read_bytes()
            assert b"comfywear.cli\0run" in Path(f"/proc/{process.pid}/cmdline").read_bytes()
            assert "with the code" in (tmp_path / "said").read_text()
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(90) == 0
    assert "core-mosquitto" in (tmp_path / "setup.json").read_text()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/words/en.json", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


BECOME = """
import os, sys
from pathlib import Path
from comfywear.setup import homeassistant_app
homeassistant_app._become_user(Path(sys.argv[1]))
print(os.getuid(), os.getgid(), 0 in os.getgroups())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
def test_root_gives_the_folder_away_and_is_the_device_s_user_from_then_on(tmp_path: Path) -> None:
    for name in ("options.json", "votes.sqlite"):
        (tmp_path / name).touch()
    command = [sys.executable, "-c", BECOME, str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    assert said == "990 990 False\n"
    owners = {path.name: path.stat().st_uid for path in (tmp_path, *tmp_path.iterdir())}
    assert owners == {tmp_path.name: 990, "votes.sqlite": 990, "options.json": 0}
