"""The one path of a vote: checked, committed with its moment, handed to publishing, told to those who learn from it."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from comfywear.comfort import SCALE
from comfywear.errors import StoreError, UsageError
from comfywear.feedback import Selection, Snapshot, VoteStore
from comfywear.publishing.messages.incoming import VoteSet
from comfywear.records import Delivery, Handler, Pressed, Vote, ZoneEstimate
from comfywear.settings.feedback import VotesSettings
from comfywear.system.log_once import LogOnce
from comfywear.texts import Text, builtins

_log = logging.getLogger(__name__)

FILE_NAME = "votes.sqlite"
_AT_ONCE = 100
# A vote that is handed on later than this after the press is said to be late: nobody is to take it for one of now.
_LATE_S = 10.0
# Where storing took longer than this, a press is answered before it is handed on: that takes two more commits.
_SLOW_S = 0.5


class Voting:
    """Takes votes from every source; any thread may call it.

    Attributes:
        after_vote: Called with each vote that was committed.
        after_undo: Called with each vote that was taken back.
        after_delete: Called with the ids of votes that were deleted.
        after_erase: Called with the ids of those that somebody had deleted, whose copies elsewhere are to go too.
    """

    def __init__(
        self,
        folder: Path,
        zones: Collection[str],
        settings: VotesSettings,
        *,
        moment: Callable[[str], Snapshot],
        send: Callable[[Vote, bool], None],
    ) -> None:
        """Nothing is sent yet; see `catch_up`.

        Args:
            folder: The state folder; where it cannot be written, votes are kept in memory alone and that is logged.
            zones: Names of the zones.
            settings: What a place may press.
            moment: The snapshot of a zone now.
            send: Commits a vote to publishing, and is told whether it comes late; raises StoreError when it cannot.
        """
        self._moment = moment
        self._send = send
        self._owed = False
        self._pressed_s: dict[str, float] = {}  # of votes of this run that are owed
        self._handing = threading.Lock()
        self._complaint, self._tending = LogOnce(_log), LogOnce(_log)
        self._keep_days, self._keep_moments = settings.keep_days, settings.keep_moments
        self.after_vote: list[Callable[[Vote], None]] = []
        self.after_undo: list[Callable[[Vote], None]] = []
        self.after_delete: list[Callable[[list[str]], None]] = []
        self.after_erase: list[Callable[[list[str]], None]] = []
        self.store = VoteStore(
            folder / FILE_NAME,
            zones=zones,
            scale_id=SCALE.id,
            scale_words=SCALE.words,
            repeat_s=settings.repeat_s,
            per_minute=settings.per_minute,
            undo_s=settings.undo_s,
            stand_in=True,
        )

    def catch_up(self) -> None:
        """Have the next `retry` send what was stored but not handed on before the last stop."""
        self._owed = True

    def retry(self, beat: Callable[[], None] = lambda: None) -> None:
        """Send what could not be handed on at once, where something is owed; a failure is said when it changes.

        `beat` is called with each vote: on a slow disk many take minutes.
        """
        if not self._owed:
            return
        self._owed = False  # what is pressed from now on owes anew
        fault: StoreError | None = None
        done = False
        try:
            with self._handing:
                while fault is None and (owed := self.store.unpublished(_AT_ONCE)):
                    for vote_id in owed:
                        beat()
                        fault = self._tried(vote_id) or fault
            done = fault is None
        except StoreError as error:
            fault = error
        finally:
            if not done:
                self._owed = True
        if fault is None:
            self._complaint.over()
        else:
            self._complaint.trouble(fault)

    def take_delivered(self, zone: str, asked: VoteSet, delivery: Delivery) -> Vote:
        """A vote that came over MQTT: stored once, however often the broker brings it; errors as `vote`."""
        return self.vote(zone, asked.level, "mqtt", vote_id=asked.id, delivery=delivery)

    def begin_session(self) -> None:
        """The broker's session is a new one: no vote of it came before."""
        try:
            self.store.forget_deliveries()
        except StoreError as error:
            _log.error("%s", error)

    def vote(
        self,
        zone: str | None,
        level: int,
        source: str,
        *,
        person: str | None = None,
        vote_id: str | None = None,
        delivery: Delivery | None = None,
        age_s: float = 0.0,
    ) -> Vote:
        """Store a press of 1…5 with the moment it belongs to, then publish it; one that was stored before counts once.

        One that was pressed `age_s` ago and comes late has its own time, and no moment: nobody knows that any more.

        Raises:
            UsageError: When the level or the zone cannot be, or the place has had its votes of this minute.
            StoreError: When it could not be stored; it then does not count.
        """
        zone = self.store.check(zone, level)
        moment, began_s = self._moment(zone) if age_s <= _LATE_S else Snapshot(), time.monotonic()
        vote, new = self.store.accept_once(
            zone, level, source, moment, person=person, vote_id=vote_id, delivery=delivery, age_s=age_s
        )
        if new:
            self._committed(vote, self.after_vote, time.monotonic() - began_s, age_s)
        return vote

    def undo(self, vote_id: str) -> Vote:
        """Take a vote back, then publish that.

        Raises:
            UsageError: When there is no such vote, or it is too old.
            StoreError: When it could not be stored; the vote then still counts.
        """
        began_s = time.monotonic()
        vote = self.store.undo(vote_id)
        self._committed(vote, self.after_undo, time.monotonic() - began_s)
        return vote

    def undo_last(self, zone: str | None, source: str) -> Vote:
        """Take back the newest vote of a source in a zone; errors as `undo`."""
        return self.undo(self.store.last(zone, source).id)

    def delete(self, selection: Selection) -> list[str]:
        """Delete votes from the store, and have those who keep copies told; returns their ids."""
        ids = self._let_go(selection)
        for listener in self.after_erase if ids else ():
            _tell(listener, ids)
        return ids

    def _let_go(self, selection: Selection) -> list[str]:
        """Delete votes from this store alone."""
        ids = self.store.delete(selection)
        for listener in self.after_delete if ids else ():
            _tell(listener, ids)
        return ids

    def pressed(self, limit: int = 100, zone: str | None = None) -> list[Pressed]:
        """The newest votes of a zone, as `VoteStore.pressed`."""
        return self.store.pressed(limit, zone)

    def count(self) -> int | None:
        """Votes that count; None while the store cannot be read."""
        try:
            return self.store.count()
        except StoreError:
            return None

    def tend(self, beat: Callable[[], None] = lambda: None) -> None:
        """Keep the bounds of the settings: old votes go, old moments become short. Call it now and then."""
        try:
            old = self.store.expired(self._keep_days)
            if old is not None:
                _log.info("%d votes before %s are deleted, as votes.keep_days says", len(self._let_go(old)), old.until)
            while self.store.thin(self._keep_moments):
                beat()
        except StoreError as error:
            self._tending.trouble(error)
        else:
            self._tending.over()

    def verbs(self) -> dict[str, Handler]:
        """What the control socket answers."""
        return {"vote": self._answer_vote, "undo": self._answer_undo, "delete-votes": self._answer_delete}

    def _committed(
        self, vote: Vote, listeners: list[Callable[[Vote], None]], took_s: float, age_s: float = 0.0
    ) -> None:
        self._pressed_s[vote.id] = time.monotonic() - age_s
        if took_s > _SLOW_S:
            self._owed = True
        elif self._handing.acquire(blocking=False):
            try:
                self._hand_on(vote.id)
            except Exception:  # it is stored: `retry` hands it on, or says why it cannot
                self._owed = True
            finally:
                self._handing.release()
        else:  # another thread hands on, perhaps this very vote as it was before: `retry` says the last word
            self._owed = True
        for listener in listeners:
            _tell(listener, vote)

    def _tried(self, vote_id: str) -> StoreError | None:
        """Hand on a vote; in words what is wrong with this one alone, a fault of ours: it stays owed, others go on."""
        try:
            self._hand_on(vote_id)
        except StoreError:
            raise
        except Exception as error:
            _log.debug("details", exc_info=True)
            return StoreError(f"a vote is stored, but cannot be handed on: {type(error).__name__}: {error}")
        return None

    def _hand_on(self, vote_id: str) -> None:
        """Commit a stored vote, as it is now, to the spool, then remember that; by one thread at a time.

        A stop in between sends it twice, with one id. One that can never be sent stays in the store alone.
        """
        vote = self.store.find(vote_id)
        if vote is None:  # deleted meanwhile
            self._pressed_s.pop(vote_id, None)
            return
        try:
            self._send(vote, time.monotonic() - self._pressed_s.get(vote_id, -math.inf) > _LATE_S)
        except UsageError as error:
            _log.error("the vote %s is stored, but cannot be sent: %s", vote_id, error)
        self.store.mark_published(vote)
        self._pressed_s.pop(vote_id, None)

    def _answer_vote(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        source, person = str(request.get("source", "command")), _text(request, "person")
        vote = self.vote(_text(request, "zone"), request.get("level", 0), source, person=person)
        return {"vote": builtins(vote)}

    def _answer_undo(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        vote_id = _text(request, "vote")
        if vote_id is None:
            vote = self.undo_last(_text(request, "zone"), str(request.get("source", "command")))
        else:
            vote = self.undo(vote_id)
        return {"vote": builtins(vote)}

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
        raise UsageError(Text("{name} is a text, not {value}", name=name, value=repr(value)))
    return value
