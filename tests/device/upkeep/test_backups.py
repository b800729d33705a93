"""A backup that the page downloads is one that `comfywear restore` takes, and nothing of it stays on the device."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from comfywear import settings as settings_file
from comfywear.backup.archive import SECRETS, SETTINGS, Archive
from comfywear.cli import main
from comfywear.device.device import Device
from comfywear.device.upkeep.backups import Backups
from comfywear.errors import StoreError, UsageError
from comfywear.feedback import ask
from waiting import until

PASSPHRASE = "correct horse battery staple"


def test_what_the_page_gives_becomes_the_same_device_again(tmp_path: Path) -> None:
    folder, config = tmp_path / "state", tmp_path / "device.toml"
    (tmp_path / "broker").write_text("the brokers password\n")
    config.write_text(
        f"# kept\n[device]\nid = 'd1'\nstate_dir = '{folder}'\n[web]\nenabled = true\nport = 0\n"
        f"[mqtt]\nusername = 'd1'\npassword_file = '{tmp_path / 'broker'}'\n"
    )
    with Device(settings_file.load(config), path=config) as device:
        page = device.page
        assert page is not None
        until(lambda: page.server.url is not None)
        url = f"{page.server.url}api/backup"
        until(lambda: (folder / "control.sock").exists())
        ask(folder, {"verb": "vote", "level": 2})
        plain = httpx.post(url, json={}, timeout=60)
        sealed = httpx.post(url, json={"passphrase": PASSPHRASE}, timeout=60)
        refused = httpx.post(url, json={"passphrase": "short"}, timeout=60)
        assert (refused.status_code, "12 characters" in refused.json()["text"]) == (400, True)
        until(lambda: not list(folder.glob(".page-backup-*")))
    assert plain.headers["content-disposition"].startswith('attachment; filename="home-d1-')
    for answer, secrets in ((plain, False), (sealed, True)):
        assert answer.status_code == 200
        file = tmp_path / "made.comfywear"
        file.write_bytes(answer.content)
        assert b"the brokers password" not in answer.content
        with Archive(file) as archive:
            assert b"# kept" in (archive.read(SETTINGS) or b"")
            assert (archive.read(SECRETS) is not None) is secrets
        where = ["--config", str(tmp_path / "again.toml"), "--state-dir", str(tmp_path / f"again-{secrets}")]
        assert main(["restore", str(file), *where, "--id", "d1"]) == 0
        assert main(["votes", "list", "--state-dir", str(tmp_path / f"again-{secrets}")]) == 0


def test_one_is_made_at_a_time_and_what_a_cut_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".page-backup-x.part"
    left.write_bytes(b"half")
    backups = Backups(tmp_path, None)
    assert not left.exists()
    with backups._lock, pytest.raises(StoreError, match="already"):
        backups.make(None)
    made = backups.make(None)
    assert made.stat().st_mode & 0o777 == 0o600
    made.unlink()


def test_where_it_cannot_be_written_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be made"):
        Backups(tmp_path / "none", None).make(None)
    (tmp_path / "votes.sqlite").write_bytes(b"no database at all")
    with pytest.raises(StoreError, match="votes"):
        Backups(tmp_path, None).make(None)
    (tmp_path / "device.toml").write_text("[web]\ntoken_file = '/no/such/file'\n")
    (tmp_path / "votes.sqlite").unlink()
    with pytest.raises((UsageError, OSError), match="cannot be read"):
        Backups(tmp_path, tmp_path / "device.toml").make(PASSPHRASE)
    assert not list(tmp_path.glob(".page-backup-*"))
