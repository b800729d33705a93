"""Modbus registers that hold measurements: where they are, and what their bits mean."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from comfywear_sensors.errors import BadSensorURI, NotAReading
from comfywear_sensors.texts import Text

ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")
"""Byte orders as vendors write them: A is the most significant byte of 32 bits; 16 bits are AB or BA."""

# Type → (struct format, registers); sign10000 is KinCony's: 10000 + magnitude for negative values.
_TYPES = {
    "int16": (">h", 1),
    "uint16": (">H", 1),
    "sign10000": (">H", 1),
    "int32": (">i", 2),
    "uint32": (">I", 2),
    "float32": (">f", 2),
}
_PLACE = re.compile(
    r"(input|holding):(\d{1,5}|0x[0-9a-fA-F]{1,4})(?::([a-z0-9]+))?(?::([-+.\deE]+))?(?::([-+.\deE]+))?"
)

# XY-MD02: input registers 1 and 2, tenths, signed (its manual's frames). KinCony SHT30: input registers 0 and 1,
# tenths, negative temperatures as 10000 + magnitude (kincony.com, TS Modbus protocol).
PRESETS: Mapping[str, Mapping[str, str]] = {
    "xy-md02": {"temperature": "input:1:int16:0.1", "humidity": "input:2:uint16:0.1"},
    "kincony-sht30": {"temperature": "input:0:sign10000:0.1", "humidity": "input:1:uint16:0.1"},
}


@dataclass(frozen=True, slots=True)
class Register:
    """A number in one or two registers: raw × `scale` + `offset` in the quantity's unit.

    Attributes:
        table: "input" (function 4) or "holding" (function 3).
        address: As in the frame, from 0.
        kind: int16, uint16, sign10000, int32, uint32 or float32.
        scale: Such as 0.1 for tenths.
        offset: Added after scaling.
        order: One of `ORDERS`.
    """

    table: str
    address: int
    kind: str = "int16"
    scale: float = 1.0
    offset: float = 0.0
    order: str = "ABCD"

    @property
    def count(self) -> int:
        """How many registers it takes."""
        return _TYPES[self.kind][1]

    def decode(self, words: Sequence[int]) -> float:
        """The value of `count` register contents of 0…65535; `NotAReading` when it is no finite number."""
        if len(words) != self.count or not all(0 <= word <= 0xFFFF for word in words):
            raise NotAReading(
                Text(
                    "{table} register {address}: {words} registers came, not {count}",
                    table=self.table,
                    address=self.address,
                    words=len(words),
                    count=self.count,
                )
            )
        ordered = words[::-1] if self.order in ("CDAB", "DCBA") else words
        endian = "<" if self.order in ("BADC", "DCBA") else ">"
        raw: float = struct.unpack(_TYPES[self.kind][0], struct.pack(f"{endian}{self.count}H", *ordered))[0]
        if self.kind == "sign10000" and raw >= 10000:
            raw = 10000 - raw
        value = raw * self.scale + self.offset
        if not math.isfinite(value):
            raise NotAReading(
                Text(
                    "{table} register {address}: {words} is not a number as {kind}",
                    table=self.table,
                    address=self.address,
                    words=words,
                    kind=self.kind,
                )
            )
        return round(value, 9)  # 245 × 0.1 is 24.5, not 24.500000000000004


def parse_register(text: str, order: str = "ABCD") -> Register:
    """A register from `TABLE:ADDRESS[:TYPE[:SCALE[:OFFSET]]]`, such as `input:1:int16:0.1`."""
    match = _PLACE.fullmatch(text)
    kind = (match.group(3) or "int16") if match else ""
    if not match or kind not in _TYPES:
        raise BadSensorURI(
            Text(
                "{text} is not a register; write TABLE:ADDRESS:TYPE:SCALE:OFFSET, such as input:1:int16:0.1 "
                "(tables input, holding; types {types})",
                text=repr(text),
                types=", ".join(_TYPES),
            )
        )
    try:
        scale, offset = float(match.group(4) or 1.0), float(match.group(5) or 0.0)
    except ValueError:
        raise BadSensorURI(Text("{text}: scale and offset should be numbers, such as 0.1", text=repr(text))) from None
    address = int(match.group(2), 0) if match.group(2).startswith("0x") else int(match.group(2))
    if address + _TYPES[kind][1] > 0x10000 or not math.isfinite(scale) or not math.isfinite(offset):
        raise BadSensorURI(Text("{text}: addresses go from 0 to 65535", text=repr(text)))
    return Register(match.group(1), address, kind, scale, offset, order)


def requests(registers: Sequence[Register]) -> list[tuple[str, int, int]]:
    """The fewest (table, first address, count) that fetch them all; neighbours come in one answer."""
    wanted: list[tuple[str, int, int]] = []
    for register in sorted(registers, key=lambda each: (each.table, each.address)):
        if wanted and wanted[-1][0] == register.table and wanted[-1][1] + wanted[-1][2] >= register.address:
            table, first, count = wanted.pop()
            wanted.append((table, first, max(count, register.address + register.count - first)))
        else:
            wanted.append((register.table, register.address, register.count))
    return wanted
