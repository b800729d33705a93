"""Lines of text that sensors send: what is written in them, in °C and %.

Formats: Adafruit's DHTtester and other `label: value` lines, XY-MD02 in its ASCII mode, CSV, JSON lines, and a
regular expression of the user with named groups.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from comfywear_sensors.errors import BadSensorURI, NotAReading
from comfywear_sensors.quantities import NUMBER, Values, field_of, named_values

LINE_FORMATS = ("auto", "labels", "xy-md02", "csv", "json")
MAX_LINE_BYTES = 4096

LineParser = Callable[[str], Values]

_LABELLED = re.compile(
    rf"([A-Za-z][A-Za-z0-9_ ]{{0,30}}?)\s{{0,4}}[:=]\s{{0,4}}({NUMBER})\s{{0,4}}([*°º]?\s?[CFcf]\b)?", re.ASCII
)
_XY_MD02 = re.compile(rf"\s*({NUMBER})\s?([^\d,.%+-]{{0,4}}),\s?({NUMBER})\s?%\s*", re.ASCII)


def line_parser(kind: str = "auto", *, unit: str = "C", columns: Sequence[str] = (), pattern: str = "") -> LineParser:
    """A function from one line to what it says; it raises `NotAReading` for any other line.

    Args:
        kind: One of `LINE_FORMATS`; "auto" tries them in turn.
        unit: "C" or "F" for temperatures whose line does not say it.
        columns: Names of CSV columns (strange names are passed over); temperature, humidity when empty.
        pattern: A regular expression, searched in the line, whose named groups are quantities, such as
            `T(?P<temperature>[-0-9.]+)H(?P<humidity>[0-9.]+)`; it takes the place of `kind`.
    """
    if pattern:
        return _pattern_parser(pattern, unit)
    names = tuple(columns) or ("temperature", "humidity")
    if not any(field_of(name) for name in names):
        raise BadSensorURI(f"columns={','.join(names)}: none of them is a quantity, such as temperature or humidity")
    parsers: dict[str, LineParser] = {
        "json": lambda line: parse_json(line, unit),
        "labels": lambda line: parse_labels(line, unit),
        "xy-md02": lambda line: parse_xy_md02(line, unit),
        "csv": lambda line: parse_csv(line, names, unit),
    }
    if kind in parsers:
        return parsers[kind]
    if kind != "auto":
        raise BadSensorURI(f"the line format {kind!r} is not one of {', '.join(LINE_FORMATS)}")

    def parse_any(line: str) -> Values:
        said = (understood(line, parse) for parse in parsers.values())
        return _some(next((values for values in said if values), {}), line)

    return parse_any


def understood(line: str, parse: LineParser) -> Values | None:
    """What `parse` makes of `line`, or None where it makes nothing of it."""
    try:
        return parse(line)
    except NotAReading:
        return None


def parse_labels(line: str, unit: str = "C") -> Values:
    """`Humidity: 45.20 %⇥Temperature: 23.10 *C 73.58 *F⇥Heat index: …` (Adafruit DHTtester) and its kin."""
    values: Values = {}
    for label, number, mark in _LABELLED.findall(line):
        meant = field_of(label)
        if meant and meant[0] not in values:
            said = "F" if mark.upper().endswith("F") else "C" if mark else unit
            values.update(named_values({label: number}, said))
    return _some(values, line)


def parse_xy_md02(line: str, unit: str = "C") -> Values:
    """`27.4℃,67.7%`: an XY-MD02 in its ASCII mode; the degree sign may have any encoding."""
    match = _XY_MD02.fullmatch(line)
    if not match:
        raise _strange(line)
    temperature, mark, humidity = match.groups()
    said = "F" if "F" in mark.upper() or "℉" in mark else "C" if "C" in mark.upper() or "℃" in mark else unit
    return named_values({"temperature": temperature, "humidity": humidity}, said)


def parse_csv(line: str, columns: Sequence[str], unit: str = "C") -> Values:
    """`23.1,45.2`; also with semicolons or tabs, where a comma may be the decimal mark. Every column must be there."""
    mark = next((sign for sign in (";", "\t") if sign in line), ",")
    fields = [field.strip() for field in line.split(mark)]
    if len(fields) != len(columns):
        raise _strange(line)
    if mark != ",":
        fields = [field.replace(",", ".") for field in fields]
    values = named_values(dict(zip(columns, fields, strict=True)), unit)
    if len(values) < len({meant[0] for name in columns if (meant := field_of(name))}):
        raise _strange(line)
    return values


def parse_json(line: str, unit: str = "C") -> Values:
    """`{"temperature": 23.1, "humidity": 45.2}`, by any of the usual names."""
    return _some(json_values(load_json(line), unit), line)


def load_json(text: str | bytes) -> object:
    """The JSON value in `text`; `NotAReading` for anything that is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _strange(text) from None


def json_values(document: object, unit: str = "C") -> Values:
    """What a JSON object says of the air: its own members, or those of the one member that says something.

    Tasmota's `TempUnit` is obeyed. Its `ESP32` member, which is the chip's own temperature, is passed over.
    """
    if not isinstance(document, dict):
        return {}
    unit = {"C": "C", "F": "F"}.get(str(document.get("TempUnit")), unit)
    values = named_values(document, unit)
    if values:
        return values
    inner = {name: named_values(member, unit) for name, member in document.items() if isinstance(member, dict)}
    found = {name: values for name, values in inner.items() if values and name != "ESP32"}
    if len(found) > 1:
        raise NotAReading(f"two sensors speak in one message, {' and '.join(sorted(found)[:3])}: say which with path=")
    return next(iter(found.values()), {})


def _pattern_parser(pattern: str, unit: str) -> LineParser:
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise BadSensorURI(f"pattern={pattern}: not a regular expression: {error}") from None
    if not any(field_of(group) for group in compiled.groupindex):
        raise BadSensorURI(f"pattern={pattern}: it needs a named group, such as (?P<temperature>[-0-9.]+)")

    def parse(line: str) -> Values:
        match = compiled.search(line)
        return _some(named_values(match.groupdict(), unit) if match else {}, line)

    return parse


def _some(values: Values, line: str) -> Values:
    if not values:
        raise _strange(line)
    return values


def _strange(line: str | bytes) -> NotAReading:
    return NotAReading(f"no temperature or humidity in {line[:60]!r}")


class LineBuffer:
    """Bytes in, whole lines out. The first line after opening is dropped: its beginning may be missing."""

    def __init__(self, *, skip_first: bool = True) -> None:
        self._bytes = bytearray()
        self._synchronised = not skip_first

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes, without their ends; bytes that are no UTF-8 become U+FFFD."""
        self._bytes += data.replace(b"\r", b"\n")
        *lines, rest = bytes(self._bytes).split(b"\n")
        self._bytes = bytearray(rest)
        if lines and not self._synchronised:
            lines = lines[1:]
            self._synchronised = True
        if len(self._bytes) > MAX_LINE_BYTES:  # noise without an end: start again at the next line
            self._bytes.clear()
            self._synchronised = False
        return [line.decode("utf-8", "replace") for line in lines if line.strip() and len(line) <= MAX_LINE_BYTES]
