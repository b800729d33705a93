"""`comfywear-export dataset` from its own door: what it says, that a killed run goes on, that nothing is done twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import data_sets
import pytest

from comfywear_export.cli import main


def everything(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_counts_without_writing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = data_sets.captures(tmp_path)
    before = everything(tmp_path)
    assert main(["dataset", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "captures: 3 pictures, 6 boxes" in said
    assert "6 boxes are a model's guesses" in said
    assert everything(tmp_path) == before


def test_the_garment_set_is_whole_and_its_boxes_are_counted(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["dataset", str(shared_data / "ccp"), "--detector-labels", "--json", "--report", str(tmp_path / "r.html")]
    assert main(words) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["pictures"] == {"train": 704, "validation": 150}
    assert facts["labels"]["person"] == {"train": 703, "validation": 150}
    assert facts["labels"]["skirt"] == {"train": 118, "validation": 19}
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "854 pictures, 4859 boxes" in page
    assert "<svg role=" in page


def test_a_conversion_is_done_once_and_keeps_labels_that_people_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["dataset", str(data_sets.captures(tmp_path / "in")), "--to", "yolo", "--out", str(tmp_path / "out")]
    words += ["--detector-labels", "--validation", "0.5", "--json"]
    assert main(words) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["written"]["state"] == "3 pictures copied"
    assert facts["labels"]["trousers"] == {}
    (changed,) = (tmp_path / "out" / "labels").rglob(f"{2:032x}.txt")
    changed.write_text("0 0.5 0.5 0.1 0.1\n")
    assert main(words) == 0
    assert "done before" in capsys.readouterr().out
    assert changed.read_text() == "0 0.5 0.5 0.1 0.1\n"
    data_sets.captures(tmp_path / "in", count=4)
    (tmp_path / "in" / f"{0:032x}.json").unlink()
    (tmp_path / "in" / f"{0:032x}.jpg").unlink()
    assert main([*words, "--again"]) == 0
    files = everything(tmp_path / "out")
    assert sum(name.endswith(".jpg") for name in files) == sum(name.endswith(".txt") for name in files) == 3
    assert changed.read_text().startswith("0 0.478125")


def test_a_folder_with_something_else_in_it_is_not_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(data_sets.captures(tmp_path / "in"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    assert main(["dataset", folder, "--to", "coco", "--out", str(tmp_path / "mine")]) == 2
    assert "holds something else" in capsys.readouterr().err
    assert main(["dataset", folder, "--to", "coco", "--out", str(tmp_path / "out")]) == 0
    assert main(["dataset", folder, "--to", "cvat", "--out", str(tmp_path / "out")]) == 2
    assert "another conversion" in capsys.readouterr().err
    assert main(["dataset", folder, "--to", "coco"]) == 2
    assert everything(tmp_path / "mine") == {"thesis.txt": b"years"}


def test_a_picture_that_was_cut_off_is_refused_or_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = data_sets.captures(tmp_path / "in")
    cut = folder / f"{1:032x}.jpg"
    cut.write_bytes(cut.read_bytes()[:-400])
    words = ["dataset", str(folder), "--to", "coco", "--out", str(tmp_path / "out")]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert str(cut) in error
    assert "--skip-damaged" in error
    assert main([*words, "--skip-damaged"]) == 0
    assert f"left out: {cut}" in capsys.readouterr().out
    assert len(json.loads((tmp_path / "out" / "instances.json").read_text())["images"]) == 2


def test_after_kill_9_the_same_command_ends_with_the_same_files(tmp_path: Path) -> None:
    folder = data_sets.captures(tmp_path / "in", count=60)
    out = tmp_path / "out"
    words = [sys.executable, "-m", "comfywear_export.cli", "dataset", str(folder), "--to", "coco", "--out", str(out)]
    # Every copy takes a while, so that the run is cut off in the middle of it.
    slow = "import sys, time, shutil, comfywear_export.data.formats.target as t\n"
    slow += "copy = shutil.copyfile\nt.shutil.copyfile = lambda a, b: (time.sleep(0.02), copy(a, b))\n"
    slow += "from comfywear_export.cli import main; sys.exit(main(sys.argv[1:]))"
    child = subprocess.Popen([sys.executable, "-c", slow, *words[3:]], env=os.environ)
    deadline = time.monotonic() + 60
    while len(list(out.rglob("*.jpg"))) < 10 and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    there = sorted(out.rglob("*.jpg"))
    assert 10 <= len(there) < 60
    assert not (out / "instances.json").exists()
    kept = {path: path.stat().st_ino for path in there if not path.name.startswith(".")}
    assert main(words[3:]) == 0
    assert {path: path.stat().st_ino for path in kept} == kept
    assert main([*words[3:-1], str(tmp_path / "whole")]) == 0
    assert everything(out) == everything(tmp_path / "whole")


def test_guesses_that_the_device_did_not_believe_are_left_out_unless_they_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = data_sets.captures(tmp_path / "in")
    for text in folder.glob("*.json"):
        found = json.loads(text.read_text())
        weak = {"label": "bag", "bbox": [1, 1, 9, 9], "score": 0.12, "threshold": 0.4}
        text.write_text(json.dumps({**found, "annotations": [*found["annotations"], weak, weak]}))
    for words, boxes in (([], 6), (["--min-score", "0"], 12), (["--min-score", "0.5"], 3)):
        assert main(["dataset", str(folder), *words, "--json"]) == 0
        assert sum(json.loads(capsys.readouterr().out)["boxes"].values()) == boxes
    assert main(["dataset", str(folder)]) == 0
    assert "6 guesses below their model's threshold (--min-score 0 keeps them) left out" in capsys.readouterr().out
    assert main(["dataset", str(folder), "--to", "cvat", "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "annotations.xml").read_text().count("<box ") == 6


def test_a_division_that_divides_nothing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = data_sets.captures(tmp_path / "days", count=1)
    assert main(["dataset", str(folder), "--validation", "0.2"]) == 0
    assert "1 picture without a split went to validation, all: what belongs together" in capsys.readouterr().out
    assert main(["dataset", str(data_sets.coco(tmp_path / "coco")), "--validation", "0.2"]) == 0
    assert "2 pictures keep the split that they have" in capsys.readouterr().out
    assert main(["dataset", str(data_sets.captures(tmp_path / "many", count=40)), "--validation", "0.3"]) == 0
    said = capsys.readouterr().out
    assert "validation" in said
    assert "keep the split" not in said
    assert "all:" not in said
