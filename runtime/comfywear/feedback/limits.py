"""What one place may press: a double press counts once, and so many a minute. Pure; the caller has the clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field

from comfywear.errors import UsageError
from comfywear.records import Vote
from comfywear.texts import Text

WINDOW_S = 60.0
_MANY_PLACES = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a press came from: the zone, the source (such as one keypad), and the person if one said who."""

    zone: str
    source: str
    person: str | None = None


@dataclass(slots=True)
class _Past:
    votes: deque[tuple[float, Vote]] = field(default_factory=deque)
    newest_s: float = 0.0


class PressLimits:
    """Remembers the last minutes of each place.

    Args:
        repeat_s: A press of the same level at the same place within so many seconds is the same vote; 0 = never.
        per_minute: Votes of one source in a zone in 60 s at most, of all persons together; 0 = any number.
        undo_s: How long a vote can be taken back.
    """

    def __init__(self, repeat_s: float, per_minute: int, undo_s: float) -> None:
        self._repeat_s = repeat_s
        self._per_minute = per_minute
        self.undo_s = undo_s
        self._keep_s = max(WINDOW_S, undo_s, repeat_s)
        self._places: dict[Place, _Past] = {}

    def repeated(self, place: Place, level: int, now_s: float) -> Vote | None:
        """The vote that a press repeats, if it does; the window begins anew with each repeat."""
        past = self._places.get(place)
        if past is None or not past.votes:
            return None
        vote = past.votes[-1][1]
        if vote.level != level or now_s - past.newest_s >= self._repeat_s:
            return None
        past.newest_s = now_s
        return vote

    def check(self, place: Place, now_s: float) -> None:
        """Raises `UsageError`, saying how long to wait, when the source has had its votes of this minute."""
        if not self._per_minute:
            return
        # Whoever says who they are has no votes more: a name can be typed.
        times = sorted(
            then_s
            for other, past in self._places.items()
            if (other.zone, other.source) == (place.zone, place.source)
            for then_s, _ in past.votes
            if now_s - then_s < WINDOW_S
        )
        if len(times) >= self._per_minute:
            wait_s = times[-self._per_minute] + WINDOW_S - now_s
            raise UsageError(
                Text(
                    "too many votes from {source} in {zone}: at most {per_minute} a minute; wait {wait} s",
                    source=place.source,
                    zone=place.zone,
                    per_minute=self._per_minute,
                    wait=f"{max(wait_s, 1):.0f}",
                )
            )

    def note(self, place: Place, vote: Vote, now_s: float) -> None:
        """Remember a vote that was committed."""
        if len(self._places) > _MANY_PLACES:
            self._places = {key: past for key, past in self._places.items() if now_s - past.newest_s < self._keep_s}
        past = self._places.setdefault(place, _Past())
        past.votes.append((now_s, vote))
        past.newest_s = now_s
        while now_s - past.votes[0][0] > self._keep_s:  # the one just noted stays
            past.votes.popleft()

    def last(self, zone: str, source: str, now_s: float) -> Vote | None:
        """The newest vote of a source in a zone that can still be taken back."""
        found = [
            (then_s, vote)
            for place, past in self._places.items()
            if (place.zone, place.source) == (zone, source)
            for then_s, vote in past.votes
            if not vote.undone and now_s - then_s <= self.undo_s
        ]
        return sorted(found, key=lambda each: each[0])[-1][1] if found else None  # of two at once, the later noted

    def can_undo(self, vote_id: str, now_s: float) -> bool:
        """Whether the vote was pressed so lately that it can be taken back."""
        return any(
            vote.id == vote_id and now_s - then_s <= self.undo_s
            for past in self._places.values()
            for then_s, vote in past.votes
        )

    def forget(self, undone: Vote) -> None:
        """A vote was taken back: it is nobody's last one any more. It still counts for the minute."""
        for past in self._places.values():
            for index, (then_s, vote) in enumerate(past.votes):
                if vote.id == undone.id:
                    past.votes[index] = (then_s, undone)
                    past.newest_s = float("-inf")  # the next press is no repeat of it

    def drop(self, vote_ids: Collection[str]) -> None:
        """Votes were deleted: a press repeats none of them, and none can be taken back."""
        gone = set(vote_ids)
        for past in self._places.values():
            past.votes = deque((then_s, vote) for then_s, vote in past.votes if vote.id not in gone)
