"""A month of the calendar in a time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from comfywear.errors import UsageError

__all__ = ["Month", "time_zone"]

HOUR_S = 3600.0
_EARLIEST = 2020


@dataclass(frozen=True, slots=True)
class Month:
    """A month.

    Attributes:
        year: Such as 2027.
        number: 1…12.
        place: The time zone whose days and hours are meant.
        now: When it is looked at: what lies later has not happened.
    """

    year: int
    number: int
    place: tzinfo
    now: datetime

    @classmethod
    def of(cls, text: str, place: tzinfo, now: datetime) -> Month:
        """The month that YYYY-MM names; "" is the last whole one.

        Raises:
            UsageError: When it is none, or has not begun.
        """
        if not text:
            last = now.astimezone(place).replace(day=1) - timedelta(days=1)
            return cls(last.year, last.month, place, now)
        found = re.fullmatch(r"(\d{4})-(\d{2})", text.strip(), re.ASCII)
        if found is None or not 1 <= int(found[2]) <= 12:
            raise UsageError(f"--month {text!r} is no month: write the year and the month, such as 2027-01")
        month = cls(int(found[1]), int(found[2]), place, now)
        if month.year < _EARLIEST:
            raise UsageError(f"--month {text}: there were no comfort sensors before {_EARLIEST}")
        if month.begin > now:
            raise UsageError(f"--month {text} has not begun yet")
        return month

    @property
    def begin(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.number, 1, tzinfo=self.place)

    @property
    def end(self) -> datetime:
        """The first moment after it, or now where it is not over."""
        year, number = (self.year + 1, 1) if self.number == 12 else (self.year, self.number + 1)
        return min(datetime(year, number, 1, tzinfo=self.place), self.now.astimezone(self.place))

    @property
    def over(self) -> bool:
        """Whether all of it has happened."""
        return self.end < self.now

    @property
    def days(self) -> int:
        """How many days it has."""
        later = datetime(self.year, self.number, 28) + timedelta(days=4)  # noqa: DTZ001 - a date alone
        return (later - timedelta(days=later.day)).day

    def hours(self) -> list[tuple[float, int, int]]:
        """The hours that have begun: Unix time of the start, day of the month, hour of the day by the wall clock.

        Where summer time ends an hour of the day comes twice, where it begins one is missing.
        """
        begin_s, end_s = self.begin.timestamp(), self.end.timestamp()
        found = []
        for index in range(int((end_s - begin_s + HOUR_S - 1.0) // HOUR_S)):
            at_s = begin_s + index * HOUR_S
            local = datetime.fromtimestamp(at_s, self.place)
            found.append((at_s, local.day, local.hour))
        return found

    def __str__(self) -> str:
        return f"{self.year}-{self.number:02}"


def time_zone(name: str) -> tzinfo:
    """The time zone of a name such as Europe/Berlin; "" is this machine's.

    Raises:
        UsageError: When there is none of that name here.
    """
    if not name:
        return _Here()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"--timezone {name!r} is not known here: give a name such as Europe/Berlin (Debian: apt install tzdata)"
        ) from error


class _Here(tzinfo):
    """This machine's own time zone, with its summer time."""

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return None if moment is None else moment.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, _: datetime | None) -> timedelta | None:
        return None

    def tzname(self, moment: datetime | None) -> str | None:
        return None if moment is None else moment.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, moment: datetime) -> datetime:
        local = moment.replace(tzinfo=timezone.utc).astimezone()
        return local.replace(tzinfo=self)
