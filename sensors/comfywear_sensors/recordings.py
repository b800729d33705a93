"""Files of readings: CSV of loggers and apps, Home Assistant's history, JSON lines.

A file is understood whole or refused with the line and the option that would read it. Lines in front of the header are
passed over, rows that say nothing are dropped, and a file that is written newest first is turned round.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from comfywear_sensors.errors import NotAReading, SensorError
from comfywear_sensors.lines import json_values
from comfywear_sensors.measured import number_of, unit_of
from comfywear_sensors.quantities import Quantity, Values, name_key, named_values, quantity_of
from comfywear_sensors.texts import Text
from comfywear_sensors.times import ADVICE, looks_like_dates, read_times

Row = tuple[int, Mapping[str, object]]

_TIMES = re.compile(
    r"time|timestamp|ts|date|datetime|walltimes|utc|lastchanged|lastupdated|start|starttime|epoch|epochutc|epochtime"
    r"|localdatetime|localtime|recordedat|createdat|measuredat|sampletime|readingtime|datum|zeit|datumzeit|zeitstempel"
    r"|datumuhrzeit|uhrzeit|fecha|fechahora|dateheure|heure|dataora|日時|時間|时间|日期"
)
_DATES = re.compile("date|datum|fecha|日付|日期")
_CLOCKS = re.compile("time|uhrzeit|zeit|hora|heure|時刻|时间")
_HEADER_WITHIN = 60
# What an entity of Home Assistant is about when it is not the air of the room.
_NOT_THE_AIR = re.compile(
    r"dew|feels|apparent|target|set_?point|processor|cpu|chip|device|battery|outdoor|outside|heat_index|water|floor"
)
_EXTREME = re.compile(r"(min|max)(?:imum)?[\s_.]*(.+)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class HowToRead:
    """What a user says of a file.

    Attributes:
        unit: "C" or "F" for temperatures whose column does not say it.
        decimal: One of `measured.DECIMALS`.
        columns: Names of all columns in their order; none where the file's header is to be believed.
        time: The name of the column of times; nothing to find it.
        form: How times are written, as in `times.read_times`; nothing to see it from them.
    """

    unit: str = "C"
    decimal: str = "auto"
    columns: tuple[str, ...] = ()
    time: str = ""
    form: str = ""


def load_recording(path: Path, how: HowToRead = HowToRead()) -> list[tuple[float | None, Values]]:
    """The rows of a file: time in seconds (or None) and values.

    Raises:
        SensorError: It cannot be read, or not whole.
    """
    try:
        return read_recording(path.read_bytes(), how)
    except NotAReading as error:
        raise SensorError(Text("{path}: {why}", path=path, why=error)) from None
    except OSError as error:
        raise SensorError(Text("{path}: the recording cannot be read: {why}", path=path, why=error.strerror)) from None


def read_recording(data: bytes, how: HowToRead) -> list[tuple[float | None, Values]]:
    """As `load_recording`, from the file's bytes; raises `NotAReading`."""
    lines = _text(data).splitlines()
    rows = list(_json_rows(lines) if _is_json(lines) else _csv_rows(lines, how))
    values = _values(rows, how)
    times = _times(rows, how)
    found = [(time, said) for time, said in zip(times, values, strict=True) if said]
    if not found:
        raise NotAReading(
            Text(
                "no row with a temperature or humidity; the first line should name the columns, such as "
                "time,temperature,humidity, or columns= name them"
            )
        )
    known = [time for time, _ in found if time is not None]
    newest_first = len(known) > 1 and known[0] > known[-1] and all(a >= b for a, b in pairwise(known))
    return found[::-1] if newest_first else found


def _text(data: bytes) -> str:
    try:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return data.decode("utf-16")
    except UnicodeDecodeError:
        raise NotAReading(Text("the recording cannot be read: not text")) from None
    return data.decode("utf-8-sig", "replace")


def _is_json(lines: Sequence[str]) -> bool:
    return next((line.lstrip()[:1] in ("{", "[") for line in lines if line.strip()), False)


