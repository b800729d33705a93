"""A device with two cameras: one room seen from two sides, real camera processes, the shipped models, a real broker."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
from listener import Listener
from made_room import Standing, floor, picture

from comfywear import settings as settings_file
from comfywear.cli import main
from comfywear.device.device import Device
from comfywear.device.sight.finds import CorrectionBook
from comfywear.device.sight.vision_worker import VisionWorker
from comfywear.doctor import doors
from comfywear.errors import UsageError
from comfywear.publishing.messages.device import CameraMessage
from comfywear.publishing.messages.zone import OccupancyMessage
from comfywear.records import Frame, Person
from comfywear.vision.budget import Budget
from waiting import until

PEOPLE = [Standing(1.0, 2.0), Standing(5.0, 2.0, 60), Standing(3.0, 1.7, 120)]


def show(folder: Path, side: str, people: Sequence[Standing]) -> None:
    """Have the camera of a side see these people from now on."""
    cv2.imwrite(str(folder / "new.png"), picture(side, list(people)))
    (folder / "new.png").replace(folder / f"{side}.png")


@contextmanager
def running(folder: Path, port: int, *, floors: bool) -> Iterator[Device]:
    text = f"[device]\nid = 'd1'\nstate_dir = '{folder / 'state'}'\n[mqtt]\nhost = '127.0.0.1'\nport = {port}\n"
    text += "interval_s = 0.5\n[web]\nenabled = true\nport = 0\n"
    for side in ("south", "north"):
        text += f"[[cameras]]\nname = '{side}'\nsource = '{folder / side}.png'\nloop = true\n"
    text += "[[zones]]\nname = 'office'\n"
    for side in ("south", "north"):
        points = [list(point) for point in floor(side)] if floors else []
        text += f"[[zones.views]]\ncamera = '{side}'\nfloor = {points}\n"
    path = folder / "device.toml"
    path.write_text(text)
    with Device(settings_file.load(path)) as device:
        yield device


def counts(consumer: Listener) -> list[int | None]:
    return [message.count for message in consumer.messages(OccupancyMessage)]


def newest(consumer: Listener, camera: str) -> CameraMessage:
    return [each for each in consumer.messages(CameraMessage) if each.camera == camera][-1]


@pytest.mark.parametrize("floors", [True, False])
def test_a_room_seen_from_two_sides_has_as_many_people_as_there_are(
    tmp_path: Path, mosquitto: Any, floors: bool
) -> None:
    show(tmp_path, "south", PEOPLE)
    show(tmp_path, "north", PEOPLE[:2])  # the third is behind a cupboard
    with (
        Listener(mosquitto.port) as consumer,
        running(tmp_path, mosquitto.port, floors=floors) as device,
    ):
        vision = device.vision
        assert vision is not None
        until(lambda: 3 in counts(consumer))
        seen = {name: len(camera.persons()) for name, camera in vision.cameras.items()}
        assert seen == {"south": 3, "north": 2}, "five are seen, and three are there"
        frames = {name: camera.frames + 8 for name, camera in vision.cameras.items()}
        until(lambda: all(vision.cameras[name].frames >= enough for name, enough in frames.items()))
        assert counts(consumer)[-1] == 3
        assert max(count or 0 for count in counts(consumer)) == 3, "nobody counted twice at any time"
        show(tmp_path, "south", [])
        until(lambda: counts(consumer)[-1] == 2)
        show(tmp_path, "north", [])
        until(lambda: counts(consumer)[-1] == 0)


def test_one_of_two_cameras_lost_leaves_the_other_alone_and_the_room_known(tmp_path: Path, mosquitto: Any) -> None:
    show(tmp_path, "south", PEOPLE)
    show(tmp_path, "north", PEOPLE[:2])
    with (
        Listener(mosquitto.port) as consumer,
        running(tmp_path, mosquitto.port, floors=True) as device,
    ):
        vision = device.vision
        assert vision is not None
        south, north = vision.cameras.values()
        until(lambda: 3 in counts(consumer))
        (tmp_path / "south.png").rename(tmp_path / "away.png")
        until(lambda: {(each.name, each.about) for each in device.watch.book.now()} == {("no-camera", "south")})
        before = north.frames
        until(lambda: north.frames >= before + 20)
        assert north.missing() is None
        assert counts(consumer)[-1] == 3, "whom the lost camera alone saw is not known to have left"
        assert vision.sight().unseen == {}
        until(lambda: newest(consumer, "south").state == "missing")
        assert "no such file" in str(newest(consumer, "south").reason)
        assert newest(consumer, "north").state == "running"
        assert device.page is not None
        assert device.page.sketch("south") is None
        assert device.page.sketch("north") is not None
        (tmp_path / "north.png").rename(tmp_path / "away-too.png")
        until(lambda: consumer.messages(OccupancyMessage)[-1].state == "unknown")
        reason = consumer.messages(OccupancyMessage)[-1].reason or ""
        assert "south: camera gone" in reason
        assert "north: camera gone" in reason
        show(tmp_path, "north", PEOPLE[:2])
        until(lambda: (counts(consumer)[-1] or 0) >= 2)
        assert "empty" not in {message.state for message in consumer.messages(OccupancyMessage)}
        (tmp_path / "away.png").rename(tmp_path / "south.png")
        until(lambda: south.missing() is None)
        until(lambda: newest(consumer, "south").state == "running")
        until(lambda: counts(consumer)[-1] == 3)
        until(lambda: not device.watch.book.now())
        assert device.metrics()["restarts"] == 0


def test_a_camera_with_many_frames_takes_nothing_from_another(tmp_path: Path) -> None:
    from comfywear.vision.camera import open_camera
    from comfywear.vision.camera.several import Turns

    for side in ("south", "north"):
        show(tmp_path, side, [])
    with (
        open_camera(str(tmp_path / "south.png"), fps=200.0, loop=True) as quick,
        open_camera(str(tmp_path / "north.png"), fps=50.0, loop=True) as slow,
    ):
        turns, taken = Turns({"quick": quick, "slow": slow}), dict.fromkeys(("quick", "slow"), 0)
        until(lambda: quick.latest(0.1) is not None and slow.latest(0.1) is not None)
        for _ in range(12):  # the engine is busy for longer than either needs for a frame
            time.sleep(0.15)
            found = turns.next(1.0)
            assert found is not None
            taken[found[0]] += 1
        assert taken == {"quick": 6, "slow": 6}


def test_finds_are_told_and_corrected_in_the_picture_of_their_camera(tmp_path: Path) -> None:
    two = {"south": "file:///south", "north": "file:///north"}
    settings = msgspec.convert(
        {
            "cameras": [{"name": name, "source": source} for name, source in two.items()],
            "zones": [{"name": name, "camera": name} for name in two],
        },
        settings_file.Settings,
    )
    vision = VisionWorker(settings)
    image = np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    for number, (name, camera) in enumerate(vision.cameras.items(), 1):
        seen = Person(number, (160.0, 120.0, 320.0, 360.0), 0.8, (), {}, 5.0, name)
        camera.took(Frame(image, 1, 50.0, name), [seen], Budget().load(), 0.1)
    finds = CorrectionBook(tmp_path, vision.pictures, cameras=tuple(two))
    assert [(each["number"], each["camera"]) for each in finds.listed()["finds"]] == [(1, "south"), (2, "north")]
    with pytest.raises(UsageError, match="say in which camera's picture; the cameras are: south, north"):
        finds.miss([0.1, 0.1, 0.5, 0.5])
    with pytest.raises(UsageError, match="no camera is named 'roof'"):
        finds.miss([0.1, 0.1, 0.5, 0.5], "roof")
    assert (finds.reject(2), finds.miss([0.1, 0.1, 0.5, 0.5], "south")) == (1, 2)
    again = CorrectionBook(tmp_path, vision.pictures, cameras=tuple(two))
    assert [each.number for each in again.corrections("north")] == [1]
    assert [each.number for each in again.corrections("south")] == [2]
    assert [each["camera"] for each in again.listed()["corrections"]] == ["north", "south"]


def test_each_camera_has_its_picture_of_zones_with_masks_hatched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = ""
    for side in ("south", "north"):
        show(tmp_path, side, [])
        text += f"[[cameras]]\nname = '{side}'\nsource = '{tmp_path / side}.png'\n"
    text += "[[cameras.mask]]\npolygon = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]\n"
    text += "".join(f"[[zones]]\nname = 'at-{side}'\ncamera = '{side}'\n" for side in ("south", "north"))
    config = tmp_path / "device.toml"
    config.write_text(text)
    assert main(["zones", "--config", str(config), "--out", str(tmp_path / "zones.png")]) == 0
    said = capsys.readouterr().out
    assert f"{tmp_path / 'zones-south.png'}: zones with corners: none; the rest of the picture: at-south" in said
    south, north = (cv2.imread(str(tmp_path / f"zones-{side}.png")) for side in ("south", "north"))
    assert south is not None
    assert north is not None
    half = south.shape[1] // 2
    assert len(np.unique(north[100:160, half - 90 : half - 40])) > len(np.unique(south[100:160, half - 90 : half - 40]))
    assert (north[100:160, half + 40 : half + 90] == south[100:160, half + 40 : half + 90]).all()
    assert main(["zones", "--config", str(config), "--camera", "roof", "--out", str(tmp_path / "a.png")]) == 2
    assert main(["record", "--config", str(config), "--out", str(tmp_path / "a.mp4")]) == 2
    assert "say which with --camera NAME; the cameras are: south, north" in capsys.readouterr().err
    assert main(["config", "check", str(config)]) == 0
    assert f"cameras south file://{tmp_path}" in capsys.readouterr().out
    assert {each.what: each.state for each in doors.cameras(settings_file.load(config))} == {
        "camera south": "good",
        "camera north": "good",
    }
