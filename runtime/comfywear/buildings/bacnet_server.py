"""The BACnet/IP server: a device with the objects of its zones, on one socket, in one thread."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from comfywear.buildings.bacnet_objects import ObjectPlan, Shown, plan, shown
from comfywear.buildings.readings import Board
from comfywear.errors import ComfyWearError
from comfywear.system.listening import listen

if TYPE_CHECKING:
    from comfywear.buildings.bacnet_stack import BuildingApplication

__all__ = ["MISSING", "BacnetServer"]

_log = logging.getLogger(__name__)

MISSING = "BACnet needs the package bacpypes3: pip install 'comfywear[bacnet]'"
_TICK_S = 0.25


class BacnetServer:
    """Serves a board to readers and subscribers; nothing can be written.

    Args:
        board: Where the values stand.
        zones: Names by number.
        host: The address to listen on; with the prefix of its network, such as 192.0.2.7/24, it is found by broadcast.
        port: The port; 0 = any that is free.
        instance: The device's number.
        name: The device's name.
        location: Where it is.
        version: Of the software.

    Attributes:
        port: On which it listens; None while it does not.
    """

    def __init__(
        self,
        board: Board,
        zones: Mapping[int, str],
        *,
        host: str,
        port: int,
        instance: int,
        name: str,
        location: str,
        version: str,
    ) -> None:
        self._board = board
        self._zones = zones
        self._host, _, self._prefix = host.partition("/")
        self._wanted = port
        self._instance, self._name, self._location, self._version = instance, name, location, version
        self.port: int | None = None

    def run(self, stop: threading.Event, beat: Callable[[], None]) -> None:
        """Serve until `stop` is set.

        Raises:
            ComfyWearError: When the package is missing, or the port cannot be listened on.
        """
        try:
            import comfywear.buildings.bacnet_stack  # noqa: F401 - a second, and 20 MB, where it is switched on alone
        except ImportError as error:
            raise ComfyWearError(MISSING) from error
        with listen(self._host, self._wanted, "BACnet", "set bacnet.host and bacnet.port", datagrams=True) as own:
            own.setblocking(False)
            port = own.getsockname()[1]
            _log.info("BACnet/IP on %s port %d as device %d", self._host, port, self._instance)
            try:
                asyncio.run(self._serve(own, port, stop, beat))
            finally:
                self.port = None

    async def _serve(self, own: socket.socket, port: int, stop: threading.Event, beat: Callable[[], None]) -> None:
        from bacpypes3.pdu import IPv4Address

        from comfywear.buildings.bacnet_stack import BuildingApplication, make_device, make_object

        try:
            address = IPv4Address(f"{self._host}{f'/{self._prefix}' if self._prefix else ''}:{port}")
        except ValueError as error:
            raise ComfyWearError(f"bacnet.host: {self._host}/{self._prefix} is no address ({error})") from error
        device = make_device(self._instance, self._name, location=self._location, version=self._version)
        app = BuildingApplication(device, address, own)
        showing: dict[str, Any] = {}
        newest: dict[str, Shown] = {}
        for planned, now in self._plans():
            made = make_object(planned, now)
            app.add_object(made)
            newest[planned.name], showing[planned.name] = now, made
        app.say_hello()
        self.port = port
        try:
            while not stop.is_set():
                beat()
                await asyncio.sleep(_TICK_S)
                self._show(app, showing, newest)
        finally:
            app.close()

    def _plans(self) -> list[tuple[ObjectPlan, Shown]]:
        now_s = time.monotonic()
        found = {zone: self._board.look(zone, now_s) for zone in self._zones.values()}
        return [(each, shown(each.point, found[each.zone][each.point.name])) for each in plan(self._zones)]

    def _show(self, app: BuildingApplication, showing: Mapping[str, Any], newest: dict[str, Shown]) -> None:
        """Give the objects what is new."""
        for planned, now in self._plans():
            # By their texts: a value that is none is not even equal to itself.
            if repr(now) != repr(newest[planned.name]):
                newest[planned.name] = now
                app.show(showing[planned.name], now)
