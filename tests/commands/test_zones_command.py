"""`comfywear zones`: a picture with the zones of the settings, and errors that say what to do."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from comfywear.cli import main
from comfywear.errors import UsageError
from comfywear.vision.drawing.zones_picture import draw_zones
from comfywear.vision.people.zones import ZoneArea

SETTINGS = """
[[zones]]
name = "desk"
polygon = [[0.1, 0.2], [0.5, 0.2], [0.5, 0.9], [0.1, 0.9]]
[[zones]]
name = "room"
"""


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "room.png"
    cv2.imwrite(str(path), np.full((240, 320, 3), 90, np.uint8))
    return path


@pytest.mark.parametrize(
    ("colour", "said"), [((5, 5, 5), "too dark to see"), ((90, 90, 90), "no colours"), ((40, 90, 200), None)]
)
def test_what_the_light_keeps_from_being_seen_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], colour: tuple[int, int, int], said: str | None
) -> None:
    image = np.full((240, 320, 3), 90, np.uint8)
    image[60:120, 80:160] = colour
    if said == "too dark to see":
        image[...] = colour
    cv2.imwrite(str(tmp_path / "room.png"), image)
    assert main(["zones", str(tmp_path / "room.png"), "--out", str(tmp_path / "zones.png")]) == 0
    told = capsys.readouterr().out
    assert (said is None) == ("  " not in told)
    assert said is None or said in told


def test_the_picture_shows_the_zones_and_a_grid(
    tmp_path: Path, photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, out = tmp_path / "device.toml", tmp_path / "zones.png"
    config.write_text(SETTINGS)
    assert main(["zones", str(photo), "--config", str(config), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "zones with corners: desk; the rest of the picture: room" in said
    assert "delete it" in said
    picture = cv2.imread(str(out))
    assert picture is not None
    assert picture.shape[0] > 480


def test_a_zone_is_drawn_where_its_corners_say_and_the_rest_stays_as_it_was() -> None:
    image = np.full((500, 800, 3), 90, np.uint8)
    zone = ZoneArea("desk", ((0.1, 0.2), (0.5, 0.2), (0.5, 0.9), (0.1, 0.9)))
    out = draw_zones(image, [zone, ZoneArea("room")], height=500)
    edge = (out.shape[0] - 500) // 2
    assert out.shape[1] == 800 + 2 * edge
    inner = out[edge : edge + 500, edge : edge + 800].astype(int)
    coloured = np.abs(inner - 90).max(axis=2) > 10
    assert coloured[130:160, 130:150].all()  # in the zone, away from lines and letters
    assert not coloured[130:145, 605:635].any()
    assert not coloured[460:490, 130:155].any()
    assert coloured[250, 605:635].all()  # a line of the grid
    plain = draw_zones(image, [], height=500)
    assert (np.abs(plain[edge : edge + 500, edge : edge + 800].astype(int) - 90).max(axis=2) > 10).mean() < 0.05
    assert (image == 90).all()
    with pytest.raises(UsageError, match="picture"):
        draw_zones(np.zeros((4, 4), np.uint8), [])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--out", "zones.png"], 2, "name a camera or a photo"),
        (["{photo}", "--out", "zones.gif"], 2, "must end with .png"),
        (["{photo}", "--out", "nowhere/zones.png"], 2, "cannot be written"),
        (["nothing.mp4", "--out", "zones.png"], 1, "no such file"),
        (["{photo}", "--config", "nothing.toml", "--out", "zones.png"], 2, "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    words: list[str],
    code: int,
    said: str,
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["zones", *(word.format(photo=photo) for word in words)]) == code
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1
