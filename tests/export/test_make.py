"""`comfywear-export make` says in a few lines what happened; the rest is in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from comfywear_export.cli import main
from comfywear_export.commands import make
from comfywear_models.registry import FOLDER


def test_the_headline_is_what_the_cards_say() -> None:
    detector, attributes = make.headlines(FOLDER)
    assert detector.startswith("detector ")
    assert "persons AP50 0." in detector
    assert "garments mean AP50 0." in detector
    assert "groups mean AP 0." in attributes


def test_a_stage_that_fails_shows_its_last_words_and_keeps_all_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "instances.json").write_text('{"images": [], "annotations": [], "categories": []}')
    stage = make._Stage(["dataset", str(tmp_path / "gone")], tmp_path / "never")
    monkeypatch.setattr(make, "_stages", lambda _: iter([stage]))
    assert main(["make", "--data", str(tmp_path), "--out", str(tmp_path / "out"), "--version", "9"]) == 2
    said = capsys.readouterr()
    assert "there is no such file or folder" in said.err
    assert len(said.out.splitlines()) == 1
    (log,) = (tmp_path / "out").glob("1-*.log")
    assert "there is no such file or folder" in log.read_text()
