"""A device in one file: what it is made of comes back, a damaged one changes nothing, secrets need their passphrase."""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear import settings as settings_file
from comfywear.backup import whole
from comfywear.backup.archive import FORMAT, Archive, Manifest, write_archive
from comfywear.backup.secrets import Secrets, locked, unlocked
from comfywear.backup.state import kept_files
from comfywear.cli import main
from comfywear.device.device import Device
from comfywear.errors import SourceError, UsageError
from comfywear.feedback import Selection
from comfywear.feedback.vote_files import export_votes
from comfywear.settings import DeviceSettings
from waiting import until

PASSPHRASE = "a long enough passphrase"
MARKER = "geheim-4711"
HERE = DeviceSettings().name()


def settings_text(folder: Path) -> str:
    return (
        f"# The office\n[device]\nid = '{HERE}'  # on the wall\nstate_dir = '{folder / 'state'}'\n"
        f"[mqtt]\nhost = ''\nusername = 'comfy'\npassword_file = '{folder / 'mqtt.password'}'\n"
        f"[camera]\nsource = 'rtsp://admin:{MARKER}@127.0.0.1:1/stream'\n[vision]\ndetector = 'nosuch'\n"
        "[[zones]]\nname = 'desk'\n[[sensors]]\nuri = 'fake://'\n"
    )


@contextmanager
def running(folder: Path) -> Iterator[Device]:
    with Device(settings_file.load(folder / "device.toml")) as device:
        until(lambda: bool(device.estimates()))
        yield device


@pytest.fixture
def lived(tmp_path: Path) -> Path:
    """A device's folder after some votes and a name for its zone."""
    folder = tmp_path / "lived"
    folder.mkdir()
    (folder / "mqtt.password").write_text(f"{MARKER}\n")
    (folder / "device.toml").write_text(settings_text(folder))
    with running(folder) as device:
        for level in (1, 2, 3, 4, 5):
            device.vote("desk", level, "command")
        device.commands.names.set("desk", "Fensterplatz")
    return folder


def votes(folder: Path) -> str:
    out = folder / "votes.csv"
    export_votes(folder / "state" / "votes.sqlite", out, "csv", Selection(), force=True)
    return out.read_text()


def told(folder: Path) -> Mapping[str, Any]:
    return {
        name: json.loads((folder / "state" / name).read_bytes())
        for name in ("zone-names.json", "learning.json", "asked.json")
        if (folder / "state" / name).exists()
    }


def back_up(folder: Path, out: Path, *more: str) -> int:
    return main(["backup", "--config", str(folder / "device.toml"), "--out", str(out), *more])


def restore(out: Path, folder: Path, *more: str) -> int:
    folder.mkdir(exist_ok=True)
    words = ["--config", str(folder / "device.toml"), "--state-dir", str(folder / "state")]
    return main(["restore", str(out), *words, *more])


@pytest.fixture
def passphrase(tmp_path: Path) -> list[str]:
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\n")
    return ["--passphrase-file", str(tmp_path / "passphrase")]


