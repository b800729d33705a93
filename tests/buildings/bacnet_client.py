"""bacpypes3's own client on the loopback address, as building management would ask."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, final

from bacpypes3.app import Application
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.networkport import NetworkPortObject
from bacpypes3.pdu import Address

from ports import free_port

PATIENCE_S = 90.0


@final
class Client:
    """Asks the device at a port; to be used within a running loop."""

    def __init__(self, port: int, number: int = 900) -> None:
        self.server = Address(f"127.0.0.1:{port}")
        me = DeviceObject(objectIdentifier=("device", number), objectName="client", vendorIdentifier=999)
        wire = NetworkPortObject(
            f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}", objectIdentifier=("network-port", 1), objectName="wire"
        )
        self.app = Application.from_object_list([me, wire])

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.app.close()

    async def read(self, object_: str, property_: str = "present-value") -> Any:
        return await self.app.read_property(self.server, object_, property_)

    async def see(self, object_: str) -> tuple[Any, str, str, bool]:
        """Value, reliability, status flags, out of service."""
        found = [
            await self.read(object_, each)
            for each in ("present-value", "reliability", "status-flags", "out-of-service")
        ]
        return found[0], str(found[1]), str(found[2]), bool(found[3])


async def until(condition: Callable[[], Any], seconds: float = PATIENCE_S) -> Any:
    """As `waiting.until`, within a loop; `condition` may be a coroutine function."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert asyncio.get_running_loop().time() < deadline, f"it did not come true in {seconds:.0f} s"
        await asyncio.sleep(0.05)
