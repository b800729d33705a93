"""Every address of the page: what it takes and gives, and who may ask.

The one list that the page serves, the guard keeps and the OpenAPI document tells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from comfywear.settings.draft import DraftFault
from comfywear.texts import Text
from comfywear.web.access import Role
from comfywear.web.bodies import (
    Correct,
    EndSession,
    Kept,
    MakeBackup,
    OpenSession,
    Press,
    Start,
    SwitchPrivacy,
    TakeBack,
    Undo,
    Undone,
)
from comfywear.web.calibrations import (
    CalibrationNow,
    CompareSensor,
    CorrectionFound,
    FindResponse,
    FindSelfHeating,
    KeepCalibration,
    KeptCalibration,
    ResponseFound,
    SelfHeatingFound,
)
from comfywear.web.drawings import CheckedDrawing, Drawing, Drawn, KeepDrawn, KeptDrawing
from comfywear.web.files import STATIC
from comfywear.web.guard import MOST_BYTES
from comfywear.web.restores import MOST_UPLOADED, FoundBackup, RestoreBackup, RestoreBegun, RestoreEnded
from comfywear.web.settings_form import SettingsDraft, SettingsForm, SettingsOutcome, SettingsSaved
from comfywear.web.shown import Accepted, Day, Finds, ListedChange, Looking, Now, SettingsTable

__all__ = ["ADDRESSES", "Address", "most_bytes", "role_needed"]

JSON = "application/json"

SETTINGS_BYTES = 131072
"""Of a request's body that holds a settings file, at most."""


@dataclass(frozen=True, slots=True)
class Address:
    """One method of one address.

    Attributes:
        method: GET answers HEAD too, and changes nothing.
        path: With parameters in braces.
        role: The least that is needed; None = open to all.
        what: What it is for, in a sentence.
        gives: The type of a good answer in JSON; None for one that is not JSON.
        media: The media type of a good answer.
        takes: The type of the JSON body; None without one.
        uploads: Whether it takes a file (`application/zip`) as its body.
        of_zone: Whether `?zone=` chooses a zone.
        of_camera: Whether `?camera=` chooses a camera.
        of_span: Whether `?span=` chooses how far back it goes.
        of_scheme: Whether `?scheme=` chooses a drawing for a light page or a dark one.
        counted: Whether there may be only so many in a minute from a client.
        may_miss: Whether there may be nothing (404).
        audit: What it is called in the list of what was changed; "" = it does not stand there.
        most_bytes: A body has at most so many bytes.
    """

    method: Literal["GET", "POST"]
    path: str
    role: Role | None
    what: str
    gives: Any = None
    media: str = JSON
    takes: Any = None
    uploads: bool = False
    of_zone: bool = False
    of_camera: bool = False
    of_span: bool = False
    of_scheme: bool = False
    counted: bool = False
    may_miss: bool = False
    audit: str = ""
    most_bytes: int = MOST_BYTES

    @property
    def for_programs(self) -> bool:
        """Whether it stands in the OpenAPI document."""
        return self.path.startswith("/api/") or self.path == "/metrics"


