"""A lens is known again from photos of a chessboard that a lens of known make took."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from comfywear.cli import main
from comfywear.errors import UsageError
from comfywear.vision.camera.calibration import calibrate_fisheye

WIDTH, HEIGHT, LENS_DEG, CENTRE = 800, 600, 160.0, (0.51, 0.48)
BOARD = (7, 5)
TURNS = [(0, 0, 0), (0.4, 0, 0.1), (-0.4, 0.1, 0), (0, 0.45, 0.2), (0.1, -0.45, 0), (0.3, 0.3, -0.1), (-0.3, -0.3, 0.3)]
PLACES = [(0, 0), (-1.6, -0.8), (1.5, -0.7), (-1.4, 0.9), (1.5, 0.8), (0.5, -0.9), (-0.6, 0.6)]


def board_picture() -> np.ndarray:
    """The board with a white edge, 40 pixels a square."""
    squares = np.indices((BOARD[1] + 1, BOARD[0] + 1)).sum(axis=0) % 2
    return np.pad(np.kron(squares, np.ones((40, 40))) * 255, 40, constant_values=255).astype(np.uint8)


def taken(turn: tuple[float, float, float], place: tuple[float, float]) -> np.ndarray:
    """A photo of the board through an equidistant lens: each pixel's ray is followed to the board's plane."""
    focal = WIDTH / math.radians(LENS_DEG)
    x, y = np.meshgrid(np.arange(WIDTH) + 0.5 - CENTRE[0] * WIDTH, np.arange(HEIGHT) + 0.5 - CENTRE[1] * HEIGHT)
    radius = np.hypot(x, y)
    theta = radius / focal
    side = np.sin(theta) / np.maximum(radius, 1e-9)
    rays = np.stack([x * side, y * side, np.cos(theta)], -1)
    rotation, _ = cv2.Rodrigues(np.array(turn, float))
    middle = np.array([place[0], place[1], 1.6])
    normal = rotation[:, 2]
    along = (middle @ normal) / np.where(np.abs(rays @ normal) < 1e-6, 1e-6, rays @ normal)
    local = (rays * along[..., None] - middle) @ rotation  # on the board, its middle at 0
    texture = board_picture()
    scale = 40 / 0.2  # a square is 0.2 wide
    u = (local[..., 0] * scale + texture.shape[1] / 2 - 0.5).astype(np.float32)
    v = (local[..., 1] * scale + texture.shape[0] / 2 - 0.5).astype(np.float32)
    u[along <= 0] = -1e4
    grey = cv2.remap(texture, u, v, cv2.INTER_AREA, borderMode=cv2.BORDER_CONSTANT, borderValue=90)
    return np.repeat(cv2.GaussianBlur(grey, (3, 3), 0)[..., None], 3, axis=2).astype(np.uint8)


@pytest.fixture(scope="module")
def photos() -> list[np.ndarray]:
    return [taken(turn, place) for turn, place in zip(TURNS, PLACES, strict=True)]


def test_the_lens_comes_back_from_photos_of_a_board(photos: list[np.ndarray]) -> None:
    lens, apart, seen = calibrate_fisheye(photos, BOARD)
    assert seen >= 5
    assert apart < 1.0
    assert lens.lens_deg == pytest.approx(LENS_DEG, rel=0.03)
    assert lens.centre == pytest.approx(CENTRE, abs=0.01)


def test_photos_without_a_board_or_of_several_sizes_are_refused(photos: list[np.ndarray]) -> None:
    with pytest.raises(UsageError, match="0 of 5 photos show a board of 7 x 5 inner corners"):
        calibrate_fisheye([np.full((HEIGHT, WIDTH, 3), 90, np.uint8)] * 5, BOARD)
    with pytest.raises(UsageError, match="the same size"):
        calibrate_fisheye([*photos, np.zeros((10, 10, 3), np.uint8)], BOARD)


def test_the_command_prints_the_line_for_the_settings(
    tmp_path: Path, photos: list[np.ndarray], capsys: pytest.CaptureFixture[str]
) -> None:
    for index, photo in enumerate(photos):
        cv2.imwrite(str(tmp_path / f"{index}.png"), photo)
    words = ["cameras", "calibrate", *map(str, sorted(tmp_path.glob("*.png"))), "--board", "7x5"]
    assert main(words) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("dewarp = "))
    file = tmp_path / "device.toml"
    file.write_text(f"[camera]\n{line}\n")
    assert main(["config", "check", str(file)]) == 0
    assert main([*words[:-1], "seven"]) == 2
    assert "--board" in capsys.readouterr().err
