"""What votes are worth, on votes of people whose taste is known: adaptation and asking."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from comfywear.comfort.votes.ordinal import load_model
from comfywear.comfort.votes.populations import load_populations
from comfywear.errors import UsageError
from comfywear_export.cli import main
from comfywear_export.comfort.adaptation import scratch
from comfywear_export.comfort.asked import new, spread
from comfywear_export.comfort.population import fit_population
from comfywear_export.comfort.rows import read_votes
from comfywear_export.comfort.units import Unit, shipped, units_of
from comfywear_export.train.personal import level_table, ranges

FAR = 100_000  # ids of buildings that the shipped files never saw


def write_people(path: Path, first_building: int = FAR, buildings: int = 6, spread: float = 1.5) -> Path:
    """Six persons a building with 20 votes each, who feel 0.3 a kelvin from 24 °C on, and each a bit differently."""
    random = np.random.default_rng(4)
    lines = []
    for building in range(buildings):
        for subject in range(6):
            own = random.normal(0.0, spread)
            for day in range(1, 21):
                ta = random.uniform(19, 29)
                felt = 0.3 * (ta - 24.0) + own + random.normal(0.0, 0.6)
                lines.append(
                    {
                        "record_id": len(lines), "building_id": first_building + building, "study": 1,
                        "contrib": building % 6, "subject_id": subject, "timestamp": f"2020-05-{day:02}T00:00:00Z",
                        "season": "summer", "ta": round(ta, 1), "rh": 45, "clo": 0.6,
                        "thermal_sensation": round(float(np.clip(felt, -3, 3)), 1),
                        "thermal_comfort": 6 - min(5, round(abs(felt))),
                        "thermal_preference": "cooler" if felt > 0.7 else "warmer" if felt < -0.7 else "no change",
                    }
                )  # fmt: skip
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return path


def evaluate(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["evaluate", *words, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_buildings_never_seen_are_measured_with_the_shipped_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = evaluate(capsys, "adaptation", "--data", str(write_people(tmp_path / "votes.csv")))
    assert figures["model"] == load_model().id
    assert "shipped" in figures["how"]
    for kind, units in (("persons", 36), ("buildings", 6)):
        assert set(figures[kind]) == {"0", "3", "5", "10", "20", "50"}
        for row in figures[kind].values():
            assert {"rps", "acc3", "rps_none", "rps_scratch", "units"} <= row.keys()
        start = figures[kind]["0"]
        assert start["units"] == units
        assert start["rps"] == start["rps_none"]
    persons = figures["persons"]
    assert persons["10"]["rps"] < 0.85 * persons["10"]["rps_none"]
    assert persons["10"]["rps"] < persons["3"]["rps"] < persons["0"]["rps"]
    assert persons["10"]["rps"] < persons["10"]["rps_scratch"]
    assert persons["10"]["interval"]["rps"][0] < persons["10"]["rps"] < persons["10"]["interval"]["rps"][1]
    assert persons["50"] == {"rps": None, "acc3": None, "rps_none": None, "rps_scratch": None, "units": 0}


def test_buildings_of_the_fit_are_measured_with_refitted_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(write_people(tmp_path / "votes.csv", first_building=1))
    figures = evaluate(capsys, "adaptation", "--data", path, "--folds", "3")
    assert "refitted with every building left out" in figures["how"]
    assert figures["persons"]["10"]["rps"] < figures["persons"]["10"]["rps_none"]
    flattering = evaluate(capsys, "adaptation", "--data", path, "--mode", "shipped")
    assert "flattering" in flattering["how"]
    assert main(["evaluate", "adaptation", "--data", path, "--folds", "99"]) == UsageError.exit_code


def test_asking_is_measured_beside_random_moments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_people(tmp_path / "votes.csv", buildings=2)
    figures = evaluate(capsys, "asking", "--data", str(path), "--draws", "2")
    assert figures["persons"] is None  # nobody has 30 votes
    buildings = figures["buildings"]
    assert (buildings["units"], buildings["draws"]) == (2, 2)
    for name, values in buildings["rps"].items():
        assert len(values) == 11
        assert values[0] == buildings["rps"]["random"][0]
        assert values[10] < values[0]
        for k, (gain, low, high) in enumerate(buildings["gain"].get(name, [])):
            assert gain == pytest.approx(buildings["rps"]["random"][k] - values[k])
            assert low <= gain <= high
    assert buildings["questions"]["random"] == buildings["questions"]["spread"] == 10.0
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:50]))
    assert main(["evaluate", "asking", "--data", str(path)]) == UsageError.exit_code
    assert "30 votes" in capsys.readouterr().err


def test_moments_that_are_new_or_far_apart_are_those_of_a_hand_calculation() -> None:
    air = np.array([24.0, 24.5, 27.0, 26.0, 21.0, 24.0])
    moments = np.stack([air, np.full(6, 45.0), np.full(6, 0.6)], axis=1)
    assert new(moments).tolist() == [0, 2, 4]  # 26.0 is two thirds of a step from 27.0
    assert spread(moments).tolist()[:3] == [0, 2, 4]
    assert sorted(spread(moments).tolist()) == list(range(6))


def test_the_population_that_made_the_units_is_found() -> None:
    random = np.random.default_rng(5)
    cutpoints = np.asarray(load_model().votes.cutpoints)
    units = []
    for _ in range(200):
        eta = random.normal(0.0, 1.0, 20)
        felt = eta + random.normal(0.5, 1.0) + random.logistic(size=20)
        vote = np.searchsorted(cutpoints, felt)
        none = np.full(20, -1)
        units.append(Unit(np.arange(20), eta, cutpoints, vote, 0, np.zeros((20, 3)), none, np.full(20, np.nan)))
    found = fit_population(units, 1.0)
    assert found.mean[0] == pytest.approx(0.5, abs=0.25)
    assert np.sqrt(found.covariance[0, 0]) == pytest.approx(1.0, abs=0.25)


def test_units_are_in_the_order_of_time_and_whole(tmp_path: Path) -> None:
    votes = read_votes(write_people(tmp_path / "votes.csv", buildings=2))
    for kind, count, size in (("persons", 12, 20), ("buildings", 2, 120)):
        units = units_of(votes, shipped(votes, load_model()), "persons" if kind == "persons" else "buildings", 1)
        assert len(units) == count
        for unit in units:
            assert len(unit) == size
            assert (np.diff(votes.time[unit.rows]) > 0).all()
            assert len(np.unique(votes.building[unit.rows])) == 1
            np.testing.assert_array_equal(votes.vote[unit.rows], unit.vote)


def test_small_parts_are_those_of_a_hand_calculation(tmp_path: Path) -> None:
    assert scratch(np.array([3, 3, 3])) == pytest.approx(np.array([0.5, 0.5, 0.5, 3.5, 0.5, 0.5, 0.5]) / 6.5)
    assert ranges(np.array([-1, 5, 1, 2, 3, 9, 5])) == [[1, 3], [5, 5], [9, 9]]
    table = level_table(read_votes(write_people(tmp_path / "votes.csv")))
    assert table.sum(axis=0) == pytest.approx(np.ones(7))
    assert table[4, 3] > table[4, 6]
    assert load_populations().levels.shape == table.shape


def test_a_prior_is_trained_and_written_with_its_card(tmp_path: Path) -> None:
    path = write_people(tmp_path / "votes.csv")
    words = ["train", "personal", "--data", str(path), "--out", str(tmp_path / "out"), "--folds", "2"]
    assert main(words) == 0
    found = load_populations(str(tmp_path / "out" / "personal.card.json"))
    assert found.knows(FAR)
    assert found.persons.covariance[0, 0] > 0.5