def test_votes_names_and_what_was_learnt_are_the_same_on_the_board_that_takes_its_place(
    lived: Path, tmp_path: Path, passphrase: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out, other = tmp_path / "lab.comfywear", tmp_path / "other"
    assert back_up(lived, out, *passphrase) == 0
    assert out.stat().st_mode & 0o077 == 0
    assert restore(out, other, *passphrase) == 0
    assert votes(other) == votes(lived)
    assert told(other) == told(lived)
    assert told(other)["zone-names.json"]
    text = (other / "device.toml").read_text()
    secret = other / "secrets" / "mqtt.password_file"
    assert text == (lived / "device.toml").read_text().replace(f"'{lived / 'mqtt.password'}'", f'"{secret}"')
    assert secret.read_text() == f"{MARKER}\n"
    assert secret.stat().st_mode & 0o077 == 0
    assert MARKER not in capsys.readouterr().out
    (other / "device.toml").write_text(text.replace(str(lived / "state"), str(other / "state")))
    with running(other) as device:
        assert device.voting.store.count("desk") == 5
        assert device.commands.names.shown("desk") == "Fensterplatz"


def test_it_is_made_while_the_device_runs_and_votes(lived: Path, tmp_path: Path) -> None:
    out = tmp_path / "live.comfywear"
    with running(lived) as device:
        device.vote("desk", 3, "command")
        assert back_up(lived, out) == 0
        device.vote("desk", 4, "command")
    assert restore(out, tmp_path / "other") == 0
    with closing(sqlite3.connect(tmp_path / "other" / "state" / "votes.sqlite")) as store:
        assert store.execute("SELECT count(*) FROM votes").fetchone() == (6,)


def test_without_a_passphrase_no_secret_is_in_it_and_the_lines_to_fill_in_are_named(
    lived: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "open.comfywear"
    assert back_up(lived, out) == 0
    with zipfile.ZipFile(out) as archive:
        assert not any(MARKER.encode() in archive.read(name) for name in archive.namelist())
    assert "line 7, 10 of the settings" in capsys.readouterr().out
    (lived / "mqtt.password").unlink()
    assert restore(out, tmp_path / "other") == 0
    said = capsys.readouterr().err
    assert "secrets were cut from the settings" in said
    assert "line 7, 10" in said
    assert "mqtt.password_file: there is no file" in said


@pytest.fixture
def at_home(lived: Path) -> Path:
    """The same device as its page sets it up: the settings, one before them and a draft are in its state folder."""
    settings = (lived / "device.toml").read_text()
    for name in ("device.toml", "device.toml.previous", "setup.json"):
        (lived / "state" / name).write_text(settings)
    return lived / "state"


def test_settings_in_the_state_folder_are_in_it_once_without_their_secrets(
    at_home: Path, tmp_path: Path, passphrase: list[str]
) -> None:
    for name, words in {"open": [], "locked": passphrase}.items():
        out = tmp_path / f"{name}.comfywear"
        assert main(["backup", "--config", str(at_home / "device.toml"), "--out", str(out), *words]) == 0
        with zipfile.ZipFile(out) as archive:
            assert not any(MARKER.encode() in archive.read(member) for member in archive.namelist())
            assert not any("device.toml" in member for member in archive.namelist())


def test_settings_in_the_state_folder_are_restored_as_they_were_asked_for(
    at_home: Path, tmp_path: Path, passphrase: list[str]
) -> None:
    out, config = tmp_path / "lab.comfywear", at_home / "device.toml"
    assert main(["backup", "--config", str(config), "--out", str(out), *passphrase]) == 0
    with Archive(out) as archive:  # as versions made them that kept those settings a second time, as they were
        files = {each.name: archive.read(each.name) or b"" for each in archive.manifest.members}
        write_archive(out, archive.manifest, {**files, "state/device.toml": config.read_bytes()}, force=True)
    before = config.read_text()
    assert main(["restore", str(out), "--config", str(config), "--id", "new-board", *passphrase]) == 0
    assert 'id = "new-board"' in config.read_text()
    assert (at_home / "device.toml.before-restore").read_text() == before
    assert (at_home / "setup.json").exists()


def test_another_passphrase_or_none_at_hand_is_said_and_nothing_is_written(
    lived: Path, tmp_path: Path, passphrase: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out, other = tmp_path / "lab.comfywear", tmp_path / "other"
    assert back_up(lived, out, *passphrase) == 0
    with zipfile.ZipFile(out) as archive:
        assert not any(MARKER.encode() in archive.read(name) for name in archive.namelist())
    (tmp_path / "wrong").write_text("another long passphrase\n")
    assert restore(out, other, "--passphrase-file", str(tmp_path / "wrong")) == UsageError.exit_code
    assert "not the passphrase" in capsys.readouterr().err
    assert list(other.iterdir()) == []
    assert restore(out, other) == 0
    assert "secrets were left out" in capsys.readouterr().err


def test_what_was_there_before_is_set_aside_and_can_be_put_back(lived: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.comfywear", tmp_path / "second.comfywear"
    before = votes(lived)
    assert back_up(lived, first) == 0
    with running(lived) as device:
        device.vote("desk", 2, "command")
    after = votes(lived)
    assert restore(first, lived) == 0
    assert votes(lived) == before
    (aside,) = (lived / "state").glob("before-restore-*")
    export_votes(aside / "votes.sqlite", tmp_path / "aside.csv", "csv", Selection())
    assert (tmp_path / "aside.csv").read_text() == after
    (lived / "device.toml.before-restore").replace(lived / "device.toml")
    assert back_up(lived, second) == 0
    assert [path.name for path in kept_files(lived / "state") if "before-restore" in str(path)] == []


@pytest.mark.parametrize("how", ["short", "a byte", "a member more", "no zip", "a member twice", "empty"])
def test_a_damaged_backup_is_refused_and_changes_nothing(
    how: str, lived: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "lab.comfywear"
    assert back_up(lived, out) == 0
    damage(out, how)
    before = {path: path.read_bytes() for path in lived.rglob("*") if path.is_file()}
    assert restore(out, lived) == SourceError.exit_code
    assert str(out) in capsys.readouterr().err
    assert {path: path.read_bytes() for path in lived.rglob("*") if path.is_file()} == before


def test_whichever_byte_is_wrong_it_is_refused_or_means_the_same(tmp_path: Path) -> None:
    out, wrong = tmp_path / "good.comfywear", tmp_path / "wrong.comfywear"
    text = b"[device]\nid = 'lab'\n" * 20
    write_archive(out, Manifest(format=FORMAT, version="1", site="s", device="d"), {"settings.toml": text})
    data = out.read_bytes()
    refused = 0
    for at, flip in itertools.product(range(len(data)), (0x01, 0x55, 0xFF)):
        wrong.write_bytes(data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :])
        try:
            with Archive(wrong) as archive:
                assert archive.read("settings.toml") == text
        except (SourceError, UsageError):
            refused += 1
    assert refused > len(data)


def damage(out: Path, how: str) -> None:
    data = out.read_bytes()
    if how == "short":
        out.write_bytes(data[: len(data) // 2])
    elif how == "a byte":
        at = len(data) // 3
        out.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
    elif how == "no zip":
        out.write_text("this is no backup")
    elif how == "empty":
        out.write_bytes(b"")
    else:
        name = "state/more.json" if how == "a member more" else "settings.toml"
        with warnings.catch_warnings(), zipfile.ZipFile(out, "a") as archive:
            warnings.simplefilter("ignore")  # zipfile warns of a name that is there twice
            archive.writestr(name, "{}")


@pytest.mark.parametrize(
    "name", ["state/../../etc/passwd", "/etc/passwd", "state/", "state//x", "other.toml", "state/a\\b", "state/.ssh/x"]
)
def test_a_member_that_leads_out_of_the_state_folder_is_refused(name: str, tmp_path: Path) -> None:
    out = tmp_path / "bad.comfywear"
    write_archive(out, Manifest(format=FORMAT, version="1", site="s", device="d"), {name: b"x"})
    with pytest.raises(SourceError, match="is no file of a backup"):
        Archive(out)


def test_a_backup_of_a_later_kind_asks_for_an_update(tmp_path: Path) -> None:
    out = tmp_path / "later.comfywear"
    write_archive(out, Manifest(format=FORMAT + 1, version="99.0", site="s", device="d"), {})
    with pytest.raises(UsageError, match=r"comfywear 99\.0, which is later: update first"):
        Archive(out)


def test_it_is_not_restored_under_a_running_device(
    lived: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "lab.comfywear"
    assert back_up(lived, out) == 0
    with running(lived):
        assert restore(out, lived) != 0
    assert "a device runs with the state folder" in capsys.readouterr().err


def test_on_a_board_of_another_name_it_asks_what_to_keep(
    lived: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, other = tmp_path / "lab.comfywear", tmp_path / "other"
    config = lived / "device.toml"
    config.write_text(config.read_text().replace(f"id = '{HERE}'", "id = 'old-board'"))
    (lived / "state" / "retained.json").write_text("{}")
    assert back_up(lived, out) == 0
    capsys.readouterr()
    assert restore(out, other) == UsageError.exit_code
    assert "--id old-board where it takes that one's place" in capsys.readouterr().err
    assert restore(out, other, "--id", "new-board") == 0
    text = (other / "device.toml").read_text()
    assert text.startswith('# The office\n[device]\nid = "new-board"\nstate_dir = ')
    assert "old-board" not in text
    assert not (other / "state" / "retained.json").exists()
    assert restore(out, tmp_path / "same", "--id", "old-board") == 0
    assert (tmp_path / "same" / "state" / "retained.json").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root restores for another user")
def test_root_restores_as_the_folder_s_owner_and_follows_no_link(lived: Path, tmp_path: Path) -> None:
    out, other = tmp_path / "lab.comfywear", tmp_path / "other"
    assert back_up(lived, out) == 0
    tmp_path.chmod(0o755)
    tmp_path.parent.chmod(0o755)
    (other / "state").mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.mkdir()
    (other / "state" / ".restoring").symlink_to(victim)
    os.chown(other / "state", 65534, 65534)
    assert restore(out, other) != 0 or list(victim.iterdir()) == []
    (other / "state" / ".restoring").unlink(missing_ok=True)
    assert restore(out, other) == 0
    assert {path.stat().st_uid for path in (other / "state").iterdir()} == {65534}
    assert votes(other) == votes(lived)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root works in another user's folder")
def test_root_backs_up_as_the_folder_s_owner_and_takes_nothing_that_a_link_names(
    lived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, kept = tmp_path / "lab.comfywear", tmp_path / "only-root"
    kept.write_text(MARKER)
    kept.chmod(0o600)
    for folder in (lived, *lived.parents[:-1]):
        folder.chmod(folder.stat().st_mode | 0o005)
    for path in (lived / "state", *(lived / "state").rglob("*")):
        os.chown(path, 65534, 65534)
    (lived / "state" / "planted.json").symlink_to(kept)
    assert back_up(lived, out) == 0
    # As if the link had come between the look and the copy.
    monkeypatch.setattr(whole, "kept_files", lambda folder: [*kept_files(folder), Path("planted.json")])
    assert back_up(lived, tmp_path / "late.comfywear") != 0
    assert not (tmp_path / "late.comfywear").exists()
    with zipfile.ZipFile(out) as archive:
        assert "state/votes.sqlite" in archive.namelist()
        assert not any(MARKER.encode() in archive.read(name) for name in archive.namelist())


def may_mount() -> bool:
    return os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not may_mount(), reason="only a root that may mount")
def test_root_backs_up_lists_and_restores_where_the_owner_cannot_walk_to_as_with_systemd(
    lived: Path, tmp_path: Path
) -> None:
    """systemd keeps the state folders of DynamicUser= services in /var/lib/private, which only root may enter."""
    private, out = tmp_path / "private", tmp_path / "lab.comfywear"
    state = private / "comfywear"
    private.mkdir(mode=0o700)
    (lived / "state").rename(state)
    for path in (state, *state.rglob("*")):
        os.chown(path, 65534, 65534)
    for folder in (tmp_path, *tmp_path.parents):
        folder.chmod(folder.stat().st_mode | 0o005)
    words = ["--state-dir", str(state)]
    program = [sys.executable, "-m", "comfywear.cli"]
    assert main(["backup", *words, "--out", str(out)]) == 0
    for path in state.iterdir():
        path.unlink()
    assert main(["restore", str(out), *words, "--id", HERE]) == 0
    done = subprocess.run([*program, "votes", "export", *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("desk") == 5
    assert {path.stat().st_uid for path in state.iterdir()} == {65534}
    assert {path.name for path in private.iterdir()} == {"comfywear"}, "nobody else sees what this process saw"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to another user")
def test_settings_that_root_restores_into_the_state_folder_are_the_service_s(
    lived: Path, tmp_path: Path, passphrase: list[str]
) -> None:
    out, state = tmp_path / "lab.comfywear", tmp_path / "other" / "state"
    assert back_up(lived, out, *passphrase) == 0
    state.mkdir(parents=True)
    os.chown(state, 65534, 65534)
    for folder in (state, *state.parents[:-1]):
        folder.chmod(folder.stat().st_mode | 0o005)
    words = ["--config", str(state / "device.toml"), "--state-dir", str(state)]
    assert main(["restore", str(out), *words, *passphrase]) == 0
    assert {path.stat().st_uid for path in (state / "device.toml", *(state / "secrets").iterdir())} == {65534}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to another user")
def test_the_service_can_read_what_root_restored(lived: Path, tmp_path: Path, passphrase: list[str]) -> None:
    out, other = tmp_path / "lab.comfywear", tmp_path / "other"
    assert back_up(lived, out, *passphrase) == 0
    (other / "state").mkdir(parents=True)
    os.chown(other / "state", 65534, 65534)
    (other / "device.toml").write_text("# as it was installed\n")
    (other / "device.toml").chmod(0o644)
    assert restore(out, other, *passphrase) == 0
    assert (other / "device.toml").stat().st_mode & 0o777 == 0o644
    secret = other / "secrets" / "mqtt.password_file"
    assert (secret.stat().st_uid, secret.stat().st_mode & 0o777) == (65534, 0o600)
    assert (secret.parent.stat().st_uid, secret.parent.stat().st_gid) == (0, 65534)


def test_what_the_service_manager_keeps_stays_named_and_is_not_missed(
    lived: Path, tmp_path: Path, passphrase: list[str]
) -> None:
    config = lived / "device.toml"
    config.write_text(config.read_text().replace(f"'{lived / 'mqtt.password'}'", "'credential:mqtt'"))
    out, other = tmp_path / "lab.comfywear", tmp_path / "other"
    assert back_up(lived, out, *passphrase) == 0
    assert restore(out, other, *passphrase) == 0
    assert "password_file = 'credential:mqtt'" in (other / "device.toml").read_text()
    assert not (other / "secrets").exists()


def test_where_to_is_asked_for_and_checking_alone_changes_nothing(
    lived: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "lab.comfywear"
    assert back_up(lived, out) == 0
    assert back_up(lived, out) == UsageError.exit_code  # it exists
    assert back_up(lived, out, "--force") == 0
    assert main(["restore", str(out)]) == UsageError.exit_code
    assert "--state-dir" in capsys.readouterr().err
    before = sorted(tmp_path.rglob("*"))
    assert main(["restore", str(out), "--check"]) == 0
    assert "sound" in capsys.readouterr().out
    assert sorted(tmp_path.rglob("*")) == before


@given(st.text(max_size=200), st.dictionaries(st.text(max_size=20), st.binary(max_size=50), max_size=3))
def test_what_was_locked_comes_back_with_the_passphrase_alone(text: str, files: dict[str, bytes]) -> None:
    secrets = Secrets(text, files)
    data = locked(secrets, PASSPHRASE)
    assert unlocked(data, PASSPHRASE) == secrets
    with pytest.raises(UsageError, match="not the passphrase"):
        unlocked(data, f"{PASSPHRASE}r")
    with pytest.raises((UsageError, SourceError)):
        unlocked(data[:-1], PASSPHRASE)


def test_a_short_passphrase_is_refused() -> None:
    with pytest.raises(UsageError, match="12 characters or more"):
        locked(Secrets(None), "short")
