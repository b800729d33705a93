"""The Modbus TCP server: bounded connections, whole frames or none, and only questions are answered.

It is written out here, since pymodbus's server (3.16) answers an unknown function with the code 0x80 instead of its
own, a wrong unit with a device failure and a traceback in the log, and only the first of two requests that come
together.
The frame of the header is that of "MODBUS Messaging on TCP/IP Implementation Guide" V1.0b (2006).
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from comfywear.buildings.readings import Board
from comfywear.buildings.registers import NO_SUCH_UNIT, Registers, answer, refusal
from comfywear.system.listening import listen
from comfywear.system.rate_limit import Bucket

__all__ = ["MOST_CONNECTIONS", "ModbusServer"]

_log = logging.getLogger(__name__)

MOST_CONNECTIONS = 128
"""When so many are open, the one that was silent longest makes room."""
MOST_PER_S = 500
"""Requests that are answered in a second, of all clients: who asks faster waits, and the device keeps its processor."""
FRAME_S = 10.0
"""The rest of a frame must come so long after its first bytes, and an answer be taken."""
SILENT_S = 900.0
"""A client that asks nothing for so long is let go."""
_TICK_S = 0.25
_HEADER = struct.Struct(">HHHB")
_LONGEST = 254  # unit, function and data: 260 bytes of a frame without the first six
# Anybody's, in place of a unit id: a server on TCP is found by its address.
_ANY_UNIT = (0, 255)


class ModbusServer:
    """Serves a board to readers; nothing can be written.

    Args:
        board: Where the values stand.
        zones: Names by number.
        host: The address to listen on.
        port: The port; 0 = any that is free.
        unit_id: Answers to this unit, 0 and 255.

    Attributes:
        port: On which it listens; None while it does not.
    """

    def __init__(self, board: Board, zones: Mapping[int, str], *, host: str, port: int, unit_id: int) -> None:
        self._board = board
        self._zones = zones
        self._host, self._wanted, self._units = host, port, (unit_id, *_ANY_UNIT)
        self._started_s = time.monotonic()
        self._bucket = Bucket(MOST_PER_S, MOST_PER_S)
        self._spoke_s: dict[asyncio.StreamWriter, float] = {}
        self.port: int | None = None

    def run(self, stop: threading.Event, beat: Callable[[], None]) -> None:
        """Serve until `stop` is set.

        Raises:
            ComfyWearError: When the port cannot be listened on.
        """
        with listen(self._host, self._wanted, "Modbus", "set modbus.host and modbus.port") as listener:
            self.port = listener.getsockname()[1]
            _log.info("Modbus TCP on %s port %d", self._host, self.port)
            try:
                asyncio.run(self._serve(listener, stop, beat))
            finally:
                self.port = None
                self._spoke_s.clear()

    async def _serve(self, listener: socket.socket, stop: threading.Event, beat: Callable[[], None]) -> None:
        server = await asyncio.start_server(self._talk, sock=listener, limit=2**12)
        try:
            while not stop.is_set():
                beat()
                await asyncio.sleep(_TICK_S)
        finally:
            server.close()
            for writer in list(self._spoke_s):
                writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; it ends with the first frame that is none."""
        self._make_room()
        self._spoke_s[writer] = time.monotonic()
        try:
            while (frame := await _frame(reader)) is not None:
                self._spoke_s[writer] = time.monotonic()
                while not self._bucket.take():
                    await asyncio.sleep(_TICK_S)
                writer.write(self._answer(*frame))
                await asyncio.wait_for(writer.drain(), FRAME_S)
        except (OSError, EOFError, asyncio.TimeoutError):
            pass  # it went, or says or takes nothing
        finally:
            self._spoke_s.pop(writer, None)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _make_room(self) -> None:
        while len(self._spoke_s) >= MOST_CONNECTIONS:
            silent = min(self._spoke_s, key=self._spoke_s.__getitem__)
            del self._spoke_s[silent]
            silent.transport.abort()

    def _answer(self, number: int, unit: int, request: bytes) -> bytes:
        now_s = time.monotonic()
        if unit in self._units:
            registers = Registers(
                self._zones, lambda zone: self._board.look(zone, now_s), now_s, now_s - self._started_s
            )
            said = answer(request, registers)
        else:
            said = refusal(request[0], NO_SUCH_UNIT)
        return _HEADER.pack(number, 0, len(said) + 1, unit) + said


async def _frame(reader: asyncio.StreamReader) -> tuple[int, int, bytes] | None:
    """The next request: its number, its unit, and what follows; None when the bytes are no Modbus frame."""
    first = await asyncio.wait_for(reader.readexactly(1), SILENT_S)
    head = first + await asyncio.wait_for(reader.readexactly(_HEADER.size - 1), FRAME_S)
    number, protocol, length, unit = _HEADER.unpack(head)
    if protocol != 0 or not 2 <= length <= _LONGEST:
        return None
    return number, unit, await asyncio.wait_for(reader.readexactly(length - 1), FRAME_S)
