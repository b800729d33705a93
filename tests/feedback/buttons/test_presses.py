"""Edges become votes and undos; the sources' names are read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.errors import UsageError
from comfywear.feedback.buttons.presses import UNDO, UNDO_KEY, Presses, Wish
from comfywear.feedback.buttons.signals import BEEP_REFUSED, LIGHT_ACCEPTED, LIGHT_REFUSED, show
from comfywear.settings.button_uri import GpioButtons, Keypad, SerialBox, parse_button_uri

LONG_S, BOUNCE_S = 1.5, 0.025


def play(presses: Presses, edges: list[tuple[float, int, bool]], until_s: float) -> list[Wish]:
    """What comes of edges when the worker looks as often as it is told to."""
    wishes = []
    for at_s, key, down in edges:
        while (due_s := presses.due_s()) is not None and due_s <= at_s:
            wishes += presses.tick(due_s + 1e-9)
        wishes += presses.edge(key, down, at_s)
    return wishes + presses.tick(until_s)


def test_a_short_press_is_a_vote_when_it_ends() -> None:
    presses = Presses(LONG_S, BOUNCE_S)
    assert presses.edge(4, True, 10.0) == []
    assert presses.edge(4, False, 10.2) == []
    assert presses.due_s() == pytest.approx(10.225)
    assert presses.tick(10.22) == []
    assert presses.tick(10.23) == [Wish(4)]
    assert presses.due_s() is None


def test_a_long_press_undoes_once_however_long_it_is_held() -> None:
    presses = Presses(LONG_S, BOUNCE_S)
    presses.edge(4, True, 10.0)
    assert presses.tick(11.49) == []
    assert presses.tick(11.51) == [UNDO]
    assert presses.tick(9999.0) == []  # stuck
    assert presses.due_s() is None
    assert presses.edge(4, False, 10_000.0) == []
    assert presses.tick(10_001.0) == []


def test_a_long_press_that_is_seen_too_late_is_still_one() -> None:
    assert play(Presses(LONG_S), [(0.0, 3, True), (2.0, 3, False)], 2.0) == [UNDO]
    assert play(Presses(0.0), [(0.0, 3, True), (2.0, 3, False)], 2.0) == [Wish(3)]  # 0: no press is long


def test_the_undo_key_undoes_however_short_it_is_pressed() -> None:
    assert play(Presses(LONG_S), [(0.0, UNDO_KEY, True), (0.1, UNDO_KEY, False)], 1.0) == [UNDO]


def test_lost_edges_leave_no_key_held() -> None:
    presses = Presses(LONG_S)
    presses.edge(1, True, 0.0)
    presses.forget()
    assert presses.tick(100.0) == []


times = st.floats(0.0, 0.02)


@given(st.integers(1, 5), st.lists(times, max_size=6), st.floats(0.03, 1.0), st.lists(times, max_size=6))
def test_contacts_that_bounce_press_once(key: int, make: list[float], held_s: float, loose: list[float]) -> None:
    edges, now_s, down = [(0.0, key, True)], 0.0, True
    for step in (*make, *([held_s] if len(make) % 2 == 0 else [0.01, held_s])):
        now_s, down = now_s + step, not down
        edges.append((now_s, key, down))
    for step in loose if len(loose) % 2 == 0 else loose[1:]:
        now_s, down = now_s + step, not down
        edges.append((now_s, key, down))
    assert not edges[-1][2]
    wishes = play(Presses(LONG_S, BOUNCE_S), edges, now_s + 1.0)
    assert wishes == [Wish(key)]


@given(st.floats(0.0001, 0.024))
def test_a_spike_on_the_wire_is_no_press(length_s: float) -> None:
    assert play(Presses(LONG_S, BOUNCE_S), [(0.0, 2, True), (length_s, 2, False)], 1.0) == []


@given(st.lists(st.tuples(st.integers(1, 5), st.floats(0.05, 1.0), st.floats(0.05, 1.0)), max_size=20))
def test_every_press_is_told_once_in_order(pressed: list[tuple[int, float, float]]) -> None:
    edges, now_s = [], 0.0
    for key, held_s, pause_s in pressed:
        edges += [(now_s, key, True), (now_s + held_s, key, False)]
        now_s += held_s + pause_s
    assert play(Presses(LONG_S, BOUNCE_S), edges, now_s + 1) == [Wish(key) for key, _, _ in pressed]


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.floats(0, 0.5)), max_size=40))
def test_no_sequence_of_edges_invents_a_press(moves: list[tuple[int, bool, float]]) -> None:
    presses, now_s, wishes = Presses(LONG_S, BOUNCE_S), 0.0, []
    for key, down, step in moves:
        now_s += step
        wishes += presses.edge(key, down, now_s)
    wishes += presses.tick(now_s + 10)
    assert len(wishes) <= sum(down for _, down, _ in moves)


def test_sources_are_read() -> None:
    assert parse_button_uri("gpio://?pins=5,6,13,19,26&led=17") == GpioButtons(
        (5, 6, 13, 19, 26), 17, None, True, 0.025
    )
    assert parse_button_uri("input:///dev/input/by-id/usb-pad-event-kbd?grab=1") == Keypad(
        Path("/dev/input/by-id/usb-pad-event-kbd"), True, "numlock", "keypad:usb-pad-event-kbd"
    )
    assert parse_button_uri("serial:///dev/ttyACM0?baud=115200") == SerialBox(
        Path("/dev/ttyACM0"), 115200, "box:ttyACM0"
    )


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("", "known forms: gpio://"),
        ("usb://1", "usb:// names no buttons; known forms: gpio://"),
        ("ann:secret://pad", "^this names no buttons"),
        ("serial://ann:secret@pad", "has no user and password"),
        ("gpio://?pins=1,2,3,4", "needs five numbers"),
        ("gpio://?pins=5,6,13,19,99", "'99' is no GPIO"),
        ("gpio://?pins=5,6,13,19,19", "named twice"),
        ("gpio://?pins=5,6,13,19,26&led=5", "named twice"),
        ("gpio://?pins=5,6,13,19,26&lde=17", "'lde' is not an option"),
        ("gpio:///dev/gpiochip0?pins=5,6,13,19,26", "no path"),
        ("input://dev/input/event0", "three slashes"),
        ("serial:///", "three slashes"),
        ("serial:///dev/ttyUSB0?baud=fast", "a number from 300"),
    ],
)
def test_what_cannot_be_meant_is_refused(uri: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_button_uri(uri)


@given(st.text())
def test_no_text_breaks_the_reader_of_sources(text: str) -> None:
    for uri in (text, f"gpio://{text}", f"gpio://?pins={text}", f"input://{text}", f"serial:///dev/x?{text}"):
        try:
            parse_button_uri(uri)
        except UsageError as error:
            assert str(error)


def test_success_and_failure_look_and_sound_different_and_end_off() -> None:
    for pattern, flashes in ((LIGHT_ACCEPTED, 1), (LIGHT_REFUSED, 5), (BEEP_REFUSED, 2)):
        seen: list[bool] = []
        show(pattern, seen.append, lambda _: None)
        assert sum(seen) == flashes
        assert seen[-1] is False
        assert sum(seconds for _, seconds in pattern) < 1
