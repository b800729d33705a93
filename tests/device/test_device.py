"""The device: carries on without camera, sensor or broker, says so, and loses no vote."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from comfywear import settings as settings_file
from comfywear.demo.consumer import Consumer
from comfywear.device.device import Device
from comfywear.device.mqtt.live_states import steady
from comfywear.errors import StoreError, UsageError
from comfywear.feedback import ask
from comfywear.publishing import Message
from comfywear.publishing.messages.device import MetaMessage
from comfywear.publishing.messages.people import PeopleMessage
from comfywear.publishing.messages.vote import VoteMessage
from comfywear.publishing.messages.zone import ClimateMessage, ComfortMessage
from comfywear_sensors.pty_replay import PtyReplay
from waiting import until

LINES = ["Humidity: 45.20 %\tTemperature: 23.10 *C 73.58 *F\tHeat index: 22.8 *C 73.0 *F"]


@contextmanager
def running(folder: Path, port: int, text: str = "") -> Iterator[Device]:
    path = folder / "device.toml"
    path.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{folder / 'state'}'\n"
        f"[mqtt]\nhost = '127.0.0.1'\nport = {port}\ninterval_s = 0.5\n{text}"
    )
    with Device(settings_file.load(path)) as device:
        yield device


@pytest.fixture
def consumer(mosquitto: Any) -> Iterator[Consumer]:
    with Consumer("127.0.0.1", mosquitto.port, "comfywear/v1/home/d1/#") as found:
        yield found


def says(consumer: Consumer, kind: type[Message], test: Callable[[Any], bool]) -> None:
    until(lambda: (message := consumer.newest(kind)) is not None and test(message))


def test_a_sensor_becomes_climate_and_comfort_at_an_outside_consumer(
    tmp_path: Path, mosquitto: Any, consumer: Consumer
) -> None:
    with PtyReplay(LINES, interval_s=0.1) as sensor:
        sensor.start()
        with running(tmp_path, mosquitto.port, f"[[sensors]]\nuri = 'serial://{sensor.path}?simulated=1'\n"):
            says(consumer, ClimateMessage, lambda air: air.air_temp_c == 23.1 and air.humidity_pct == 45.2)
            says(consumer, ComfortMessage, lambda comfort: comfort.expected_vote is not None)
            comfort = consumer.newest(ComfortMessage)
            assert comfort is not None
            assert sum(comfort.probabilities) == pytest.approx(1, abs=0.001)
            assert comfort.level in range(1, 6)
            assert any("clo was assumed" in sentence for sentence in comfort.assumptions)
            says(consumer, PeopleMessage, lambda people: "no camera" in (people.reason or ""))
            meta = consumer.newest(MetaMessage)
            assert meta is not None
            assert meta.scale.words[3] == "comfortable"


def test_an_unplugged_sensor_is_stale_and_comes_back(tmp_path: Path, mosquitto: Any, consumer: Consumer) -> None:
    text = "[climate]\nstale_after_s = 1.0\n[[sensors]]\nuri = 'serial://{}?simulated=1'\n"
    more = '{"temperature": 23.1, "humidity": 45.2, "radiant_temperature": 25.5, "air_speed": 0.15}'
    with PtyReplay([more], interval_s=0.1) as sensor:
        sensor.start()
        with running(tmp_path, mosquitto.port, text.format(sensor.path)):
            says(consumer, ClimateMessage, lambda air: air.state == "fresh")
            says(consumer, ClimateMessage, lambda air: (air.radiant_temp_c, air.air_speed_m_s) == (25.5, 0.15))
            sensor.unplug()
            says(consumer, ClimateMessage, lambda air: air.state == "stale" and air.air_temp_c is None)
            says(consumer, ClimateMessage, lambda air: air.radiant_temp_c is None and air.air_speed_m_s is None)
            says(consumer, ComfortMessage, lambda comfort: comfort.expected_vote is None and comfort.reason)
            sensor.replug()
            says(consumer, ClimateMessage, lambda air: air.state == "fresh" and air.air_temp_c == 23.1)


@pytest.mark.parametrize("kind", ["no such file", "a text file", "an unknown model", "an altered model"])
def test_without_sight_the_device_says_why_and_carries_on(
    kind: str, tmp_path: Path, mosquitto: Any, consumer: Consumer
) -> None:
    photo = tmp_path / "photo.jpg"
    vision = ""
    if kind == "a text file":
        photo.write_text("this is no photo")
        word = "photo.jpg"
    elif kind == "no such file":
        word = "no such file"
    else:
        photo.write_text("never opened")
        vision = "[vision]\ndetector = 'nonsense'\n"
        word = "nonsense"
    if kind == "an altered model":
        vision = f"[vision]\ndetector = '{altered_model(tmp_path)}'\n"
        word = "not the one on its card"
    text = f"[camera]\nsource = '{photo}'\n{vision}[[sensors]]\nuri = 'fake://'\n"
    with running(tmp_path, mosquitto.port, text):
        says(consumer, PeopleMessage, lambda people: people.state == "missing" and word in people.reason)
        says(consumer, ComfortMessage, lambda comfort: comfort.expected_vote is not None)


def altered_model(folder: Path) -> Path:
    import shutil

    from comfywear_models import available, find

    card_path = available()["detector"]
    card, home = find("detector")
    for file in card.files:
        shutil.copy(home / file.path, folder / file.path)
        data = bytearray((folder / file.path).read_bytes())
        data[len(data) // 2] ^= 1
        (folder / file.path).write_bytes(data)
    return Path(shutil.copy(card_path, folder))


def test_a_vote_is_kept_while_the_broker_is_away_and_sent_once_it_is_there(
    tmp_path: Path, make_mosquitto: Callable[..., Any]
) -> None:
    broker = make_mosquitto()
    with running(tmp_path, broker.port, "[[sensors]]\nuri = 'fake://'\n") as device:
        until(lambda: device.metrics()["spool_rows"] != 0)
        answer = ask(tmp_path / "state", {"verb": "vote", "level": 4})
        assert answer["vote"]["words"] == "comfortable"
        with pytest.raises(UsageError, match="1 "):
            ask(tmp_path / "state", {"verb": "vote", "level": 6})
        with pytest.raises(UsageError, match="room"):
            ask(tmp_path / "state", {"verb": "vote", "level": 4, "zone": "roof"})
    broker.start()
    with (
        Consumer("127.0.0.1", broker.port, "comfywear/v1/home/d1/#") as consumer,
        running(tmp_path, broker.port),
    ):
        says(consumer, VoteMessage, lambda vote: vote.id == answer["vote"]["id"] and vote.level == 4)


def test_a_vote_keeps_the_climate_of_its_moment(tmp_path: Path, mosquitto: Any, consumer: Consumer) -> None:
    with running(tmp_path, mosquitto.port, "[[sensors]]\nuri = 'fake://'\n"):
        says(consumer, ClimateMessage, lambda air: air.state == "fresh")
        vote = ask(tmp_path / "state", {"verb": "vote", "level": 2})["vote"]
        assert vote["climate"]["air_temp_c"] == pytest.approx(22, abs=8)
        assert vote["clothing"]["clo"] == 0.65
        says(consumer, VoteMessage, lambda got: got.id == vote["id"] and got.climate.air_temp_c is not None)


def test_two_devices_do_not_share_a_state_folder(tmp_path: Path, mosquitto: Any) -> None:
    with running(tmp_path, mosquitto.port) as device, pytest.raises(StoreError, match="another device runs"):
        Device(device.settings)


def test_a_camera_that_cannot_be_meant_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="telescope"), running(tmp_path, 1, "[camera]\nsource = 'telescope://x'\n"):
        pass


def test_a_state_folder_that_cannot_be_written_leaves_a_device_that_runs(
    tmp_path: Path, mosquitto: Any, consumer: Consumer, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with running(tmp_path, mosquitto.port, "[[sensors]]\nuri = 'fake://'\n") as device:
        says(consumer, ComfortMessage, lambda comfort: comfort.expected_vote is not None)
        assert device.vote("room", 3, "test").level == 3
    assert "memory alone" in caplog.text


def test_one_sensor_for_two_zones_is_read_once_and_both_have_its_air(tmp_path: Path) -> None:
    config = tmp_path / "device.toml"
    config.write_text(
        f"[device]\nid = 'd'\nstate_dir = '{tmp_path / 'state'}'\n"
        "[[zones]]\nname = 'desk'\n[[zones]]\nname = 'sofa'\npolygon = [[0.5, 0.0], [1.0, 0.0], [1.0, 1.0]]\n"
        "[[sensors]]\nuri = 'fake://'\nzone = 'desk'\n[[sensors]]\nuri = 'fake://'\nzone = 'sofa'\n"
    )
    with Device(settings_file.load(config)) as device:
        until(lambda: device.estimates() and all(e.climate.state == "fresh" for e in device.estimates().values()))
        assert [name for name in device.health() if name.startswith("sensor")] == ["sensor fake://"]


def test_a_device_that_ended_holds_no_file(tmp_path: Path) -> None:
    config = tmp_path / "device.toml"
    config.write_text(
        f"[device]\nid = 'd'\nstate_dir = '{tmp_path / 'state'}'\n[web]\nenabled = true\nport = 0\n"
        "[[sensors]]\nuri = 'fake://'\n"
    )
    settings = settings_file.load(config)

    def once() -> int:
        with Device(settings) as device:
            until(lambda: device.page is not None and device.page.server.url is not None)
        return len(list(Path("/proc/self/fd").iterdir()))

    gc.collect()
    first = once()
    gc.disable()  # what only the collector closes stays open
    try:
        assert max(once() for _ in range(3)) <= first
    finally:
        gc.enable()


def test_a_reason_that_counts_seconds_or_readings_is_the_same_reason_a_second_later() -> None:
    assert steady("serial:///dev/tty0: silent for 61 s") == steady("serial:///dev/tty0: silent for 62 s")
    assert steady("every reading was refused (3 × too hot)") == steady("every reading was refused (4.5 × too hot)")
    assert steady("/dev/tty0: gone") != steady("/dev/tty1: gone")
    assert steady(None) is None
