"""The moving clip of a photo: everything stays in view, it moves, and it is the same every time."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from comfywear.errors import SourceError, UsageError
from comfywear.vision.drawing.moving_clip import moving_views, write_clip


def photo(width: int, height: int) -> np.ndarray:
    """A blue photo with green corners and a red middle."""
    image = np.full((height, width, 3), (200, 40, 40), np.uint8)
    corner = min(width, height) // 6
    for rows in (slice(0, corner), slice(-corner, None)):
        for columns in (slice(0, corner), slice(-corner, None)):
            image[rows, columns] = (0, 255, 0)
    return image


def green(view: np.ndarray) -> np.ndarray:
    return (view[..., 1] > 180) & (view[..., 0] < 80) & (view[..., 2] < 80)


@pytest.mark.parametrize("shape", [(300, 400), (512, 600), (800, 300)])
def test_all_of_the_photo_stays_in_view(shape: tuple[int, int]) -> None:
    for view in moving_views(photo(*shape), frames=12, size=(320, 240)):
        assert view.shape == (240, 320, 3)
        count, _ = cv2.connectedComponents(green(view).astype(np.uint8))
        assert count - 1 == 4


def test_it_moves_a_little_each_frame_and_begins_again_where_it_ends() -> None:
    views = [view.astype(int) for view in moving_views(photo(300, 400), frames=20, size=(320, 240))]
    steps = [np.abs(a - b).mean() for a, b in zip(views, views[1:] + views[:1], strict=True)]
    assert min(steps) > 0
    assert steps[-1] <= max(steps[:-1])
    assert max(steps) < np.abs(views[0] - views[10]).mean() + 1e-9


def test_the_same_photo_gives_the_same_clip() -> None:
    first, second = (np.stack(list(moving_views(photo(300, 400), frames=3))) for _ in range(2))
    assert (first == second).all()


def test_the_written_clip_has_these_frames(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "photo.png"), photo(300, 400))
    clip = write_clip(tmp_path / "photo.png", tmp_path / "clip.avi", frames=7, size=(320, 240), fps=5)
    capture = cv2.VideoCapture(str(clip))
    shapes = []
    while (frame := capture.read())[0]:
        shapes.append(frame[1].shape)
    capture.release()
    assert shapes == [(240, 320, 3)] * 7


def test_a_clip_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "photo.png"), photo(30, 40))
    with pytest.raises(SourceError, match="cannot be written"):
        write_clip(tmp_path / "photo.png", tmp_path / "none" / "clip.avi")
    with pytest.raises(SourceError, match="No such file"):
        write_clip(tmp_path / "none.png", tmp_path / "clip.avi")
    with pytest.raises(UsageError, match="a clip needs"):
        next(moving_views(photo(30, 40), frames=0))