ADDRESSES: Mapping[str, Address] = {
    "page": Address("GET", "/", "read", "The page.", media="text/html"),
    "login_form": Address("GET", "/login", None, "The form to sign in.", media="text/html"),
    "login": Address("POST", "/login", None, "Sign in.", media="text/html", audit=Text("signed in")),
    "logout": Address("POST", "/logout", "read", "Sign out.", media="text/html", audit=Text("signed out")),
    "words": Address("GET", "/words/{code}.json", None, "The words of a language.", dict[str, Any]),
    "start": Address("GET", "/api/start", "read", "What a page needs to begin.", Start),
    "now": Address("GET", "/api/now", "read", "How a zone is.", Now, of_zone=True),
    "events": Address(
        "GET",
        "/api/events",
        "read",
        "How a zone is, whenever it changes: server-sent events named `now`, their data as /api/now.",
        media="text/event-stream",
        of_zone=True,
    ),
    "day": Address(
        "GET", "/api/day", "read", "The last 24 hours of a zone, or 7 or 30 days.", Day, of_zone=True, of_span=True
    ),
    "settings": Address(
        "GET", "/api/settings", "admin", "The settings in words, without secrets.", list[SettingsTable]
    ),
    "sketch": Address(
        "GET",
        "/api/sketch.jpg",
        "read",
        "The newest sketch of the room.",
        media="image/jpeg",
        of_camera=True,
        of_scheme=True,
        may_miss=True,
    ),
    "qr_code": Address(
        "GET",
        "/api/qr.svg",
        "read",
        "A zone's address as a QR code.",
        media="image/svg+xml",
        of_zone=True,
    ),
    "metrics": Address("GET", "/metrics", "read", "How the device is, for Prometheus.", media="text/plain"),
    "vote": Address(
        "POST", "/api/vote", "vote", "Vote; answered once it is committed.", Accepted, takes=Press, counted=True
    ),
    "undo": Address("POST", "/api/undo", "vote", "Take a vote back within `undo_s`.", Undone, takes=Undo),
    "finds": Address("GET", "/api/finds", "read", "Who is found in the picture, and the corrections that hold.", Finds),
    "correct": Address(
        "POST",
        "/api/finds",
        "admin",
        "Correct what is found.",
        Kept,
        takes=Correct,
        counted=True,
        audit=Text("find corrected"),
    ),
    "take_back": Address(
        "POST",
        "/api/finds/undo",
        "admin",
        "Take a correction back.",
        Undone,
        takes=TakeBack,
        audit=Text("correction taken back"),
    ),
    "privacy": Address(
        "POST",
        "/api/privacy",
        "admin",
        "Have cameras look no more, or again.",
        list[Looking],
        takes=SwitchPrivacy,
        audit=Text("privacy switched"),
    ),
    "sessions": Address("GET", "/api/sessions", "admin", "Who is signed in, the newest use first.", list[OpenSession]),
    "end_session": Address(
        "POST",
        "/api/sessions/end",
        "admin",
        "End a session; who is left.",
        list[OpenSession],
        takes=EndSession,
        audit=Text("session ended"),
    ),
    "audit": Address(
        "GET", "/api/audit", "admin", "What was changed, when and from where, the newest first.", list[ListedChange]
    ),
    "backup": Address(
        "POST",
        "/api/backup",
        "admin",
        "The device in one file, as comfywear backup makes it.",
        media="application/zip",
        takes=MakeBackup,
        audit=Text("backup downloaded"),
    ),
    "upload_backup": Address(
        "POST",
        "/api/restore/upload",
        "admin",
        "Upload a backup; what it would change.",
        FoundBackup,
        uploads=True,
        most_bytes=MOST_UPLOADED,
        audit=Text("backup uploaded"),
    ),
    "restore": Address(
        "POST",
        "/api/restore",
        "admin",
        "Restore the backup that was uploaded; the device starts anew with it.",
        RestoreBegun,
        takes=RestoreBackup,
        audit=Text("restore begun"),
    ),
    "restored": Address("GET", "/api/restore", "admin", "How the last restore ended.", RestoreEnded),
    "drawing": Address(
        "GET", "/api/drawing", "admin", "The zones, masks and lines of a camera's picture.", Drawing, of_camera=True
    ),
    "check_drawing": Address(
        "POST", "/api/drawing/check", "admin", "What is wrong with a drawing.", CheckedDrawing, takes=Drawn
    ),
    "keep_drawing": Address(
        "POST",
        "/api/drawing",
        "admin",
        "Keep a drawing in the settings; the device starts anew with it.",
        KeptDrawing,
        takes=KeepDrawn,
        audit=Text("zones drawn"),
    ),
    "settings_page": Address("GET", "/settings", "admin", "The page of the settings.", media="text/html"),
    "settings_words": Address(
        "GET", "/words/settings/{code}.json", "admin", "The settings' titles in a language.", dict[str, Any]
    ),
    "settings_form": Address(
        "GET", "/api/settings/form", "admin", "The settings as a form, without secrets.", SettingsForm
    ),
    "check_settings": Address(
        "POST",
        "/api/settings/check",
        "admin",
        "What is wrong with a draft of the settings.",
        list[DraftFault],
        takes=SettingsDraft,
        most_bytes=SETTINGS_BYTES,
    ),
    "save_settings": Address(
        "POST",
        "/api/settings",
        "admin",
        "Change the settings file, and start anew with it.",
        SettingsSaved,
        takes=SettingsDraft,
        most_bytes=SETTINGS_BYTES,
        audit=Text("settings changed"),
    ),
    "settings_outcome": Address(
        "GET", "/api/settings/outcome", "admin", "What became of the last change of the settings.", SettingsOutcome
    ),
    "calibration": Address(
        "GET", "/api/calibration", "admin", "What the sensors say, and whether they have come to rest.", CalibrationNow
    ),
    "compare_sensor": Address(
        "POST", "/api/calibration/points", "admin", "A sensor's correction.", CorrectionFound, takes=CompareSensor
    ),
    "find_self_heating": Address(
        "POST",
        "/api/calibration/self-heating",
        "admin",
        "How much the board warms a sensor.",
        SelfHeatingFound,
        takes=FindSelfHeating,
    ),
    "keep_calibration": Address(
        "POST",
        "/api/calibration",
        "admin",
        "Keep in the settings what was found; the device starts anew with it.",
        KeptCalibration,
        takes=KeepCalibration,
        audit=Text("sensor calibrated"),
    ),
    "find_response": Address(
        "POST", "/api/calibration/response", "admin", "How quickly a sensor follows.", ResponseFound, takes=FindResponse
    ),
}
"""By the name of what answers."""

_PATTERNS = tuple((re.compile(re.sub(r"\{\w+\}", r"[^/]+", each.path)), each) for each in ADDRESSES.values())


def role_needed(method: str, path: str) -> Role | None:
    """The least role that a request needs, None for none; "admin" for an address that is not listed."""
    if path.startswith(f"{STATIC}/"):
        return None
    found = _found(method, path)
    return found.role if found else "admin"


def most_bytes(method: str, path: str) -> int:
    """How many bytes the body of a request may have."""
    found = _found(method, path)
    return found.most_bytes if found else MOST_BYTES


def _found(method: str, path: str) -> Address | None:
    wanted = "GET" if method == "HEAD" else method
    return next((each for pattern, each in _PATTERNS if each.method == wanted and pattern.fullmatch(path)), None)
