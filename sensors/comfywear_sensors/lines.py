"""Lines of text that sensors send: what is written in them, in °C and %.

Formats: Adafruit's DHTtester and other `label: value` lines, XY-MD02 in its ASCII mode, CSV, JSON lines, and a
regular expression of the user with named groups.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Sequence

from comfywear_sensors.errors import BadSensorURI, NotAReading
from comfywear_sensors.measured import Measured, in_unit_of, scan, text_of, unit_if_temperature, unit_of
from comfywear_sensors.quantities import Quantity, Values, named_values, quantity_of, surest
from comfywear_sensors.texts import Text

LINE_FORMATS = ("auto", "labels", "xy-md02", "csv", "json")
MAX_LINE_BYTES = 4096

LineParser = Callable[[str], Values]

# A name, a colon or an equals sign, and then a value.
_LABEL = re.compile(r"([^\W\d_][\w .()\[\]%°℃℉*/-]{0,40}?)\s{0,4}[:=\uff1a]\s{0,4}")
_BETWEEN = re.compile(r"[\s,;|/]+")
_UNIT_FIELDS = {"C": "air_temp_c", "F": "air_temp_c", "K": "air_temp_c", "%": "humidity_pct", "ppm": "co2_ppm"}
_UNIT_FIELDS |= {
    "lx": "illuminance_lx",
    "W/m²": "irradiance_w_m2",
    "m/s": "air_speed_m_s",
    "km/h": "air_speed_m_s",
}


class _Strange(NotAReading):
    """Nothing in the line looks like a reading of this format, so that another may be tried."""

    def __init__(self, said: str, *, specific: bool = True) -> None:
        super().__init__(said)
        self.specific = specific


def line_parser(
    kind: str = "auto", *, unit: str = "C", columns: Sequence[str] = (), pattern: str = "", decimal: str = "auto"
) -> LineParser:
    """A function from one line to what it says; it raises `NotAReading` for any other line.

    Args:
        kind: One of `LINE_FORMATS`; "auto" tries them in turn.
        unit: "C" or "F" for temperatures whose line does not say it.
        columns: Names of CSV columns (strange names are passed over); temperature, humidity when empty.
        pattern: A regular expression, searched in the line, whose named groups are quantities, such as
            `T(?P<temperature>[-0-9.]+)H(?P<humidity>[0-9.]+)`; it takes the place of `kind`.
        decimal: One of `DECIMALS`.
    """
    if pattern:
        return _pattern_parser(pattern, unit, decimal)
    if columns and not any(quantity_of(name) for name in columns):
        raise BadSensorURI(
            Text(
                "columns={columns}: none of them is a quantity, such as temperature or humidity",
                columns=",".join(columns),
            )
        )
    parsers: dict[str, LineParser] = {
        "json": lambda line: parse_json(line, unit, decimal),
        "labels": lambda line: parse_labels(line, unit, decimal),
        "xy-md02": lambda line: parse_with_units(line, unit, decimal),
        "csv": lambda line: parse_csv(line, columns, unit, decimal),
    }
    if kind in parsers:
        return parsers[kind]
    if kind != "auto":
        raise BadSensorURI(
            Text(
                "the line format {kind} is not one of {line_formats}",
                kind=repr(kind),
                line_formats=", ".join(LINE_FORMATS),
            )
        )

    def parse_any(line: str) -> Values:
        reasons = []
        for parse in parsers.values():
            try:
                return parse(line)
            except _Strange as error:  # noqa: PERF203 - four formats
                reasons.append(error)
        raise next((error for error in reasons if error.specific), reasons[-1])

    return parse_any


def understood(line: str, parse: LineParser) -> Values | None:
    """What `parse` makes of `line`, or None where it makes nothing of it."""
    try:
        return parse(line)
    except NotAReading:
        return None


def parse_labels(line: str, unit: str = "C", decimal: str = "auto") -> Values:
    """`Humidity: 45.20 %⇥Temperature: 23.10 *C 73.58 *F⇥Heat index: …` (Adafruit DHTtester) and its kin."""
    said: list[tuple[Quantity, float]] = []
    place = 0
    words_behind = -1  # where a stranger's value that is no number begins, such as OK in `Status: OK Humidity: 45`
    while label := _LABEL.search(line, place):
        place = label.end()
        meant = quantity_of(label[1])
        if meant is None and label.start() == words_behind:
            meant = quantity_of(label[1].partition(" ")[2])
        if meant is None:
            after = _past_a_stranger(line, place)
            words_behind = place if after == place else -1
            place = after
            continue
        number = scan(line, place, decimal=decimal, field=meant.field)
        if number is None:
            if re.match(r"\S*\d", line[place:]) and not _LABEL.match(line, place):
                raise NotAReading(Text("{line} is not a number", line=repr(line[place : place + 40])))
            continue
        own = _labelled_unit(line, label, number, meant)
        value = in_unit_of(meant.field, number.value, own or unit_if_temperature(meant.field, unit), line[place:])
        said.append((Quantity(meant.field, own, meant.rank), value))
        place = _past_the_same(line, number.end)
    return _some(_agreed(said, line), line)


def _labelled_unit(line: str, label: re.Match[str], number: Measured, meant: Quantity) -> str | None:
    """The unit of a labelled number, from behind it or from its label; an error where it is not known."""
    rest = line[number.end :]
    if (
        number.unit is None
        and not re.match(r"\s*(?:$|[,;|/)\]}\t])", rest)
        and not re.match(rf"\s+{_LABEL.pattern}", rest)
    ):
        word = (rest.split() or [""])[0]
        raise NotAReading(
            Text(
                "{line}: the unit {word} is not known",
                line=repr(line[label.start() : number.end + 20]),
                word=repr(word[:20]),
            )
        )
    own = number.unit if number.unit != "°" else None
    if own and meant.unit and own != meant.unit:
        raise NotAReading(Text("{line} says two units", line=repr(line[label.start() : number.end])))
    return own or meant.unit


def _past_a_stranger(line: str, place: int) -> int:
    """Where the value of a label that means nothing here ends."""
    try:
        number = scan(line, place, decimal="auto", alone=True)
    except NotAReading:
        return place
    return number.end if number else place


def _past_the_same(line: str, place: int) -> int:
    """Where the same value in another unit ends, such as 73.58 *F behind 23.10 *C."""
    while found := re.compile(r"[\s/(]+").match(line, place):
        try:
            again = scan(line, found.end())
        except NotAReading:
            return place
        if again is None or again.unit is None:
            return place
        place = again.end
    return place


def _agreed(said: list[tuple[Quantity, float]], line: str) -> Values:
    """The surest of what was said, where what else was said of the same quantity agrees with it."""
    values = surest(said)
    for meant, number in said:
        if abs(number - values[meant.field]) > max(0.6, 0.01 * abs(number)):
            raise NotAReading(
                Text("{field} is said twice in {line}; pattern= can say which", field=meant.field, line=repr(line[:60]))
            )
    return values


def parse_with_units(line: str, unit: str = "C", decimal: str = "auto") -> Values:
    """`27.4℃,67.7%` (an XY-MD02 in its ASCII mode), `45.2 %RH 23.1 °C`: the units say what is what."""
    text = line.strip()
    numbers: list[Measured] = []
    place = 0
    while place < len(text):
        try:
            number = scan(text, place, decimal=decimal)
        except NotAReading as error:
            raise _Strange(Text("{text}: {why}", text=repr(text[:60]), why=error)) from None
        if number is None or (number.unit is None and numbers):
            raise _strange(line)
        numbers.append(number)
        gap = _BETWEEN.match(text, number.end)
        if not gap and number.end < len(text):
            raise _strange(line)
        place = gap.end() if gap else len(text)
    if not numbers or (len(numbers) == 1 and numbers[0].unit in (None, "other")):
        raise _strange(line)
    if len(numbers) == 1 and numbers[0].unit == "%" and numbers[0].comma and decimal == "auto":
        raise NotAReading(
            Text("{text} may be one number or two: add decimal=comma or decimal=point", text=repr(text[:60]))
        )
    said: list[tuple[Quantity, float]] = []
    for number in numbers:
        field = _UNIT_FIELDS.get(number.unit or "C") if number.unit != "°" else "air_temp_c"
        if field is None:
            continue
        own = number.unit if number.unit not in (None, "°") else unit_if_temperature(field, unit)
        said.append((Quantity(field, own, 0), in_unit_of(field, number.value, own, text)))
    return _some(_agreed(said, line), line)


def parse_csv(line: str, columns: Sequence[str] = (), unit: str = "C", decimal: str = "auto") -> Values:
    """`23.1,45.2`; also with semicolons or tabs, where a comma may be the decimal mark. Every column must be there."""
    mark = next((sign for sign in (";", "\t") if sign in line), "" if decimal == "comma" and '"' not in line else ",")
    cells = [cell.strip() for cell in _cells(line, mark)]
    names = columns or ("temperature", "humidity")
    if len(cells) != len(names):
        raise _strange(line)
    if mark == "," and not columns and decimal == "auto" and all(re.fullmatch(r"[-+]?\d+", cell) for cell in cells):
        raise NotAReading(
            Text(
                "{line} may be one number or two: add decimal=comma, or decimal=point, or name its columns=",
                line=repr(line[:60]),
            )
        )
    values = named_values(dict(zip(names, cells, strict=True)), unit, decimal)
    if len(values) < len({meant.field for name in names if (meant := quantity_of(name))}):
        raise _strange(line)
    return values


def _cells(line: str, mark: str) -> list[str]:
    """The cells of a line; a mark inside quotes parts none."""
    if not mark:
        return [line]
    if '"' not in line:
        return line.split(mark)
    try:
        return next(csv.reader([line], delimiter=mark, skipinitialspace=True, strict=True), [])
    except csv.Error as error:
        raise _strange(line) from error


def parse_json(line: str, unit: str = "C", decimal: str = "auto") -> Values:
    """`{"temperature": 23.1, "humidity": 45.2}`, by any of the usual names."""
    return _some(json_values(load_json(line), unit, decimal), line)


def load_json(text: str | bytes) -> object:
    """The JSON value in `text`; `NotAReading` for anything that is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _strange(text) from None


