"""A backup that is uploaded to the page becomes the running device; whatever is wrong with it changes nothing."""

from __future__ import annotations

import http.client
import io
import json
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from comfywear import settings as settings_file
from comfywear.backup.archive import FORMAT
from comfywear.device.device import Device
from comfywear.device.runner import Runner
from comfywear.device.upkeep.maintenance import Maintenance
from comfywear.errors import StoreError
from waiting import until

PASSPHRASE = "correct horse battery staple"
ZIP = {"Content-Type": "application/zip"}


class Lived:
    """A device that is run as `comfywear run` does, and asked over its page."""

    def __init__(self, folder: Path, device_id: str = "d1", more: str = "") -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.config = folder / "state", folder / "device.toml"
        self.made: list[Device] = []
        (folder / "broker").write_text("the brokers password\n")
        self.config.write_text(
            f"# kept\n[device]\nid = '{device_id}'\nstate_dir = '{self.folder}'\n[web]\nenabled = true\nport = 0\n"
            f"[mqtt]\nhost = ''\nusername = 'd1'\npassword_file = '{folder / 'broker'}'\n{more}"
        )

    @contextmanager
    def running(self) -> Iterator[Lived]:
        maintenance = Maintenance()

        def make(settings: settings_file.Settings, **named: Any) -> Device:
            device = Device(settings, path=self.config, maintenance=maintenance, **named)
            self.made.append(device)
            return device

        runner = Runner(self.config, settings_file.load(self.config), make, maintenance=maintenance)
        thread = threading.Thread(target=runner.run, daemon=True)
        thread.start()
        try:
            until(lambda: bool(self.made) and self.url() is not None)
            yield self
        finally:
            runner.stop()
            thread.join(90)
            assert not thread.is_alive()

    def url(self) -> str | None:
        page = self.made[-1].page
        return page.server.url if page else None

    def asked(self, path: str, **named: Any) -> httpx.Response:
        found = httpx.request("POST" if named else "GET", f"{self.url()}{path}", timeout=60, **named)
        assert found.status_code < 500 or found.json()["error"] == "not-now"
        return found

    def uploaded(self, backup: bytes) -> Mapping[str, Any]:
        answer = self.asked("api/restore/upload", content=backup, headers=ZIP)
        assert answer.status_code == 200, answer.text
        found: Mapping[str, Any] = answer.json()
        return found

    def restored(self, **said: Any) -> Mapping[str, Any]:
        """How a restore ended."""
        count = len(self.made)
        answer = self.asked("api/restore", json=said)
        assert answer.json() == {"begun": True}, answer.text
        until(lambda: len(self.made) > count and self.url() is not None, 90)
        until(lambda: self.asked("api/restore").json()["state"] != "running")
        found: Mapping[str, Any] = self.asked("api/restore").json()
        return found

    def votes(self) -> list[int]:
        return [each.level for each in self.made[-1].voting.store.pressed(100, "room")]


@pytest.fixture
def backup(tmp_path: Path) -> bytes:
    """Of d1, with five votes and a name, its secrets behind the passphrase."""
    with Lived(tmp_path / "first").running() as first:
        for level in (1, 2, 3, 4, 5):
            first.made[-1].vote("room", level, "test")
        first.made[-1].commands.names.set("room", "Lab")
        return first.asked("api/backup", json={"passphrase": PASSPHRASE}).content


