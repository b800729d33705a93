"""`comfywear upgrade`: what it says where it cannot, and how it follows the upgrader."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from comfywear.cli import main

STUB = """#!/bin/bash
case "$*" in
  "start --no-block "*) echo checking >"$PLACE/phase" ;;
  "is-active "*)
    case "$(cat "$PLACE/phase")" in
      checking) echo activating; echo judging >"$PLACE/phase"
        echo '{"phase": "judging", "percent": 40}' >"$PLACE/state.json" ;;
      judging) echo activating; echo done >"$PLACE/phase" ;;
      *) cp "$PLACE/end.json" "$PLACE/state.json"; echo inactive ;;
    esac ;;
esac
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose upgrader is there, with a stub for systemctl."""
    (tmp_path / "upgrade.py").touch()
    (tmp_path / "systemctl").write_text(STUB)
    (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setattr("comfywear.commands.upgrade.JUDGE", tmp_path / "upgrade.py")
    monkeypatch.setattr("comfywear.commands.upgrade.STATE", tmp_path / "state.json")
    monkeypatch.setattr("comfywear.commands.upgrade.SYSTEMD", tmp_path)
    monkeypatch.setattr("comfywear.commands.upgrade._STEP_S", 0.01)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PLACE", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        ({"outcome": "upgraded", "installed": "2", "other": "1"}, 0, "2 is in service, after 1"),
        ({"outcome": "newest", "installed": "2"}, 0, "2 is the newest"),
        (
            {"outcome": "rolled back", "installed": "1", "other": "2", "reason": "it ended"},
            1,
            "1 is in service again; 2 was no good: it ended",
        ),
        ({"outcome": "refused", "reason": "no way back"}, 1, "nothing was changed: no way back"),
        ({"outcome": "failed", "reason": "both are broken"}, 1, "it needs your help: both are broken"),
    ],
)
def test_it_says_each_phase_and_how_it_ended(
    end: dict[str, str], code: int, said: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "end.json").write_text(json.dumps(end))
    assert main(["upgrade"]) == code
    lines = capsys.readouterr().out.splitlines()
    assert "  judging 40 %" in lines
    assert lines[-1] == said


def test_an_upgrader_that_says_nothing_is_a_fault_with_where_to_look(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "end.json").write_text("{torn")
    assert main(["upgrade"]) == 1
    assert "journalctl -u comfywear-upgrade@run.service" in capsys.readouterr().err


def test_only_root_may(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["upgrade"]) == 2
    assert "sudo comfywear upgrade" in capsys.readouterr().err


def test_without_the_package_it_says_what_to_do_instead(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("comfywear.commands.upgrade.JUDGE", place / "nowhere")
    assert main(["upgrade", "--check"]) == 2
    assert "did not come as a Debian package" in capsys.readouterr().err


def test_check_says_what_apt_knows_and_changes_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "apt-cache").write_text("#!/bin/sh\nprintf 'comfywear:\\n  Installed: 1.0\\n  Candidate: 1.1\\n'\n")
    (place / "apt-cache").chmod(0o755)
    assert main(["upgrade", "--check"]) == 0
    assert capsys.readouterr().out.startswith("installed 1.0, available 1.1\n")
    assert not (place / "phase").exists()
