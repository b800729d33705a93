"""How many crossed each line in and out today: by the local day, kept over restarts."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from comfywear.errors import StoreError
from comfywear.records import LineCount, LineCrossing
from comfywear.system.clock import wall_time
from comfywear.system.json_file import load_json, save_json
from comfywear.vision.people.lines import Crossing

__all__ = ["FILE_NAME", "LineCounts", "local_day"]

_log = logging.getLogger(__name__)

FILE_NAME = "lines.json"
# A busy door is written down this often at most: a loss of power forgets no more.
SAVE_EVERY_S = 30.0


class _Counted(msgspec.Struct, frozen=True):
    entered: int = 0
    left: int = 0


class _File(msgspec.Struct, frozen=True):
    day: str | None = None
    lines: dict[str, _Counted] = {}


def local_day() -> str | None:
    """The day where this machine is, such as "2027-01-31"; None while its clock is not set."""
    return datetime.now().astimezone().date().isoformat() if wall_time().time_ok else None


class LineCounts:
    """The counts of a device's lines; all but `counts` belongs to one thread.

    Args:
        folder: The state folder.
        lines: Their names; what the file holds of others is dropped.
        day: Says which day it is; None while nobody knows, and what is counted then belongs to the day before.
        clock: Monotonic.
    """

    def __init__(
        self,
        folder: Path,
        lines: Sequence[str],
        day: Callable[[], str | None] = local_day,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = folder / FILE_NAME
        kept = load_json(self._path, _File()) if lines else _File()
        self._day, self._counted = kept.day, {name: kept.lines.get(name, _Counted()) for name in lines}
        self._today, self._clock = day, clock
        self._unsaved = False
        self._save_at_s = float("-inf")

    def counts(self) -> list[LineCount]:
        """Those of today."""
        return [LineCount(name, self._day, each.entered, each.left) for name, each in self._counted.items()]

    def take(self, crossings: Iterable[Crossing]) -> list[LineCrossing]:
        """Count crossings, in their order; returns each with the counts of today. Call it now and then without any."""
        if not self._counted:
            return []
        today = self._today()
        if today is not None and today != self._day:
            if self._day is not None:
                self._counted = dict.fromkeys(self._counted, _Counted())
            self._day, self._unsaved = today, True
        found = []
        for each in crossings:
            before = self._counted[each.line]
            now = _Counted(before.entered + (each.kind == "in"), before.left + (each.kind == "out"))
            self._counted[each.line], self._unsaved = now, True
            found.append(LineCrossing(each.line, each.kind, each.track_id, now.entered, now.left))
        if self._unsaved and self._clock() >= self._save_at_s:
            self.save()
        return found

    def save(self) -> None:
        """Write the counts down; where that fails they go on in memory."""
        if not self._unsaved:
            return
        self._unsaved, self._save_at_s = False, self._clock() + SAVE_EVERY_S
        try:
            save_json(self._path, _File(self._day, self._counted))
        except StoreError as error:
            self._unsaved = True
            _log.error("%s; a restart would forget today's counts of the lines", error)