def _json_rows(lines: Sequence[str]) -> Iterator[Row]:
    """A JSON list of objects, or an object a line; other lines are passed over."""
    try:
        whole = json.loads("\n".join(lines))
    except (ValueError, RecursionError):
        whole = None
    if isinstance(whole, list):
        flat = [row for each in whole for row in (each if isinstance(each, list) else [each])]
        yield from ((number, row) for number, row in enumerate(flat, 1) if isinstance(row, dict))
        return
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            yield number, row


def _csv_rows(lines: Sequence[str], how: HowToRead) -> Iterator[Row]:
    first, mark, names = _header(lines, how)
    _check_names(names)
    for number, line in enumerate(lines[first:], first + 1):
        cells = [cell.strip() for cell in _cells(line, mark)]
        if not any(cells):
            continue
        if len(cells) > len(names) and any(cells[len(names) :]):
            raise NotAReading(
                Text(
                    "line {number} has {cells} cells and the header {names}; with decimal commas the cells need "
                    "another sign between them",
                    number=number,
                    cells=len(cells),
                    names=len(names),
                )
            )
        yield number, dict(zip(names, [*cells, *[""] * (len(names) - len(cells))], strict=False))


def _header(lines: Sequence[str], how: HowToRead) -> tuple[int, str, list[str]]:
    """The number of lines up to the header's end, the sign between cells, and the columns' names."""
    for number, line in enumerate(lines[:_HEADER_WITHIN]):
        cells = {mark: _cells(line, mark) for mark in (";", "\t", ",", "|")}
        mark = max(cells, key=lambda sign: len(cells[sign]))
        if how.columns:
            if len(cells[mark]) == len(how.columns):
                is_header = not any(re.search(r"\d", cell) and not quantity_of(cell) for cell in cells[mark])
                return number + is_header, mark, list(how.columns)
        elif any(_is_known(cell) for cell in cells[mark]):
            return number + 1, mark, [cell.strip().lstrip("\ufeff") for cell in cells[mark]]
    if how.columns and lines:
        raise NotAReading(
            Text(
                "no line has {columns} cells, as columns= says; the first is {lines}",
                columns=len(how.columns),
                lines=repr(lines[0][:80]),
            )
        )
    return len(lines), ",", []


def _cells(line: str, mark: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=mark, skipinitialspace=True), [])
    except csv.Error:
        return []


def _is_known(name: str) -> bool:
    extreme = _EXTREME.fullmatch(name.strip())
    known = quantity_of(name) or (extreme and quantity_of(extreme[2]))
    return known is not None or name_key(name) in ("entityid", "statisticid")


def _check_names(names: Sequence[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1 and quantity_of(name)), None)
    if twice:
        raise NotAReading(
            Text(
                "two columns are called {twice}; columns= names them all, such as columns=time,temperature,x",
                twice=repr(twice),
            )
        )


def _values(rows: Sequence[Row], how: HowToRead) -> list[Values]:
    if rows and (who := _column(rows[0][1], "entityid", "statisticid")):
        return _values_of_entities(rows, who, how)
    extremes = _extremes(rows[0][1]) if rows else []
    found = []
    for number, row in rows:
        try:
            said = named_values(row, how.unit, how.decimal) or json_values(dict(row), how.unit, how.decimal)
            for meant, low, high in extremes:
                both = [
                    number_of(row.get(name), meant.field, unit=how.unit, said_unit=meant.unit, decimal=how.decimal)
                    for name in (low, high)
                ]
                if meant.field not in said and None not in both:
                    said[meant.field] = sum(each for each in both if each is not None) / 2.0
            found.append(said)
        except NotAReading as error:  # noqa: PERF203 - it ends the loop
            raise NotAReading(Text("line {number}: {why}", number=number, why=error)) from None
    return found


def _extremes(row: Mapping[str, object]) -> list[tuple[Quantity, str, str]]:
    """Quantities of which only the lowest and the highest of each interval are there: the middle stands for both."""
    lows: dict[str, tuple[Quantity, str]] = {}
    highs: dict[str, str] = {}
    for name in row:
        found = _EXTREME.fullmatch(name.strip())
        meant = quantity_of(found[2]) if found else None
        if found and meant and found[1].lower() == "min":
            lows[meant.field] = (meant, name)
        elif found and meant:
            highs[meant.field] = name
    return [(meant, name, highs[field]) for field, (meant, name) in lows.items() if field in highs]


