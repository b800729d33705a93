"""The sketch: the shape and colours of a scene, and nothing that a face detector finds."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from face_finders import faces, opencv4
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from comfywear.vision.drawing.sketch import sketch

# OpenCV's cascades pass over a window whose grey levels deviate by less than this (HaarEvaluator::setWindow).
LEAST_SD = 10.0
WINDOWS = (20, 24, 32, 64, 128)


def highest_deviation(picture: NDArray[np.uint8]) -> float:
    """The highest standard deviation of brightness in any square of `WINDOWS`, grey levels."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float64)
    found = 0.0
    for side in WINDOWS:
        if side <= min(grey.shape):
            mean = cv2.boxFilter(grey, -1, (side, side), borderType=cv2.BORDER_REFLECT)
            square = cv2.boxFilter(grey**2, -1, (side, side), borderType=cv2.BORDER_REFLECT)
            found = max(found, float(np.sqrt(np.maximum(square - mean**2, 0)).max()))
    return found


def scene(seed: int, height: int = 480, width: int = 640) -> NDArray[np.uint8]:
    """Rectangles and discs of random colours with noise: the hardest contrasts and many edges."""
    random = np.random.default_rng(seed)
    picture = np.full((height, width, 3), random.integers(0, 256, 3), dtype=np.uint8)
    for _ in range(int(random.integers(1, 60))):
        x, y, size = (int(value) for value in random.integers((0, 0, 4), (width, height, 200)))
        colour = tuple(int(value) for value in random.integers(0, 256, 3))
        if random.random() < 0.5:
            cv2.circle(picture, (x, y), size // 2, colour, int(random.choice([-1, 1, 3])))
        else:
            cv2.rectangle(picture, (x, y), (x + size, y + size // 2), colour, int(random.choice([-1, 1, 3])))
    noise = random.normal(0, random.uniform(0, 12), picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_no_square_of_a_sketch_varies_enough_for_a_cascade_to_look_at_it(seed: int) -> None:
    picture = scene(seed)
    assert highest_deviation(sketch(picture)) < LEAST_SD


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (300, 2), (37, 41), (1080, 1920)])
def test_a_picture_of_any_size_has_a_sketch_of_that_size(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    before = picture.copy()
    drawn = sketch(picture)
    assert (drawn.shape, drawn.dtype) == (picture.shape, np.dtype(np.uint8))
    assert (picture == before).all()


def test_garments_keep_their_colour_and_the_scene_its_outline() -> None:
    picture = np.full((480, 640, 3), 230, np.uint8)
    picture[100:400, 200:420] = (30, 30, 200)  # a red coat
    drawn = sketch(picture).astype(int)
    blue, _, red = drawn[250, 310]
    assert red - blue > 60
    assert np.ptp(drawn[30, 30]) <= 12, "a white wall stays without colour"
    brightness = drawn.mean(axis=2)
    assert brightness[250, 196:206].min() < brightness[250, 180] - 10, "the coat's edge is drawn"


def test_what_is_small_is_not_in_the_sketch() -> None:
    skin = np.full((480, 640, 3), (140, 170, 220), np.uint8)
    face = skin.copy()
    for x in (290, 350):
        cv2.ellipse(face, (x, 220), (14, 8), 0, 0, 360, (40, 40, 60), -1)
    cv2.ellipse(face, (320, 290), (30, 8), 0, 0, 360, (60, 50, 150), -1)
    difference = np.abs(sketch(face).astype(int) - sketch(skin)).max(axis=2)
    assert (difference > 12).mean() < 0.01


def test_the_head_of_a_known_person_is_one_colour() -> None:
    picture = scene(3)
    drawn = sketch(picture, [(200.0, 80.0, 400.0, 480.0), (-50.0, -20.0, 30.0, 700.0), (900.0, 900.0, 950.0, 990.0)])
    assert np.ptp(drawn[86:170, 206:392].reshape(-1, 3), axis=0).max() <= 2


@pytest.mark.slow
def test_no_face_detector_fires_on_a_hundred_sketches_of_photos_on_which_it_fires(
    shared_data: Path, tmp_path: Path
) -> None:
    python = opencv4()
    photos = sorted((shared_data / "people" / "photos").glob("*.jpg"))
    order = np.random.default_rng(0).permutation(len(photos))
    fired: list[Path] = []
    for start in range(0, len(photos), 50):
        batch = [photos[index] for index in order[start : start + 50]]
        fired += [Path(name) for name, cascades in faces(python, batch).items() if cascades]
        if len(fired) >= 100:
            break
    assert len(fired) >= 100
    drawn = []
    for photo in fired:
        drawn.append(tmp_path / f"{photo.stem}.png")
        cv2.imwrite(str(drawn[-1]), sketch(np.asarray(cv2.imread(str(photo)), dtype=np.uint8)))
    assert {name: found for name, found in faces(python, drawn).items() if found} == {}
