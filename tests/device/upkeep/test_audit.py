"""The list of what was changed: from the page, over MQTT and by command, bounded, kept, and without secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from comfywear import settings as settings_file
from comfywear.cli import main
from comfywear.device.device import Device
from comfywear.device.upkeep.audit import (
    _REQUESTS,
    AUDIT_FILE,
    CHANGES,
    MOST_CHANGES,
    AuditList,
    read_audit,
)
from comfywear.errors import StoreError
from comfywear.feedback import ask
from comfywear.publishing.broker.connection import Incoming
from comfywear.publishing.messages.commands import COMMANDS, AskNow, FindsList, Identify
from waiting import until

# What changes nothing that lasts, or, like votes, is kept where it belongs.
SILENT_COMMANDS = {AskNow, FindsList, Identify}
SILENT_VERBS = {"vote", "undo", "status", "learning-show", "deletions"}


@pytest.fixture
def changes(tmp_path: Path) -> Any:
    found = AuditList(tmp_path / AUDIT_FILE)
    yield found
    found.close()


def test_page_broker_and_command_stand_in_one_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "state"
    (tmp_path / "device.toml").write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{folder}'\n[web]\nenabled = true\nport = 0\n"
        "[[cameras]]\nname = 'south'\nsource = 'file:///no/such/photo.jpg'\n"
    )
    with Device(settings_file.load(tmp_path / "device.toml")) as device:
        page = device.page
        assert page is not None
        until(lambda: page.server.url is not None)
        url = str(page.server.url).rstrip("/")
        assert httpx.post(f"{url}/api/privacy", json={"on": True}, timeout=60).status_code == 200
        topic = f"{device.topics.base}/cmd/set-zone-name"
        payload = json.dumps({"id": "hall", "name": "Long table"}).encode()
        device.commands.take(Incoming(topic, payload, False, 1, 1))
        until(lambda: (folder / "control.sock").exists())
        ask(folder, {"verb": "privacy", "do": "off"})
        ask(folder, {"verb": "vote", "level": 4})
        ask(folder, {"verb": "delete-votes", "person": "Ada"})
        newest = httpx.get(f"{url}/api/audit", timeout=60).json()
        assert main(["audit", "--state-dir", str(folder)]) == 0
    said = [(each["what"], each["origin"].split(", ")[0]) for each in newest]
    assert said == [
        ("votes deleted", "command"),
        ("privacy switched", "command"),
        ("zone named", "MQTT"),
        ("privacy switched", "page"),
    ]
    assert newest[2]["origin"] == "MQTT, hall"
    assert "Long table" in newest[2]["detail"]
    assert "Ada" not in str(newest), "whose votes were deleted is not kept here instead"
    printed = capsys.readouterr().out.splitlines()
    assert [what in line for (what, _), line in zip(said, printed, strict=True)] == [True] * 4
    assert read_audit(folder / AUDIT_FILE, 2)[0].what == "votes deleted", "also while no device runs"


def test_every_command_over_mqtt_is_in_the_list_or_changes_nothing() -> None:
    assert set(COMMANDS.values()) == set(CHANGES) | SILENT_COMMANDS


def test_every_verb_of_the_control_socket_is_in_the_list_or_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: dict[str, Any] = {}
    monkeypatch.setattr("comfywear.device.device.ControlServer", lambda _, verbs, done: served.update(verbs))
    (tmp_path / "device.toml").write_text(f"[device]\nstate_dir = '{tmp_path}'\n")
    device = Device(settings_file.load(tmp_path / "device.toml"))
    device.stop()
    assert set(served) == {verb for verb, _ in _REQUESTS} | SILENT_VERBS | {"models"}


def test_the_list_is_bounded_and_the_newest_stay(changes: AuditList) -> None:
    for number in range(MOST_CHANGES + 5):
        changes.note("settings written", str(number), "page")
    newest = changes.newest()
    assert len(newest) == MOST_CHANGES
    assert (newest[0].detail, newest[-1].detail) == (str(MOST_CHANGES + 4), "5")


@pytest.mark.parametrize(
    ("text", "kept"),
    [("mqtt://user:geheim@broker", "geheim"), ("x" * 5000, "x" * 201), ("\ud800", "\ud800")],
)
def test_secrets_and_floods_do_not_get_in(changes: AuditList, text: str, kept: str) -> None:
    changes.note("what", text, "page")
    assert kept not in changes.newest()[0].detail


def test_a_list_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    changes = AuditList(tmp_path / "file" / AUDIT_FILE)
    changes.note("privacy switched", "on", "page")
    assert changes.newest()[0].what == "privacy switched", "memory stands in"
    changes.close()
    changes.note("privacy switched", "off", "page")
    assert changes.newest() == []


def test_without_a_list_the_command_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StoreError, match="--state-dir"):
        read_audit(tmp_path / AUDIT_FILE, 20)
    assert main(["audit", "--state-dir", str(tmp_path)]) == 1
    assert "--state-dir" in capsys.readouterr().err
