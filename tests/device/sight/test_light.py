"""A device in the dark and in infrared light: a real camera process, the shipped models, a real broker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from listener import Listener
from made_room import Image, Standing, floor, picture

from comfywear import settings as settings_file
from comfywear.device.device import Device
from comfywear.publishing.messages.device import CameraMessage
from comfywear.publishing.messages.people import PeopleMessage
from comfywear.publishing.messages.zone import OccupancyMessage, PresenceMessage
from waiting import until

PEOPLE = [Standing(1.0, 2.0)]


def show(path: Path, image: Image) -> None:
    cv2.imwrite(str(path.with_name("new.png")), image)
    path.with_name("new.png").replace(path)


def night(image: Image) -> Image:
    noise = np.random.default_rng(1).normal(0, 4, image.shape)
    return (image * 0.03 + noise).clip(0, 255).astype(np.uint8)


def grey(image: Image) -> Image:
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR).astype(np.uint8)


def test_a_dark_room_is_not_known_and_nobody_has_left_it(tmp_path: Path, mosquitto: Any) -> None:
    sides = ("south", "north")
    text = f"[device]\nid = 'd1'\nstate_dir = '{tmp_path / 'state'}'\n[mqtt]\nhost = '127.0.0.1'\n"
    text += f"port = {mosquitto.port}\ninterval_s = 0.5\n"
    for side in sides:
        show(tmp_path / f"{side}.png", picture(side, PEOPLE))
        text += f"[[cameras]]\nname = '{side}'\nsource = '{tmp_path / side}.png'\nloop = true\n"
    text += "[[zones]]\nname = 'hall'\ncamera = 'south'\n[[zones]]\nname = 'office'\n"
    for side in sides:
        text += f"[[zones.views]]\ncamera = '{side}'\nfloor = {[list(point) for point in floor(side)]}\n"
    # A camera gives its people to one zone: the one with corners comes first.
    text = text.replace("name = 'hall'", "name = 'hall'\npolygon = [[0, 0], [1, 0], [1, 0.3]]")
    (tmp_path / "device.toml").write_text(text)
    with Listener(mosquitto.port) as consumer, Device(settings_file.load(tmp_path / "device.toml")) as device:

        def said(zone: str) -> tuple[str, str | None] | None:
            found = [each for each in consumer.messages(OccupancyMessage) if each.zone == zone]
            return (found[-1].state, found[-1].reason) if found else None

        until(lambda: said("office") == ("occupied", None))
        until(lambda: said("hall") == ("empty", None))
        vision = device.vision
        assert vision is not None
        until(lambda: [len(camera.persons()) for camera in vision.cameras.values()] == [1, 1])
        enough = [camera.frames + 2 for camera in vision.cameras.values()]
        until(lambda: all(each.frames >= least for each, least in zip(vision.cameras.values(), enough, strict=True)))
        show(tmp_path / "south.png", night(picture("south", PEOPLE)))
        until(lambda: said("hall") == ("unknown", "south: too dark to see"))
        assert said("office") == ("occupied", None), "the other camera sees them"
        show(tmp_path / "north.png", night(picture("north", PEOPLE)))
        until(lambda: said("office") == ("unknown", "south: too dark to see; north: too dark to see"))
        until(
            lambda: (
                {each.camera: each.state for each in consumer.messages(CameraMessage)} == dict.fromkeys(sides, "dark")
            )
        )
        assert not device.watch.book.now(), "a night is no trouble"
        assert vision.pictures() == {}
        show(tmp_path / "north.png", picture("north", PEOPLE))
        until(lambda: said("office") == ("occupied", None))
        assert said("hall") == ("unknown", "south: too dark to see")
        show(tmp_path / "north.png", picture("north", []))
        until(lambda: (said("office") or ("",))[0] != "occupied")
        assert said("office") == ("unknown", "south: too dark to see"), "the dark half may have somebody in it"
        show(tmp_path / "south.png", picture("south", []))
        until(lambda: said("office") == ("empty", None))
        assert [each.kind for each in consumer.messages(PresenceMessage)] == ["entered", "left"]


def test_in_infrared_light_no_garment_has_a_colour(tmp_path: Path, mosquitto: Any) -> None:
    room = tmp_path / "room.png"
    show(room, grey(picture("south", PEOPLE)))
    (tmp_path / "device.toml").write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{tmp_path / 'state'}'\n"
        f"[mqtt]\nhost = '127.0.0.1'\nport = {mosquitto.port}\ninterval_s = 0.5\n"
        f"[camera]\nsource = '{room}'\nloop = true\n[vision]\nattribute_interval_s = 1\n"
    )
    with Listener(mosquitto.port) as consumer, Device(settings_file.load(tmp_path / "device.toml")):

        def people() -> list[PeopleMessage]:
            return [each for each in consumer.messages(PeopleMessage) if any(p.garments for p in each.persons)]

        until(lambda: len(people()) >= 6)
        assert all(each.grey for each in people())
        assert not any(g.colours for each in people() for p in each.persons for g in p.garments)
        show(room, picture("south", PEOPLE))
        until(lambda: any(g.colours for p in people()[-1].persons for g in p.garments))
        until(lambda: not people()[-1].grey)
