"""`comfywear bench building`: many clients of Modbus and BACnet at one device, what they get and what it costs.

Each client of Modbus (pymodbus) reads a whole zone every so often; each of BACnet (bacpypes3) reads what its objects
say now together and is subscribed to two of them. The device is a child process with a sensor and no camera. All
clients share one process, so that the times are theirs rather than the device's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comfywear.bench.device import table
from comfywear.buildings.points import POINTS
from comfywear.buildings.registers import ZONE_SIZE, address_of
from comfywear.errors import ComfyWearError
from comfywear.system.arguments import seconds, whole
from comfywear.system.process import rss_mb
from comfywear_sensors.pty_replay import PtyReplay

_START_S = 60.0
_WARM_S = 10.0
_SUBSCRIBED = (101, 102)
# A room that warms and cools by 4 K within two minutes, so that subscribers have something to hear of.
_LINES = [f"Humidity: 45.0 %\tTemperature: {22 + abs(step - 60) / 15:.2f} *C" for step in range(120)]
_WHO_IS = bytes.fromhex("810a000801001008")


@dataclass
class _Side:
    """What the clients of a protocol got; times in seconds."""

    took_s: list[float] = field(default_factory=list)
    wrong: int = 0
    failed: int = 0
    told: int = 0

    def figures(self, name: str) -> dict[str, Any]:
        times = sorted(self.took_s) or [math.nan]
        return {
            f"{name}_answered": len(self.took_s),
            f"{name}_wrong": self.wrong,
            f"{name}_failed": self.failed,
            f"{name}_median_ms": round(1000 * statistics.median(times), 1),
            f"{name}_p99_ms": round(1000 * times[int(0.99 * (len(times) - 1))], 1),
            f"{name}_longest_ms": round(1000 * times[-1], 1),
        }


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `building`."""
    parser = commands.add_parser("building", help="many clients of Modbus and BACnet at one device")
    parser.add_argument("--clients", type=whole(1, 1000), default=50, metavar="N", help="of each protocol (default 50)")
    parser.add_argument("--seconds", type=seconds, default=600.0, metavar="S", help="how long (default 600)")
    parser.add_argument("--every", type=seconds, default=1.0, metavar="S", help="a client asks so often (default 1)")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print; returns 0, or 1 when an answer failed or was wrong.

    Raises:
        ComfyWearError: When the device does not start, or an extra is missing.
    """
    try:
        import bacpypes3  # noqa: F401
        import pymodbus  # noqa: F401
    except ImportError as error:
        raise ComfyWearError("this needs both extras: pip install 'comfywear[modbus,bacnet]'") from error
    modbus_port, bacnet_port = _free(socket.SOCK_STREAM), _free(socket.SOCK_DGRAM)
    with PtyReplay(_LINES) as sensor, tempfile.TemporaryDirectory(prefix="comfywear-bench-") as name:
        sensor.start()
        config = Path(name) / "device.toml"
        config.write_text(
            f"[device]\nid = 'bench'\nstate_dir = '{name}/state'\n[mqtt]\nhost = ''\n"
            f"[[sensors]]\nuri = 'serial://{sensor.path}?simulated=1'\n"
            f"[modbus]\nenabled = true\nport = {modbus_port}\n[bacnet]\nenabled = true\nport = {bacnet_port}\n"
        )
        device = subprocess.Popen([sys.executable, "-m", "comfywear.cli", "run", "--config", str(config)])
        try:
            figures = asyncio.run(_measure(args, device.pid, modbus_port, bacnet_port))
        finally:
            device.terminate()
            ended = device.wait(30)
    figures["device_exit_code"] = ended
    print(json.dumps(figures) if args.json else table(figures))
    return int(any(figures[f"{name}_{what}"] for name in ("modbus", "bacnet") for what in ("wrong", "failed")))


async def _measure(args: argparse.Namespace, pid: int, modbus_port: int, bacnet_port: int) -> dict[str, Any]:
    modbus, bacnet = _Side(), _Side()
    await _started(modbus_port, bacnet_port)
    idle_mb, before_s, began_s = rss_mb(pid), _cpu_s(pid), time.monotonic()
    until_s = began_s + args.seconds
    tasks = [
        asyncio.create_task(client(number, port, side, args.every, until_s))
        for client, port, side in ((_modbus, modbus_port, modbus), (_bacnet, bacnet_port, bacnet))
        for number in range(args.clients)
    ]
    await asyncio.sleep(min(_WARM_S, args.seconds))
    warm_mb = rss_mb(pid)
    await asyncio.gather(*tasks)
    took_s = time.monotonic() - began_s
    return {
        "clients_of_each": args.clients,
        "seconds": round(took_s),
        **modbus.figures("modbus"),
        **bacnet.figures("bacnet"),
        "bacnet_notifications": bacnet.told,
        "device_cpu_share": round((_cpu_s(pid) - before_s) / took_s, 3),
        "device_idle_mb": _rounded(idle_mb),
        f"device_after_{_WARM_S:.0f}_s_mb": _rounded(warm_mb),
        "device_at_the_end_mb": _rounded(rss_mb(pid)),
        "processors": os.cpu_count(),
    }


async def _repeat(ask: Callable[[], Awaitable[bool]], side: _Side, every_s: float, until_s: float) -> None:
    """Ask now and then; a right answer, a wrong one and none are counted."""
    while (now_s := time.monotonic()) < until_s:
        try:
            right = await asyncio.wait_for(ask(), 30.0)
            side.took_s.append(time.monotonic() - now_s)
            side.wrong += not right
        except asyncio.CancelledError:
            raise
        except BaseException:  # bacpypes3's refusals are no Exception; whatever it is, there was no answer
            side.failed += 1
        await asyncio.sleep(max(0.0, now_s + every_s - time.monotonic()))


async def _modbus(number: int, port: int, side: _Side, every_s: float, until_s: float) -> None:
    from pymodbus.client import AsyncModbusTcpClient

    await asyncio.sleep(every_s * (number % 50) / 50)  # not all at once
    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=20)
    await client.connect()

    async def ask() -> bool:
        found = await client.read_input_registers(ZONE_SIZE, count=ZONE_SIZE, device_id=1)
        place = address_of(0, POINTS[0].number)
        air_temp_c: Any = client.convert_from_registers(found.registers[place : place + 2], client.DATATYPE.FLOAT32)
        return found.registers[0] == 1 and found.registers[place + 2] == 1 and -10.0 < air_temp_c < 50.0

    try:
        await _repeat(ask, side, every_s, until_s)
    finally:
        client.close()


async def _bacnet(number: int, port: int, side: _Side, every_s: float, until_s: float) -> None:
    from bacpypes3.app import Application
    from bacpypes3.local.device import DeviceObject
    from bacpypes3.local.networkport import NetworkPortObject
    from bacpypes3.pdu import Address
    from bacpypes3.primitivedata import ObjectIdentifier

    await asyncio.sleep(every_s * (number % 50) / 50)
    me = DeviceObject(objectIdentifier=("device", 1000 + number), objectName=f"client {number}", vendorIdentifier=999)
    me.apduTimeout = 10_000  # ms: fifty clients in one process are slower than one
    here = f"127.0.0.1:{_free(socket.SOCK_DGRAM)}"
    wire = NetworkPortObject(here, objectIdentifier=("network-port", 1), objectName="wire")
    app = Application.from_object_list([me, wire])
    server = Address(f"127.0.0.1:{port}")
    objects = [f"analog-input,{100 + point.number}" for point in POINTS if point.kind == "analog"]
    wanted = [part for each in objects for part in (each, ["present-value", "status-flags"])]

    async def ask() -> bool:
        found = await app.read_property_multiple(server, wanted)
        return len(found) == 2 * len(objects) and -10.0 < float(found[0][3]) < 50.0

    async def hear(instance: int) -> None:
        identifier = ObjectIdentifier(("analog-input", instance))
        async with app.change_of_value(server, identifier, lifetime=600) as subscription:
            while True:
                what, _ = await subscription.get_value()
                side.told += str(what) == "present-value"

    hearing = [asyncio.create_task(hear(instance)) for instance in _SUBSCRIBED]
    try:
        await _repeat(ask, side, every_s, until_s)
        side.failed += sum(each.done() for each in hearing)
    finally:
        for each in hearing:
            each.cancel()
        await asyncio.gather(*hearing, return_exceptions=True)
        app.close()


async def _started(modbus_port: int, bacnet_port: int) -> None:
    """The device serves good values over both."""
    deadline = time.monotonic() + _START_S
    for serves, port in ((_serves_modbus, modbus_port), (_serves_bacnet, bacnet_port)):
        while not await serves(port):
            if time.monotonic() > deadline:
                raise ComfyWearError(f"the device served no air temperature within {_START_S:.0f} s")
            await asyncio.sleep(0.2)


async def _serves_modbus(port: int) -> bool:
    from pymodbus.client import AsyncModbusTcpClient

    with suppress(OSError):
        async with AsyncModbusTcpClient("127.0.0.1", port=port, timeout=5, retries=0) as client:
            if client.connected:
                found = await client.read_input_registers(address_of(1, POINTS[0].number) + 2, count=1, device_id=1)
                return not found.isError() and found.registers[0] == 1
    return False


async def _serves_bacnet(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.setblocking(False)
        probe.connect(("127.0.0.1", port))
        probe.send(_WHO_IS)
        await asyncio.sleep(0.2)
        return len(probe.recv(100)) > 0
    return False


def _free(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _cpu_s(pid: int) -> float:
    """Processor time of a process so far, s."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
