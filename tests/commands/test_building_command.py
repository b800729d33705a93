"""`comfywear building`: the registers and objects of a device's zones, and the page of the docs."""

from __future__ import annotations

from pathlib import Path

import pytest

from comfywear.buildings.pages import map_page
from comfywear.buildings.points import POINTS
from comfywear.cli import main

PAGE = Path(__file__).resolve().parents[2] / "docs" / "building-map.md"


def test_the_page_of_the_docs_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == map_page({1: "room"}), (
        "run: comfywear building --out docs/building-map.md"
    )


def test_it_names_the_zones_with_their_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "device.toml"
    config.write_text("[[zones]]\nname = 'desk'\n[[zones]]\nname = 'door'\nnumber = 12\n")
    assert main(["building", "--config", str(config)]) == 0
    said = capsys.readouterr().out
    assert f"| 1 | desk | 100 … 199 | 101 … {100 + len(POINTS)} |" in said
    assert f"| 12 | door | 1200 … 1299 | 1201 … {1200 + len(POINTS)} |" in said


def test_it_writes_the_page_or_says_why_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["building", "--out", str(tmp_path / "map.md")]) == 0
    assert (tmp_path / "map.md").read_text(encoding="utf-8") == map_page({1: "room"})
    assert main(["building", "--out", str(tmp_path / "none" / "map.md")]) == 2
    assert "cannot be written" in capsys.readouterr().err
