"""The view in Home Assistant: a slow picture over MQTT where that is switched on, and nothing while it is private."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from made_room import Standing, picture
from paho.mqtt import publish
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from comfywear import settings as settings_file
from comfywear.cli import main
from comfywear.device.device import Device
from comfywear.errors import SettingsError
from comfywear.publishing import Aside, BrokerSettings, Pace, Publisher, Spool, Topics
from comfywear.publishing.homeassistant.discovery import config_topic
from comfywear.publishing.messages.readable import JPEG, readable
from waiting import until

TOPICS = Topics("home", "d1")
VIEW = "comfywear/v1/home/d1/view/camera"


class Onlooker:
    """Notes what comes on every topic, as bytes: (when, payload, retained) by topic."""

    def __init__(self, port: int) -> None:
        self.came: dict[str, list[tuple[float, bytes, bool]]] = {}
        self._ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = lambda _c, _u, message: self._note(message)
        self._client.connect("127.0.0.1", port)

    def __enter__(self) -> Onlooker:  # noqa: PYI034 - Self is not in Python 3.10
        self._client.loop_start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _note(self, message: MQTTMessage) -> None:
        self.came.setdefault(message.topic, []).append((time.monotonic(), message.payload, message.retain))

    def views(self) -> list[bytes]:
        return [payload for _, payload, _ in self.came.get(VIEW, [])]

    def components(self) -> dict[str, Any]:
        """What Home Assistant was told last of the device."""
        told = self.came.get(config_topic("homeassistant", TOPICS))
        found: dict[str, Any] = json.loads(told[-1][1])["components"] if told else {}
        return found


def config(folder: Path, port: int, house: str = "", web: str = "") -> Path:
    photo = folder / "room.png"
    cv2.imwrite(str(photo), picture("south", [Standing(3.0, 1.5)]))
    path = folder / "device.toml"
    path.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{folder / 'state'}'\n[mqtt]\nhost = '127.0.0.1'\nport = {port}\n"
        f"interval_s = 0.5\n[camera]\nsource = '{photo}'\nloop = true\n[homeassistant]\n{house}[web]\n{web}"
    )
    return path


def private(port: int, on: bool) -> None:
    publish.single("comfywear/v1/home/d1/cmd/privacy", json.dumps({"on": on}), qos=1, hostname="127.0.0.1", port=port)


def test_the_view_comes_slowly_and_not_at_all_while_the_camera_is_private(tmp_path: Path, mosquitto: Any) -> None:
    path = config(tmp_path, mosquitto.port, "view = true\nview_every_s = 5\n")
    with Onlooker(mosquitto.port) as house, Device(settings_file.load(path)):
        until(lambda: sum(map(bool, house.views())) >= 2)
        jpeg = next(filter(None, house.views()))
        seen = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        photo = cv2.imread(str(tmp_path / "room.png"))
        assert seen is not None
        assert seen.shape == photo.shape
        assert len(jpeg) < 300_000
        assert np.abs(seen.astype(int) - photo).mean() > 10, "it is drawn"
        first, second, *_ = (at for at, payload, _ in house.came[VIEW] if payload)
        assert second - first > 4
        assert not any(kept for _, _, kept in house.came[VIEW])
        said = readable(VIEW, jpeg)
        assert said.startswith(f"{VIEW}: a picture, ")
        until(lambda: "view-camera" in house.components())
        entity = house.components()["view-camera"]
        assert (entity["platform"], entity["topic"]) == ("camera", VIEW)
        assert {each["topic"] for each in entity["availability"]} == {TOPICS.status, TOPICS.privacy}
        private(mosquitto.port, on=True)
        until(lambda: house.views()[-1] == b"")
        hidden = len(house.views())
        with Onlooker(mosquitto.port) as late:
            time.sleep(6)  # longer than from one view to the next
            assert house.views()[hidden:] == []
            assert late.views() == [], "the broker keeps no view"
        private(mosquitto.port, on=False)
        until(lambda: house.views()[-1] != b"")


def test_unless_it_is_switched_on_no_view_leaves_the_device(tmp_path: Path, mosquitto: Any) -> None:
    path = config(tmp_path, mosquitto.port, web="enabled = true\nport = 0\n")
    with Onlooker(mosquitto.port) as house, Device(settings_file.load(path)) as device:
        until(lambda: device.views.jpeg("camera") is not None)
        until(house.components)
        assert "view" not in device.health()
        assert [key for key, each in house.components().items() if each["platform"] == "camera"] == []
        assert [topic for topic in house.came if "/view/" in topic] == []


def test_what_is_no_longer_so_when_it_could_be_sent_is_not_sent(mosquitto: Any) -> None:
    publisher = Publisher(
        BrokerSettings("127.0.0.1", mosquitto.port), TOPICS, Spool(None, "d1"), pace=Pace(0.05, 0.2, will_delay_s=0)
    )
    publisher.say(Aside(VIEW, JPEG + b"old", still=lambda: False))
    publisher.say(Aside(VIEW, JPEG + b"new", still=lambda: True))
    stop = threading.Event()
    with Onlooker(mosquitto.port) as house:
        carrying = threading.Thread(target=publisher.run, args=(stop,))
        carrying.start()
        until(lambda: house.views() == [JPEG + b"new"])
        stop.set()
        carrying.join(60)


@pytest.mark.parametrize("web", ["view = 'off'\n", "sketch = false\n"])
def test_a_view_that_is_switched_off_cannot_be_sent(tmp_path: Path, web: str) -> None:
    with pytest.raises(SettingsError, match=r"device\.toml:12: homeassistant\.view.*web\.view"):
        settings_file.load(config(tmp_path, 1883, "view = true\n", web))


@pytest.mark.parametrize("seconds", ["4.9", "3601", "0", "nan"])
def test_it_is_neither_fast_nor_forgotten(tmp_path: Path, seconds: str) -> None:
    with pytest.raises(SettingsError, match="view_every_s"):
        settings_file.load(config(tmp_path, 1883, f"view = true\nview_every_s = {seconds}\n"))


def test_who_listens_to_everything_reads_of_a_picture_and_not_the_picture(
    mosquitto: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    jpeg = cv2.imencode(".jpg", np.zeros((40, 40, 3), np.uint8))[1].tobytes()
    for form in ([], ["--json"]):
        publish.single(VIEW, jpeg, qos=1, retain=True, hostname="127.0.0.1", port=mosquitto.port)
        assert main(["listen", "--broker", f"127.0.0.1:{mosquitto.port}", "--count", "1", *form]) == 0
    read, json_line = capsys.readouterr().out.splitlines()
    assert read == f"{VIEW}: a picture, 1 kB of JPEG"
    assert json.loads(json_line)["message"] == {"jpeg_bytes": len(jpeg)}
