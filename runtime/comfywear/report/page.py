"""The report as one HTML file: nothing is loaded from elsewhere, no script, light, and made for A4."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from pathlib import Path

from comfywear import __version__
from comfywear.report.drawing import COLOURS, air_by_day, calendar, category_bar, votes_table
from comfywear.report.figures import CATEGORIES, ZoneMonth
from comfywear.report.month import Month
from comfywear.report.wording import Wording

__all__ = ["render"]

_STYLE = Path(__file__).parent / "page.css"


def render(zones: Sequence[ZoneMonth], month: Month, wording: Wording, source: str) -> str:
    """The page of one or several zones.

    Args:
        zones: Each begins on a sheet of its own.
        month: The month.
        wording: Of the language that is wanted.
        source: Where the figures come from, to be named below them.
    """
    title = wording.say("title", month=wording.month(month.year, month.number))
    pages = [_Zone(zone, month, wording).html(title) for zone in zones]
    overview = [_overview(zones, wording, title)] if len(zones) > 1 else []
    made = wording.say(
        "made",
        date=month.now.astimezone(month.place).strftime("%Y-%m-%d %H:%M"),
        version=__version__,
        source=source,
        place=str(month.now.astimezone(month.place).tzname()),
    )
    foot = f'<footer class="quiet"><p>{escape(wording.say("foot"))}</p><p>{escape(made)}</p></footer>'
    return (
        f'<!doctype html>\n<html lang="{wording.code}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE.read_text(encoding='utf-8')}</style></head>"
        f"<body><main>{''.join([*overview, *pages])}{foot}</main></body></html>\n"
    )


def _overview(zones: Sequence[ZoneMonth], wording: Wording, title: str) -> str:
    say = wording.say
    heads = [say("zone"), say("tiles.occupied"), say("tiles.good"), say("tiles.no_votes"), say("tiles.coverage")]
    rows = [
        [
            f"{zone.title} ({zone.device})",
            wording.hours(zone.occupied_h),
            wording.share(_good(zone)),
            str(len(zone.votes.votes)),
            wording.share(zone.sensors.coverage),
        ]
        for zone in zones
    ]
    table = _section(say("overview"), _table(heads, rows))
    return f'<div class="overview"><h1>{escape(title)}</h1>{table}</div>'


class _Zone:
    """A zone's sheet."""

    def __init__(self, zone: ZoneMonth, month: Month, wording: Wording) -> None:
        self._zone, self._month, self._wording = zone, month, wording
        self._say = wording.say

    def html(self, title: str) -> str:
        zone, wording = self._zone, self._wording
        under = self._say("of_device", device=zone.device)
        if not self._month.over:
            end = self._month.end
            under += ", " + self._say("so_far", day=wording.day(end), time=end.strftime("%H:%M"))
        return (
            f'<div class="zone"><h1>{escape(zone.title)}: {escape(title)}</h1><p class="quiet">{escape(under)}</p>'
            + self._tiles()
            + self._categories()
            + self._calendar()
            + self._air()
            + f'<section class="two uneven">{self._votes()}{self._worst()}</section>'
            + f'<section class="two">{self._advice()}{self._sensors()}</section></div>'
        )

    def _tiles(self) -> str:
        zone, wording = self._zone, self._wording
        votes = len(zone.votes.votes)
        said = self._say("tiles.votes", mean=wording.number(zone.votes.mean)) if votes else self._say("tiles.no_votes")
        tiles = (
            (wording.hours(zone.occupied_h), self._say("tiles.occupied" if zone.looked else "tiles.known")),
            (wording.share(_good(zone)), self._say("tiles.good")),
            (str(votes), said),
            (wording.share(zone.sensors.coverage), self._say("tiles.coverage")),
        )
        inner = "".join(
            f'<div class="tile"><b>{escape(big)}</b><span>{escape(small)}</span></div>' for big, small in tiles
        )
        return f'<div class="tiles">{inner}</div>'

    def _categories(self) -> str:
        hours, wording = self._zone.categories, self._wording
        items = "".join(
            f'<li><svg width="10" height="10" style="display:inline" aria-hidden="true"><rect width="10" height="10" '
            f'fill="{COLOURS[name]}"/></svg>'
            f"{escape(self._say(f'category.{name}'))}: {escape(wording.hours(hours[name]))}</li>"
            for name in CATEGORIES
        )
        heading = self._say("category.heading" if self._zone.looked else "category.heading_known")
        return _section(heading, f'{category_bar(hours)}<ul class="legend">{items}</ul>')

    def _calendar(self) -> str:
        note = f'<p class="quiet">{escape(self._say("calendar.note"))}</p>'
        return _section(self._say("calendar.heading"), calendar(self._zone.cells, self._month) + note)

    def _air(self) -> str:
        zone, wording = self._zone, self._wording
        heading = self._say("air.heading")
        under = self._say("setpoint.none")
        if zone.setpoint is not None:
            heading += f", {self._say('air.setpoint')}"
            low, mean, high = (
                wording.number(each) for each in (zone.setpoint.low_c, zone.setpoint.mean_c, zone.setpoint.high_c)
            )
            under = self._say("setpoint.said", low=low, mean=mean, high=high, n=str(zone.setpoint.changes))
        drawn = air_by_day(zone.days, zone.setpoint, self._month, lambda value: wording.number(value, 0))
        said = f'<p class="quiet">{escape(self._say("setpoint.heading"))}: {escape(under)}</p>'
        return _section(heading, drawn + said)

    def _votes(self) -> str:
        votes, wording = self._zone.votes, self._wording
        if not votes.votes:
            inner = _words(self._say("votes.none"))
        elif votes.above is None:
            inner = _words(self._say("votes.uncompared", n=str(len(votes.votes))))
        else:
            said = self._say(
                "votes.said",
                close=wording.share(votes.close),
                n=str(votes.compared),
                above=wording.number(abs(votes.above)),
                way=self._say("votes.higher" if votes.above >= 0 else "votes.lower"),
            )
            inner = votes_table(votes, self._say("votes.expected"), self._say("votes.voted")) + _words(said)
        return f"<div><h2>{escape(self._say('votes.heading'))}</h2>{inner}{self._learnt()}</div>"

    def _learnt(self) -> str:
        shift = self._zone.learnt_k
        if shift is None or abs(shift) < 0.05:
            return ""
        name = "learnt.warmer" if shift > 0 else "learnt.cooler"
        return _words(self._say(name, k=self._wording.number(abs(shift))))

    def _worst(self) -> str:
        wording = self._wording
        rows = []
        for hour in self._zone.worst:
            begin = datetime.fromtimestamp(hour.unix_s, self._month.place)
            air = [f"{wording.number(hour.air_temp_c)} °C", f"{wording.number(hour.humidity_pct, 0)} %"]
            rows.append(
                [
                    f"{wording.day(begin)}, {begin.hour}–{begin.hour + 1}",
                    ", ".join(air),
                    wording.number(hour.pmv, signed=True),
                    f"{wording.number(hour.ppd_pct, 0)} %",
                    ", ".join(map(str, hour.votes[:5])) + (" …" if len(hour.votes) > 5 else "") or "–",
                ]
            )
        heads = [self._say(f"worst.{name}") for name in ("when", "air", "pmv", "ppd", "votes")]
        inner = _table(heads, rows) if rows else _words(self._say("worst.none"))
        return f"<div><h2>{escape(self._say('worst.heading'))}</h2>{inner}</div>"

    def _advice(self) -> str:
        wording = self._wording
        rows = [
            [
                wording.advice(each.what),
                wording.hours(each.hours),
                self._say("advice.change", before=wording.number(each.before, 0), after=wording.number(each.after, 0)),
            ]
            for each in self._zone.advice
        ]
        heads = [self._say(f"advice.{name}") for name in ("what", "hours", "gain")]
        inner = _table(heads, rows) if rows else _words(self._say("advice.none"))
        return f"<div><h2>{escape(self._say('advice.heading'))}</h2>{inner}</div>"

    def _sensors(self) -> str:
        health, wording = self._zone.sensors, self._wording
        gaps = self._say("sensors.none")
        if health.gaps:
            gaps = self._say("sensors.gaps_said", n=str(health.gaps), hours=wording.hours(health.longest_gap_h))
        camera = self._say("sensors.never") if health.camera is None else wording.share(health.camera)
        differ = wording.hours(health.disagree_h) + (f" ({health.disagreement})" if health.disagreement else "")
        rows = [
            [self._say("sensors.coverage"), wording.share(health.coverage)],
            [self._say("sensors.camera"), camera],
            [self._say("sensors.gaps"), gaps],
            [self._say("sensors.silent"), wording.hours(health.silent_h)],
            [self._say("sensors.disagree"), differ],
        ]
        notes = [self._say("sensors.simulated")] if health.simulated else []
        notes += [self._say("sensors.unread", n=str(health.unread))] if health.unread else []
        inner = _table([], rows) + "".join(map(_words, notes))
        return f"<div><h2>{escape(self._say('sensors.heading'))}</h2>{inner}</div>"


def _good(zone: ZoneMonth) -> float | None:
    """The share of the hours with people that lie in category I or II, of those with a PMV."""
    known = sum(hours for name, hours in zone.categories.items() if name != "unknown")
    return (zone.categories["I"] + zone.categories["II"]) / known if known else None


def _section(heading: str, inner: str) -> str:
    return f"<section><h2>{escape(heading)}</h2>{inner}</section>"


def _words(text: str) -> str:
    return f'<p class="quiet">{escape(text)}</p>'


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(
        f"<th scope=col{'' if index == 0 else ' class=n'}>{escape(each)}</th>" for index, each in enumerate(heads)
    )
    body = "".join(
        f"<tr><th scope=row>{escape(first)}</th>{''.join(f'<td class=n>{escape(each)}</td>' for each in others)}</tr>"
        for first, *others in rows
    )
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if heads else ''}<tbody>{body}</tbody></table>"
