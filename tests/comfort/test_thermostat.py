"""A thermostat that is moved with manners: a whole day told as what it reports and what is sent."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.comfort.setpoint import Setpoint
from comfywear.comfort.thermostat import Action, Manners, Thermostat, give_back, step

MANNERS = Manners()


@dataclass
class Room:
    """A thermostat that does what it is sent, at once, and whoever turns it."""

    set_c: float = 20.0
    manners: Manners = MANNERS
    state: Thermostat = field(default_factory=Thermostat)
    now_s: float = 0.0
    sent: list[float] = field(default_factory=list)

    def tick(self, wanted_c: float | None, after_s: float = 60.0) -> Action:
        self.now_s += after_s
        self.state, action = step(self.state, self.now_s, self.set_c, Setpoint(wanted_c, "test"), self.manners)
        if action.send_c is not None:
            self.sent.append(action.send_c)
            self.set_c = action.send_c
        return action


def test_it_is_moved_once_and_then_left_as_it_is() -> None:
    room = Room()
    assert room.tick(21.5).send_c == 21.5
    assert room.tick(21.5).send_c is None
    assert room.sent == [21.5]


def test_small_changes_are_not_made() -> None:
    room = Room(set_c=21.5)
    action = room.tick(21.8)
    assert action.send_c is None
    assert "near enough" in action.why


def test_it_is_not_moved_again_at_once() -> None:
    room = Room()
    room.tick(21.0)
    assert room.tick(22.0).send_c is None
    assert room.tick(22.0, after_s=MANNERS.pause_s).send_c == 22.0


def test_whoever_turns_it_is_respected_and_later_it_goes_on() -> None:
    room = Room()
    room.tick(21.0)
    room.set_c = 24.0
    action = room.tick(21.0)
    assert action.send_c is None
    assert "24 °C" in action.why
    assert room.tick(21.0, after_s=MANNERS.hold_s - 120.0).send_c is None
    assert room.tick(21.0, after_s=180.0).send_c == 21.0


def test_whoever_turns_it_twice_is_respected_anew() -> None:
    room = Room()
    room.tick(21.0)
    room.set_c = 24.0
    room.tick(21.0)
    room.set_c = 25.0
    room.tick(21.0, after_s=MANNERS.hold_s - 60.0)
    assert room.tick(21.0, after_s=MANNERS.hold_s - 60.0).send_c is None


def test_a_turn_before_it_was_ever_moved_counts_too() -> None:
    room = Room()
    room.tick(None)
    room.set_c = 23.0
    assert "somebody" in room.tick(21.0).why
    assert room.sent == []


def test_a_slow_thermostat_is_not_taken_for_a_hand() -> None:
    state, action = step(Thermostat(), 0.0, 20.0, Setpoint(21.0, ""), MANNERS)
    assert action.send_c == 21.0
    state, action = step(state, 60.0, 20.0, Setpoint(21.0, ""), MANNERS)  # has not heard of it yet
    assert state.held_until_s is None
    state, action = step(state, 90.0, 21.1, Setpoint(21.0, ""), MANNERS)  # rounds in °F
    assert state.held_until_s is None
    assert action.send_c is None


def test_one_that_never_obeys_is_left_alone() -> None:
    state, _ = step(Thermostat(), 0.0, 20.0, Setpoint(21.0, ""), MANNERS)
    state, action = step(state, MANNERS.answer_s + 1.0, 20.0, Setpoint(21.0, ""), MANNERS)
    assert action.send_c is None
    assert state.held_until_s is not None


def late() -> Thermostat:
    """One that was set to 19.5 °C, was sent 21 °C and has not done it in time."""
    state, _ = step(Thermostat(), 0.0, 19.5, Setpoint(21.0, ""), MANNERS)
    state, action = step(state, MANNERS.answer_s + 1.0, 19.5, Setpoint(21.0, ""), MANNERS)
    assert "sent 21 °C" in action.why
    assert "somebody" not in action.why
    return state


def test_a_late_answer_is_no_hand_and_is_given_back() -> None:
    state, action = step(late(), MANNERS.answer_s + 60.0, 21.1, Setpoint(21.0, ""), MANNERS)
    assert state.held_until_s is None
    assert "near enough" in action.why
    assert give_back(state).send_c == 19.5
    state, action = step(state, MANNERS.pause_s + 60.0, 21.1, Setpoint(22.0, ""), MANNERS)
    assert action.send_c == 22.0


def test_one_that_did_not_obey_is_still_given_back_for_it_may_do_so_later() -> None:
    assert give_back(late()).send_c == 19.5


def test_a_hand_on_one_that_did_not_obey_is_respected() -> None:
    state, action = step(late(), MANNERS.answer_s + 60.0, 23.0, Setpoint(21.0, ""), MANNERS)
    assert "somebody set it to 23 °C" in action.why
    assert give_back(state).send_c is None


def test_one_that_did_not_obey_is_tried_again_after_the_hold_and_not_before() -> None:
    state = late()
    for now_s in (MANNERS.answer_s + 600.0, MANNERS.hold_s):
        state, action = step(state, now_s, 19.5, Setpoint(21.0, ""), MANNERS)
        assert action.send_c is None
    state, action = step(state, MANNERS.answer_s + 1.0 + MANNERS.hold_s, 19.5, Setpoint(21.0, ""), MANNERS)
    assert action.send_c == 21.0
    assert state.before_c == 19.5


def test_what_it_was_before_the_first_move_outlasts_a_second_that_it_did_not_make() -> None:
    state, _ = step(Thermostat(), 0.0, 19.5, Setpoint(21.0, ""), MANNERS)
    state, _ = step(state, 60.0, 21.0, Setpoint(21.0, ""), MANNERS)
    state, action = step(state, MANNERS.pause_s, 21.0, Setpoint(22.0, ""), MANNERS)
    assert action.send_c == 22.0
    for after_s in (MANNERS.answer_s, MANNERS.answer_s + MANNERS.hold_s):
        state, _ = step(state, MANNERS.pause_s + after_s, 21.0, Setpoint(None, ""), MANNERS)
    assert state.held_until_s is None
    assert give_back(state).send_c == 19.5


def test_it_is_given_back_as_it_was_found() -> None:
    room = Room(set_c=19.5)
    room.tick(21.0)
    room.tick(22.0, after_s=MANNERS.pause_s)
    assert give_back(room.state).send_c == 19.5
    assert give_back(Thermostat()).send_c is None


def test_what_somebody_set_is_not_taken_back() -> None:
    room = Room(set_c=19.5)
    room.tick(21.0)
    room.set_c = 24.0
    room.tick(21.0)
    assert give_back(room.state).send_c is None
    room.tick(21.0, after_s=MANNERS.hold_s)
    assert give_back(room.state).send_c == 24.0


def test_a_dry_run_says_and_does_not() -> None:
    room = Room(manners=Manners(dry_run=True))
    action = room.tick(22.0)
    assert action.send_c is None
    assert "would send 22" in action.why
    assert give_back(room.state).send_c is None


@pytest.mark.parametrize("reported", [None, float("nan")])
def test_one_that_says_nothing_is_not_touched(reported: float | None) -> None:
    state, action = step(Thermostat(), 0.0, reported, Setpoint(21.0, ""), MANNERS)
    assert action.send_c is None
    assert state == Thermostat()


@given(
    st.lists(st.tuples(st.floats(-50, 80) | st.none(), st.floats(1, 20_000), st.none() | st.floats(5, 35)), max_size=40)
)
def test_whatever_is_wanted_it_stays_possible_and_the_pauses_hold(
    day: list[tuple[float | None, float, float | None]],
) -> None:
    room, last_s = Room(), -MANNERS.pause_s
    for wanted, after_s, turned in day:
        if turned is not None:
            room.set_c = turned
        action = room.tick(wanted, after_s)
        if action.send_c is not None:
            assert 5.0 <= action.send_c <= 35.0
            assert room.now_s - last_s >= MANNERS.pause_s
            last_s = room.now_s
