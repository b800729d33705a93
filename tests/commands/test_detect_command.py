"""`comfywear detect` on photographs that packages carry, and on what is no photograph."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from comfywear.cli import main
from comfywear.vision.drawing.sheet import contact_sheet


@pytest.fixture
def hopper(tmp_path: Path) -> Path:
    cbook = pytest.importorskip("matplotlib.cbook")
    source = cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    return Path(shutil.copyfile(source, tmp_path / "grace.jpg"))


def test_a_photo_is_described_and_drawn(hopper: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "drawn.jpg"
    assert main(["detect", str(hopper), "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "grace.jpg: one person" in shown
    assert "%" in shown
    plain, drawn = cv2.imread(str(hopper)), cv2.imread(str(out))
    assert drawn.shape[0] >= plain.shape[0]
    assert drawn.shape[1] > plain.shape[1]  # the panel


def test_a_folder_gives_a_line_of_json_each_and_a_sheet_and_counts_what_it_cannot_read(
    hopper: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "flat.png"), np.full((120, 90, 3), 100, np.uint8))
    (tmp_path / "notes.txt").write_text("not looked at")
    sheet = tmp_path / "sheets" / "sheet.png"
    assert main(["detect", str(tmp_path), "--sheet", str(sheet), "--json"]) == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first["persons"] == []
    (person,) = second["persons"]
    assert {"box", "score", "garments", "attributes"} == set(person)
    assert all(0 <= p <= 1 for p in person["attributes"].values())
    for garment in person["garments"]:
        assert {"kind", "probability", "box", "colours", "alternatives"} == set(garment)
    assert cv2.imread(str(sheet)) is not None
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    assert main(["detect", str(tmp_path), "--attributes", ""]) == 1
    assert "broken.jpg: not a photo" in capsys.readouterr().err


def test_what_cannot_be_looked_at_is_refused_with_what_to_do(
    hopper: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for words, code, message in (
        ([str(tmp_path / "none.jpg")], 1, "no such photo or folder"),
        ([str(empty)], 2, "no photo in this folder"),
        ([str(hopper), "--detector", "nothing"], 1, "no model named 'nothing'"),
        ([str(hopper), "--out", str(tmp_path / "drawn.doc")], 2, "end in .png or .jpg"),
    ):
        assert main(["detect", *words]) == code
        assert message in capsys.readouterr().err


def test_a_sheet_shows_every_picture_and_is_as_wide_as_asked() -> None:
    rng = np.random.default_rng(0)
    shapes = [(100, 60), (80, 200), (300, 40), (90, 90), (50, 400)]
    colours = [tuple(int(v) for v in rng.integers(60, 250, 3)) for _ in shapes]
    pictures = [(f"number {i}", np.full((*shape, 3), colours[i], np.uint8)) for i, shape in enumerate(shapes)]
    sheet = contact_sheet(pictures, width=700, height=120)
    assert sheet.shape[1] == 700
    for colour in colours:
        assert (np.abs(sheet.astype(int) - colour).max(2) <= 2).sum() > 500
    assert contact_sheet(pictures[4:], width=100, height=50).shape[1] == 100