def json_unit(document: object, unit: str) -> str:
    """The unit that Tasmota's `TempUnit` states, or else `unit`; `NotAReading` for a stranger."""
    stated = document.get("TempUnit") if isinstance(document, dict) else None
    if stated is None:
        return unit
    found = unit_of(str(stated))
    if found not in ("C", "F", "K"):
        raise NotAReading(
            Text("TempUnit {stated} is no unit of temperature that is known", stated=repr(str(stated)[:20]))
        )
    return found


def json_values(document: object, unit: str = "C", decimal: str = "auto") -> Values:
    """What a JSON object says of the air: its own members, or those of the one member that says something.

    Tasmota's `TempUnit` is obeyed. Its `ESP32` member, which is the chip's own temperature, is passed over.
    """
    if not isinstance(document, dict):
        return {}
    unit = json_unit(document, unit)
    values = named_values(document, unit, decimal)
    if values:
        return values
    inner = {name: named_values(member, unit, decimal) for name, member in document.items() if isinstance(member, dict)}
    found = {name: values for name, values in inner.items() if values and name != "ESP32"}
    if len(found) > 1:
        raise NotAReading(
            Text(
                "two sensors speak in one message, {found}: say which with path=", found=" and ".join(sorted(found)[:3])
            )
        )
    return next(iter(found.values()), {})