def test_a_device_that_was_wiped_has_the_same_votes_names_and_settings_again(tmp_path: Path, backup: bytes) -> None:
    with Lived(tmp_path / "second", more="# another\n[votes]\nundo_s = 5\n").running() as device:
        device.made[-1].vote("room", 1, "test")
        found = device.uploaded(backup)
        assert (found["site"], found["device"], found["here"]) == ("home", "d1", "d1")
        assert (found["votes"], found["votes_here"], found["names"], found["names_here"]) == (5, 1, {"room": "Lab"}, {})
        assert {"votes", "mqtt"} <= set(found["settings"])
        assert (found["locked"], found["unwanted"]) == (True, None)
        assert device.votes() == [1], "nothing is changed yet"
        ended = device.restored(upload=found["upload"], passphrase=PASSPHRASE)
        assert (ended["state"], ended["text"].startswith("home/d1, made 2")) == ("done", True)
        assert device.votes() == [5, 4, 3, 2, 1]
        assert device.made[-1].commands.names.shown("room") == "Lab"
        text = device.config.read_text()
        assert text.startswith("# kept")
        assert "undo_s" not in text
        assert f'state_dir = "{device.folder}"' in text, "it stays this device's folder"
        assert Path(device.made[-1].settings.mqtt.password_file).read_text() == "the brokers password\n"
        assert (device.folder / ended["aside"] / "votes.sqlite").is_file()
        changes = device.asked("api/audit").json()
        assert ("backup restored", "page, admin, 127.0.0.1") in [(each["what"], each["origin"]) for each in changes]
        assert PASSPHRASE not in json.dumps(changes)
        assert not list(device.folder.glob(".page-restore-*"))
        assert device.asked("api/vote", json={"level": 4}).status_code == 200


def damaged(backup: bytes) -> bytes:
    middle = len(backup) // 2
    return backup[:middle] + bytes(64) + backup[middle + 64 :]


