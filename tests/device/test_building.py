"""What building management sees of a whole device: values, a sensor that falls silent, no camera, a restart."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, final

import pytest
from boards import served

from comfywear import settings as settings_file
from comfywear.buildings.points import POINTS
from comfywear.buildings.readings import Validity
from comfywear.buildings.registers import NEVER, address_of
from comfywear.device.building import Building
from comfywear.device.device import Device
from comfywear.device.sight.vision_worker import Sight
from comfywear.records import Climate, Clothing, Comfort, Occupancy, Preferred, ZoneEstimate, ZoneSetpoint
from comfywear.settings.building import ModbusSettings
from comfywear_sensors.pty_replay import PtyReplay
from waiting import until

modbus = pytest.importorskip("pymodbus.client", reason="needs the extra modbus")

LINES = ["Humidity: 45.20 %\tTemperature: 23.10 *C 73.58 *F\tHeat index: 22.8 *C 73.0 *F"]
LIKED = ZoneSetpoint(Preferred(21.8), 21.5, "as they like it", heating=True)
NUMBERS = {point.name: point.number for point in POINTS}


class Seen(NamedTuple):
    value: float
    validity: Validity
    age_s: int


@contextmanager
def running(folder: Path, text: str) -> Iterator[Device]:
    path = folder / "device.toml"
    path.write_text(f"[device]\nid = 'd1'\nstate_dir = '{folder / 'state'}'\n[mqtt]\nhost = ''\n{text}")
    with Device(settings_file.load(path)) as device:
        yield device


@final
class Client:
    """pymodbus's client; connects anew when the device was away."""

    def __init__(self, building: Building) -> None:
        assert building.modbus is not None
        port = until(lambda: building.modbus and building.modbus.port)
        self._line = modbus.ModbusTcpClient("127.0.0.1", port=port, timeout=60)
        assert self._line.connect()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()

    def read(self, address: int, count: int) -> list[int]:
        found = self._line.read_input_registers(address, count=count, device_id=1)
        assert not found.isError(), found
        return list(found.registers)

    def see(self, name: str, zone: int = 1) -> Seen:
        *value, validity, age_s = self.read(address_of(zone, NUMBERS[name]), 4)
        number = self._line.convert_from_registers(value, self._line.DATATYPE.FLOAT32)
        return Seen(number, Validity(validity), age_s)

    def up_s(self) -> int:
        high, low = self.read(4, 2)
        return (high << 16) + low


def is_good(client: Client, name: str) -> bool:
    return client.see(name).validity is Validity.GOOD


def test_a_sensor_is_read_and_goes_stale_and_comes_back(tmp_path: Path) -> None:
    with PtyReplay(LINES, interval_s=0.1) as sensor:
        sensor.start()
        text = (
            "[modbus]\nenabled = true\nport = 0\n[climate]\nstale_after_s = 1.0\n"
            f"[[sensors]]\nuri = 'serial://{sensor.path}?simulated=1'\n"
        )
        with running(tmp_path, text) as device, Client(device.building) as client:
            until(lambda: is_good(client, "expected-vote"))
            air, damp = client.see("air-temperature"), client.see("humidity")
            assert (air.value, damp.value) == pytest.approx((23.1, 45.2), abs=1e-5)
            assert air.age_s < NEVER
            assert client.see("comfort-level").value in range(1, 6)
            until(lambda: is_good(client, "preferred-temperature"))
            assert 15.0 < client.see("preferred-temperature").value < 30.0
            assert client.see("co2").validity is Validity.UNUSED
            assert client.see("people").validity is Validity.UNUSED
            sensor.unplug()
            until(lambda: client.see("air-temperature").validity is Validity.STALE)
            assert math.isnan(client.see("air-temperature").value)
            until(lambda: client.see("expected-vote").validity is Validity.STALE)
            until(lambda: client.see("preferred-temperature").validity is Validity.STALE)
            sensor.replug()
            until(lambda: is_good(client, "air-temperature"))
            assert client.see("air-temperature").value == pytest.approx(23.1, abs=1e-5)


