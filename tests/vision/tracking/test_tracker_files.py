"""The tracker's commands on real files: detections in, tracks out, and errors that say where."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from comfywear.bench import tracker as bench
from comfywear.cli import main as comfywear
from comfywear.errors import SourceError
from comfywear_export.cli import main
from comfywear_export.data.mot import find_sequences, read_detections


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    """Two people who walk, one of them hidden for two frames, beside a flat thing and a speck."""
    folder = tmp_path / "set" / "WALK"
    (folder / "det").mkdir(parents=True)
    (folder / "seqinfo.ini").write_text("[Sequence]\nname=WALK\nframeRate=10\nseqLength=30\n")
    lines = []
    for frame in range(1, 31):
        lines.append(f"{frame},-1,{10 + 3 * frame},50,40,120,0.9,-1,-1,-1")
        if frame not in (15, 16):
            lines.append(f"{frame},-1,{500 - 3 * frame},50,40,120,0.8,-1,-1,-1")
        lines.append(f"{frame},-1,300,400,90,20,0.9,-1,-1,-1")
        lines.append(f"{frame},-1,700,400,5,10,0.9,-1,-1,-1")
    (folder / "det" / "det.txt").write_text("\n".join(reversed(lines)) + "\n")
    return folder


def test_detections_become_tracks(sequence: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "result.txt"
    assert main(["track", "--detections", str(sequence / "det" / "det.txt"), "--out", str(out)]) == 0
    assert "58 boxes" in capsys.readouterr().out
    rows = np.loadtxt(out, delimiter=",")
    assert rows.shape == (58, 10)
    assert (np.diff(rows[:, 0]) >= 0).all()
    for track_id in set(rows[:, 1]):
        x = rows[rows[:, 1] == track_id, 2]
        assert (np.diff(x) > 0).all() or (np.diff(x) < 0).all()
    assert len(set(rows[:, 1])) == 2
    assert set(rows[:, 6]) == {0.9, 0.8}


@pytest.mark.parametrize("line", ["1,2,3", "a,b,c,d,e,f,g", "0,-1,1,1,5,5,0.5", "1.5,-1,1,1,5,5,0.5"])
def test_a_line_that_is_wrong_is_named(tmp_path: Path, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "det.txt"
    path.write_text(f"1,-1,1,1,5,5,0.5\n\n{line}\n")
    assert main(["track", "--detections", str(path), "--out", str(tmp_path / "out.txt")]) == 1
    assert f"{path}:3: " in capsys.readouterr().err


def test_scores_beyond_one_and_settings_that_cannot_be_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "det.txt"
    path.write_text("1,-1,1,1,50,90,35.2\n")
    assert main(["track", "--detections", str(path), "--out", str(tmp_path / "out.txt")]) == 2
    assert "scores must be in 0…1" in capsys.readouterr().err
    assert main(["track", "--detections", str(path), "--out", str(tmp_path / "out.txt"), "--high", "0.9"]) == 2


def test_no_detections_at_all_is_an_empty_result(tmp_path: Path) -> None:
    path = tmp_path / "det.txt"
    path.write_text("")
    assert read_detections(path).shape == (0, 6)
    assert main(["track", "--detections", str(path), "--out", str(tmp_path / "out.txt")]) == 0
    assert (tmp_path / "out.txt").read_text() == ""


def test_folders_without_sequences_and_broken_infos_say_what_is_expected(tmp_path: Path, sequence: Path) -> None:
    with pytest.raises(SourceError, match=r"seqinfo\.ini"):
        find_sequences(tmp_path / "none")
    assert [(s.name, s.frame_rate, s.length) for s in find_sequences(sequence.parent)] == [("WALK", 10.0, 30)]
    (sequence / "seqinfo.ini").write_text("[Sequence]\nframeRate=fast\n")
    with pytest.raises(SourceError, match="not a seqinfo"):
        find_sequences(sequence.parent)


def test_without_trackeval_the_evaluation_says_how_to_install_it(
    sequence: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "trackeval", None)
    assert main(["evaluate", "tracker", "--data", str(sequence.parent)]) == 1
    assert "pip install trackeval" in capsys.readouterr().err


def test_the_tracker_holds_identities_on_a_real_sequence(shared_data: Path, tmp_path: Path) -> None:
    """TUD-Campus: most of the boxes of each true person carry one id."""
    folder = shared_data / "mot" / "MOT15-train" / "TUD-Campus"
    out = tmp_path / "out.txt"
    assert main(["track", "--detections", str(folder / "det" / "det.txt"), "--out", str(out)]) == 0
    found = np.loadtxt(out, delimiter=",")
    truth = np.loadtxt(folder / "gt" / "gt.txt", delimiter=",")
    shares = []
    for person in np.unique(truth[:, 1]):
        ids = []
        for frame, _, x, y, w, h in truth[truth[:, 1] == person][:, :6]:
            now = found[found[:, 0] == frame]
            near = np.abs(now[:, 2:6] - (x, y, w, h)).sum(axis=1) < 0.5 * (w + h)
            ids += now[near, 1].tolist()
        if len(ids) >= 20:
            shares.append(max(np.unique(ids, return_counts=True)[1]) / len(ids))
    assert len(shares) >= 3
    assert np.mean(shares) > 0.7


def test_the_bench_measures_every_scene_and_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert comfywear(["bench", "tracker", "--frames", "10", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert list(result["us_per_update"]) == [str(n) for n in bench.OBJECTS]
    assert all(row["floor"] > 0 and row["comfywear"] > 0 for row in result["us_per_update"].values())
    assert set(result["missing"]) | set(result["faster_than"]) == {"supervision", "trackers"}


def test_the_bench_says_what_a_library_lacks_that_has_its_tracker_no_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without = types.ModuleType("supervision")
    without.__version__ = "0.31.2"  # type: ignore[attr-defined]  # made here
    monkeypatch.setitem(sys.modules, "supervision", without)
    monkeypatch.setitem(sys.modules, "trackers", types.ModuleType("trackers"))
    monkeypatch.setattr(bench, "OBJECTS", (5,))
    assert comfywear(["bench", "tracker", "--frames", "10"]) == 0
    said = capsys.readouterr().out
    assert "not measured: supervision (supervision 0.31.2 has no ByteTrack; since 0.30 it is in the package" in said
    assert "not measured: trackers (trackers as installed has no ByteTrackTracker)" in said
