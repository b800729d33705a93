"""`evaluate levels` and `evaluate adaptation` on sets of named people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_evaluate_setpoint import write_chamber, write_watches

from comfywear.errors import UsageError
from comfywear_export.cli import main
from comfywear_export.comfort.pressed import level_counts, levels_of
from comfywear_export.comfort.wishes import WISH_GIVEN_VOTE


def evaluate(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["evaluate", *words, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_answers_are_laid_on_the_levels() -> None:
    assert levels_of(np.arange(7)).tolist() == [-1, 0, 1, 2, 2, 3, 4]
    counts = level_counts(np.asarray([3, 3, 3]), np.asarray([6, 2, 0]))
    assert counts[:, 3] == pytest.approx([0.2, 0.8, 0.0, 0.0, 1.0])
    assert counts.sum() == pytest.approx(2.0)


def test_a_table_of_the_same_people_foretells_their_levels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_chamber(tmp_path / "chamber.csv", people=6)
    figures = evaluate(capsys, "levels", "--data", str(path))
    tables = figures["tables"]
    assert figures["left_out"] == "person"
    assert tables["groups"] == 6
    # In the made-up chamber a level follows from the vote alone, the same for everybody.
    assert tables["others"]["rps"] < tables["own"]["rps"] < tables["shares"]["rps"]
    assert set(figures["persons"]) == {"3", "10", "20"}
    assert figures["persons"]["10"]["units"] == 6


def test_without_answers_about_comfort_there_is_nothing_to_measure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_watches(tmp_path / "watches.csv")
    assert main(["evaluate", "levels", "--data", str(path)]) == UsageError.exit_code
    assert "comfort" in capsys.readouterr().err


def test_wishes_alone_teach_wishes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_watches(tmp_path / "watches.csv", people=12, votes=60)
    figures = evaluate(capsys, "adaptation", "--data", str(path))
    assert figures["asked"] == "wishes"
    row = figures["persons"]["20"]
    assert row["units"] == 12
    assert row["rps"] < row["rps_none"]
    assert np.allclose(WISH_GIVEN_VOTE.sum(axis=0), 1.0)
    comfort = evaluate(capsys, "comfort", "--data", str(path))
    assert comfort["rps"] is None
    assert 0.0 < comfort["preference_acc"] < 1.0
    assert main(["evaluate", "comfort", "--data", str(path)]) == 0
    assert main(["evaluate", "adaptation", "--data", str(path)]) == 0
    assert "none with enough votes" in capsys.readouterr().out


def test_skin_temperatures_are_set_beside_the_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_chamber(tmp_path / "chamber.csv", people=5, votes=25)
    lines = path.read_text().splitlines()
    air = lines[0].split(",").index("air_temp_c")
    wrists = [f"{line},{20.0 + 0.5 * float(line.split(',')[air]):.2f}" for line in lines[1:]]
    path.write_text("\n".join([lines[0] + ",wrist_temp_c", *wrists]))
    wrist = evaluate(capsys, "skin", "--data", str(path))["wrist_temp_c"]
    # The made-up wrist follows the air and nothing else.
    assert wrist["rows"] == 125
    assert wrist["air"] < 0.02
    assert wrist["air"] < wrist["model"] < wrist["constant"]
    assert wrist["within"] > 0.9
    assert main(["evaluate", "skin", "--data", str(write_watches(tmp_path / "w.csv"))]) == UsageError.exit_code
    assert "wrist_temp_c" in capsys.readouterr().err
