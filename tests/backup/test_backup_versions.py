"""Backups of earlier versions are restored as they were; those of later ones as far as they are understood, or not."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import msgspec
import pytest

from comfywear import settings as settings_file
from comfywear.backup.archive import FORMAT, Archive, Manifest, write_archive
from comfywear.cli import main
from comfywear.device.device import Device
from comfywear.errors import SettingsError, UsageError
from comfywear.feedback import Selection
from comfywear.feedback.vote_files import export_votes
from comfywear.feedback.vote_rows import VERSION
from waiting import until

EARLIER = Path(__file__).with_name("earlier")
PASSPHRASE = "a long enough passphrase"
LATER = "99.0"
# What was learnt is reckoned anew from the votes; how much of them counted and the snapshots are what was kept.
KEPT = re.compile(r"learnt from \d+ votes|snapshot .*|nothing learnt yet")


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """What `restore` is told: a device in an empty folder."""
    (tmp_path / "device").mkdir()
    return [
        *("--config", str(tmp_path / "device" / "device.toml")),
        *("--state-dir", str(tmp_path / "device" / "state"), "--id", "lab-board"),
    ]


def written(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "device").rglob("*") if path.is_file()]


@pytest.mark.parametrize("made", sorted(EARLIER.glob("*.comfywear")), ids=lambda path: path.stem)
def test_what_an_earlier_version_backed_up_comes_back_vote_by_vote(
    made: Path, tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\n")
    assert main(["restore", str(made), *words, "--passphrase-file", str(tmp_path / "passphrase")]) == 0
    config, state = tmp_path / "device" / "device.toml", tmp_path / "device" / "state"
    assert (config.parent / "secrets" / "mqtt.password_file").read_text() == "a made password\n"
    config.write_text(config.read_text().replace("/srv/lab/state", str(state)))
    export_votes(state / "votes.sqlite", tmp_path / "votes.csv", "csv", Selection())
    with made.with_suffix(".csv").open() as file, (tmp_path / "votes.csv").open() as found:
        wanted = list(csv.DictReader(file))
        assert len(wanted) == 9
        assert [{name: row[name] for name in wanted[0]} for row in csv.DictReader(found)] == wanted
    with Device(settings_file.load(config)) as device:
        assert device.commands.names.shown("desk") == "Fensterplatz"
        capsys.readouterr()
        wanted_words = KEPT.findall(made.with_suffix(".txt").read_text())
        assert "learnt from 5 votes" in wanted_words
        # The device keeps a snapshot of each day beside those that it was given.
        until(lambda: set(wanted_words) <= set(KEPT.findall(learnt(config, capsys))))


def learnt(config: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["learning", "show", "--config", str(config)]) == 0
    return capsys.readouterr().out


def later(tmp_path: Path, settings: str = "", *, level: int = FORMAT, **more: bytes) -> Path:
    """A backup of a version that is not made yet."""
    out = tmp_path / "later.comfywear"
    manifest = Manifest(format=level, version=LATER, site="office", device="lab-board")
    files = {"settings.toml": f"[[zones]]\nname = 'desk'\n{settings}".encode(), "state/zone-names.json": b"{}"}
    write_archive(out, manifest, {**files, **{name.replace("__", "/"): data for name, data in more.items()}})
    return out


@pytest.mark.parametrize("settings", ["[web]\nhologram = true\n", "[hologram]\non = true\n"])
def test_settings_of_a_later_version_are_refused_by_their_line_and_all_else_is_restored_without_them(
    settings: str, tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    made = later(tmp_path, settings)
    assert main(["restore", str(made), *words]) == SettingsError.exit_code
    said = capsys.readouterr().err
    assert f"the backup, of comfywear {LATER}, has settings that this one" in said
    assert re.search(r"settings\.toml:[34]: (web\.)?hologram: there is no such field", said)
    assert "Restore all but the settings" in said
    assert written(tmp_path) == []
    assert main(["restore", str(made), *words[2:]]) == 0
    assert (tmp_path / "device" / "state" / "zone-names.json").exists()


def test_what_a_later_version_keeps_besides_is_carried_and_a_later_manifest_read(
    tmp_path: Path, words: list[str]
) -> None:
    made = later(tmp_path, state__holograms__of_desk=b"later")
    assert main(["restore", str(made), *words]) == 0
    assert (tmp_path / "device" / "state" / "holograms" / "of_desk").read_bytes() == b"later"
    with Archive(made) as archive:
        text = msgspec.json.encode({**msgspec.to_builtins(archive.manifest), "holograms": 3})
    assert msgspec.json.decode(text, type=Manifest).version == LATER


def test_a_later_format_is_refused_and_nothing_is_written(
    tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["restore", str(later(tmp_path, level=FORMAT + 1)), *words]) == UsageError.exit_code
    assert f"was written by comfywear {LATER}, which is later: update first" in capsys.readouterr().err
    assert written(tmp_path) == []


def test_settings_that_are_no_text_are_said(
    tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bytes.comfywear"
    write_archive(out, Manifest(format=FORMAT, version=LATER, site="s", device="lab-board"), {"settings.toml": b"\xff"})
    assert main(["restore", str(out), *words]) == SettingsError.exit_code
    assert "no text" in capsys.readouterr().err
    assert written(tmp_path) == []


def test_a_layout_of_votes_that_older_versions_cannot_read_comes_with_a_format_that_they_refuse() -> None:
    """Raise FORMAT together with the layout: an older version would put the file there and keep new votes in memory."""
    assert {1: 2}[FORMAT] == VERSION
