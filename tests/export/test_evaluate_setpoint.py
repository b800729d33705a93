"""`evaluate setpoint` on people whose taste is known, and sets of named people."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from comfywear_export.cli import main
from comfywear_export.comfort.rows import read_votes


def write_chamber(path: Path, people: int = 8, votes: int = 40, likes_c: float = 24.0) -> Path:
    """People in a chamber who are neutral at `likes_c` and feel half a vote a kelvin, voting twice a day."""
    random = np.random.default_rng(3)
    lines = []
    for person in range(people):
        start = datetime(2024, 1, 8, 9, tzinfo=timezone.utc)
        for number in range(votes):
            air = random.uniform(18, 30)
            felt = int(np.clip(round(0.5 * (air - likes_c) + random.normal(0, 0.7)), -3, 3))
            lines.append(
                {
                    "person": f"p{person}", "room": 1, "time": _text(start + timedelta(hours=12 * number)),
                    "sensation": felt, "comfort_1to6": 6 - abs(felt), "clo": 0.7, "met": 1.1,
                    "preference": "cooler" if felt > 0 else "warmer" if felt < 0 else "no change",
                    "air_temp_c": round(air, 2), "humidity_pct": 40, "outdoor_temp_c": 3.0,
                }
            )  # fmt: skip
    return _write(path, lines)


def write_watches(path: Path, people: int = 6, votes: int = 40) -> Path:
    """People who say what they wish and nothing else."""
    random = np.random.default_rng(5)
    lines = []
    for person in range(people):
        own = random.normal(0.0, 2.0)
        start = datetime(2019, 10, 7, 9, tzinfo=timezone.utc)
        for number in range(votes):
            air = random.uniform(23, 30)
            wish = 0.5 * (air - 26.5 - own) + random.normal(0, 0.7)
            lines.append(
                {
                    "person": f"w{person}", "room": person % 2, "clothing_code": 9,
                    "time": _text(start + timedelta(hours=5 * number)),
                    "preference": "cooler" if wish > 0.6 else "warmer" if wish < -0.6 else "no change",
                    "air_temp_c": round(air, 2) if number % 9 else "", "humidity_pct": 60, "outdoor_temp_c": 29.0,
                }
            )  # fmt: skip
    return _write(path, lines)


def _text(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S}"


def _write(path: Path, lines: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return path


def evaluate(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["evaluate", *words, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_the_error_is_measured_against_what_they_like(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_chamber(tmp_path / "chamber.csv", likes_c=24.0)
    people = evaluate(capsys, "setpoint", "--data", str(path))["persons"]
    # Everybody likes 24 °C: that is what 22 °C misses by, in votes and in wishes alike.
    assert people["fixed_22"]["neutral_k"] == pytest.approx(2.0, abs=0.4)
    assert people["fixed_22"]["wishes_k"] == pytest.approx(2.0, abs=0.8)
    assert people["votes_10"]["units"] == 8
    assert people["votes_10"]["neutral_k"] < people["fixed_22"]["neutral_k"]
    assert people["votes_10"]["satisfied_inside_80"] > people["votes_10"]["satisfied_outside_80"]


def test_the_table_is_readable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "setpoint", "--data", str(write_chamber(tmp_path / "chamber.csv"))]) == 0
    out = capsys.readouterr().out
    for word in ("fixed 22", "pmv 0", "adaptive", "votes 10", "persons"):
        assert word in out


def test_a_set_of_wishes_has_no_votes_and_is_measured_by_its_wishes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_watches(tmp_path / "watches.csv")
    votes = read_votes(path)
    assert set(votes.vote) == {-1}
    assert len(votes) == 6 * 35  # the others have no air temperature
    assert np.isfinite(votes.inputs["usual_temp_c"]).all()
    people = evaluate(capsys, "setpoint", "--data", str(path))["persons"]
    assert people["votes_10"]["neutral_k"] is None
    assert people["votes_10"]["wishes_k"] < people["fixed_22"]["wishes_k"]


def test_a_day_without_an_hour_has_no_time(tmp_path: Path) -> None:
    chamber = read_votes(write_chamber(tmp_path / "chamber.csv", people=1))
    assert np.diff(chamber.time_s).tolist() == [12 * 3600.0] * 39
    assert chamber.inputs["warm_season"].tolist() == [0.0] * 40
