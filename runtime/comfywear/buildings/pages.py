"""The register map and the objects as a page (Markdown), written from the tables themselves. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from comfywear.buildings.bacnet_objects import OBJECT_TYPES, OBJECTS_OF_A_ZONE, RELIABILITY, state_words
from comfywear.buildings.points import POINTS, DataPoint
from comfywear.buildings.readings import Validity
from comfywear.buildings.registers import HEADER, NEVER, OLDEST, POINT_SIZE, ZONE_SIZE, address_of

__all__ = ["map_page"]

_WORDS = {
    Validity.NONE: "no value: its source works and gives none (starting; outside the model's range)",
    Validity.GOOD: "the value counts",
    Validity.STALE: "stale: its source was heard too long ago",
    Validity.GONE: "gone: the camera gives no picture, the sensor was never heard",
    Validity.UNUSED: "not in use: nothing feeds it",
}


def map_page(zones: Mapping[int, str]) -> str:
    """The page for zones by their numbers."""
    return "\n".join(
        [
            "# Registers and objects",
            "",
            "Written by `comfywear building`; with `--config FILE` it names the zones of a device. What it is for and",
            "how it is switched on: [the building's protocols](building.md).",
            "",
            *_zones(zones),
            *_points(),
            *_validities(),
            *_registers(),
            *_objects(),
        ]
    )


def _table(*columns: str) -> list[str]:
    return ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]


def _zones(zones: Mapping[int, str]) -> Iterator[str]:
    yield from ("## Zones", "", *_table("number", "zone", "registers", "object instances"))
    for number, name in sorted(zones.items()):
        first, instance = ZONE_SIZE * number, OBJECTS_OF_A_ZONE * number
        yield f"| {number} | {name} | {first} … {first + ZONE_SIZE - 1} | {instance + 1} … {instance + len(POINTS)} |"
    yield ""


def _points() -> Iterator[str]:
    yield from ("## Points", "", "Registers and instances are those of zone 1; zone N has them at + 100 × (N − 1).", "")
    yield from _table("registers", "object", "name", "meaning", "unit", "from the message")
    for point in POINTS:
        first = address_of(1, point.number)
        place = f"{first} … {first + POINT_SIZE - 1}"
        thing = f"{OBJECT_TYPES[point.kind]} {OBJECTS_OF_A_ZONE + point.number}"
        source = f"`{point.message}.{point.field}`"
        yield f"| {place} | {thing} | {point.name} | {point.meaning} | {point.unit} | {source} |"
    yield ""


def _validities() -> Iterator[str]:
    yield from ("## Whether a value counts", "", *_table("validity", "meaning", "BACnet reliability", "status flags"))
    for validity in Validity:
        reliability = RELIABILITY[validity]
        flags = "out of service" if validity is Validity.UNUSED else "" if validity is Validity.GOOD else "fault"
        yield f"| {int(validity)} | {_WORDS[validity]} | {reliability} | {flags} |"
    yield ""


def _registers() -> Iterator[str]:
    yield from (
        "## Modbus",
        "",
        "Addresses are those of the protocol, from 0; what some tools call 40109 or 30109 is the address 108.",
        "Functions 3 and 4 read the same registers, up to 125 at once; every other function is refused with",
        "exception 1, an address in no block with 2, another unit with 11.",
        "",
        *_table("register of a point", "holds"),
        "| + 0, + 1 | the value: IEEE 754 float of 32 bits, high word and high byte first; NaN where there is none |",
        "| + 2 | whether it counts: the table above |",
        f"| + 3 | seconds since its source last spoke, up to {OLDEST}; {NEVER} = never |",
        "",
        f"A zone begins at {ZONE_SIZE} × its number: + 0 its number, + 1 how many points it has, + 2 and + 3 zero,",
        f"then {POINT_SIZE} registers a point; what is left of its {ZONE_SIZE} is zero.",
        "",
        *_table("address", "name", "holds"),
    )
    for address, name, meaning in HEADER:
        yield f"| {address} | {name} | {meaning} |"
    yield ""


def _objects() -> Iterator[str]:
    yield from (
        "## BACnet",
        "",
        "An object's name is the zone's and the point's, such as `desk air-temperature`; its instance is 100 × the",
        "zone's number + the point's. Where there is no value an analog input is NaN, a binary input inactive, a",
        "multi-state input in its last state: read the status flags with it.",
        "",
        *_table("name", "units", "COV increment", "states"),
    )
    for point in POINTS:
        yield f"| {point.name} | {point.bacnet_unit} | {_increment(point)} | {_states(point)} |"
    yield ""


def _increment(point: DataPoint) -> str:
    return f"{point.increment:g}" if point.kind == "analog" else "any change"


def _states(point: DataPoint) -> str:
    if point.kind == "binary":
        return f"inactive = {point.states[0]}, active = {point.states[1]}"
    if point.kind == "multi-state":
        return ", ".join(f"{number} {word}" for number, word in enumerate(state_words(point), 1))
    return ""
