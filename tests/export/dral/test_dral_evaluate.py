"""`comfywear-export evaluate dral`: its figures, its refusals, and that it goes on after kill -9."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from comfywear.system.json_file import save_json
from comfywear_export.cli import main
from comfywear_export.dral.chart import draw
from comfywear_export.dral.experiment import POLICIES, Plan, one_seed
from comfywear_export.dral.simulate import Asking
from comfywear_export.evaluate.dral import figures, table

SMOKE = [
    "--seeds", "2", "--persons", "10", "--held", "11", "--views", "2", "--rounds", "4", "--refreshing", "4",
    "--questions", "2", "--pool", "4",
]  # fmt: skip


def simulated(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    who = rng.normal(size=(24, 1, 4))
    x = np.concatenate([who + 0.3 * rng.normal(size=(24, 3, 4)), rng.normal(size=(24, 3, 3))], axis=2)
    plan = Plan(Asking(pool=6, most=3, k=3), rounds=2, refreshing=5)
    return one_seed(x[:8], x[8:16], x[16:], plan, seed)


@pytest.fixture(scope="module")
def seeds() -> list[dict[str, Any]]:
    return [simulated(0), simulated(1)]


def test_the_figures_of_a_simulation_are_what_they_are_called(seeds: list[dict[str, Any]], tmp_path: Path) -> None:
    assert json.dumps(seeds[0]) == json.dumps(json.loads(json.dumps(seeds[0])))
    result = {"persons": seeds[0]["persons"], "views": 3, "seeds": 2, "attributes": "made up", **figures(seeds)}
    for name in POLICIES:
        rank, precision = (result["rounds"][name][key] for key in ("rank1", "map"))
        assert len(rank) == len(precision) == 4
        assert rank[0] == result["rounds"]["random"]["rank1"][0], "nobody was asked yet"
        for each in [*rank, *precision]:
            assert 0 <= each["low"] <= each["mean"] <= each["high"] <= 1
    assert precision[-1]["mean"] >= precision[0]["mean"], "answers cannot make the order of the told ones worse"
    assert result["rounds"]["random"]["beyond_random"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    points = result["refresh"]["random"]["points"]
    assert [each["questions"] for each in points] == sorted(each["questions"] for each in points)
    assert points[-1]["questions"] == 5 * 3
    text = table(result)
    assert "nearest first" in text
    draw(result, tmp_path / "dral.png")
    assert 5_000 < (tmp_path / "dral.png").stat().st_size < 100_000


def test_the_same_seed_gives_the_same_figures(seeds: list[dict[str, Any]]) -> None:
    assert json.dumps(simulated(0)) == json.dumps(seeds[0])
    assert json.dumps(seeds[0]["rounds"]) != json.dumps(seeds[1]["rounds"])


def test_what_cannot_be_measured_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "held").mkdir()
    save_json(tmp_path / "held" / "plan.json", {"views": 3})
    (tmp_path / "file").write_text("")
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "plan.json").write_text("{")
    for words, code, said in (
        (["--pool", "5", "--questions", "6"], 2, "as many as are asked about"),
        (["--out", str(tmp_path / "file" / "x")], 1, "cannot be made"),
        (["--out", str(tmp_path / "torn")], 2, "delete it"),
        ([], 2, "other settings"),
    ):
        given = ["evaluate", "dral", "--data", str(tmp_path), "--out", str(tmp_path / "held"), *words]
        assert main(given) == code, words
        assert said in capsys.readouterr().err


@pytest.mark.slow
def test_a_measurement_that_was_killed_goes_on_where_it_was(shared_data: Path, tmp_path: Path) -> None:
    def start(out: str) -> subprocess.Popen[str]:
        words = ["evaluate", "dral", "--data", str(shared_data), "--out", str(tmp_path / out), "--json", *SMOKE]
        command = [sys.executable, "-m", "comfywear_export.cli", *words]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    killed = start("killed")
    deadline = time.monotonic() + 600
    while not (tmp_path / "killed" / "seed-0.json").is_file():
        assert killed.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "killed").iterdir()}
    found = []
    for out in ("killed", "whole"):
        process = start(out)
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 0
        found.append(json.loads(said))
    assert found[0] == found[1], "as if it had not been killed"
    assert (tmp_path / "killed" / "seed-0.json").stat().st_mtime_ns == before["seed-0.json"]
    assert (tmp_path / "killed" / "dral.png").is_file()
