"""Dark and colourless over frames: states that do not flicker."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from comfywear.records import Light
from comfywear.vision.light_state import COLOUR_AGAIN, DARK_AFTER_S, LIGHT_AGAIN, LightState

DAY, NIGHT, DUSK = Light(0.6, 0.1), Light(0.05, 0.0), Light(0.13, 0.1)
INFRARED = Light(0.5, 0.005)


def taken(state: LightState, light: Light, frames: int, first_s: float = 0.0) -> LightState:
    for index in range(frames):
        state.take(light, first_s + index / 2)
    return state


def test_a_black_frame_is_no_night_but_nothing_is_concluded_from_it() -> None:
    state = taken(LightState(), DAY, 4)
    state.take(NIGHT, 2.0)
    assert (state.blind, state.dark) == (True, False)
    state.take(DAY, 2.5)
    assert (state.blind, state.dark) == (False, False)


def test_a_dark_room_is_dark_after_a_while_and_light_at_once_when_a_lamp_is_switched_on() -> None:
    state = taken(LightState(), NIGHT, 4)
    assert not state.dark
    state.take(NIGHT, DARK_AFTER_S)
    assert (state.dark, state.blind) == (True, True)
    state.take(DAY, 10.0)
    assert (state.dark, state.blind) == (False, False)


def test_dusk_between_the_two_thresholds_stays_what_it_was() -> None:
    assert not taken(taken(LightState(), DAY, 4), DUSK, 50, 2.0).dark
    assert taken(taken(LightState(), NIGHT, 10), DUSK, 50, 5.0).dark


def test_an_infrared_picture_has_no_colours_from_its_first_frame_and_again_some_time_after_it_ends() -> None:
    state = taken(LightState(), INFRARED, 1)
    assert (state.grey, state.coloured) == (True, False)
    state = taken(LightState(), DAY, 10)
    state.take(INFRARED, 5.0)
    assert (state.grey, state.coloured) == (False, False), "a frame is no night, and its colours are none"
    taken(state, INFRARED, 20, 5.5)
    assert state.grey
    taken(state, DAY, 20, 16.0)
    assert (state.grey, state.coloured) == (False, True)


def test_what_is_dark_says_nothing_about_colour() -> None:
    state = taken(taken(LightState(), DAY, 4), NIGHT, 100, 2.0)
    assert (state.dark, state.grey) == (True, False)


def test_where_nobody_measures_light_it_is_light() -> None:
    state = LightState()
    state.take(None, 0.0)
    assert (state.dark, state.blind, state.grey, state.coloured) == (False, False, False, True)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.5), st.floats(0.01, 30)), max_size=60))
def test_states_change_by_their_thresholds_alone(frames: list[tuple[float, float, float]]) -> None:
    state, now_s = LightState(), 0.0
    for brightness, spread, passed_s in frames:
        now_s += passed_s
        dark, grey = state.dark, state.grey
        state.take(Light(brightness, spread), now_s)
        assert state.blind or not state.dark
        if state.dark != dark:
            assert Light(brightness, spread).too_dark if state.dark else brightness >= LIGHT_AGAIN
        if grey and not state.grey:
            assert spread >= COLOUR_AGAIN
        if state.blind:
            assert state.grey == grey
