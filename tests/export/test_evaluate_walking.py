"""Walking told from tracks, beside annotated ones: on a made street with known speeds."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from comfywear_export.cli import main

FPS, SECONDS = 10, 30


def street(folder: Path, name: str = "MADE-01") -> Path:
    """One who stands, one who walks at 0.5 body heights a second; detections tremble, annotations do not."""
    dice = random.Random(3)
    gt, det = [], []
    for frame in range(1, FPS * SECONDS + 1):
        walked = 100.0 + 0.5 * 200.0 * (frame - 1) / FPS
        for number, (x, y) in enumerate(((400.0, 100.0), (walked, 500.0)), 1):
            gt.append(f"{frame},{number},{x:.1f},{y:.1f},80,200,1,1,1.0")
            trembling = ",".join(f"{each + dice.gauss(0, 1.5):.1f}" for each in (x, y, 80.0, 200.0))
            det.append(f"{frame},-1,{trembling},0.9,-1,-1,-1")
    place = folder / name
    for part, lines in (("gt", gt), ("det", det)):
        (place / part).mkdir(parents=True)
        (place / part / f"{part}.txt").write_text("\n".join(lines) + "\n")
    (place / "seqinfo.ini").write_text(
        f"[Sequence]\nname={name}\nframeRate={FPS}\nseqLength={FPS * SECONDS}\nimWidth=1920\nimHeight=1080\n"
    )
    return folder


@pytest.mark.parametrize("fps", ["2", "5"])
def test_who_walks_is_found_who_stays_is_not_and_the_error_of_met_is_less(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fps: str
) -> None:
    assert main(["evaluate", "walking", "--data", str(street(tmp_path)), "--fps", fps, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["of them known"] > 0.85
    assert said["of them told to walk"] == 0.0
    assert said["of them found"] > 0.95
    assert said["speed told / annotated"] == pytest.approx(1.0, abs=0.05)
    assert said["error of met, camera"] < 0.1 < said["error of met, fixed 1.2"]


def test_sequences_that_are_not_asked_for_are_left_out_and_no_people_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "walking", "--data", str(street(tmp_path)), "--only", "OTHER"]) == 1
    assert "nobody was followed" in capsys.readouterr().err


def test_a_broken_annotation_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (street(tmp_path) / "MADE-01" / "gt" / "gt.txt").write_text("1,2,three\n")
    assert main(["evaluate", "walking", "--data", str(tmp_path)]) == 1
    assert "not an annotation of MOTChallenge" in capsys.readouterr().err
