"""The running mean of the outdoor temperature, from daily means that are kept in the state folder."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec

from comfywear.comfort import running_mean
from comfywear.system.json_file import load_json, save_json

__all__ = ["FILE_NAME", "LEAST_DAYS", "OutdoorDays"]

FILE_NAME = "outdoors.json"
EVERY_S = 60.0
KEEP_EVERY_S = 600.0
# A day of which fewer hours are known has no mean: its nights or its afternoons would be missing.
LEAST_HOURS = 18
# EN 16798-1:2019, B.2.2, has seven days in its approximate formula, ASHRAE 55-2020, 5.4.2.1, asks for no fewer.
LEAST_DAYS, WITHIN_DAYS = 7, 10
# ASHRAE 55-2020, 5.4.2.1: no more than thirty; with α = 0.8 what is older counts as a thousandth.
MOST_DAYS = 30


class _Hour(msgspec.Struct):
    """Of one hour of today: how often the air was noted, and the mean, °C."""

    count: int = 0
    mean_c: float = 0.0


class _File(msgspec.Struct):
    """Daily means, °C, by ISO date; the hours (0…23) of the day that is not over."""

    days: dict[str, float] = {}
    today: str = ""
    hours: dict[int, _Hour] = {}


class OutdoorDays:
    """Daily means of the last days by local time; from one thread.

    A day's mean is that of its hourly means, and counts when 18 hours of it are known.

    Args:
        folder: The state folder.
        keep_file: Writes the file.
    """

    def __init__(self, folder: Path, keep_file: Callable[[Path, object], None] = save_json) -> None:
        self._path = folder / FILE_NAME
        self._keep = keep_file
        kept = load_json(self._path, _File())
        self._days = {day: mean for each, mean in kept.days.items() if (day := _day(each)) and math.isfinite(mean)}
        self._today = _day(kept.today)
        self._hours = {hour: each for hour, each in kept.hours.items() if _sound(hour, each)}
        self._noted_s = -math.inf
        self._kept_s: float | None = None

    def note(self, air_temp_c: float | None, now_s: float, local: datetime | None) -> None:
        """Take the temperature outdoors at `now_s` (monotonic); without one, or without a set clock, none is taken."""
        if local is None:
            return
        if local.date() != self._today:
            self._close(local.date())
        if now_s - self._noted_s < EVERY_S or air_temp_c is None or not math.isfinite(air_temp_c):
            return
        self._noted_s = now_s
        hour = self._hours.setdefault(local.hour, _Hour())
        hour.count += 1
        hour.mean_c += (air_temp_c - hour.mean_c) / hour.count

    def keep(self, now_s: float) -> None:
        """Write the file when it is time.

        Raises:
            StoreError: When it cannot be written; the means go on in memory, and it is tried again later.
        """
        if self._kept_s is None:
            self._kept_s = now_s
        if now_s - self._kept_s < KEEP_EVERY_S or self._today is None:
            return
        self._kept_s = now_s
        days = {day.isoformat(): mean for day, mean in sorted(self._days.items())}
        self._keep(self._path, _File(days, self._today.isoformat(), self._hours))

    def running_mean_c(self) -> float | None:
        """Exponentially weighted mean of the days before today, °C (`comfort.running_mean`, α = 0.8).

        None until seven of the last ten days are known; days that are not known are left out.
        """
        if self.days() < LEAST_DAYS or self._today is None:
            return None
        past = [self._days.get(self._today - timedelta(before), math.nan) for before in range(1, MOST_DAYS + 1)]
        return running_mean(past)

    def days(self) -> int:
        """How many of the ten days before today are known."""
        if self._today is None:
            return 0
        return sum(self._today - timedelta(before) in self._days for before in range(1, WITHIN_DAYS + 1))

    def _close(self, today: date) -> None:
        """Another day has begun; a clock that was set back takes the days with it that are yet to come."""
        if self._today is not None and len(self._hours) >= LEAST_HOURS:
            self._days[self._today] = sum(hour.mean_c for hour in self._hours.values()) / len(self._hours)
        self._today, self._hours = today, {}
        oldest = today - timedelta(MOST_DAYS)
        self._days = {day: mean for day, mean in self._days.items() if oldest <= day < today}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _sound(hour: int, noted: _Hour) -> bool:
    return 0 <= hour <= 23 and noted.count > 0 and math.isfinite(noted.mean_c)
