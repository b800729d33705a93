"""Pictures are turned, cut, straightened and masked before they leave the camera's process."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_camera import until

from comfywear import settings
from comfywear.vision import Detector
from comfywear.vision.camera import View, open_configured, view_of
from comfywear.vision.camera.framebuffer import MAX_FRAME_BYTES, FrameBuffer
from comfywear.vision.camera.process import open_camera
from comfywear.vision.camera.view import Dewarp, Viewer, visible

SECRET = (17, 201, 93)  # a colour that nothing else in the picture has
TRIANGLE = ((0.52, 0.1), (0.9, 0.1), (0.7, 0.55))


def with_secret(width: int = 320, height: int = 240) -> tuple[np.ndarray, tuple[tuple[float, float], ...]]:
    """A picture of noise in other colours with a triangle in SECRET, and a polygon just around it."""
    image = np.random.default_rng(3).integers(100, 256, (height, width, 3)).astype(np.uint8)
    corners = np.rint(np.array(TRIANGLE) * (width, height)).astype(np.int32)
    cv2.fillPoly(image, [corners], SECRET)
    return image, ((0.5, 0.08), (0.93, 0.08), (0.7, 0.6))


def secrets_in(image: np.ndarray) -> int:
    """How many pixels are of the secret, or of a mixture that holds much of it."""
    return int((np.abs(image.astype(int) - SECRET).max(axis=-1) < 40).sum())


def configured(folder: Path, source: Path, polygon: Sequence[tuple[float, float]], more: str = "") -> settings.Settings:
    file = folder / "device.toml"
    rows = ", ".join(f"[{x}, {y}]" for x, y in polygon)
    file.write_text(
        f"[camera]\nsource = '{source}'\nloop = true\nfps = 20\n{more}\n[[camera.mask]]\npolygon = [{rows}]\n"
    )
    return settings.load(file)


def test_no_masked_pixel_reaches_the_shared_memory_nor_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, polygon = with_secret()
    assert secrets_in(image) > 5000
    cv2.imwrite(str(tmp_path / "room.png"), image)
    found = configured(tmp_path, tmp_path / "room.png", polygon)
    with open_configured(found.camera) as camera:
        until(camera, lambda: camera.state.name == "running")
        for _ in range(4):  # so that every slot was written
            assert camera.latest(30) is not None
        frame = camera.latest(30)
        assert frame is not None
        # The shared memory itself, all three slots to their last byte, as any other process could read it.
        buffer: FrameBuffer = camera._buffer
        seen = 0
        for slot in range(3):
            raw = np.frombuffer(buffer._map, np.uint8, image.nbytes, 4096 + slot * MAX_FRAME_BYTES).reshape(image.shape)
            seen += int((raw > 90).any())
            assert secrets_in(raw) == 0
            del raw
        assert seen >= 2
        assert camera.pid is not None
        assert secrets_in(frame.image) == 0
        # Outside the polygon nothing changed.
        outside = visible(view_of(found.camera), (240, 320)) == 255
        assert 0.6 < outside.mean() < 0.95
        np.testing.assert_array_equal(frame.image[outside], image[outside])
    given: list[np.ndarray] = []
    detector = Detector.load("detector")
    run = detector._engine.run

    def watched(batch: np.ndarray) -> list[np.ndarray]:
        given.append(np.array(batch))
        return run(batch)

    monkeypatch.setattr(detector._engine, "run", watched)
    detector.detect(image)
    detector.detect(frame.image)
    lit = [secrets_in(batch.reshape(-1, 3)[:, ::-1]) for batch in given]
    assert lit[0] > 1000, "the model's input is looked at in the wrong way"
    assert lit[1] == 0


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=6),
    st.booleans(),
    st.integers(8, 60),
    st.integers(8, 60),
)
def test_every_pixel_that_a_masked_part_touches_is_black(
    polygon: list[tuple[float, float]], all_but: bool, width: int, height: int
) -> None:
    shown = visible(View(masks=(tuple(polygon),), mask_all_but=all_but), (height, width))
    assert set(np.unique(shown)) <= {0, 255}
    # The middle of each pixel, by the even-odd rule of a polygon: what is hidden there is hidden.
    for y, x in np.argwhere(shown == 255):
        assert _inside(polygon, (x + 0.5) / width, (y + 0.5) / height) == all_but


def _inside(polygon: list[tuple[float, float]], x: float, y: float) -> bool:
    inside = False
    for (x1, y1), (x2, y2) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            inside = not inside
    return inside


def test_everything_but_the_polygons_is_black_where_the_settings_say_so(tmp_path: Path) -> None:
    image, polygon = with_secret()
    cv2.imwrite(str(tmp_path / "room.png"), image)
    found = configured(tmp_path, tmp_path / "room.png", polygon, "mask_all_but = true")
    with open_configured(found.camera) as camera:
        frame = camera.latest(30)
    assert frame is not None
    assert frame.image[200:].max() == 0
    assert frame.image[:, :150].max() == 0
    assert secrets_in(frame.image) == secrets_in(image)


def test_two_masks_that_overlap_hide_both() -> None:
    left, right = ((0.0, 0.0), (0.6, 0.0), (0.6, 1.0), (0.0, 1.0)), ((0.4, 0.0), (1.0, 0.0), (1.0, 1.0), (0.4, 1.0))
    assert visible(View(masks=(left, right)), (20, 20)).max() == 0


def arrow() -> np.ndarray:
    """Left above bright, right above middling, the rest dark."""
    image = np.zeros((40, 60, 3), np.uint8)
    image[:20, :30], image[:20, 30:] = 200, 100
    return image


@pytest.mark.parametrize(
    ("view", "size", "bright", "middling"),
    [
        (View(rotate=90), (60, 40), (10, 30), (50, 30)),
        (View(rotate=180), (40, 60), (30, 50), (30, 10)),
        (View(rotate=270), (60, 40), (50, 10), (10, 10)),
        (View(flip="horizontal"), (40, 60), (10, 50), (10, 10)),
        (View(flip="vertical"), (40, 60), (30, 10), (30, 50)),
        (View(rotate=90, flip="horizontal"), (60, 40), (10, 10), (50, 10)),
        (View(crop=(0.25, 0.0, 0.75, 0.5)), (20, 30), (10, 5), (10, 25)),
        (View(rotate=90, crop=(0.5, 0.0, 1.0, 1.0)), (60, 20), (10, 10), (50, 10)),
    ],
)
def test_pictures_are_turned_mirrored_and_cut_in_this_order(
    view: View, size: tuple[int, int], bright: tuple[int, int], middling: tuple[int, int]
) -> None:
    found = Viewer(view, 1920)(arrow())
    assert found.shape[:2] == size
    assert (found[bright].tolist(), found[middling].tolist()) == ([200] * 3, [100] * 3)


def test_masks_are_parts_of_what_is_left() -> None:
    top = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.4), (0.0, 0.4))
    found = Viewer(View(rotate=180, crop=(0.0, 0.5, 1.0, 1.0), masks=(top,)), 1920)(arrow())
    assert found[:8].max() == 0
    assert found[12, 50].tolist() == [200] * 3


def test_an_equidistant_fisheye_becomes_straight() -> None:
    # Points on straight lines of a plane before the lens, drawn as an equidistant lens with 180° sees them.
    side, lens = 800, Dewarp(lens_deg=180.0, view_deg=90.0)
    focal = side / math.pi
    fisheye = np.zeros((side, side, 3), np.uint8)
    points = [(x / 10, y / 10) for x in range(-8, 9, 2) for y in range(-8, 9, 2)]
    for x, y in points:
        radius = math.hypot(x, y)
        at = focal * math.atan(radius) / radius if radius else 0.0
        cv2.circle(fisheye, (round(side / 2 - 0.5 + at * x), round(side / 2 - 0.5 + at * y)), 3, (255, 255, 255), -1)
    straight = Viewer(View(dewarp=lens), 1920)(fisheye)
    for x, y in points:  # tan 45° = 1 is half the width
        column, row = round(side / 2 - 0.5 + x * side / 2), round(side / 2 - 0.5 + y * side / 2)
        assert straight[row - 3 : row + 4, column - 3 : column + 4].max() > 200, (x, y)
    assert (straight > 128).mean() < 0.05


def test_a_view_goes_through_the_settings_into_the_cameras_process(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "room.png"), arrow())
    text = (
        f"[camera]\nsource = '{tmp_path}/room.png'\nloop = true\nrotate = 90\nflip = 'horizontal'\n"
        "crop = [0, 0, 1, 0.5]\ndewarp = { lens_deg = 120, view_deg = 80, centre = [0.5, 0.45] }\n"
    )
    (tmp_path / "device.toml").write_text(text)
    camera_settings = settings.load(tmp_path / "device.toml").camera
    view = view_of(camera_settings)
    assert view == View(Dewarp(120.0, 80.0, (0.5, 0.45)), 90, "horizontal", (0.0, 0.0, 1.0, 0.5))
    with open_configured(camera_settings) as camera:
        frame = camera.latest(30)
    assert frame is not None
    np.testing.assert_array_equal(frame.image, Viewer(view, 1920)(arrow()))


def test_the_light_of_a_masked_picture_is_that_of_what_is_seen(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "room.png"), np.full((240, 320, 3), 150, np.uint8))
    most = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.95), (0.0, 0.95))
    with open_camera(str(tmp_path / "room.png"), view=View(masks=(most,))) as camera:
        frame = camera.latest(30)
    assert frame is not None
    assert frame.light is not None
    assert frame.light.brightness == pytest.approx(150 / 255, abs=0.01)
    assert frame.light.colourless
