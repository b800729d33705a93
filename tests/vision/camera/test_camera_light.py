"""Whether there is light and colour enough in a picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.vision.camera.light import measure_light
from comfywear.vision.sample import sample_picture

ROOM = sample_picture(480, 640)


def through_jpeg(image: np.ndarray, quality: int = 60) -> np.ndarray:
    data = cv2.imencode(".jpg", image.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def grey(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR).astype(np.float32)


def test_a_lit_room_has_light_and_colour() -> None:
    light = measure_light(through_jpeg(ROOM))
    assert not light.too_dark
    assert not light.colourless


@pytest.mark.parametrize("share", [0.0, 0.02, 0.08])
def test_a_room_without_light_is_too_dark_also_with_the_noise_of_a_camera(share: float) -> None:
    noise = np.random.default_rng(1).normal(0, 6, ROOM.shape)
    light = measure_light(through_jpeg(ROOM * share + noise))
    assert light.too_dark
    assert light.colourless


def test_a_dim_room_in_which_somebody_can_be_seen_is_not_too_dark() -> None:
    assert not measure_light(through_jpeg(ROOM * 0.35)).too_dark


@pytest.mark.parametrize("tint", [(1, 1, 1), (1.08, 0.85, 1.02), (0.9, 1.05, 0.9)], ids=["grey", "violet", "green"])
def test_an_infrared_picture_has_no_colours_whatever_its_tint(tint: tuple[float, float, float]) -> None:
    assert measure_light(through_jpeg(grey(ROOM) * tint)).colourless


def test_one_small_coloured_thing_in_a_grey_room_is_colour() -> None:
    image = grey(ROOM)
    image[300:420, 280:360] = (40, 40, 190)  # 3 % of the picture
    assert not measure_light(through_jpeg(image)).colourless


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 255))
def test_any_picture_has_a_light(height: int, width: int, level: int) -> None:
    light = measure_light(np.full((height, width, 3), level, np.uint8))
    assert light.brightness == pytest.approx(level / 255, abs=1e-6)
    assert light.colour_spread == pytest.approx(0.0, abs=1e-6)


def test_where_nothing_may_be_seen_it_is_dark() -> None:
    assert measure_light(ROOM, np.zeros(ROOM.shape[:2], np.uint8)).too_dark
