"""Fitting the table of names: to made-up surveys with a known answer, and the shipped one to the real survey."""

from __future__ import annotations

import json

import numpy as np
import pytest

from comfywear.colour import BASIC_TERMS, name_probabilities, rgb_to_lab
from comfywear.errors import SourceError
from comfywear_export.cli import main
from comfywear_export.colour.table import Fit, Survey, cross_validate, fit_shares, load_survey

_QUICK = Fit(widths=(12.0,), steps=60)


@pytest.fixture(scope="module")
def two_names():
    """A survey that says green up to red 128 and red above it, with one answer in ten for the other."""
    axis = np.arange(0.0, 256.0, 32.0)
    rgb = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    answers = np.zeros((len(rgb), 11))
    red, green = BASIC_TERMS.index("red"), BASIC_TERMS.index("green")
    answers[:, red] = np.where(rgb[:, 0] > 128, 90, 10)
    answers[:, green] = 100 - answers[:, red]
    lab = np.round(rgb_to_lab(rgb) / 5) * 5
    return Survey(lab, rgb, answers, "made up", "none")


def test_the_fit_learns_what_was_answered(two_names):
    shares = fit_shares(two_names, _QUICK)(np.array([(230.0, 90.0, 90.0), (30.0, 90.0, 90.0)]))
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    assert [BASIC_TERMS[k] for k in shares.argmax(axis=1)] == ["red", "green"]
    assert shares.max(axis=1) == pytest.approx(0.9, abs=0.08)


def test_cross_validation_tells_a_fit_from_none(two_names):
    loss, accuracy = cross_validate(two_names, _QUICK, folds=3)
    blind_loss, _ = cross_validate(two_names, Fit(widths=(12.0,), penalty=1e3, steps=60), folds=3)
    assert accuracy > 0.9
    assert loss < blind_loss


def test_a_missing_or_strange_survey_is_refused(tmp_path, capsys):
    assert main(["train", "colour", "--data", str(tmp_path)]) == 1
    assert "--data names the folder" in capsys.readouterr().err
    path = tmp_path / "survey.json"
    path.write_text('{"terms": []}')
    with pytest.raises(SourceError, match="not a file of survey answers"):
        load_survey(path)


def test_the_shipped_table_is_close_to_the_survey(shared_data):
    survey = load_survey(shared_data / "colour" / "xkcd_c3_dev.json")
    answered = survey.answers / survey.answers.sum(axis=1, keepdims=True)
    shares = name_probabilities(survey.rgb)
    assert np.abs(shares - answered).mean() < 0.02
    assert (shares.argmax(axis=1) == answered.argmax(axis=1)).mean() > 0.97


@pytest.mark.parametrize(
    ("name", "goal"), [("xkcd949", 0.975), ("benavente", 0.71), ("bk_english", 0.92), ("uw_english", 0.87)]
)
def test_names_meet_their_goals_on_the_development_halves(name, goal, shared_data, capsys):
    assert main(["evaluate", "colour", str(shared_data / "colour" / f"{name}_dev.json"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["set"] == name
    assert result["accuracy"] >= goal
    if name == "uw_english":
        assert result["accuracy_agreed"] >= 0.98


def test_evaluation_counts_what_is_right(tmp_path, capsys):
    items = [
        {"rgb": [255, 0, 0], "term": "red", "share": 0.9},
        {"rgb": [0, 0, 255], "term": "red", "share": 0.9},
        {"rgb": [0, 0, 255], "term": "blue", "share": 0.5},
        {"rgb": [-20.0, 0, 260.5], "term": "blue", "share": 0.5},
    ]
    path = tmp_path / "answers.json"
    path.write_text(json.dumps({"set": "mine", "items": items}))
    assert main(["evaluate", "colour", str(path), "--json"]) == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 1
    assert json.loads(out) == {"set": "mine", "n": 4, "accuracy": 0.75, "accuracy_agreed": 0.5, "n_agreed": 2}


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        '{"set": "x"}',
        '{"set": "x", "items": []}',
        '{"set": "x", "items": [{"rgb": [1, 2], "term": "red"}]}',
        '{"set": "x", "items": [{"rgb": [1, 2, 3], "term": "mauve"}]}',
    ],
)
def test_a_strange_file_of_answers_is_one_line(text, tmp_path, capsys):
    path = tmp_path / "answers.json"
    path.write_text(text)
    assert main(["evaluate", "colour", str(path), "--json"]) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert str(path) in error
