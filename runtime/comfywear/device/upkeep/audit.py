"""The list of what was changed at the device: what, when, and from where; the newest thousand, in an SQLite file.

Votes stand in the store of votes, with their place and time, and not here.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from comfywear.errors import StoreError
from comfywear.publishing.messages.commands import (
    Command,
    FindsMiss,
    FindsReject,
    FindsUndo,
    ModelsPull,
    ModelsRollback,
    ProgramUpgrade,
    Reload,
    SetPrivacy,
    SetZoneName,
)
from comfywear.system.clock import Clock, wall_time
from comfywear.system.database import Database
from comfywear.system.log_once import LogOnce
from comfywear.system.read_only import reading
from comfywear.texts import Text
from comfywear_sensors.redaction import redact

__all__ = ["AUDIT_FILE", "CHANGES", "MOST_CHANGES", "AuditEntry", "AuditList", "detail_of", "read_audit"]

_log = logging.getLogger(__name__)
AUDIT_FILE = "audit.sqlite"
MOST_CHANGES = 1000
_MOST_LETTERS = 200
_NEWEST = "SELECT ts, what, detail, origin FROM changes ORDER BY number DESC LIMIT ?"

CHANGES: Mapping[type[Command], str] = {
    FindsMiss: Text("find corrected"),
    FindsReject: Text("find corrected"),
    FindsUndo: Text("correction taken back"),
    ModelsPull: Text("model pulled"),
    ModelsRollback: Text("model rolled back"),
    ProgramUpgrade: Text("program upgraded"),
    Reload: Text("settings read again"),
    SetPrivacy: Text("privacy switched"),
    SetZoneName: Text("zone named"),
}
"""What a command over MQTT changes; the others change nothing that lasts."""

# Of the control socket, by verb and what it is to do; None = whatever it is to do.
_REQUESTS: Mapping[tuple[str, Any], str] = {
    ("calibration", "keep"): Text("sensor calibrated"),
    ("delete-votes", None): Text("votes deleted"),
    ("finds", "miss"): Text("find corrected"),
    ("finds", "reject"): Text("find corrected"),
    ("finds", "undo"): Text("correction taken back"),
    ("learning-reset", None): Text("learning begun anew"),
    ("learning-rollback", None): Text("learning rolled back"),
    ("privacy", "on"): Text("privacy switched"),
    ("privacy", "off"): Text("privacy switched"),
}


class AuditEntry(NamedTuple):
    """Something that was changed: when (ISO 8601 UTC; None while the clock was not set), what, and from where."""

    ts: str | None
    what: str
    detail: str
    origin: str


class AuditList:
    """The list of a device; every method may be called from any thread.

    Args:
        path: Its file. One that cannot be opened is said, and memory stands in.
        clock: The wall clock.
    """

    def __init__(self, path: Path, clock: Clock = wall_time) -> None:
        self._clock = clock
        self._complaint = LogOnce(_log)
        self._file = Database(path, "the list of changes", _prepare, merge=_merge)

    def note(self, what: str, detail: str, origin: str) -> None:
        """Write a change down; one that cannot be is said in the log, and stops nobody."""
        row = (self._clock().ts, *(_kept(each) for each in (what, detail, origin)))

        def add(file: sqlite3.Connection) -> None:
            number = file.execute("INSERT INTO changes (ts, what, detail, origin) VALUES (?, ?, ?, ?)", row).lastrowid
            file.execute("DELETE FROM changes WHERE number <= ?", ((number or 0) - MOST_CHANGES,))

        try:
            self._file.write(add)
        except StoreError as error:
            self._complaint.trouble(error)
        else:
            self._complaint.over()

    def note_request(self, request: Mapping[str, Any], user: str) -> None:
        """Write down what a request at the control socket changed, if it did."""
        verb = str(request.get("verb"))
        what = _REQUESTS.get((verb, request.get("do"))) or _REQUESTS.get((verb, None))
        if verb == "models" and request.get("renew"):
            what = Text("models loaded again")
        if what:
            told = {name: value for name, value in request.items() if name != "verb" and value is not None}
            if "person" in told:
                told["person"] = "(named)"  # whose votes were deleted is not kept here instead
            self.note(what, ", ".join(f"{name} {value}" for name, value in told.items()), f"command, {user}")

    def newest(self, most: int = MOST_CHANGES) -> list[AuditEntry]:
        """The newest first; none while the file cannot be read."""
        try:
            return self._file.read(lambda file: [AuditEntry(*row) for row in file.execute(_NEWEST, (most,))])
        except StoreError as error:
            self._complaint.trouble(error)
            return []

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _kept(text: str) -> str:
    """What may be stored of a text that somebody sent."""
    return redact(text)[:_MOST_LETTERS].encode("utf-8", "replace").decode()


def detail_of(command: Command) -> str:
    """What a command says beside its name, in words."""
    said = {name: getattr(command, name) for name in command.__struct_fields__ if name not in ("id", "reply_to")}
    return ", ".join(f"{name} {value}" for name, value in said.items() if value is not None)


def read_audit(path: Path, most: int) -> list[AuditEntry]:
    """The newest changes of a device, also while it runs, the newest first.

    Raises:
        StoreError: When there is no such file, or it cannot be read.
    """
    if not path.is_file():
        raise StoreError(Text("{path}: there is no list of changes; name the state folder with --state-dir", path=path))
    try:
        with reading(path) as file:
            return [AuditEntry(*row) for row in file.execute(_NEWEST, (most,))]
    except sqlite3.Error as error:
        raise StoreError(Text("{path} cannot be read ({why})", path=path, why=error)) from error


def _prepare(file: sqlite3.Connection) -> None:
    file.execute(
        "CREATE TABLE IF NOT EXISTS changes (number INTEGER PRIMARY KEY AUTOINCREMENT, ts TEXT, what TEXT NOT NULL, "
        "detail TEXT NOT NULL, origin TEXT NOT NULL)"
    )
    file.execute("SELECT ts, what, detail, origin FROM changes LIMIT 1")


def _merge(file: sqlite3.Connection, memory: sqlite3.Connection) -> None:
    rows = memory.execute("SELECT ts, what, detail, origin FROM changes ORDER BY number").fetchall()
    file.executemany("INSERT INTO changes (ts, what, detail, origin) VALUES (?, ?, ?, ?)", rows)
