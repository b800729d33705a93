"""`comfywear colour`: what it prints and draws, and what it says to a bad path."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest

from comfywear.cli import main


@pytest.fixture
def flag(tmp_path):
    """A picture of three fields, red and white and blue, 50, 30 and 20 % of it."""
    picture = np.repeat(np.array([(200, 16, 46), (255, 255, 255), (0, 40, 104)], dtype=np.uint8), [50, 30, 20], axis=0)
    path = tmp_path / "flag.png"
    cv2.imwrite(str(path), picture.reshape(10, 10, 3)[..., ::-1])
    return path


def test_prints_names_shares_and_codes_heaviest_first(flag, capsys):
    assert main(["colour", str(flag)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [re.split(r"\s{2,}", line.strip())[:2] for line in lines] == [
        ["50.0%", "#c8102e"],
        ["30.0%", "#ffffff"],
        ["20.0%", "#002868"],
    ]
    assert [word in line for word, line in zip(("red", "white", "blue"), lines, strict=True)] == [True] * 3


def test_the_number_of_colours_is_kept(flag, capsys):
    assert main(["colour", str(flag), "--palette", "2"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_draws_the_palette_beside_the_picture(flag, tmp_path):
    out = tmp_path / "palette.png"
    assert main(["colour", str(flag), "--out", str(out)]) == 0
    drawn = cv2.imread(str(out))
    assert drawn.shape[1] > drawn.shape[0]
    panel = drawn[:, drawn.shape[0] :]  # the photo is square
    for place, bgr in zip((0.1, 0.5, 0.9), ((46, 16, 200), (255, 255, 255), (104, 40, 0)), strict=True):
        assert tuple(panel[int(place * len(panel)), 30]) == bgr


def test_two_names_where_people_disagree(tmp_path, capsys):
    path = tmp_path / "brownish.png"
    cv2.imwrite(str(path), np.full((4, 4, 3), (81, 85, 113), dtype=np.uint8))
    assert main(["colour", str(path)]) == 0
    assert re.search(r"brown \(\d\d%\) or grey \(\d\d%\)", capsys.readouterr().out)


@pytest.mark.parametrize("kind", ["missing", "text", "folder", "empty"])
def test_a_bad_photo_is_one_line_that_says_what_to_do(kind, tmp_path, capsys):
    path = tmp_path / "photo.jpg"
    if kind == "text":
        path.write_text("not a photo\n")
    elif kind == "empty":
        path.touch()
    elif kind == "folder":
        path.mkdir()
    assert main(["colour", str(path)]) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert str(path) in error
    assert re.search("check the name|name one picture|give a JPEG", error)


def test_a_place_that_cannot_be_written_is_said(flag, tmp_path, capsys):
    assert main(["colour", str(flag), "--out", str(tmp_path / "no" / "such.png")]) == 1
    assert "choose another place" in capsys.readouterr().err
    assert main(["colour", str(flag), "--out", str(tmp_path / "picture.xyz")]) == 2
    assert ".png or .jpg" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["0", "-1", "many", "65"])
def test_a_number_of_colours_that_makes_no_sense_is_wrong_use(flag, number, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["colour", str(flag), f"--palette={number}"])
    assert stopped.value.code == 2
    assert "1…64" in capsys.readouterr().err
