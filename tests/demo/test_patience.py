from __future__ import annotations

from collections.abc import Iterator

import pytest

from comfywear.demo.patience import FAULT_S, LONGEST_S, STILL_S, Course, DemoPatience

LOADING = Course(0, 0, True, "the models are being loaded")


def waited(course: Iterator[Course], wanted: int = 10) -> tuple[int, list[str]]:
    """For how many seconds it is waited, asked once a second, and what is said."""
    patience = DemoPatience(wanted, 100.0)
    said: list[str] = []
    for second, each in enumerate(course):
        if not patience.waits(each, 100.0 + second):
            return second, said
        words = patience.words(100.0 + second)
        if words:
            said.append(words)
    pytest.fail("it is waited for ever")


def endless(*first: Course, then: Course) -> Iterator[Course]:
    yield from first
    while True:
        yield then


def going(seconds_a_frame: int, seconds_a_message: int, starting_s: int = 0) -> Iterator[Course]:
    """A device that sees nobody it could name."""
    yield from [LOADING] * starting_s
    second = 0
    while True:
        second += 1
        yield Course(second // seconds_a_frame, second // seconds_a_message, second < seconds_a_frame, None)


def test_a_slow_device_is_waited_for_as_long_as_it_makes_progress() -> None:
    seconds, said = waited(going(8, 4, starting_s=100))
    assert seconds > 100 + 22 * 8 - 5
    assert said[0] == "the models are being loaded (15 s so far)"
    assert any("of 10 frames looked at" in each and "slow" in each for each in said)
    assert "has not arrived yet" in said[-1]


def test_on_a_machine_that_keeps_up_the_end_comes_seconds_after_the_frames() -> None:
    patience = DemoPatience(10, 0.0)
    beats = next(
        beat for beat in range(1000) if not patience.waits(Course(beat, beat // 4, beat == 0, None), beat / 4.0)
    )
    assert 10 / 4 + 5.0 <= beats / 4 <= 10 / 4 + 7.0


def test_a_fault_of_the_camera_ends_it_soon_although_it_is_tried_again() -> None:
    gone = Course(0, 0, False, "no such camera")
    assert waited(endless(LOADING, LOADING, then=gone))[0] == 2 + FAULT_S + 1
    trying = (each for _ in range(1000) for each in (gone, LOADING))
    assert waited(trying)[0] == FAULT_S + 1


def test_one_that_stands_still_and_one_that_never_comes_to_an_end_are_given_up() -> None:
    assert waited(endless(LOADING, Course(3, 1, False, None), then=Course(3, 9, False, None)))[0] == 1 + STILL_S + 1
    looked = (Course(20, second, False, None) for second in range(10_000))
    assert waited(looked)[0] == STILL_S + 1
    unheard = (Course(second, 3, False, None) for second in range(10_000))
    assert waited(unheard)[0] == 10 + STILL_S
    assert waited(endless(then=LOADING))[0] == LONGEST_S + 1
    assert waited(going(50, 1), wanted=1000)[0] == LONGEST_S + 1
