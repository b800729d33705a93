"""The one path of a vote: checked, committed with its moment, handed to publishing, told to those who learn from it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from comfywear.comfort import SCALE
from comfywear.errors import StoreError, UsageError
from comfywear.estimates import ZoneEstimate
from comfywear.feedback import Selection, Snapshot, VoteStore
from comfywear.feedback.control import Handler
from comfywear.records import Vote
from comfywear.settings_feedback import VotesSettings

_log = logging.getLogger(__name__)

FILE_NAME = "votes.sqlite"


class Voting:
    """Takes votes from every source; any thread may call it.

    Attributes:
        after_vote: Called with each vote that was committed.
        after_undo: Called with each vote that was taken back.
        after_delete: Called with the ids of votes that were deleted.
    """

    def __init__(
        self,
        folder: Path,
        zones: Collection[str],
        settings: VotesSettings,
        *,
        moment: Callable[[str], Snapshot],
        send: Callable[[Vote], None],
    ) -> None:
        """Nothing is sent yet; see `catch_up`.

        Args:
            folder: The state folder; where it cannot be written, votes are kept in memory alone and that is logged.
            zones: Names of the zones.
            settings: What a place may press.
            moment: The snapshot of a zone now.
            send: Commits a vote to publishing; raises StoreError when it cannot.
        """
        self._moment = moment
        self._send = send
        self._owed = False
        self._complaint = ""
        self.after_vote: list[Callable[[Vote], None]] = []
        self.after_undo: list[Callable[[Vote], None]] = []
        self.after_delete: list[Callable[[list[str]], None]] = []
        store = partial(
            VoteStore,
            zones=zones,
            scale_id=SCALE.id,
            scale_words=SCALE.words,
            repeat_s=settings.repeat_s,
            per_minute=settings.per_minute,
            undo_s=settings.undo_s,
        )
        try:
            self.store = store(folder / FILE_NAME)
        except StoreError as error:
            _log.error("%s; votes are kept in memory alone", error)
            self.store = store(None)

    def catch_up(self) -> None:
        """Send what was stored but not handed on before the last stop."""
        self._owed = True
        self.retry()

    def retry(self) -> None:
        """Send what could not be handed on at once, where something is owed; a failure is said when it changes."""
        if not self._owed:
            return
        try:
            self._owed = False
            for vote in self.store.unpublished():
                self._hand_on(vote)
        except StoreError as error:
            self._owed = True
            if str(error) != self._complaint:
                _log.error("%s", error)
            self._complaint = str(error)
        else:
            self._complaint = ""

    def vote(self, zone: str | None, level: int, source: str, *, person: str | None = None) -> Vote:
        """Store a press of 1…5 with the moment it belongs to, then publish it.

        Raises:
            UsageError: When the level or the zone cannot be, or the place has had its votes of this minute.
            StoreError: When it could not be stored; it then does not count.
        """
        zone = self.store.check(zone, level)
        vote, new = self.store.accept_once(zone, level, source, self._moment(zone), person=person)
        if new:
            self._committed(vote, self.after_vote)
        return vote

    def undo(self, vote_id: str) -> Vote:
        """Take a vote back, then publish that.

        Raises:
            UsageError: When there is no such vote, or it is too old.
            StoreError: When it could not be stored; the vote then still counts.
        """
        vote = self.store.undo(vote_id)
        self._committed(vote, self.after_undo)
        return vote

    def undo_last(self, zone: str | None, source: str) -> Vote:
        """Take back the newest vote of a source in a zone; errors as `undo`."""
        return self.undo(self.store.last(zone, source).id)

    def delete(self, selection: Selection) -> list[str]:
        """Delete votes from the store; returns their ids. What was published is out of reach."""
        ids = self.store.delete(selection)
        for listener in self.after_delete if ids else ():
            _tell(listener, ids)
        return ids

    def verbs(self) -> dict[str, Handler]:
        """What the control socket answers."""
        return {"vote": self._answer_vote, "undo": self._answer_undo, "delete-votes": self._answer_delete}

    def _committed(self, vote: Vote, listeners: list[Callable[[Vote], None]]) -> None:
        try:
            self._hand_on(vote)
        except StoreError:  # it is stored: `retry` hands it on
            self._owed = True
        for listener in listeners:
            _tell(listener, vote)

    def _hand_on(self, vote: Vote) -> None:
        """Commit a stored vote to the spool, then remember that; a stop in between sends it twice, with one id."""
        self._send(vote)
        self.store.mark_published(vote.id)

    def _answer_vote(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        source, person = str(request.get("source", "command")), _text(request, "person")
        vote = self.vote(_text(request, "zone"), request.get("level", 0), source, person=person)
        return {"vote": msgspec.to_builtins(vote)}

    def _answer_undo(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        vote_id = _text(request, "vote")
        if vote_id is None:
            vote = self.undo_last(_text(request, "zone"), str(request.get("source", "command")))
        else:
            vote = self.undo(vote_id)
        return {"vote": msgspec.to_builtins(vote)}

    def _answer_delete(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        chosen = Selection(*(_text(request, name) for name in ("zone", "person", "since", "until")))
        return {"deleted": len(self.delete(chosen))}


def moment_of(estimate: ZoneEstimate | None, models: Mapping[str, str]) -> Snapshot:
    """The snapshot of a zone: what its newest estimate says; empty but for the models before the first one."""
    if estimate is None:
        return Snapshot(models=models)
    return Snapshot(
        climate=estimate.climate,
        persons=tuple(each.person for each in estimate.people),
        clothing=estimate.clothing,
        comfort=estimate.comfort,
        worn=tuple(each.clothing for each in estimate.people),
        skin=tuple(each.skin for each in estimate.people),
        models=models,
    )


def _tell(listener: Callable[[Any], None], what: object) -> None:
    """Whatever a listener does, the vote is stored and its press is answered."""
    try:
        listener(what)
    except Exception as error:
        _log.error("a vote was stored, but %s failed: %s: %s", listener, type(error).__name__, error)
        _log.debug("details", exc_info=True)


def _text(request: Mapping[str, Any], name: str) -> str | None:
    value = request.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{name} is a text, not {value!r}")
    return value
