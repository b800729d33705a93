"""Moving a thermostat with manners: a dead band, a pause, respect for whoever turns it by hand, and giving it back.

A state machine without a clock or a wire: `step` is told what the thermostat reports and what it should be set to, and
says what to send, if anything. Time is any monotonic clock's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import NamedTuple

from comfywear.comfort.setpoint import Setpoint
from comfywear.texts import Text

__all__ = ["Action", "Manners", "Thermostat", "give_back", "step"]

# Two setpoints are the same within this: thermostats round, some to half a degree Fahrenheit.
_SAME_K = 0.3
# What a thermostat is ever sent, whatever the rules say.
_POSSIBLE_C = (5.0, 35.0)


class Manners(NamedTuple):
    """How a thermostat is moved.

    Attributes:
        dead_band_k: A change of less than this is not made.
        pause_s: At least so long between two changes.
        hold_s: So long it is left alone after somebody turned it, or it did not do what it was sent.
        answer_s: So long it may take to report what it was sent.
        dry_run: Say what would be sent, and send nothing.
    """

    dead_band_k: float = 0.4
    pause_s: float = 900.0
    hold_s: float = 4 * 3600.0
    answer_s: float = 120.0
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Thermostat:
    """What is known of a thermostat.

    Attributes:
        before_c: What it was set to before it was first moved; None: it was not moved.
        sent_c: What it was sent last; None: nothing, or somebody turned it since.
        sent_s: When.
        held_until_s: Until when it is left alone: because somebody turned it or, where `sent_c` is known, because it
            did not do what it was sent. None: it is not.
        seen_c: What it reported last.
    """

    before_c: float | None = None
    sent_c: float | None = None
    sent_s: float | None = None
    held_until_s: float | None = None
    seen_c: float | None = None


class Action(NamedTuple):
    """What to send, °C (None: nothing), and why, or why not."""

    send_c: float | None
    why: str


def step(
    state: Thermostat, now_s: float, reported_c: float | None, wanted: Setpoint, manners: Manners
) -> tuple[Thermostat, Action]:
    """The next state, and what to send.

    Args:
        state: As the last step left it; `Thermostat()` at first.
        now_s: Of a monotonic clock.
        reported_c: What the thermostat says it is set to, °C; None: it has not said, and is not touched.
        wanted: What it should be set to.
        manners: The rules.
    """
    if reported_c is None or not isfinite(reported_c):
        return state, Action(None, Text("the thermostat does not say what it is set to"))
    state = _noticed(state, now_s, reported_c, manners)
    if state.held_until_s is not None:
        minutes = (state.held_until_s - now_s) / 60.0
        because = Text("somebody set it to {said} °C", said=f"{reported_c:g}")
        if state.sent_c is not None:
            because = Text(
                "it was sent {sent} °C and still says {said} °C", sent=f"{state.sent_c:g}", said=f"{reported_c:g}"
            )
        left = Text("{because}: left alone for {minutes} more minutes", because=because, minutes=f"{minutes:.0f}")
        return state, Action(None, left)
    goal = wanted.value_c
    if goal is None or not isfinite(goal):
        return state, Action(None, wanted.why)
    goal = min(max(goal, _POSSIBLE_C[0]), _POSSIBLE_C[1])
    if abs(goal - reported_c) < manners.dead_band_k:
        return state, Action(
            None, Text("{reported} °C is near enough to {goal} °C", reported=f"{reported_c:g}", goal=f"{goal:g}")
        )
    if state.sent_s is not None and now_s - state.sent_s < manners.pause_s:
        return state, Action(
            None,
            Text(
                "{goal} °C is wanted, but it was changed less than {pause} s ago",
                goal=f"{goal:g}",
                pause=f"{manners.pause_s:g}",
            ),
        )
    if manners.dry_run:
        return state, Action(None, Text("would send {goal} °C: {why}", goal=f"{goal:g}", why=wanted.why))
    before = reported_c if state.before_c is None else state.before_c
    return replace(state, before_c=before, sent_c=goal, sent_s=now_s), Action(goal, wanted.why)


def give_back(state: Thermostat) -> Action:
    """What to send when the device stops: what it was set to before, unless somebody has turned it since."""
    if state.before_c is None:
        return Action(None, Text("it was never moved"))
    if state.sent_c is None:
        return Action(None, Text("somebody has set it since: it stays as it is"))
    if _same(state.sent_c, state.before_c):
        return Action(None, Text("it is set as before"))
    return Action(state.before_c, Text("given back: what it was set to before"))


def _noticed(state: Thermostat, now_s: float, reported_c: float, manners: Manners) -> Thermostat:
    """What its report tells: it did what it was sent, somebody turned it, or it has not done what it was sent.

    Somebody turned it when it reports what it neither was sent nor reported before. One that goes on reporting what it
    did before may be late: what it was sent stays known, so that doing it later is no hand's work and is given back.
    """
    if state.sent_c is not None and _same(reported_c, state.sent_c):
        return replace(state, held_until_s=None, seen_c=reported_c)
    if state.held_until_s is not None and now_s >= state.held_until_s:
        if state.sent_c is None:
            # What stands now is taken for what people want from here on: it is also what will be given back.
            state = replace(state, held_until_s=None, before_c=None, sent_s=None)
        else:
            # Nobody turned it: it is where it was left, and may be tried again.
            state = replace(state, held_until_s=None, sent_c=state.seen_c, sent_s=None)
    expected = state.seen_c if state.sent_c is None else state.sent_c
    if expected is not None and not _same(reported_c, expected):
        answering = state.sent_s is not None and now_s - state.sent_s < manners.answer_s
        if state.seen_c is None or not _same(reported_c, state.seen_c):
            state = replace(state, sent_c=None, held_until_s=now_s + manners.hold_s)
        elif not answering and state.held_until_s is None:
            state = replace(state, held_until_s=now_s + manners.hold_s)
    return replace(state, seen_c=reported_c)


def _same(one_c: float, other_c: float) -> bool:
    return abs(one_c - other_c) < _SAME_K
