"""What the people of each zone do: by the settings, by the hour, or as the camera sees them walk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from comfywear.comfort.activity import BY_WATCHING, Motion, activity_of
from comfywear.records import ZoneActivity
from comfywear.settings import Settings
from comfywear.settings.zones import DAYS, ScheduleSettings
from comfywear.vision.tracking.walking import Walked

__all__ = ["ZoneActivities", "scheduled"]


# Mean body height of adults, men and women together (NCD-RisC, eLife 5, 2016: 1.59…1.71 m by country and sex).
_HEIGHT_M = 1.7
_STEP_MET = 0.05


class ZoneActivities:
    """The activity of each zone of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._assumed = settings.comfort.met
        self._zones = {zone.name: zone for zone in settings.zones}

    def of(self, zone: str, local: datetime | None, walked: Walked | None = None) -> ZoneActivity | None:
        """The activity in `zone`; None where only `comfort.met` says one, which is taken as exact.

        Args:
            zone: Its name.
            local: The local time; None while the clock is not set.
            walked: How people walked there, where the camera saw it; the settings say what they do else.
        """
        told = self._told(zone, local)
        if walked is None:
            return told
        resting = told.met if told else self._assumed
        speed = None if walked.heights_s is None else _HEIGHT_M * walked.heights_s
        seen = activity_of(Motion(walking_share=walked.share, speed_m_s=speed), resting)
        said = f"people of {_HEIGHT_M:g} m were seen walking {walked.share:.0%} of the time"
        # In steps: each change makes every estimate anew.
        met, met_sd = (round(value / _STEP_MET) * _STEP_MET for value in (seen.met, seen.met_sd))
        return ZoneActivity(met, met_sd, "camera", (said,))

    def _told(self, zone: str, local: datetime | None) -> ZoneActivity | None:
        said = self._zones[zone]
        hour = scheduled(said.schedule, local)
        if hour is not None:
            return ZoneActivity(hour.met, BY_WATCHING * hour.met, "schedule")
        if said.met is not None:
            return ZoneActivity(said.met, BY_WATCHING * said.met, "zone")
        if said.schedule:
            return ZoneActivity(self._assumed, BY_WATCHING * self._assumed, "settings")
        return None


def scheduled(schedule: Sequence[ScheduleSettings], local: datetime | None) -> ScheduleSettings | None:
    """The first entry that holds at the local time; None where none does, or the time is not known.

    One that ends before it begins, or when it begins, goes on over midnight: its days are those on which it begins.
    """
    if local is None:
        return None
    today, yesterday = DAYS[local.weekday()], DAYS[(local - timedelta(days=1)).weekday()]
    minute = 60 * local.hour + local.minute
    for entry in schedule:
        start, end = _minutes(entry.start), _minutes(entry.end)
        days = entry.days or DAYS
        if start < end:
            holds = today in days and start <= minute < end
        else:
            holds = (today in days and minute >= start) or (yesterday in days and minute < end)
        if holds:
            return entry
    return None


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return 60 * int(hours) + int(minutes)
