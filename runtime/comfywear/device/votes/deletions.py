"""What was deleted for somebody is deleted by collectors too: they are told, and it is known whether they have done it.

What they are still to be told stands in a file, so that neither a restart nor a full disk forgets it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import msgspec

from comfywear.errors import StoreError
from comfywear.publishing.messages.deletion import MOST_DELETED, deletion_message
from comfywear.publishing.messages.topics import Topics
from comfywear.system.clock import Clock, wall_time
from comfywear.system.json_file import load_json, save_json
from comfywear.system.log_once import LogOnce
from comfywear.texts import builtins

__all__ = ["FILE_NAME", "Deletions", "owe"]

_log = logging.getLogger(__name__)
FILE_NAME = "deletions.json"
MOST_TOLD = 100


class _Told(msgspec.Struct, frozen=True):
    """A message that was sent: its number, when, and of how many votes."""

    epoch: str
    seq: int
    ts: str | None
    votes: int


class _File(msgspec.Struct, frozen=True):
    owed: list[str] = []
    told: list[_Told] = []


class DeletionCarrier(Protocol):
    """What commits messages, as `Publisher` does."""

    topics: Topics

    def post(self, topic: str, build: Callable[[Any], Any], *, retain: bool = False, event: bool = False) -> int:
        """Commit a message; its number."""


def owe(folder: Path, votes: Sequence[str]) -> None:
    """Have collectors be told that votes were deleted, once a device runs on `folder`.

    Raises:
        StoreError: When that cannot be kept.
    """
    kept = load_json(folder / FILE_NAME, _File())
    save_json(folder / FILE_NAME, _File([*kept.owed, *votes], kept.told))


class Deletions:
    """Tells collectors what was deleted; every method may be called from any thread.

    Args:
        folder: The state folder.
        carrier: Carries the messages.
        held: Whether a message, by epoch and number, still waits to be confirmed.
        confirming: The consumers that confirm (`mqtt.confirm_by`).
        epoch: Of the messages now.
        clock: The wall clock.
    """

    def __init__(
        self,
        folder: Path,
        carrier: DeletionCarrier,
        held: Callable[[str, int], bool],
        confirming: Sequence[str],
        epoch: Callable[[], str],
        clock: Clock = wall_time,
    ) -> None:
        self._folder, self._carrier, self._held = folder, carrier, held
        self._confirming, self._epoch, self._clock = list(confirming), epoch, clock
        self._lock = threading.Lock()
        self._complaint = LogOnce(_log)

    def tell(self, votes: Sequence[str]) -> None:
        """Tell collectors that votes were deleted; what cannot be committed now is told later."""
        try:
            with self._lock:
                owe(self._folder, votes)
        except StoreError as error:  # it goes out all the same; only whether it was done is not known then
            self._complaint.trouble(error)
            for first in range(0, len(votes), MOST_DELETED):
                part = votes[first : first + MOST_DELETED]
                self._carrier.post(self._carrier.topics.deletion, partial(deletion_message, part), event=True)
        self.catch_up()

    def catch_up(self) -> None:
        """Tell what is owed."""
        with self._lock:
            try:
                self._catch_up()
            except StoreError as error:
                self._complaint.trouble(error)
            else:
                self._complaint.over()

    def _catch_up(self) -> None:
        while (kept := load_json(self._folder / FILE_NAME, _File())).owed:
            votes, rest = kept.owed[:MOST_DELETED], kept.owed[MOST_DELETED:]
            seq = self._carrier.post(self._carrier.topics.deletion, partial(deletion_message, votes), event=True)
            told = [*kept.told, _Told(self._epoch(), seq, self._clock().ts, len(votes))][-MOST_TOLD:]
            save_json(self._folder / FILE_NAME, _File(rest, told))

    def answer(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        """The control socket's verb "deletions": what collectors were told, and whether they have done it."""
        kept = load_json(self._folder / FILE_NAME, _File())
        return {
            "owed": len(kept.owed),
            "told": [{**builtins(each), "state": self._state(each)} for each in kept.told],
        }

    def _state(self, told: _Told) -> str:
        if self._held(told.epoch, told.seq):
            return "not confirmed yet"
        if self._confirming:
            return f"done by {', '.join(self._confirming)}"
        return "told; nobody is named in mqtt.confirm_by who would confirm it"
