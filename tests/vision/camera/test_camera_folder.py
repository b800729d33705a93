"""Folders of pictures and raw MJPEG files as cameras, through their real door."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import pytest
from http_camera import jpeg, multipart
from test_camera import picture, until

from comfywear.errors import SourceError
from comfywear.vision import open_camera, read_photo

NEVER = (30.0, 30.0)


def levels_of(uri: str) -> list[int]:
    """What a source that ends gives, each frame seen since it is slow."""
    with open_camera(uri, fps=12, retry_s=NEVER) as camera:
        frames = until(camera, lambda: camera.state.name in ("ended", "gone"))
        last = camera.latest(0)
        assert camera.state.reason == "the end of the recording; loop = true begins it again"
    return [round(float(frame.image.mean())) for frame in [*frames, *([last] if last else [])]]


def near(found: list[int], wanted: list[int]) -> bool:
    """Whether what was found is what was wanted in order; a slow machine may have missed one."""
    known = [min(wanted, key=lambda level: abs(level - each)) for each in found]
    return known == sorted(set(known)) and len(known) >= len(wanted) - 2 and known[-1] == wanted[-1]


WANTED = [40, 70, 100, 130, 160, 190]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("webcam.mjpeg", b"".join(map(jpeg, WANTED))),
        ("cam.mjpg", b"".join(map(jpeg, WANTED))),
        ("no-ending", b"".join(map(jpeg, WANTED))),
        ("named.jpg", b"".join(map(jpeg, WANTED))),
        ("from-curl.mjpeg", multipart("boundarydonotcross")),
        ("cut-off.mjpeg", b"".join(map(jpeg, WANTED)) + jpeg(220)[:300]),
    ],
)
def test_a_raw_mjpeg_file_is_a_clip(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    found = levels_of(f"file://{tmp_path}/{name}")
    assert near(found, WANTED), found


def test_a_photo_with_a_preview_in_it_or_behind_it_is_a_photo(tmp_path: Path) -> None:
    plain = jpeg(90)
    told = plain[:2] + b"\xff\xe2\0\x08MPF\0\0\0" + plain[2:] + jpeg(200) * 3
    for name, content in (("told.jpg", told), ("one-behind.jpg", plain + jpeg(200, 32, 24))):
        (tmp_path / name).write_bytes(content)
        with open_camera(str(tmp_path / name), fps=50, loop=True) as camera:
            found = [camera.latest(30) for _ in range(4)]
        assert [round(float(frame.image.mean())) for frame in found if frame] == [90] * 4


def test_the_end_of_a_folder_says_what_would_go_on(tmp_path: Path) -> None:
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"{index}.png"), picture(50 * index))
    with open_camera(f"images://{tmp_path}", fps=50) as camera:
        until(camera, lambda: camera.state.name == "ended")
        assert camera.state.reason == "the last of 3 pictures was shown; loop = true begins again"


def test_new_pictures_are_noticed_and_shown_before_the_old_ones(tmp_path: Path) -> None:
    for index in range(40):
        cv2.imwrite(str(tmp_path / f"b{index:02}.png"), picture(10))
    with open_camera(f"images://{tmp_path}", fps=10, loop=True) as camera:
        assert camera.latest(30) is not None
        cv2.imwrite(str(tmp_path / "a.png"), picture(200))
        frames = [camera.latest(30) for _ in range(30)]  # a round has forty
        assert [round(float(frame.image.mean())) for frame in frames if frame].count(200) == 1


def test_a_picture_that_is_still_being_written_is_waited_for(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "0.jpg"), picture(10))
    with open_camera(f"images://{tmp_path}", fps=10, loop=True) as camera:
        assert camera.latest(30) is not None
        whole = jpeg(200, 640, 480)
        with (tmp_path / "1.jpg").open("wb") as file:
            for part in (whole[: len(whole) // 2], whole[len(whole) // 2 :]):
                file.write(part)
                file.flush()
                time.sleep(0.6)
        frames = until(camera, lambda: (frame := camera.latest(0.5)) is not None and frame.image.shape[0] == 480)
        assert {int(frame.image.mean()) for frame in frames} <= {10, 200}


def test_a_photo_that_is_overwritten_is_read_anew(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "shot.png"), picture(10))
    with open_camera(str(tmp_path / "shot.png"), fps=20, loop=True) as camera:
        assert camera.latest(30) is not None
        cv2.imwrite(str(tmp_path / "new.png"), picture(200))
        (tmp_path / "new.png").rename(tmp_path / "shot.png")
        until(camera, lambda: (frame := camera.latest(0.5)) is not None and frame.image.mean() > 150)


def test_different_photos_are_held_and_a_sequence_is_not(tmp_path: Path) -> None:
    for name, levels in (("photos", (20, 120, 220)), ("sequence", (20, 24, 28))):
        (tmp_path / name).mkdir()
        for level in levels:
            cv2.imwrite(str(tmp_path / name / f"{level:03}.png"), picture(level))
    with open_camera(f"images://{tmp_path}/photos", fps=10, loop=True, hold_s=1.0) as camera:
        frames = [frame for frame in (camera.latest(30) for _ in range(12)) if frame]
    times = {level: [f.monotonic_s for f in frames if round(float(f.image.mean())) == level] for level in (20, 120)}
    assert len(times[20]) >= 2
    assert times[120][0] - times[20][0] >= 0.9
    with open_camera(f"images://{tmp_path}/sequence", fps=20, hold_s=30.0) as camera:
        until(camera, lambda: camera.state.name == "ended")


def test_avif_is_read_where_opencv_can_and_heic_is_refused_in_words(tmp_path: Path) -> None:
    if cv2.haveImageWriter("x.avif"):
        cv2.imwrite(str(tmp_path / "a.avif"), picture(90, 64, 64))
        assert abs(float(read_photo(tmp_path / "a.avif").mean()) - 90) < 3
        with open_camera(f"images://{tmp_path}") as camera:
            assert camera.latest(30) is not None
    (tmp_path / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    with pytest.raises(SourceError, match="a HEIC photo, which the OpenCV here cannot read; save it as JPEG"):
        read_photo(tmp_path / "phone.heic")