def test_a_camera_that_is_gone_leaves_the_count_unknown_and_the_air_good(tmp_path: Path) -> None:
    text = f"[modbus]\nenabled = true\nport = 0\n[camera]\nsource = '{tmp_path / 'no.jpg'}'\n"
    with running(tmp_path, text + "[[sensors]]\nuri = 'fake://'\n") as device, Client(device.building) as client:
        until(lambda: is_good(client, "air-temperature"))
        until(lambda: client.see("people").validity is Validity.GONE)
        for name in ("people", "occupied"):
            found = client.see(name)
            assert math.isnan(found.value)
            assert found.age_s == NEVER


def test_a_camera_that_goes_takes_the_count_with_it_and_brings_it_back(tmp_path: Path) -> None:
    settings = settings_file.Settings(modbus=ModbusSettings(enabled=True, port=0))
    building = Building(settings, lambda _: LIKED)
    assert building.modbus is not None
    clothing, climate = Clothing(0.7, 0.2), Climate("room", "fresh", 22.0, 40.0, age_s=1.0)
    comfort = Comfort((), 0.2, {}, 6.0, 0.2, 5, 0.5, None, "m", {})
    estimates = {"room": ZoneEstimate(climate, (), clothing, comfort)}
    two = Sight({}, None, present={"room": 2}, occupied={"room": Occupancy("occupied", 2, 0.0)})
    gone = Sight({}, None, unseen={"room": "the cable of the camera there is out"})  # another zone's is well
    moment = itertools.count(time.monotonic())
    with served(building.modbus.run), Client(building) as client:
        for sight, people, occupied in ((two, 2.0, 1.0), (gone, None, None), (two, 2.0, 1.0)):
            building.tick(next(moment), estimates, sight, sight.missing)
            for name, value in (("people", people), ("occupied", occupied)):
                found = client.see(name)
                if value is None:
                    assert (math.isnan(found.value), found.validity) == (True, Validity.GONE)
                else:
                    assert (found.value, found.validity) == (value, Validity.GOOD)
            assert client.see("air-temperature").value == 22.0
            assert client.see("preferred-temperature").value == pytest.approx(21.8)
            assert client.see("setpoint").value == pytest.approx(21.5)


def test_after_a_restart_the_same_registers_say_the_same_and_the_clock_starts_anew(tmp_path: Path) -> None:
    zones = "[[zones]]\nname = 'desk'\n[[zones]]\nname = 'door'\nnumber = 12\n"
    text = f"[modbus]\nenabled = true\nport = 0\n{zones}[[sensors]]\nuri = 'fake://'\n"
    with running(tmp_path, text) as device, Client(device.building) as client:
        until(lambda: is_good(client, "air-temperature"))
        assert client.read(1, 1) == [2]
        assert client.read(1200, 1) == [12]
        before = until(lambda: client.up_s())
    with running(tmp_path, text) as device, Client(device.building) as client:
        assert client.up_s() <= before
        until(lambda: is_good(client, "air-temperature"))
        assert client.read(1200, 1) == [12]


def test_a_port_that_is_taken_is_a_trouble_and_the_device_goes_on(tmp_path: Path) -> None:
    with running(tmp_path, "[modbus]\nenabled = true\nport = 0\n[[sensors]]\nuri = 'fake://'\n") as first:
        assert first.building.modbus is not None
        port = until(lambda: first.building.modbus and first.building.modbus.port)
        other = tmp_path / "other"
        other.mkdir()
        with running(other, f"[modbus]\nenabled = true\nport = {port}\n[[sensors]]\nuri = 'fake://'\n") as second:
            said = until(lambda: [each for each in second.watch.book.now() if each.about == "modbus"])
            assert "another program, or another comfywear, listens there" in said[0].reason
            until(lambda: second.estimates() and second.estimates()["room"].climate.state == "fresh")
            assert second.health()["comfort"].state == "running"


def test_nothing_listens_unless_it_is_switched_on(tmp_path: Path) -> None:
    with running(tmp_path, "") as device:
        assert device.building.modbus is None
        assert "modbus" not in device.health()
