"""The weather over a real broker: what reaches the comfort model, and what is said when it is old or nonsense."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest

from comfywear import settings as settings_file
from comfywear.demo.consumer import Consumer
from comfywear.device.device import Device
from comfywear.learning.outdoor_days import FILE_NAME
from comfywear.publishing.messages.device import HealthMessage, MetaMessage
from comfywear.publishing.messages.outdoors import OutdoorsItem, WindowItem
from comfywear.publishing.messages.zone import ComfortMessage
from waiting import until

ZONES = ("shade", "desk", "north")
STATES = "homeassistant/sensor"
ROOM = "[[sensors]]\nuri = 'fake://room?air_temp=23&humidity=45&swing=0&noise=0'\n"


@contextmanager
def running(folder: Path, port: int, text: str, room: str = ROOM) -> Iterator[Device]:
    path = folder / "device.toml"
    path.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{folder / 'state'}'\n"
        f"[mqtt]\nhost = '127.0.0.1'\nport = {port}\ninterval_s = 0.5\n{room}{text}"
    )
    with Device(settings_file.load(path)) as device:
        yield device


@contextmanager
def weather(port: int) -> Iterator[paho.Client]:
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.fixture
def consumer(mosquitto: Any) -> Iterator[Consumer]:
    with Consumer("127.0.0.1", mosquitto.port, "comfywear/v1/home/d1/#") as found:
        yield found


def outdoors(consumer: Consumer) -> OutdoorsItem | None:
    message = consumer.newest(ComfortMessage)
    return message.outdoors if message else None


def table(port: int, more: str = "", stale_after_s: float = 600.0) -> str:
    topics = f"temperature_topic={STATES}/out_temp/state&humidity_topic={STATES}/out_rh/state"
    topics += f"&irradiance_topic={STATES}/sun/state"
    return f"[outdoors]\nuris = ['mqtt://127.0.0.1:{port}/?{topics}{more}']\nstale_after_s = {stale_after_s}\n"


def heard(consumer: Consumer, client: paho.Client, payloads: dict[str, str], **expected: float) -> None:
    """Say it until the device has said it: what is published before it has subscribed, nobody hears."""

    def said() -> bool:
        for name, payload in payloads.items():
            client.publish(f"{STATES}/{name}/state", payload, qos=1)
        found = outdoors(consumer)
        return found is not None and all(getattr(found, name) == value for name, value in expected.items())

    until(said)


def test_home_assistants_states_become_the_weather_in_the_comfort_message(
    tmp_path: Path, mosquitto: Any, consumer: Consumer
) -> None:
    with running(tmp_path, mosquitto.port, table(mosquitto.port)), weather(mosquitto.port) as client:
        until(lambda: (found := outdoors(consumer)) is not None and found.state == "missing")
        states = {"out_temp": "7.3", "out_rh": "81", "sun": "412.4"}
        heard(consumer, client, states, air_temp_c=7.3, humidity_pct=81.0, irradiance_w_m2=412.0, state="fresh")
        found = outdoors(consumer)
        assert found is not None
        assert (found.running_mean_c, found.days) == (None, 0)  # not before seven days
        assert "outdoor_temp_c" not in consumer.newest(ComfortMessage).inputs  # type: ignore[union-attr]
        until(
            lambda: (meta := consumer.newest(MetaMessage)) is not None and "outdoors" in [s.name for s in meta.sources]
        )


def test_what_is_no_number_changes_nothing_and_fahrenheit_is_read_as_such(
    tmp_path: Path, mosquitto: Any, consumer: Consumer
) -> None:
    with running(tmp_path, mosquitto.port, table(mosquitto.port, "&unit=F")), weather(mosquitto.port) as client:
        heard(consumer, client, {"out_temp": "45.5"}, air_temp_c=7.5)
        for nonsense in ("unavailable", "unknown", "12.x", "", "\x00\xff", '{"a": 1}', "nan"):
            client.publish(f"{STATES}/out_temp/state", nonsense, qos=1)
        heard(consumer, client, {"out_rh": "60"}, humidity_pct=60.0, air_temp_c=7.5)


def test_fahrenheit_that_nobody_named_is_refused_and_said(tmp_path: Path, mosquitto: Any, consumer: Consumer) -> None:
    with running(tmp_path, mosquitto.port, table(mosquitto.port)), weather(mosquitto.port) as client:

        def said() -> bool:
            client.publish(f"{STATES}/out_temp/state", "71.6", qos=1)
            health = consumer.newest(HealthMessage)
            return health is not None and any(
                each.about == "outdoors" and "unit=F" in each.reason for each in health.troubles
            )

        until(said)
        found = outdoors(consumer)
        assert found is not None
        assert found.air_temp_c is None


def test_weather_that_is_old_is_not_used_any_more(tmp_path: Path, mosquitto: Any, consumer: Consumer) -> None:
    with running(tmp_path, mosquitto.port, table(mosquitto.port, stale_after_s=2.0)), weather(mosquitto.port) as client:
        heard(consumer, client, {"out_temp": "7.3", "sun": "500"}, air_temp_c=7.3, irradiance_w_m2=500.0)
        until(lambda: (found := outdoors(consumer)) is not None and found.state == "stale")
        found = outdoors(consumer)
        assert found is not None
        assert (found.air_temp_c, found.irradiance_w_m2) == (None, None)
        assert "no good reading" in (found.reason or "")
        until(lambda: any("mqtt://" in (each.about or "") for each in consumer.newest(HealthMessage).troubles))  # type: ignore[union-attr]
        heard(consumer, client, {"out_temp": "7.9"}, air_temp_c=7.9, state="fresh")


def test_the_running_mean_of_the_days_that_were_kept_reaches_the_comfort_model(
    tmp_path: Path, mosquitto: Any, consumer: Consumer
) -> None:
    today = date.today()  # noqa: DTZ011 - the days are the device's local ones
    days = {(today - timedelta(before)).isoformat(): 11.0 for before in range(1, 10)}
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / FILE_NAME).write_text(json.dumps({"days": days, "today": today.isoformat()}))
    with running(tmp_path, mosquitto.port, table(mosquitto.port)):
        until(lambda: (found := outdoors(consumer)) is not None and found.running_mean_c == 11.0)
        until(lambda: consumer.newest(ComfortMessage).inputs.get("outdoor_temp_c") == 11.0)  # type: ignore[union-attr]
        adaptive = consumer.newest(ComfortMessage).adaptive  # type: ignore[union-attr]
        assert adaptive is not None
        # 0.33 × 11 + 18.8 = 22.4, −4…+3; the room has 23 °C.
        assert (adaptive.en_category, adaptive.en_low_c, adaptive.en_high_c) == ("I", 18.4, 25.4)
        assert (adaptive.ashrae_acceptability, adaptive.reason) == ("90 %", None)


def test_in_a_room_that_is_too_warm_the_window_is_the_first_advice_until_it_is_as_warm_outdoors(
    tmp_path: Path, mosquitto: Any, consumer: Consumer
) -> None:
    warm = ROOM.replace("air_temp=23", "air_temp=29")
    with (
        running(tmp_path, mosquitto.port, table(mosquitto.port), room=warm) as device,
        weather(mosquitto.port) as client,
    ):
        heard(consumer, client, {"out_temp": "20.0", "out_rh": "50"}, air_temp_c=20.0, humidity_pct=50.0)
        until(
            lambda: (
                (said := consumer.newest(ComfortMessage)) is not None
                and said.window == WindowItem(helps=True, why="cooler")
            )
        )
        assert consumer.newest(ComfortMessage).advice[0] == "open the window: it is cooler outdoors"  # type: ignore[union-attr]
        assert device.estimates()["room"].comfort.decision == "cooler"
        heard(consumer, client, {"out_temp": "30.0"}, air_temp_c=30.0)
        until(lambda: consumer.newest(ComfortMessage).window.helps is False)  # type: ignore[union-attr]


def test_without_the_table_there_is_no_weather_and_no_file(tmp_path: Path, mosquitto: Any, consumer: Consumer) -> None:
    with running(tmp_path, mosquitto.port, ""):
        until(lambda: (message := consumer.newest(ComfortMessage)) is not None and message.expected_vote is not None)
        assert outdoors(consumer) is None
    assert not (tmp_path / "state" / FILE_NAME).exists()


def test_the_sun_reaches_the_people_of_the_zone_that_says_so_and_nobody_else(
    tmp_path: Path, mosquitto: Any, consumer: Consumer
) -> None:
    # At the longitude where it is noon now, the sun stands in the south, whenever this runs.
    noon_at = (12.0 - (time.time() % 86400) / 3600.0) * 15.0
    text = f"[site]\nlatitude = 40\nlongitude = {noon_at:.2f}\n[[zones]]\nname = 'shade'\n[[zones]]\nname = 'desk'\n"
    text += "[zones.sun]\nwindow_azimuth_deg = 180\n[[zones]]\nname = 'north'\n[zones.sun]\nwindow_azimuth_deg = 0\n"
    rooms = "".join(ROOM.replace("fake://room", f"fake://{name}") + f"zone = '{name}'\n" for name in ZONES)
    with (
        running(tmp_path, mosquitto.port, text + table(mosquitto.port), room=rooms) as device,
        weather(mosquitto.port) as client,
    ):

        def radiant(zone: str) -> float | None:
            found = device.estimates().get(zone)
            return found.comfort.inputs.get("radiant_temp_c") if found else None

        def shines(irradiance: str) -> None:
            client.publish(f"{STATES}/sun/state", irradiance, qos=1)

        until(lambda: shines("600 W/m²") or (radiant("desk") and radiant("north")))
        assert radiant("shade") is None
        assert (radiant("north") or 0.0) > 23.5  # the light of the sky alone
        assert (radiant("desk") or 0.0) > (radiant("north") or 0.0) + 0.5  # and the beam
        until(lambda: (said := consumer.newest(ComfortMessage)) is not None and said.outdoors.irradiance_w_m2 == 600)  # type: ignore[union-attr]
        until(lambda: shines("0") or (device.estimates() and radiant("desk") is None and radiant("north") is None))