def _values_of_entities(rows: Sequence[Row], who: str, how: HowToRead) -> list[Values]:
    """Home Assistant's exports: a row a state, of entities whose names say what they measure."""
    value = _column(rows[0][1], "state", "mean")
    unit_column = _column(rows[0][1], "unit", "unitofmeasurement")
    entities: dict[str, str] = {}
    found: list[Values] = []
    for number, row in rows:
        entity = str(row.get(who) or "")
        meant = _meaning_of(entity)
        if meant is None or value is None:
            found.append({})
            continue
        if entities.setdefault(meant.field, entity) != entity:
            raise NotAReading(
                Text(
                    "{entities} and {entity} are both {field}: export one of them",
                    entities=entities[meant.field],
                    entity=entity,
                    field=meant.field,
                )
            )
        attributes = row.get("attributes")
        stated = row.get(unit_column) if unit_column else None
        stated = stated or (attributes.get("unit_of_measurement") if isinstance(attributes, dict) else None)
        unit = unit_of(str(stated)) if stated else meant.unit
        if stated and unit is None:
            raise NotAReading(
                Text("line {number}: the unit {stated} is not known", number=number, stated=repr(str(stated)[:20]))
            )
        try:
            number_said = number_of(row.get(value), meant.field, unit=how.unit, said_unit=unit, decimal=how.decimal)
        except NotAReading as error:
            raise NotAReading(Text("line {number}: {why}", number=number, why=error)) from None
        found.append({} if number_said is None else {meant.field: number_said})
    return found


def _meaning_of(entity: str) -> Quantity | None:
    """What an entity such as `sensor.desk_temperature` measures; None when it is not the air of a room."""
    words = re.split(r"[_:]+", entity.partition(".")[2] or entity)
    if _NOT_THE_AIR.search(entity):
        return None
    tails = ["_".join(words[index:]) for index in range(len(words))]
    heads = ["_".join(words[:index]) for index in range(len(words) - 1, 0, -1)]
    return next((meant for text in (*tails, *heads) if len(text) > 1 and (meant := quantity_of(text))), None)


def _times(rows: Sequence[Row], how: HowToRead) -> list[float | None]:
    """The time of each row; None each where the file has none."""
    if not rows:
        return []
    column, cells = _time_cells(rows, how)
    if column is None:
        return [None] * len(rows)
    try:
        return read_times(cells, how.form, column)
    except NotAReading as error:
        raise NotAReading(
            Text(
                "the column of times {column} cannot be read: {why}; {advice}",
                column=repr(column),
                why=error,
                advice=ADVICE,
            )
        ) from None


def _time_cells(rows: Sequence[Row], how: HowToRead) -> tuple[str | None, list[object]]:
    names = list(dict.fromkeys(name for _, row in rows for name in row))
    if how.time:
        named = next((name for name in names if name.lower() == how.time.lower()), None)
        if named is None:
            raise NotAReading(
                Text(
                    "there is no column {time} for time=; there are {names}",
                    time=repr(how.time),
                    names=", ".join(names),
                )
            )
        return named, [row.get(named) for _, row in rows]
    known = [name for name in names if _is_time(name) and not quantity_of(name)]
    date = next((name for name in known if _DATES.fullmatch(name_key(name))), None)
    clock = next((name for name in known if _CLOCKS.fullmatch(name_key(name)) and name != date), None)
    if date and clock and not any(":" in str(row.get(date) or "") for _, row in rows):
        joined: list[object] = [f"{row.get(date) or ''} {row.get(clock) or ''}".strip() for _, row in rows]
        return f"{date} {clock}", joined
    if known:
        return known[0], [row.get(known[0]) for _, row in rows]
    strangers = [name for name in names if quantity_of(name) is None]
    dated = [name for name in strangers if looks_like_dates([row.get(name) for _, row in rows])]
    return (dated[0], [row.get(dated[0]) for _, row in rows]) if len(dated) == 1 else (None, [])


def _is_time(name: str) -> bool:
    base = re.split(r"[(\[,]", name, maxsplit=1)[0]
    key = name_key(base)
    return key.startswith(("timestamp", "datetime")) or bool(_TIMES.fullmatch(key.removesuffix("utc") or key))


def _column(row: Mapping[str, object], *keys: str) -> str | None:
    return next((name for key in keys for name in row if name_key(name) == key), None)
