"""The simulated room's last two days as a picture: temperatures, people, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from comfywear_export.environments.pictures import figure_of, picture_of
from comfywear_export.setpoint.simulate import Hour

__all__ = ["drawn"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SPAN_H = 48


def drawn(past: Sequence[tuple[int, float, Hour]]) -> NDArray[np.uint8]:
    """`(480, 800, 3) uint8` RGB of the hours so far: (number, the working day's setpoint °C, what passed) each."""
    figure = figure_of(8.0, 4.8)
    warmth, people, money = figure.subplots(3, 1, sharex=True, height_ratios=(4, 1, 1))
    first = past[0][0] if past else 0
    hour = [number + 1 for number, _, _ in past]
    warmth.plot(hour, [float(each.after.room.air_c[0]) for _, _, each in past], "#1d5f9c", label="air")
    warmth.step(hour, [value for _, value, _ in past], "#c44e1e", where="pre", label="setpoint of the day")
    warmth.plot(hour, [float(each.outdoor_c[0]) for _, _, each in past], "#888888", lw=1, label="outdoors")
    warmth.set_ylabel("°C")
    warmth.legend(loc="upper left", ncols=3, fontsize="small", frameon=False)
    warmth.set_ylim(-15, 38)
    warmth.grid(alpha=0.3)
    warmth.set_title(_title(past), loc="left", fontsize="medium")
    there = np.array([float(each.after.people[0]) for _, _, each in past])
    votes = np.nan_to_num([float(each.after.pmv[0]) for _, _, each in past])
    content = np.where(np.abs(votes) <= 0.5, "#3a9d6e", np.where(votes < 0, "#2c6fb0", "#c44e1e"))
    people.bar(hour, there, 0.9, color=content, align="center")
    people.set_ylim(0, 4.5)
    people.set_ylabel("people")
    money.bar(hour, [float(each.cost[0]) for _, _, each in past], 0.9, color="#555555")
    money.set_ylabel("cost")
    money.set_ylim(bottom=0, top=max(0.5, *(float(each.cost[0]) for _, _, each in past)) if past else 0.5)
    ticks = np.arange(first - first % 6, first + _SPAN_H + 1, 6)
    money.set_xticks(
        ticks, [f"{_DAYS[tick // 24 % 7]}\n0:00" if tick % 24 == 0 else f"{tick % 24}:00" for tick in ticks]
    )
    money.set_xlim(first, first + _SPAN_H)
    return picture_of(figure)


def _title(past: Sequence[tuple[int, float, Hour]]) -> str:
    if not past:
        return "A simulated office: nothing has happened yet"
    number, _, passed = past[-1]
    vote = float(passed.after.pmv[0])
    said = "nobody is there" if not passed.after.people[0] else f"PMV {vote:+.1f}"
    key = "green: within ±0.5, blue cold, red warm"
    return f"A simulated office, day {number // 24 + 1}, {number % 24}:00 – {said} ({key})"
