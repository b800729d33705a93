"""The privacy switch: a camera's process ends, everybody is told, and a restart changes nothing."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2
import httpx
import msgspec
import pytest
from listener import Listener
from made_room import Standing, picture
from paho.mqtt import publish

from comfywear import settings as settings_file
from comfywear import web
from comfywear.cli import main
from comfywear.device.device import Device
from comfywear.device.sight.privacy import FILE_NAME, Privacy, private_cameras
from comfywear.doctor import doors
from comfywear.errors import SettingsError, SourceError, StoreError, UsageError
from comfywear.feedback.buttons.gpio import GpioSwitchPin
from comfywear.publishing import Topics
from comfywear.publishing.homeassistant.discovery import Facts, discovery
from comfywear.publishing.messages.answer import ReplyMessage
from comfywear.publishing.messages.device import CameraMessage, PrivacyMessage
from comfywear.publishing.messages.people import PeopleMessage
from comfywear.publishing.messages.zone import OccupancyMessage, PresenceMessage
from comfywear.settings import Settings
from comfywear.system.supervisor import Pulse
from waiting import until

TWO = [{"name": name, "source": f"file:///{name}.png"} for name in ("south", "north")]


def made(**tables: Any) -> Settings:
    return msgspec.convert({"camera": {"source": "file:///x.png"}, **tables}, Settings)


def two_cameras() -> Settings:
    zones = [{"name": name, "camera": name} for name in ("south", "north")]
    return msgspec.convert({"cameras": TWO, "zones": zones}, Settings)


def camera_processes() -> set[int]:
    """The processes that read cameras for this one."""
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            status, command = (entry / "status").read_text(), (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if f"PPid:\t{os.getpid()}\n" in status and b"comfywear.vision.camera.child" in command:
            found.add(int(entry.name))
    return found


def test_what_was_switched_is_kept_over_restarts_and_by_camera(tmp_path: Path) -> None:
    privacy = Privacy(two_cameras(), tmp_path)
    assert [each.reason for each in privacy.state()] == [None, None]
    privacy.switch(True, "north", "on the page")
    privacy.switch(True, None, "over MQTT")
    again = Privacy(two_cameras(), tmp_path)
    assert again.reason("north") == "private: switched on the page", "who was first"
    assert again.reason("south") == "private: switched over MQTT"
    again.switch(False, "south", "by command")
    assert [each.reason is None for each in Privacy(two_cameras(), tmp_path).state()] == [True, False]
    with pytest.raises(UsageError, match="no camera is named 'roof'; the cameras are: south, north"):
        again.switch(True, "roof", "by command")


def test_a_camera_may_begin_private_and_what_is_switched_counts_from_then_on(tmp_path: Path) -> None:
    settings = made(camera={"source": "file:///x.png", "private": True})
    privacy = Privacy(settings, tmp_path)
    assert privacy.reason("camera") == "private: so the settings begin"
    privacy.switch(False, None, "by command")
    assert Privacy(settings, tmp_path).reason("camera") is None


@pytest.mark.parametrize("content", [b"{", b'{"cameras": {"camera": 1}}', b"\xff", b"[" * 5000])
def test_a_damaged_file_lets_no_camera_look(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    privacy = Privacy(two_cameras(), tmp_path)
    assert [each.reason for each in privacy.state()] == ["private: privacy.json cannot be read; switch it again"] * 2
    privacy.switch(False, "south", "by command")
    assert [each.reason is None for each in Privacy(two_cameras(), tmp_path).state()] == [True, False]


def test_where_nothing_can_be_kept_private_holds_and_looking_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    privacy = Privacy(made(), folder)
    with pytest.raises(StoreError, match="it is private now, and a restart would forget it"):
        privacy.switch(True, None, "by command")
    assert privacy.reason("camera") == "private: switched by command"
    with pytest.raises(StoreError):
        privacy.switch(False, None, "by command")
    assert privacy.reason("camera") == "private: switched by command"


def test_without_a_camera_there_is_nothing_to_switch(tmp_path: Path) -> None:
    privacy = Privacy(Settings(), tmp_path)
    assert privacy.state() == []
    with pytest.raises(UsageError, match="no camera in the settings"):
        privacy.switch(True, None, "by command")


@contextmanager
def watching(privacy: Privacy) -> Iterator[None]:
    stop = threading.Event()

    def work() -> None:
        with suppress(SourceError):
            privacy._watch(Pulse(stop, time.monotonic))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join(30)


def test_a_switch_at_a_pin_outranks_everything_else(tmp_path: Path) -> None:
    mock = pytest.importorskip("gpiozero.pins.mock")
    factory = mock.MockFactory()
    settings = made(privacy={"pin": "gpio://?pin=22"})
    privacy = Privacy(settings, tmp_path, lambda spec: GpioSwitchPin(spec, factory))
    assert privacy.reason("camera") == "private: the switch at GPIO 22 is not read"
    with watching(privacy):
        until(lambda: privacy.reason("camera") is None)
        factory.pin(22).drive_low()
        until(lambda: privacy.reason("camera") == "private: the switch at GPIO 22 is closed")
        assert [each.held for each in privacy.state()] == [True]
        with pytest.raises(UsageError, match="cannot be switched off from elsewhere"):
            privacy.switch(False, None, "over MQTT")
        privacy.switch(True, None, "over MQTT")
        factory.pin(22).drive_high()
        until(lambda: privacy.reason("camera") == "private: switched over MQTT")
        privacy.switch(False, None, "over MQTT")
        until(lambda: privacy.reason("camera") is None)
    assert privacy.reason("camera") == "private: the switch at GPIO 22 is not read", "nobody reads it any more"
    factory.close()


def test_a_pin_that_cannot_be_read_lets_no_camera_look(tmp_path: Path) -> None:
    def refuses(_: object) -> GpioSwitchPin:
        raise SourceError("no gpiochip here")

    privacy = Privacy(made(privacy={"pin": "gpio://?pin=22&active=high"}), tmp_path, refuses)
    with watching(privacy):
        pass
    privacy.read_pin()
    assert privacy.reason("camera") == "private: the switch at GPIO 22 is not read"


@pytest.mark.parametrize(
    ("pin", "said"),
    [
        ("22", "names no switch; write gpio://"),
        ("gpio://?pin=40", "'40' is no GPIO"),
        ("gpio://", "pin"),
        ("gpio://?pin=22&led=3", "led"),
        ("gpio://?pin=19", "GPIO 19 is used by the buttons"),
    ],
)
def test_a_pin_that_cannot_be_meant_is_refused_with_its_line(tmp_path: Path, pin: str, said: str) -> None:
    path = tmp_path / "device.toml"
    path.write_text(f"[[buttons]]\nsource = 'gpio://?pins=5,6,13,19,26'\n[privacy]\npin = '{pin}'\n")
    with pytest.raises(SettingsError, match=r"device\.toml:4: privacy\.pin") as refused:
        settings_file.load(path)
    assert said in str(refused.value)


def test_home_assistant_has_a_switch_for_all_and_of_several_one_for_each() -> None:
    (message,) = discovery(
        "homeassistant", Topics("home", "d1"), {"room": "room"}, Facts("1", 10, 60, sees=True)
    ).values()
    switch = message["components"]["privacy"]
    assert (switch["platform"], switch["command_topic"]) == ("switch", "comfywear/v1/home/d1/cmd/privacy")
    assert json.loads(switch["payload_on"]) == {"on": True}
    several = Facts("1", 10, 60, sees=True, cameras=("south", "north"))
    (message,) = discovery("homeassistant", Topics("home", "d1"), {"room": "room"}, several).values()
    assert json.loads(message["components"]["privacy-north"]["payload_off"]) == {"on": False, "camera": "north"}
    (message,) = discovery("homeassistant", Topics("home", "d1"), {"room": "room"}, Facts("1", 10, 60)).values()
    assert "privacy" not in message["components"], "nothing looks there"


def config(folder: Path, port: int, cameras: str, zones: str = "") -> Path:
    path = folder / "device.toml"
    path.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{folder / 'state'}'\n[mqtt]\nhost = '127.0.0.1'\nport = {port}\n"
        f"interval_s = 0.5\n[web]\nenabled = true\nport = 0\n{cameras}{zones}"
    )
    return path


def command(port: int, payload: str) -> None:
    publish.single("comfywear/v1/home/d1/cmd/privacy", payload, qos=1, hostname="127.0.0.1", port=port)


def photo(path: Path) -> Path:
    cv2.imwrite(str(path), picture("south", [Standing(3.0, 1.5)]))
    return path


def test_a_private_camera_has_no_process_and_everybody_is_told(
    tmp_path: Path, mosquitto: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config(tmp_path, mosquitto.port, f"[camera]\nsource = '{photo(tmp_path / 'room.png')}'\nloop = true\n")
    with Listener(mosquitto.port) as consumer:

        def occupancy() -> OccupancyMessage:
            return consumer.messages(OccupancyMessage)[-1]

        with Device(settings_file.load(path)) as device:
            vision, page = device.vision, device.page
            assert vision is not None
            assert page is not None
            until(lambda: consumer.newest(OccupancyMessage) and occupancy().state == "occupied")
            assert len(camera_processes()) == 1
            assert main(["zones", "--config", str(path), "--out", str(tmp_path / "seen.png")]) == 0
            assert "room: occupied by 1 for " in capsys.readouterr().out
            until(lambda: page.now("room").presence == web.PresenceNow("occupied", 1, occupancy().since))
            until(lambda: page.server.url is not None)
            answer = httpx.post(f"{page.server.url}api/privacy", json={"on": True}, timeout=30)
            assert answer.json() == [{"camera": "camera", "private": True, "held": False}]
            until(lambda: not camera_processes())
            until(lambda: occupancy().state == "unknown")
            assert occupancy().reason == "private: switched on the page"
            until(lambda: (consumer.newest(PrivacyMessage) or PrivacyMessage).on is True)
            until(lambda: consumer.messages(PeopleMessage)[-1].state == "missing")
            assert consumer.messages(PresenceMessage)[-1].kind == "left"
            assert (vision.picture(), vision.pictures(), page.sketch("camera")) == (None, {}, None)
            assert page.now("room").unseen == "private: switched on the page"
            assert page.now("room").cameras[0].private
            unknown = web.PresenceNow("unknown", None, None, "private: switched on the page")
            assert page.now("room").presence == unknown
            assert not device.watch.book.now(), "what was wanted is no trouble"
            assert main(["zones", "--config", str(path), "--out", str(tmp_path / "zones.png")]) == 1
            assert "the camera is private: switched on the page" in capsys.readouterr().err
            assert [each.state for each in doors.cameras(device.settings)] == ["note"]
            assert not (tmp_path / "zones.png").exists()
        with Device(settings_file.load(path)) as device:
            assert device.vision is not None
            until(lambda: device.vision is not None and device.vision.models)
            until(lambda: consumer.messages(OccupancyMessage)[-1].reason == "private: switched on the page")
            assert not camera_processes(), "also after a restart"
            assert main(["privacy", "off", "--config", str(path)]) == 0
            assert capsys.readouterr().out == "camera camera: may look\n"
            until(lambda: occupancy().state == "occupied")
            until(lambda: consumer.messages(PrivacyMessage)[-1].on is False)
            assert len(camera_processes()) == 1
        assert "empty" not in {each.state for each in consumer.messages(OccupancyMessage)}
        assert private_cameras(settings_file.load(path)) == {}, "nobody runs: the file says so"


def test_one_of_two_cameras_is_private_by_command_over_mqtt(tmp_path: Path, mosquitto: Any) -> None:
    photo(tmp_path / "south.png")
    photo(tmp_path / "north.png")
    cameras = "".join(
        f"[[cameras]]\nname = '{n}'\nsource = '{tmp_path / n}.png'\nloop = true\n" for n in ("south", "north")
    )
    zones = "".join(f"[[zones]]\nname = 'at-{name}'\ncamera = '{name}'\n" for name in ("south", "north"))
    with (
        Listener(mosquitto.port) as consumer,
        Device(settings_file.load(config(tmp_path, mosquitto.port, cameras, zones))) as device,
    ):

        def newest(zone: str) -> OccupancyMessage | None:
            return next((m for m in reversed(consumer.messages(OccupancyMessage)) if m.zone == zone), None)

        def state(zone: str) -> str | None:
            found = newest(zone)
            return found.state if found else None

        until(lambda: {state("at-south"), state("at-north")} == {"occupied"})
        assert len(camera_processes()) == 2
        command(mosquitto.port, '{"on": true, "camera": "north", "id": "a"}')
        until(lambda: any(each.id == "a" and each.ok for each in consumer.messages(ReplyMessage)))
        until(lambda: state("at-north") == "unknown")
        until(lambda: len(camera_processes()) == 1)
        of_north = [each for each in consumer.messages(CameraMessage) if each.camera == "north"]
        until(lambda: [e for e in consumer.messages(CameraMessage) if e.camera == "north"][-1].state == "private")
        assert of_north[0].state in ("missing", "running")
        assert state("at-south") == "occupied"
        assert device.vision is not None
        before = device.vision.cameras["south"].frames
        until(lambda: device.vision is not None and device.vision.cameras["south"].frames > before)
        (message,) = [consumer.messages(PrivacyMessage)[-1]]
        assert (message.on, [each.on for each in message.cameras]) == (False, [False, True])
        command(mosquitto.port, '{"on": false}')
        until(lambda: state("at-north") == "occupied")
        assert len(camera_processes()) == 2
