"""Devices at the far end of a pty: one that follows a script, and pymodbus's own slave behind a cable."""

from __future__ import annotations

import asyncio
import os
import select
import threading
import tty
from collections.abc import Callable
from contextlib import suppress
from typing import final

from pymodbus import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice


@final
class ScriptedDevice:
    """Answers each request of 8 bytes (a Modbus RTU read) with what `answer` returns."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self.requests: list[bytes] = []
        self.answer = answer
        self._device, self._port = os.openpty()
        tty.setraw(self._port)
        self.path = os.ttyname(self._port)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        data = b""
        while not self._stop.is_set():
            if not select.select([self._device], [], [], 0.02)[0]:
                continue
            with suppress(OSError):
                data += os.read(self._device, 256)
            while len(data) >= 8:
                request, data = data[:8], data[8:]
                self.requests.append(request)
                os.write(self._device, self.answer(request))

    def unplug(self) -> None:
        self._stop.set()
        self._thread.join()
        for end in (self._device, self._port):
            with suppress(OSError):
                os.close(end)

    def __enter__(self) -> ScriptedDevice:
        return self

    def __exit__(self, *error: object) -> None:
        self.unplug()


class Cable:
    """Two ptys whose far ends are joined; `mangle` may change what goes towards `path`."""

    def __init__(self) -> None:
        self.mangle: Callable[[bytes], bytes] = lambda data: data
        self._pairs = [os.openpty(), os.openpty()]
        for _, port in self._pairs:
            tty.setraw(port)
        self.path, self.slave_path = (os.ttyname(port) for _, port in self._pairs)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._carry)
        self._thread.start()

    def _carry(self) -> None:
        ours, theirs = (device for device, _ in self._pairs)
        while not self._stop.is_set():
            for end in select.select([ours, theirs], [], [], 0.02)[0]:
                data = os.read(end, 256)
                os.write(theirs if end == ours else ours, data if end == ours else self.mangle(data))

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        for pair in self._pairs:
            for end in pair:
                os.close(end)


def sensor(device: int, temperature: int, humidity: int, first: int = 1) -> SimDevice:
    """A slave with two input registers (and nothing else)."""
    inputs = [SimData(first, values=[temperature, humidity], datatype=DataType.REGISTERS)]
    holding = [SimData(100, values=[0x41C4, 0x0000], datatype=DataType.REGISTERS)]  # 24.5 as float32 ABCD
    nothing = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    return SimDevice(device, simdata=(nothing, nothing, holding, inputs))


class Slaves:
    """pymodbus's server in a thread of its own, over TCP or on a serial port."""

    def __init__(self, devices: list[SimDevice], port: str | None = None) -> None:
        self._devices = devices
        self._serial = port
        self.tcp_port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(60)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        if self._serial:
            self._server = ModbusSerialServer(
                self._devices, framer=FramerType.RTU, port=self._serial, baudrate=9600, ignore_missing_devices=True
            )
        else:
            self._server = ModbusTcpServer(self._devices, address=("127.0.0.1", 0), ignore_missing_devices=True)
        serving = asyncio.ensure_future(self._server.serve_forever())
        while not self._server.transport and not serving.done():
            await asyncio.sleep(0.01)
        if not self._serial:
            self.tcp_port = self._server.transport.sockets[0].getsockname()[1]
        self._ready.set()
        with suppress(asyncio.CancelledError):
            await serving

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._server.shutdown(), self._loop).result(10.0)
        self._thread.join(60)
