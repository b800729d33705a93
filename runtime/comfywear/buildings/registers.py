"""The Modbus register map, and how a request is answered from it. Pure: bytes in, bytes out.

MODBUS Application Protocol Specification V1.1b3 (2012): functions 3 and 4 read the same registers; every other function
is refused with the exception 1 (illegal function), so that nothing can be written. A value is an IEEE 754 float of 32
bits, high word first, NaN where there is none.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from typing import NamedTuple

from comfywear.buildings.points import POINTS
from comfywear.buildings.readings import Reading

__all__ = [
    "HEADER",
    "MAP_VERSION",
    "NEVER",
    "OLDEST",
    "POINT_SIZE",
    "ZONE_SIZE",
    "Registers",
    "address_of",
    "answer",
    "refusal",
]

MAP_VERSION = 1
ZONE_SIZE, POINT_SIZE = 100, 4
MOST_AT_ONCE = 125
NEVER, OLDEST = 65535, 65534
"""Ages: never heard, and so old or older, in seconds."""

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, NO_SUCH_UNIT = 1, 2, 3, 0x0B

HEADER = (
    (0, "map", "Version of this map: 1."),
    (1, "zones", "Number of zones."),
    (2, "points", "Number of points of a zone."),
    (3, "zone size", "Registers of a zone: 100."),
    (4, "up, high word", "Seconds since this server started, 32 bits: falls back to 0 when the device starts again."),
    (5, "up, low word", "The rest of it."),
)
_HEADER_SIZE = 10


class Registers(NamedTuple):
    """What the registers are made of.

    Attributes:
        zones: Names by number.
        look: The readings of a zone by the points' names.
        now_s: Monotonic seconds.
        up_s: Seconds since the server started.
    """

    zones: Mapping[int, str]
    look: Callable[[str], Mapping[str, Reading]]
    now_s: float
    up_s: float

    def read(self, address: int, count: int) -> list[int] | None:
        """`count` registers from `address` on; None when one of them is in no block."""
        found: list[int] = []
        while len(found) < count:
            place = address + len(found)
            block, inside = divmod(place, ZONE_SIZE)
            content = self._block(block)
            if inside >= len(content):
                return None
            found += content[inside : inside + count - len(found)]
        return found

    def _block(self, number: int) -> list[int]:
        """The registers of a zone by its number, or of the header (0); none where there is no such zone."""
        if number == 0:
            up_s = int(self.up_s) & 0xFFFFFFFF
            head = [MAP_VERSION, len(self.zones), len(POINTS), ZONE_SIZE, up_s >> 16, up_s & 0xFFFF]
            return head + [0] * (_HEADER_SIZE - len(head))
        if number not in self.zones:
            return []
        block = [0] * ZONE_SIZE
        block[0], block[1] = number, len(POINTS)
        readings = self.look(self.zones[number])
        for point in POINTS:
            place = POINT_SIZE * point.number
            block[place : place + POINT_SIZE] = _point(readings[point.name], self.now_s)
        return block


def _point(reading: Reading, now_s: float) -> tuple[int, int, int, int]:
    high, low = struct.unpack(">HH", struct.pack(">f", math.nan if reading.value is None else reading.value))
    age_s = reading.age_s(now_s)
    return high, low, int(reading.validity), NEVER if age_s is None else min(int(age_s), OLDEST)


def address_of(zone: int, point: int) -> int:
    """The first of a point's four registers, counted from 0 as in the protocol."""
    return ZONE_SIZE * zone + POINT_SIZE * point


def answer(request: bytes, registers: Registers) -> bytes:
    """The answer to a request, both from the function code on; a request that is not understood is refused."""
    if not request:
        return refusal(0, ILLEGAL_FUNCTION)
    function = request[0]
    if function not in (3, 4):
        return refusal(function, ILLEGAL_FUNCTION)
    if len(request) != 5:
        return refusal(function, ILLEGAL_VALUE)
    address, count = struct.unpack(">HH", request[1:])
    if not 1 <= count <= MOST_AT_ONCE:
        return refusal(function, ILLEGAL_VALUE)
    found = registers.read(address, count)
    if found is None:
        return refusal(function, ILLEGAL_ADDRESS)
    return struct.pack(f">BB{count}H", function, 2 * count, *found)


def refusal(function: int, code: int) -> bytes:
    """An exception response."""
    return bytes([(function & 0x7F) | 0x80, code])
