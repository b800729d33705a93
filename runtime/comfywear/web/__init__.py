"""The page: five faces, what the device knows, the day's chart and a sketch, for a tablet on the wall or a phone.

The page imports no other room: the device hands it an object of the protocol `PageDevice`.
"""

from __future__ import annotations

from comfywear.web.access import Access, is_loopback, read_secret, read_token
from comfywear.web.history import History, Point
from comfywear.web.server import Page
from comfywear.web.shown import (
    Accepted,
    AirNow,
    ComfortNow,
    Day,
    DayVote,
    Field,
    Now,
    PageDevice,
    PersonNow,
    Recording,
    SettingsTable,
    WornNow,
    Zone,
)

__all__ = [
    "Accepted",
    "Access",
    "AirNow",
    "ComfortNow",
    "Day",
    "DayVote",
    "Field",
    "History",
    "Now",
    "Page",
    "PageDevice",
    "PersonNow",
    "Point",
    "Recording",
    "SettingsTable",
    "WornNow",
    "Zone",
    "is_loopback",
    "read_secret",
    "read_token",
]
