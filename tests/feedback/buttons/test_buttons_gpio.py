"""Buttons on pins, through gpiozero's mock pins; a real store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from desks import Desk

from comfywear.errors import SourceError, StoreError
from comfywear.feedback import Snapshot
from comfywear.feedback.buttons.gpio import GpioPanel
from comfywear.feedback.buttons.panel import Panel
from comfywear.records import Vote
from comfywear.settings.button_uri import ButtonSpec, GpioButtons
from waiting import until


@pytest.fixture
def factory() -> Iterator[Any]:
    mock = pytest.importorskip("gpiozero.pins.mock")
    found = mock.MockFactory()
    yield found
    found.close()


def pins(factory: Any, options: str = "&led=17&buzzer=18&debounce_ms=5") -> Desk:
    def open_panel(spec: ButtonSpec, long_press_s: float) -> Panel:
        assert isinstance(spec, GpioButtons)
        return GpioPanel(spec, long_press_s, factory)

    return Desk(f"gpio://?pins=5,6,13,19,26{options}", open_panel)


def press(pin: Any, seconds: float = 0.03) -> None:
    pin.drive_low()
    time.sleep(seconds)
    pin.drive_high()
    time.sleep(0.01)


def test_pins_vote_and_the_light_and_the_buzzer_answer(factory: Any) -> None:
    desk = pins(factory)
    with desk.working():
        until(lambda: desk.panel.state().state == "up")
        light, buzzer = factory.pin(17), factory.pin(18)
        light.clear_states()
        buzzer.clear_states()
        press(factory.pin(19))
        until(lambda: desk.levels() == [4])
        until(lambda: [state.state for state in light.states] == [False, True, False])
        assert [state.state for state in buzzer.states] == [False, True, False]
        desk.failing = StoreError("disk full")
        light.clear_states()
        buzzer.clear_states()
        press(factory.pin(5))
        until(lambda: [state.state for state in light.states] == [False] + [True, False] * 5)
        assert [state.state for state in buzzer.states] == [False, True, False, True, False]
    assert desk.levels() == [4]


def test_the_light_stays_on_while_a_vote_is_wanted_and_blinks_to_be_found(factory: Any) -> None:
    desk = pins(factory)
    light = factory.pin(17)
    with desk.working():
        until(lambda: desk.panel.state().state == "up")
        desk.call = "ask"
        until(lambda: bool(light.state))
        press(factory.pin(19))
        until(lambda: desk.levels() == [4])
        light.clear_states()  # what is wanted stays wanted until the device says otherwise
        until(lambda: bool(light.state))
        desk.call = "quiet"
        until(lambda: not light.state)
        light.clear_states()
        desk.call = "here"
        until(lambda: [state.state for state in light.states] == [False, True, False, True, False])


def test_bouncing_contacts_vote_once_and_a_long_press_undoes(factory: Any) -> None:
    desk = pins(factory, "&debounce_ms=40")
    with desk.working():
        until(lambda: desk.panel.state().state == "up")
        pin = factory.pin(26)
        for _ in range(5):
            pin.drive_low()
            pin.drive_high()
        press(pin, 0.1)
        until(lambda: desk.levels() == [5])
        pin.drive_low()  # held, and never let go
        until(lambda: desk.levels() == [])
        press(factory.pin(5), 0.1)
        until(lambda: desk.levels() == [1])


def test_the_light_goes_on_only_after_the_vote_is_committed(factory: Any) -> None:
    desk = pins(factory, "&led=17&debounce_ms=0")
    lit_before_commit: list[bool] = []

    def slow(zone: str, level: int, source: str, moment: Snapshot) -> Vote:
        lit_before_commit.append(factory.pin(17).state)
        time.sleep(0.1)
        lit_before_commit.append(factory.pin(17).state)
        return accept(zone, level, source, moment)

    accept = desk.store.accept
    desk.store.accept = slow  # type: ignore[method-assign,assignment]  # a disk that takes its time
    with desk.working():
        until(lambda: desk.panel.state().state == "up")
        press(factory.pin(5))
        until(lambda: bool(factory.pin(17).state))
        assert desk.levels() == [1]
    assert lit_before_commit == [False, False]


def test_a_pin_in_use_is_a_state_with_a_reason(factory: Any) -> None:
    first, second = pins(factory), pins(factory)
    with first.working():
        until(lambda: first.panel.state().state == "up")
        second.panel.open()
        assert "GPIO pins cannot be used" in str(second.panel.state().error)
    with second.working():
        until(lambda: second.panel.state().state == "up")


def test_pins_given_back_by_a_failed_opening_can_be_opened_again(factory: Any) -> None:
    taken = GpioPanel(GpioButtons((1, 2, 3, 4, 7), None, None, True, 0.0), 0.0, factory)
    with pytest.raises(SourceError, match="GPIO pins"):
        GpioPanel(GpioButtons((10, 11, 12, 13, 7), None, None, True, 0.0), 0.0, factory)
    GpioPanel(GpioButtons((10, 11, 12, 13, 14), None, None, True, 0.0), 0.0, factory).close()
    taken.close()
