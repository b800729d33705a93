"""`kill -9` in the middle of a long command: the same words again go on and end as if nothing had been."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_active import photos_of
from test_preference import write_votes
from test_rewards import cached_photos
from test_room import make_sets, save_checkpoint

from children import Child

PROGRAM = [sys.executable, "-W", "ignore", "-m", "comfywear_export.cli"]


def killed(words: list[str], far_enough: Callable[[], bool]) -> None:
    """Start a command and kill it as soon as it has come so far."""
    with Child([*PROGRAM, *words], stdout=subprocess.DEVNULL) as child:
        deadline = time.monotonic() + 120
        while not far_enough():
            assert child.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.002)
        child.kill()


def said(words: list[str]) -> str:
    return subprocess.run([*PROGRAM, *words], check=True, capture_output=True, text=True, timeout=240).stdout


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_select_looks_only_at_the_photos_that_are_left(shared_data: Path, tmp_path: Path) -> None:
    photos, out = photos_of(shared_data, tmp_path / "photos"), tmp_path / "out"
    words = ["select", str(photos), "--count", "4", "--out"]
    said([*words, str(tmp_path / "whole")])
    looks = out / "looks.jsonl"
    killed([*words, str(out)], lambda: lines(looks) >= 3)
    before = looks.read_bytes()
    said([*words, str(out)])
    assert looks.read_bytes().startswith(before[: before.rindex(b"\n")])
    assert (out / "chosen.csv").read_text() == (tmp_path / "whole" / "chosen.csv").read_text()


def test_a_reward_is_learnt_from_the_fold_that_was_not_done(tmp_path: Path) -> None:
    words = ["tune", "preference", "--data", str(write_votes(tmp_path / "votes.csv")), "--folds", "2", "--pairs", "60"]
    words += ["--splits", "2", "--out"]
    said([*words, str(tmp_path / "whole")])
    out = tmp_path / "out"
    killed([*words, str(out)], lambda: (out / "parts.json").exists())
    shown = said([*words, str(out)])
    assert "split 0, fold 0" not in shown
    assert read(out / "figures.json") == read(tmp_path / "whole" / "figures.json")


def test_reward_tuning_goes_on_with_the_seed_that_was_not_done(tmp_path: Path) -> None:
    features, out = tmp_path / "f.npz", tmp_path / "out"
    np.savez(features, **vars(cached_photos(80)))
    words = ["tune", "rewards", "--data", str(tmp_path), "--features", str(features), "--epochs", "12", "--seeds", "2"]
    said([*words, "--out", str(tmp_path / "whole")])
    killed([*words, "--out", str(out)], lambda: any(out.glob("*.json")))
    shown = said([*words, "--out", str(out)])
    assert "sets, seed 0" not in shown
    reached, whole = (read(folder / "sets.json")["reached"] for folder in (out, tmp_path / "whole"))
    # Supervised training gets as much of the processor's time as tuning took, which is never twice the same.
    ways = [way for way in whole if not way.startswith("supervised")]
    assert len(ways) > 5
    assert [reached[way] for way in ways] == [whole[way] for way in ways]


@pytest.mark.export
def test_adapt_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    root, run, out = make_sets(tmp_path / "data"), save_checkpoint(tmp_path / "run"), tmp_path / "out"
    words = ["adapt", str(root / "people" / "photos"), "--run", str(run), "--source", str(root), "--out", str(out)]
    words += ["--batch", "4", "--steps", "60", "--may-lose", "1"]
    killed(words, lambda: any(out.rglob("last.pt")))
    shown = said(words)
    found = re.search(r"going on from step (\d+)", shown)
    assert found is not None
    assert 0 < int(found[1]) < 60
    assert read(out / "adapt.json")["share"] > 0