def later(backup: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(backup)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(
                name, json.dumps({**json.loads(data), "format": FORMAT + 1}) if name == "manifest.json" else data
            )
    return out.getvalue()


def test_what_is_damaged_or_of_a_later_version_is_refused_and_nothing_changes(tmp_path: Path, backup: bytes) -> None:
    with Lived(tmp_path / "second").running() as device:
        settings = device.config.read_bytes()
        for content, said in (
            (b"no backup", "cannot be read as a backup"),
            (b"", "cannot be read as a backup"),
            (backup[: len(backup) // 2], "cannot be read as a backup"),
            (damaged(backup), "damaged"),
            (later(backup), "update first"),
        ):
            answer = device.asked("api/restore/upload", content=content, headers=ZIP)
            assert (answer.status_code, said in answer.json()["text"]) == (400, True), answer.text
            assert str(tmp_path) not in answer.text
        assert device.asked("api/restore/upload", content=backup, headers={}).status_code == 415
        large = http.client.HTTPConnection(httpx.URL(device.url() or "").netloc.decode(), timeout=60)
        large.request("POST", "/api/restore/upload", headers={**ZIP, "Content-Length": str(10**12)})
        assert large.getresponse().status == 413
        large.close()
        gone = device.asked("api/restore", json={"upload": "../x", "passphrase": PASSPHRASE})
        assert (gone.status_code, "no such upload" in gone.json()["text"]) == (400, True)
        assert device.asked("api/restore").json()["state"] == "none"
        assert (len(device.made), device.config.read_bytes()) == (1, settings)
        assert not list(device.folder.glob(".page-restore-*"))


def test_a_wrong_passphrase_or_none_is_refused_and_the_right_one_still_works(tmp_path: Path, backup: bytes) -> None:
    with Lived(tmp_path / "second").running() as device:
        upload = device.uploaded(backup)["upload"]
        for said, why in (
            ({"passphrase": "another passphrase"}, "not the passphrase"),
            ({}, "need the passphrase"),
            ({"settings": False, "passphrase": PASSPHRASE}, "of the settings alone"),
        ):
            answer = device.asked("api/restore", json={"upload": upload, **said})
            assert (answer.status_code, why in answer.json()["text"]) == (400, True), answer.text
        assert len(device.made) == 1
        assert device.restored(upload=upload, passphrase=PASSPHRASE)["state"] == "done"


@pytest.mark.parametrize(("takes_place", "now"), [(True, "d1"), (False, "d2")])
def test_of_another_id_it_asks_which_goes_on(tmp_path: Path, backup: bytes, takes_place: bool, now: str) -> None:
    with Lived(tmp_path / "second", "d2").running() as device:
        found = device.uploaded(backup)
        assert (found["device"], found["here"]) == ("d1", "d2")
        asked = device.asked("api/restore", json={"upload": found["upload"], "passphrase": PASSPHRASE})
        assert (asked.status_code, "the backup is of d1, this device is d2" in asked.json()["text"]) == (400, True)
        ended = device.restored(upload=found["upload"], passphrase=PASSPHRASE, takes_place=takes_place)
        assert ended["state"] == "done"
        assert device.made[-1].topics.device == now
        assert device.votes() == [5, 4, 3, 2, 1]


def test_settings_that_are_managed_elsewhere_stay_and_the_votes_can_be_restored_alone(
    tmp_path: Path, backup: bytes
) -> None:
    with Lived(tmp_path / "second", "d2").running() as device:
        real = device.config.rename(tmp_path / "managed.toml")
        device.config.symlink_to(real)
        found = device.uploaded(backup)
        assert "managed elsewhere" in found["unwanted"]
        asked = {"upload": found["upload"], "passphrase": PASSPHRASE, "takes_place": True}
        refused = device.asked("api/restore", json=asked)
        assert (refused.status_code, "managed elsewhere" in refused.json()["text"]) == (400, True)
        before_it = real.read_bytes()
        assert device.restored(upload=found["upload"], settings=False)["state"] == "done"
        assert (device.votes(), device.made[-1].topics.device) == ([5, 4, 3, 2, 1], "d2")
        assert (real.read_bytes(), device.config.is_symlink()) == (before_it, True)


def test_what_does_not_come_up_is_put_back(tmp_path: Path, backup: bytes) -> None:
    """A password file that is empty by now: the settings are read, and no device can be made of them."""
    password = tmp_path / "page.password"
    with Lived(tmp_path / "third").running() as other:
        password.write_text("a good word\n")
        text = other.config.read_text().replace("username = 'd1'\n", "")
        other.config.write_text(text.replace("port = 0", f"port = 0\ntoken_file = '{password}'"))
        broken = other.asked("api/backup", json={}).content
        password.write_text("")
    with Lived(tmp_path / "second").running() as device:
        device.made[-1].vote("room", 2, "test")
        settings = device.config.read_bytes()
        found = device.uploaded(broken)
        ended = device.restored(upload=found["upload"])
        assert (ended["state"], "page.password" in ended["text"]) == ("failed", True)
        assert (device.votes(), device.config.read_bytes()) == ([2], settings)
        assert not list(device.folder.glob("before-restore-*"))
        assert device.asked("api/vote", json={"level": 4}).status_code == 200
        assert "restore failed" in [each["what"] for each in device.asked("api/audit").json()]


def test_one_that_cannot_be_put_there_leaves_all_as_it_was(
    tmp_path: Path, backup: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Lived(tmp_path / "second").running() as device:
        device.made[-1].vote("room", 2, "test")
        settings, upload = device.config.read_bytes(), device.uploaded(backup)["upload"]

        def full(*_: object) -> None:
            raise StoreError("the disk is full")

        monkeypatch.setattr("comfywear.backup.whole.replaced", full)
        ended = device.restored(upload=upload, passphrase=PASSPHRASE)
        assert (ended["state"], "the disk is full" in ended["text"]) == ("failed", True)
        assert (device.votes(), device.config.read_bytes()) == ([2], settings)
        assert not (device.config.parent / "secrets" / "mqtt.password_file").exists()


def test_a_device_that_nothing_starts_anew_restores_nothing(tmp_path: Path, backup: bytes) -> None:
    lived = Lived(tmp_path / "second")
    with Device(settings_file.load(lived.config), path=lived.config) as device:
        lived.made.append(device)
        until(lambda: lived.url() is not None)
        found = lived.uploaded(backup)
        answer = lived.asked("api/restore", json={"upload": found["upload"], "settings": False})
        assert (answer.status_code, "comfywear restore" in answer.json()["text"]) == (400, True)
