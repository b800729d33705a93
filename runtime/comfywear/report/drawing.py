"""The report's pictures as SVG: a bar of categories, a calendar of hours, the air by day, votes by expectation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from math import ceil, floor

from comfywear.report.figures import CATEGORIES, DayAir, HourCell, SetpointMonth, VotesMonth
from comfywear.report.month import Month

__all__ = ["COLOURS", "air_by_day", "calendar", "category_bar", "votes_table"]

COLOURS: Mapping[str, str] = {
    "I": "#2f7d5b",
    "II": "#8cc6a0",
    "III": "#f0cf6b",
    "IV": "#e8974e",
    "beyond": "#c34a3a",
    "unknown": "#dcdcd8",
}
_DARK = ("I", "beyond")
_MARKS = {"III": "3", "IV": "4", "beyond": "!"}
_WIDTH, _LEFT, _RIGHT = 690.0, 34.0, 6.0

NumberFormat = Callable[[float], str]


def category_bar(hours: Mapping[str, float]) -> str:
    """A bar whose parts are the hours of `CATEGORIES`; each wide enough says its share of all."""
    total = sum(hours.values())
    parts, x = [], 0.0
    for name in CATEGORIES:
        if not total or not hours[name]:
            continue
        share = hours[name] / total
        width = share * _WIDTH
        parts.append(f'<rect x="{x:.1f}" width="{width:.1f}" height="26" fill="{COLOURS[name]}"/>')
        if width > 34:
            ink = "#fff" if name in _DARK else "#1c2430"
            parts.append(_text(x + width / 2, 17.5, f"{100 * share:.0f} %", "middle", f'fill="{ink}" class="strong"'))
        x += width
    if not total:
        parts.append(f'<rect width="{_WIDTH}" height="26" fill="{COLOURS["unknown"]}"/>')
    return _svg(26, parts)


def calendar(cells: Sequence[HourCell], month: Month) -> str:
    """Every hour of the month: days from left to right, hours from top to bottom; pale where nobody was there."""
    row, top = 7.2, 4.0
    x, width = _days(month)
    parts = []
    for hour in range(0, 25, 6):
        y = top + hour * row
        parts.append(_text(_LEFT - 5, y + 3.5, str(hour), "end"))
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
    for cell in cells:
        left, y = x(cell.day), top + cell.hour * row
        empty = cell.occupied is not None and cell.occupied < 0.1
        pale = ' fill-opacity=".14"' if empty and cell.category != "unknown" else ""
        place = f'x="{left + 0.6:.1f}" y="{y + 0.4:.1f}" width="{width - 1.2:.1f}" height="{row - 0.8:.1f}"'
        parts.append(f'<rect {place} fill="{COLOURS[cell.category]}"{pale}/>')
        if cell.category in _MARKS and not empty:
            ink = ' fill="#fff"' if cell.category in _DARK else ""
            parts.append(_text(left + width / 2, y + row - 1.2, _MARKS[cell.category], "middle", f'class="mark"{ink}'))
    height = top + 24 * row
    parts += _day_names(month, x, width, height + 12)
    return _svg(height + 16, parts)


def air_by_day(days: Sequence[DayAir], setpoint: SetpointMonth | None, month: Month, number: NumberFormat) -> str:
    """Each day's air from lowest to highest with its mean, and the setpoint's course."""
    top, height = 6.0, 96.0
    x, width = _days(month)
    values = [each for day in days for each in (day.low_c, day.high_c) if each is not None]
    values += [setpoint.low_c, setpoint.high_c] if setpoint else []
    low, high = _bounds(values)
    scale = height / (high - low)

    def y(value: float) -> float:
        return top + (high - value) * scale

    parts = []
    for value in _ticks(low, high):
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
        )
        parts.append(_text(_LEFT - 5, y(value) + 3.5, number(value), "end"))
    for day in days:
        if day.low_c is None or day.high_c is None or day.mean_c is None:
            continue
        left, tall = x(day.day) + width * 0.22, max((day.high_c - day.low_c) * scale, 1.5)
        parts.append(
            f'<rect class="range" x="{left:.1f}" y="{y(day.high_c):.1f}" width="{width * 0.56:.1f}" '
            f'height="{tall:.1f}" rx="2"/>'
        )
        at = y(day.mean_c)
        parts.append(f'<line class="mean" x1="{left:.1f}" x2="{left + width * 0.56:.1f}" y1="{at:.1f}" y2="{at:.1f}"/>')
    parts += [f'<path class="setpoint" d="{path}"/>' for path in _course(setpoint, month, y)]
    parts += _day_names(month, x, width, top + height + 14)
    return _svg(top + height + 18, parts)


def votes_table(votes: VotesMonth, expected: str, voted: str) -> str:
    """Votes by expected level (rows) and level voted (columns); the darker, the more."""
    cell, tall, left, top = 32.0, 19.0, 40.0, 30.0
    most = max((count for row in votes.table for count in row), default=0) or 1
    middle = top + 2.5 * tall
    parts = [
        _text(left + 2.5 * cell, 10, voted, "middle"),
        _text(12, middle, expected, "middle", f'transform="rotate(-90 12 {middle:g})"'),
    ]
    for index in range(5):
        parts.append(_text(left + (index + 0.5) * cell, 24, str(index + 1), "middle", 'class="strong"'))
        parts.append(_text(left - 8, top + (4 - index + 0.5) * tall + 4, str(index + 1), "end", 'class="strong"'))
    for row, counts in enumerate(votes.table):
        for column, count in enumerate(counts):
            at = f'x="{left + column * cell + 1:.1f}" y="{top + (4 - row) * tall + 1:.1f}"'
            depth = 0.06 if not count else 0.18 + 0.72 * count / most
            edge = ' stroke="#1c2430" stroke-width="1"' if row == column else ""
            size = f'width="{cell - 2}" height="{tall - 2:g}"'
            parts.append(f'<rect {at} {size} fill="#2b7f8c" fill-opacity="{depth:.2f}"{edge}/>')
            if count:
                ink = "#fff" if depth > 0.55 else "#1c2430"
                place = left + (column + 0.5) * cell, top + (4 - row + 0.5) * tall + 4
                parts.append(_text(*place, str(count), "middle", f'fill="{ink}"'))
    return _svg(top + 5 * tall + 4, parts, left + 5 * cell + 6)


def _course(setpoint: SetpointMonth | None, month: Month, y: Callable[[float], float]) -> Iterator[str]:
    """The setpoint's steps as paths, one for each stretch in which it is known."""
    if setpoint is None:
        return
    begin_s, whole_s = month.begin.timestamp(), month.days * 86400.0
    ends = [at for at, _ in setpoint.course[1:]] + [month.end.timestamp()]
    path = ""
    for (at, value), until in zip(setpoint.course, ends, strict=True):
        if value is None:
            if path:
                yield path
            path = ""
            continue
        first, last = (_LEFT + (t - begin_s) / whole_s * (_WIDTH - _LEFT - _RIGHT) for t in (at, until))
        path += f"{'L' if path else 'M'}{first:.1f} {y(value):.1f}H{last:.1f}"
    if path:
        yield path


def _days(month: Month) -> tuple[Callable[[int], float], float]:
    width = (_WIDTH - _LEFT - _RIGHT) / month.days
    return lambda day: _LEFT + (day - 1) * width, width


def _day_names(month: Month, x: Callable[[int], float], width: float, y: float) -> list[str]:
    """The days' numbers, those of weekends and Mondays apart."""
    first = month.begin.weekday()
    return [
        _text(x(day) + width / 2, y, str(day), "middle", 'class="weekend"' if (first + day - 1) % 7 > 4 else "")
        for day in range(1, month.days + 1)
    ]


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    if not values:
        return 18.0, 26.0
    low, high = floor(min(values)), ceil(max(values))
    return (float(low), float(high)) if high - low >= 4 else (low - 1.0, max(high + 1.0, low + 3.0))


def _ticks(low: float, high: float) -> list[float]:
    step = next((each for each in (1, 2, 5, 10) if (high - low) / each <= 6), 20)
    return [float(value) for value in range(ceil(low / step) * step, floor(high) + 1, step)]


def _text(x: float, y: float, words: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>{escape(words)}</text>'


def _svg(height: float, parts: Sequence[str], width: float = _WIDTH) -> str:
    return f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img">{"".join(parts)}</svg>'
