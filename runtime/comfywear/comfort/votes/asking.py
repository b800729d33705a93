"""When people are asked for a vote: somebody there, by day, not often, and while the votes there are say little. Pure.

Which moment it is plays no part: moments unlike those voted on teach no more than others (docs/comfort.md).
"""

from __future__ import annotations

from typing import NamedTuple

from comfywear.texts import Text

__all__ = ["AskingRules", "Occasion", "Question", "question"]


class AskingRules(NamedTuple):
    """When people may be asked: so often a day, between these hours, so far apart, until votes weigh so much."""

    per_day: int = 3
    from_hour: int = 8
    to_hour: int = 20
    gap_s: float = 3600.0
    enough_votes: float = 20.0


class Occasion(NamedTuple):
    """What the caller knows of this moment.

    Attributes:
        known: Whether air and clothing are known: without them a vote teaches nothing.
        present: Whether somebody is there; None where no camera can say.
        hour: Local hour 0…23; None while the clock is not set.
        asked_today: Questions of this day.
        since_asked_s: Seconds since the last question; None when there was none.
        since_vote_s: Seconds since the last vote; None when there was none.
        votes: As how many of now the votes of the zone count (`comfywear.comfort.votes.influence`): old ones fade.
    """

    known: bool
    present: bool | None
    hour: int | None
    asked_today: int
    since_asked_s: float | None
    since_vote_s: float | None
    votes: float


class Question(NamedTuple):
    """A question, what its answer is good for, and whether somebody asked for it."""

    text: str
    why: str | None = None
    requested: bool = False


def question(occasion: Occasion, rules: AskingRules) -> Question | None:
    """The question for this moment, or None: nobody there, night, enough for today, or votes enough."""
    if not occasion.known or occasion.present is False:
        return None
    open_h = rules.to_hour - rules.from_hour  # below 0: over midnight
    if occasion.hour is None or (occasion.hour - rules.from_hour) % 24 >= (open_h if open_h >= 0 else open_h + 24):
        return None
    if occasion.asked_today >= rules.per_day or occasion.votes >= rules.enough_votes:
        return None
    for since_s in (occasion.since_asked_s, occasion.since_vote_s):
        if since_s is not None and since_s < rules.gap_s:
            return None
    why = Text("there are few votes of late here") if occasion.votes > 0.0 else Text("nobody has voted here yet")
    return Question(Text("How comfortable is it right now?"), why)
