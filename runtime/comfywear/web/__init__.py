"""The page: five faces, what the device knows, the day's chart and a sketch, for a tablet on the wall or a phone.

The page imports no other room: the device hands it an object of the protocol `PageDevice`.
"""

from __future__ import annotations

from comfywear.web.access import Access, Role, read_secret, read_token
from comfywear.web.calibrations import Calibrations
from comfywear.web.drawings import CheckedDrawing, Drawing, Drawings
from comfywear.web.history import History, Point
from comfywear.web.restores import FoundBackup, RestoreBackup, RestoreEnded, Restores
from comfywear.web.server import PageServer
from comfywear.web.sessions import Sessions
from comfywear.web.settings_form import SettingsDraft, SettingsForm, SettingsOutcome, SettingsSaved, SettingsSecret
from comfywear.web.shown import (
    Accepted,
    AirNow,
    ComfortNow,
    Day,
    DayVote,
    Field,
    Find,
    Finds,
    HeldCorrection,
    LikedNow,
    LineNow,
    ListedChange,
    Looking,
    MadeBackup,
    Now,
    OutdoorsNow,
    PageDevice,
    PersonNow,
    PresenceNow,
    Recording,
    SettingsTable,
    Span,
    WornNow,
    Zone,
)
from comfywear.web.tls import PageTls, page_tls

__all__ = [
    "Accepted",
    "Access",
    "AirNow",
    "Calibrations",
    "CheckedDrawing",
    "ComfortNow",
    "Day",
    "DayVote",
    "Drawing",
    "Drawings",
    "Field",
    "Find",
    "Finds",
    "FoundBackup",
    "HeldCorrection",
    "History",
    "LikedNow",
    "LineNow",
    "ListedChange",
    "Looking",
    "MadeBackup",
    "Now",
    "OutdoorsNow",
    "PageDevice",
    "PageServer",
    "PageTls",
    "PersonNow",
    "Point",
    "PresenceNow",
    "Recording",
    "RestoreBackup",
    "RestoreEnded",
    "Restores",
    "Role",
    "Sessions",
    "SettingsDraft",
    "SettingsForm",
    "SettingsOutcome",
    "SettingsSaved",
    "SettingsSecret",
    "SettingsTable",
    "Span",
    "WornNow",
    "Zone",
    "page_tls",
    "read_secret",
    "read_token",
]