def _pattern_parser(pattern: str, unit: str, decimal: str) -> LineParser:
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise BadSensorURI(
            Text("pattern={pattern}: not a regular expression: {why}", pattern=pattern, why=error)
        ) from None
    if not any(quantity_of(group) for group in compiled.groupindex):
        raise BadSensorURI(
            Text("pattern={pattern}: it needs a named group, such as (?P<temperature>[-0-9.]+)", pattern=pattern)
        )

    def parse(line: str) -> Values:
        match = compiled.search(line)
        return _some(named_values(match.groupdict(), unit, decimal) if match else {}, line)

    return parse


def _some(values: Values, line: str) -> Values:
    if not values:
        raise _strange(line)
    return values


def _strange(line: str | bytes) -> NotAReading:
    return _Strange(Text("no temperature or humidity in {text}", text=repr(line[:60])), specific=False)


class LineBuffer:
    """Bytes in, whole lines out. The first line after opening is dropped: its beginning may be missing."""

    def __init__(self, *, skip_first: bool = True) -> None:
        self._bytes = bytearray()
        self._synchronised = not skip_first

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes, without blanks around them; bytes that are no UTF-8 become U+FFFD."""
        self._bytes += data.replace(b"\r", b"\n")
        *lines, rest = bytes(self._bytes).split(b"\n")
        self._bytes = bytearray(rest)
        if lines and not self._synchronised:
            lines = lines[1:]
            self._synchronised = True
        if len(self._bytes) > MAX_LINE_BYTES:  # noise without an end: start again at the next line
            self._bytes.clear()
            self._synchronised = False
        return [text for line in lines if len(line) <= MAX_LINE_BYTES and (text := text_of(line))]
