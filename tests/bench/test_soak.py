"""The soak itself, in short: a real device with faults, and the modules on a fast clock (bench/soak)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench" / "soak"


def run(script: str, out: Path, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(BENCH / script), "--out", str(out), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    figures: dict[str, Any] = json.loads((out / "figures.json").read_text())
    return figures


@pytest.mark.slow
@pytest.mark.usefixtures("make_mosquitto")
def test_a_device_comes_through_a_minute_of_faults(tmp_path: Path) -> None:
    figures = run("soak.py", tmp_path, "--minutes", "1", "--pause", "4", "--longest", "10")
    assert sum(figures["faults"].values()) >= 3
    assert figures["end"]["votes_missing"] == 0
    assert figures["live_messages"]["comfort"] > 3
    assert (tmp_path / "samples.csv").read_text().count("\n") >= 4


@pytest.mark.slow
def test_thousands_of_cycles_lose_no_vote(tmp_path: Path) -> None:
    figures = run("cycles.py", tmp_path, "--cycles", "10000", "--seed", "7")
    assert figures["votes_missing"] == 0
    assert figures["votes_accepted"] + figures["votes_refused"] == 10
    assert figures["last"]["files"] <= figures["first"]["files"] + 2
