"""Columns of times as loggers write them: a whole column is read in one way, or refused.

Which way is seen from all of its values together: 14/01/2026 can only be a day in front, 01/14/2026 only a month.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from comfywear_sensors.errors import NotAReading
from comfywear_sensors.texts import Text

FORMATS = ("iso", "ymd", "dmy", "mdy", "s", "ms")
"""Values of the option `format`, besides a pattern of strptime(3) such as `%d.%m.%Y %H:%M`."""

ADVICE = Text(
    "format= says how (ymd, dmy, mdy, s, ms, or a pattern such as %d.%m.%Y %H:%M), time= names another column"
)

_CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([AaPp]\.?\s?[Mm]\.?)?"
_ZONE = r"(Z|UTC|GMT|[-+]\d{2}:?\d{2}|[-+]\d{2})?"
_NUMERIC = re.compile(rf"(\d{{1,4}})([./-])(\d{{1,2}})\2(\d{{1,4}})(?:[T ,]+{_CLOCK}\s*{_ZONE})?", re.ASCII)
_MONTHS = ("", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = re.compile(
    rf"(?:(\d{{1,2}})[ -]([A-Za-z]{{3,9}})\.?[ ,-]+(\d{{4}}|\d{{2}})|([A-Za-z]{{3,9}})\.? (\d{{1,2}}),? (\d{{4}}))"
    rf"(?:[T ,]+{_CLOCK}\s*{_ZONE})?",
    re.ASCII,
)
_TIME_OF_DAY = re.compile(_CLOCK, re.ASCII)
_DATE_PARTS = frozenset("djmbByYGcxUWV")
_DAY_S = 86_400.0
# A number so large counts in milliseconds, microseconds or nanoseconds since 1970 rather than in seconds.
_SCALES = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3), (0.0, 1.0))


def read_times(values: Sequence[object], form: str = "", header: str = "") -> list[float | None]:
    """Seconds since 1970 (or since any moment, where only that is said) of a column; None for an empty cell.

    Args:
        values: Numbers, text or None, such as the cells of one column.
        form: One of `FORMATS`, a strptime pattern, or nothing to see it from the values.
        header: The column's name, which may say the order and the zone: `Time(dd/mm/yyyy)`, `Date Time, GMT-05:00`.

    Raises:
        NotAReading: They cannot be read in one way, or in more than one.
    """
    cells = [value.strip() if isinstance(value, str) else value for value in values]
    said = [cell for cell in cells if cell not in ("", None)]
    if not said:
        return [None] * len(cells)
    offset_s = _zone_of(header)
    numbers = [_number(cell) for cell in said]
    if form in ("s", "ms") or (not form and all(number is not None for number in numbers)):
        found = _epochs(said, numbers, form)
    elif "%" in form:
        found = _by_pattern(said, form, offset_s)
    else:
        found = _by_shape(said, form or _order_of(header), offset_s)
    rest = iter(found)
    return [None if cell in ("", None) else next(rest) for cell in cells]


def looks_like_dates(values: Sequence[object]) -> bool:
    """Whether every cell that is not empty is a date with a time."""
    said = [value.strip() for value in values if isinstance(value, str) and value.strip()]
    return bool(said) and all(":" in cell and (_NUMERIC.fullmatch(cell) or _NAMED.fullmatch(cell)) for cell in said)


def _number(cell: object) -> float | None:
    if isinstance(cell, bool) or not isinstance(cell, (int, float, str)):
        return None
    if isinstance(cell, str) and not re.fullmatch(r"-?\d{1,20}(?:\.\d{1,12})?", cell, re.ASCII):
        return None
    try:
        number = float(cell)
    except OverflowError:
        return None
    return number if abs(number) < 1e20 else None


def _epochs(said: Sequence[object], numbers: Sequence[float | None], form: str) -> list[float]:
    found = []
    for cell, number in zip(said, numbers, strict=True):
        if number is None:
            raise NotAReading(Text("{cell} is no number of seconds", cell=repr(str(cell)[:40])))
        found.append(number)
    largest = max(abs(number) for number in found)
    scale = {"s": 1.0, "ms": 1e-3}.get(form) or next(factor for least, factor in _SCALES if largest >= least)
    return [number * scale for number in found]


def _by_pattern(said: Sequence[object], form: str, offset_s: float) -> list[float]:
    moments = [_moment_of(cell, form) for cell in said]
    if not _DATE_PARTS.intersection(re.findall(r"%(.)", form)):
        first = _seconds(datetime(1900, 1, 1))  # noqa: DTZ001 - what strptime takes where no date stands
        return _through_midnight([_seconds(moment) - first for moment in moments])
    return [_seconds(moment) - (0.0 if moment.tzinfo else offset_s) for moment in moments]


def _moment_of(cell: object, form: str) -> datetime:
    try:
        return datetime.strptime(str(cell), form)  # noqa: DTZ007 - made aware later
    except (ValueError, re.error):
        raise NotAReading(Text("{cell} is not written as {form}", cell=repr(str(cell)[:40]), form=form)) from None


def _by_shape(said: Sequence[object], form: str, offset_s: float) -> list[float]:
    texts = [cell if isinstance(cell, str) else str(cell) for cell in said]
    if all(_TIME_OF_DAY.fullmatch(text) for text in texts) and not form:
        return _through_midnight([_of_day(match) for text in texts if (match := _TIME_OF_DAY.fullmatch(text))])
    orders = {"iso": ("ymd",), "": ("ymd", "dmy", "mdy")}.get(form, (form,))
    ways = []
    for order in orders:
        try:
            ways.append([_moment(text, order, offset_s) for text in texts])
        except NotAReading as error:  # noqa: PERF203 - three orders
            refusal = error
    if not ways:
        raise refusal
    if any(way != ways[0] for way in ways):
        raise NotAReading(Text("{texts} may have the day, the month or the year in front", texts=repr(texts[0][:40])))
    return ways[0]


def _moment(text: str, order: str, offset_s: float) -> float:
    """Seconds since 1970 of one date, with the parts in this order."""
    numeric = _NUMERIC.fullmatch(text)
    named = None if numeric else _NAMED.fullmatch(text)
    if numeric:
        parts = [numeric[1], numeric[3], numeric[4]]
        year, month, day = (parts[order.index(part)] for part in "ymd")
        if not _possible(parts, numeric[2], order):
            raise NotAReading(Text("{text} is no date with {order} in this order", text=repr(text[:40]), order=order))
        clock, zone = numeric.groups()[4:9], numeric[10]
    elif named:
        word = (named[2] or named[4]).lower()[:3]
        day, month, year = (
            named[1] or named[5],
            str(_MONTHS.index(word) if word in _MONTHS else 0),
            named[3] or named[6],
        )
        clock, zone = named.groups()[6:11], named[12]
    else:
        return _iso(text, offset_s)
    try:
        base = datetime(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))  # noqa: DTZ001 - made aware below
    except ValueError:
        raise NotAReading(Text("{text} is no date", text=repr(text[:40]))) from None
    return _seconds(base) + _clock_s(clock, text) - (_zone_s(zone) if zone else offset_s)


def _possible(parts: Sequence[str], sign: str, order: str) -> bool:
    """Whether a year may stand where `order` has it; with points in between the day is in front."""
    lengths = [len(part) for part in parts]
    if lengths[order.index("y")] not in (2, 4) or max(lengths) > 4 or 3 in lengths:
        return False
    if 4 in lengths and lengths.index(4) != order.index("y"):
        return False
    return not (sign == "." and order == "mdy")


def _iso(text: str, offset_s: float) -> float:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return moment.timestamp() if moment.tzinfo else _seconds(moment) - offset_s
    except (ValueError, OverflowError):
        raise NotAReading(Text("{text} is no time that is known", text=repr(text[:40]))) from None


def _clock_s(clock: Sequence[str | None], text: str) -> float:
    hours, minutes, seconds, part, half = clock
    if hours is None:
        return 0.0
    hour = int(hours)
    if half:
        if not 1 <= hour <= 12:
            raise NotAReading(Text("{text} is no time of day", text=repr(text[:40])))
        hour = hour % 12 + (12 if half[0] in "Pp" else 0)
    whole = hour * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    if int(minutes or 0) > 59 or int(seconds or 0) > 60 or whole > _DAY_S:
        raise NotAReading(Text("{text} is no time of day", text=repr(text[:40])))
    return whole + (float(f"0.{part}") if part else 0.0)


def _of_day(match: re.Match[str]) -> float:
    return _clock_s(match.groups(), match.group())


def _through_midnight(times: Sequence[float]) -> list[float]:
    """Times of day without a date: one that is earlier than the one before is of the next day."""
    days, found = 0, [times[0]]
    for before, time in zip(times, times[1:]):  # noqa: B905, RUF007 - pairs
        days += time < before
        found.append(time + days * _DAY_S)
    return found


def _seconds(moment: datetime) -> float:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return (aware - datetime(1970, 1, 1, tzinfo=timezone.utc)) / timedelta(seconds=1)


def _zone_s(zone: str) -> float:
    digits = zone[1:].replace(":", "")
    if zone in ("Z", "UTC", "GMT"):
        return 0.0
    return (-1.0 if zone[0] == "-" else 1.0) * (int(digits[:2]) * 3600 + int(digits[2:] or 0) * 60)


def _zone_of(header: str) -> float:
    found = re.search(r"(?:GMT|UTC)\s*([-+]\d{2}:?\d{2}|[-+]\d{2})", header)
    return _zone_s(found[1]) if found else 0.0


def _order_of(header: str) -> str:
    found = re.search(
        r"\b(y{2,4}|m{1,2}|d{1,2})[./-](y{2,4}|m{1,2}|d{1,2})[./-](y{2,4}|m{1,2}|d{1,2})\b", header.lower()
    )
    order = "".join(group[0] for group in found.groups()) if found else ""
    return order if order in FORMATS else ""
