"""Home Assistant and others see which versions there are; the newest package is asked for by a file, or refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from listener import Listener
from paho.mqtt import publish, subscribe

from comfywear import settings as settings_file
from comfywear.device.device import Device
from comfywear.device.upkeep.program_updates import WANTED, ProgramUpdates
from comfywear.errors import UsageError
from comfywear.publishing.messages.answer import ReplyMessage
from comfywear.publishing.messages.updates import UpdatesMessage
from waiting import until

NOTED = {"installed": "0.1.0", "available": "0.2.0", "phase": "idle", "percent": None, "outcome": "newest", "new": 1}


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "state.json"
    path.write_text(json.dumps(NOTED))
    monkeypatch.setattr("comfywear.device.upkeep.program_updates.NOTES", path)
    return path


@pytest.mark.parametrize("text", ["", "{torn", "[]", '{"phase": "idle"}', '{"installed": 3}', "\ud800"])
def test_notes_that_cannot_be_read_are_no_package(text: str, notes: Path, tmp_path: Path) -> None:
    notes.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert ProgramUpdates(tmp_path, allowed=True).state() is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"phase": "judging"}, "under way already: judging"),
        ({"available": "0.1.0"}, "0.1.0 is the newest"),
        ({"installed": ""}, "did not come as a Debian package"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(change: dict[str, str], said: str, notes: Path, tmp_path: Path) -> None:
    notes.write_text(json.dumps(NOTED | change))
    with pytest.raises(UsageError, match=said):
        ProgramUpdates(tmp_path, allowed=True).ask()
    assert not (tmp_path / WANTED).exists()


def test_where_the_settings_do_not_allow_it_nobody_may_ask(notes: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="program is false"):
        ProgramUpdates(tmp_path, allowed=False).ask()


@contextmanager
def running(folder: Path, port: int, text: str = "") -> Iterator[Device]:
    path = folder / "device.toml"
    path.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{folder / 'state'}'\n"
        f"[mqtt]\nhost = '127.0.0.1'\nport = {port}\ninterval_s = 0.5\n[[sensors]]\nuri = 'fake://'\n{text}"
    )
    with Device(settings_file.load(path)) as device:
        yield device


def told(port: int) -> dict[str, Any]:
    """What the broker keeps for Home Assistant of the program; waits until it is there."""
    message = subscribe.simple("homeassistant/device/comfywear/d1/config", port=port)
    found: dict[str, Any] = json.loads(message.payload)["components"]["update_program"]
    return found


def test_home_assistant_installs_the_program_and_sees_how_it_goes(notes: Path, tmp_path: Path, mosquitto: Any) -> None:
    with Listener(mosquitto.port) as heard, running(tmp_path, mosquitto.port, "[updates]\nprogram = true\n"):
        found = told(mosquitto.port)
        assert found["state_topic"] == "comfywear/v1/home/d1/device/updates"
        assert found["device_class"] == "firmware"

        def program() -> Any:
            message = heard.newest(UpdatesMessage)
            return message and message.program

        until(lambda: program() and program().available == "0.2.0")
        publish.single(found["command_topic"], found["payload_install"], port=mosquitto.port)
        until(lambda: (tmp_path / "state" / WANTED).exists())
        until(lambda: program().phase == "asked")
        until(lambda: any(reply.ok for reply in heard.messages(ReplyMessage)))
        (tmp_path / "state" / WANTED).unlink()
        notes.write_text(json.dumps(NOTED | {"phase": "installing", "percent": 60}))
        until(lambda: (program().phase, program().percent) == ("installing", 60))
        notes.write_text(json.dumps(NOTED | {"available": "0.1.0", "outcome": "rolled back", "reason": "it ended"}))
        until(lambda: (program().reason, program().phase) == ("it ended", "idle"))
    kept = subscribe.simple("comfywear/v1/home/d1/device/updates", port=mosquitto.port)
    assert kept.retain


def test_without_the_setting_there_is_no_button_and_the_command_is_refused(
    notes: Path, tmp_path: Path, mosquitto: Any
) -> None:
    with Listener(mosquitto.port) as heard, running(tmp_path, mosquitto.port):
        assert "command_topic" not in told(mosquitto.port)
        until(lambda: heard.newest(UpdatesMessage))
        publish.single("comfywear/v1/home/d1/cmd/program-upgrade", "{}", port=mosquitto.port)
        until(lambda: any("updates.program is false" in (each.error or "") for each in heard.messages(ReplyMessage)))
