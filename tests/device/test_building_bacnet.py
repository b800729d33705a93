"""What a BACnet client sees of a whole device: values, a sensor that falls silent, no camera, a restart."""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from comfywear import settings as settings_file
from comfywear.device.device import Device
from comfywear_sensors.pty_replay import PtyReplay
from ports import free_port
from waiting import until

pytest.importorskip("bacpypes3", reason="needs the extra bacnet")

from bacnet_client import Client
from bacnet_client import until as soon
from bacpypes3.primitivedata import ObjectIdentifier

LINES = ["Humidity: 45.20 %\tTemperature: 23.10 *C 73.58 *F\tHeat index: 22.8 *C 73.0 *F"]
AIR, PEOPLE, OCCUPIED, VOTE = "analog-input,101", "analog-input,104", "binary-input,105", "analog-input,106"
ON = "[bacnet]\nenabled = true\nport = {}\n"


@contextmanager
def running(folder: Path, text: str) -> Iterator[Device]:
    path = folder / "device.toml"
    path.write_text(f"[device]\nid = 'd1'\nstate_dir = '{folder / 'state'}'\n[mqtt]\nhost = ''\n{text}")
    with Device(settings_file.load(path)) as device:
        yield device


def port_of(device: Device) -> int:
    assert device.building.bacnet is not None
    return until(lambda: device.building.bacnet and device.building.bacnet.port) or 0


async def good(client: Client, object_: str) -> bool:
    value, reliability, flags, _ = await client.see(object_)
    return reliability == "no-fault-detected" and flags == "" and not math.isnan(value)


def test_a_sensor_is_read_and_goes_stale_and_comes_back(tmp_path: Path) -> None:
    with PtyReplay(LINES, interval_s=0.1) as sensor:
        sensor.start()
        text = (
            f"{ON.format(0)}[climate]\nstale_after_s = 1.0\n[[sensors]]\nuri = 'serial://{sensor.path}?simulated=1'\n"
        )

        async def ask(port: int) -> None:
            async with Client(port) as client:
                await soon(lambda: good(client, VOTE))
                assert await client.read(AIR) == pytest.approx(23.1)
                assert (await client.see("analog-input,103"))[2:] == ("out-of-service", True)
                sensor.unplug()

                async def stale(object_: str) -> bool:
                    value, reliability, flags, _ = await client.see(object_)
                    return math.isnan(value) and (reliability, flags) == ("communication-failure", "fault")

                await soon(lambda: stale(AIR))
                await soon(lambda: stale(VOTE))
                sensor.replug()
                await soon(lambda: good(client, AIR))
                assert await client.read(AIR) == pytest.approx(23.1)

        with running(tmp_path, text) as device:
            asyncio.run(ask(port_of(device)))


def test_a_camera_that_is_gone_leaves_the_count_unknown_and_the_air_good(tmp_path: Path) -> None:
    async def ask(port: int) -> None:
        async with Client(port) as client:
            await soon(lambda: good(client, AIR))
            for object_ in (PEOPLE, OCCUPIED):

                async def gone(object_: str = object_) -> bool:
                    return (await client.see(object_))[1:] == ("no-sensor", "fault", False)

                await soon(gone)
            assert math.isnan(await client.read(PEOPLE))

    text = f"{ON.format(0)}[camera]\nsource = '{tmp_path / 'no.jpg'}'\n[[sensors]]\nuri = 'fake://'\n"
    with running(tmp_path, text) as device:
        asyncio.run(ask(port_of(device)))


def test_after_a_restart_the_objects_are_the_same_and_a_new_subscription_is_told(tmp_path: Path) -> None:
    zones = "[[zones]]\nname = 'desk'\n[[zones]]\nname = 'door'\nnumber = 12\n"
    text = f"{ON.format(free_port(socket.SOCK_DGRAM))}{zones}[[sensors]]\nuri = 'fake://'\n"

    async def look(port: int) -> list[str]:
        async with Client(port) as client:
            await soon(lambda: good(client, AIR))
            subscribing = client.app.change_of_value(client.server, ObjectIdentifier(AIR), lifetime=300)
            async with subscribing as scm:
                _, value = await asyncio.wait_for(scm.get_value(), 90)
                assert not math.isnan(value)
            return [str(each) for each in await client.read("device,100001", "object-list")]

    seen = []
    for _ in range(2):
        with running(tmp_path, text) as device:
            seen.append(asyncio.run(look(port_of(device))))
    assert seen[0] == seen[1]
    assert "multi-state-input,1207" in seen[0]


def test_without_the_package_it_is_a_trouble_and_the_device_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "comfywear.buildings.bacnet_stack", None)
    with running(tmp_path, f"{ON.format(0)}[[sensors]]\nuri = 'fake://'\n") as device:
        said = until(lambda: [each for each in device.watch.book.now() if each.about == "bacnet"])
        assert "pip install 'comfywear[bacnet]'" in said[0].reason
        until(lambda: device.estimates() and device.estimates()["room"].climate.state == "fresh")
