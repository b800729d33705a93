"""Buttons by their doors: gpiozero's mock pins, input events through a pty, a box on a serial pty; a real store."""

from __future__ import annotations

import os
import struct
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from comfywear.errors import ComfyWearError, SourceError, StoreError
from comfywear.feedback import Snapshot, VoteStore
from comfywear.feedback.buttons import Call, PatientPanel
from comfywear.feedback.buttons.gpio import GpioPanel
from comfywear.feedback.buttons.panel import Panel
from comfywear.feedback.buttons.uri import ButtonSpec, GpioButtons
from comfywear.records import Vote
from comfywear_sensors.pty_replay import PtyReplay

WORDS = {1: "very bad", 2: "bad", 3: "neutral", 4: "good", 5: "very good"}
KEY_1, KEY_5, KEY_BACKSPACE, KEY_A, KEY_KP4 = 2, 6, 14, 30, 75


def until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


class Desk:
    """A store with a panel's worker in front of it; `failing` makes the store refuse."""

    def __init__(self, uri: str, opener: Callable[[ButtonSpec, float], Panel] | None = None) -> None:
        self.store = VoteStore(None, zones=["desk"], scale_id="s", scale_words=WORDS)
        self.failing: ComfyWearError | None = None
        self.call: Call = "quiet"
        self.panel = PatientPanel(
            uri,
            0.4,
            vote=self._vote,
            undo=self._undo,
            calls=lambda: self.call,
            retry_s=(0.05, 0.2),
            opener=opener,
        )

    def _vote(self, level: int) -> Vote:
        if self.failing:
            raise self.failing
        return self.store.accept("desk", level, self.panel.name, Snapshot())

    def _undo(self) -> Vote:
        return self.store.undo(self.store.last("desk", self.panel.name).id)

    def levels(self) -> list[int]:
        return [vote.level for vote in reversed(self.store.newest())]

    @contextmanager
    def working(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=self.panel.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(10)
            assert not thread.is_alive()


# A serial box.


def answers(box: PtyReplay, lines: int) -> list[str]:
    heard, deadline = b"", time.monotonic() + 10
    while heard.count(b"\n") < lines and time.monotonic() < deadline:
        heard += box.received()
        time.sleep(0.01)
    return heard.decode().splitlines()


@pytest.fixture
def box() -> Iterator[PtyReplay]:
    with PtyReplay(["3"]) as found:
        yield found


def test_a_serial_box_votes_undoes_and_is_answered(box: PtyReplay) -> None:
    desk = Desk(f"serial://{box.path}")
    with desk.working():
        box.write(b"3\r\nvote 4\n 5 \nundo\n")
        assert answers(box, 4) == ["ok 3 neutral", "ok 4 good", "ok 5 very good", "ok undone 5 very good"]
    assert desk.levels() == [3, 4]
    assert desk.store.newest()[0].source == "box:sensor"


def test_a_box_is_told_once_that_a_vote_is_wanted_and_where_it_is(box: PtyReplay) -> None:
    desk = Desk(f"serial://{box.path}")
    desk.call = "ask"
    with desk.working():
        assert answers(box, 1) == ["ask"]
        box.write(b"3\n")
        assert answers(box, 1) == ["ok 3 neutral"]
        desk.call = "here"
        assert answers(box, 1) == ["here"]
        desk.call = "quiet"
        assert answers(box, 1) == ["quiet"]


def test_what_a_box_cannot_mean_is_answered_with_an_error(box: PtyReplay) -> None:
    desk = Desk(f"serial://{box.path}")
    with desk.working():
        box.write(b"hello\n\n\xff\xfe\n" + b"3" * 500 + b"\nvote 9\nundo\n4\n")
        said = answers(box, 6)
    assert said[:3] == ["error say 1…5, vote N or undo"] * 3
    assert said[3] == "error 9 is no vote: press 1 (uncomfortable) … 5 (comfortable)"
    assert said[4].startswith("error nothing to undo")
    assert said[5] == "ok 4 good"
    assert desk.levels() == [4]


def test_a_vote_that_is_not_stored_is_answered_with_an_error(box: PtyReplay) -> None:
    desk = Desk(f"serial://{box.path}")
    desk.failing = StoreError("the store of votes cannot be used: disk full")
    with desk.working():
        box.write(b"3\n")
        assert answers(box, 1) == ["error the store of votes cannot be used: disk full"]
        desk.failing = None
        box.write(b"2\n")
        assert answers(box, 1) == ["ok 2 bad"]
    assert (desk.panel.state().accepted, desk.panel.state().refused) == (1, 1)


def test_a_press_before_the_device_has_started_is_not_lost(box: PtyReplay) -> None:
    box.write(b"4\n")
    desk = Desk(f"serial://{box.path}")
    desk.panel.open()
    box.write(b"5\n")
    with desk.working():
        assert answers(box, 2) == ["ok 4 good", "ok 5 very good"]


def test_an_unplugged_box_is_a_state_and_comes_back(box: PtyReplay) -> None:
    desk = Desk(f"serial://{box.path}")
    with desk.working():
        assert until(lambda: desk.panel.state().state == "up")
        box.unplug()
        assert until(lambda: desk.panel.state().state == "down")
        assert "is it plugged in" in str(desk.panel.state().error) or "is gone" in str(desk.panel.state().error)
        box.replug()
        assert until(lambda: desk.panel.state().state == "up")
        box.write(b"1\n")
        assert answers(box, 1) == ["ok 1 very bad"]


def test_two_programs_do_not_share_a_box(box: PtyReplay) -> None:
    first, second = Desk(f"serial://{box.path}"), Desk(f"serial://{box.path}")
    with first.working():
        assert until(lambda: first.panel.state().state == "up")
        second.panel.open()
        assert "in use by another program" in str(second.panel.state().error)


def test_a_speed_that_no_port_has_and_a_file_that_is_no_port_are_said(tmp_path: Path, box: PtyReplay) -> None:
    (tmp_path / "file").write_text("")
    for uri, words in (
        (f"serial://{box.path}?baud=9601", "9600 and 115200"),
        (f"serial://{tmp_path}/file", "no serial"),
    ):
        desk = Desk(uri)
        desk.panel.open()
        assert words in str(desk.panel.state().error)


# A keypad: the events that the kernel would send, through a pty.


class Pad:
    """A keypad's far end: writes events, and notes what its light is told."""

    def __init__(self) -> None:
        self._device, port = os.openpty()
        self._ends: tuple[int, ...] = (self._device, port)
        tty.setraw(port)
        os.set_blocking(self._device, False)
        self.path = os.ttyname(port)

    def key(self, code: int, value: int) -> None:
        os.write(self._device, struct.pack("llHHi", 0, 0, 1, code, value) + struct.pack("llHHi", 0, 0, 0, 0, 0))

    def tap(self, code: int) -> None:
        self.key(code, 1)
        self.key(code, 0)

    def lights(self) -> list[int]:
        """What the light of NumLock was told since the last call."""
        try:
            data = os.read(self._device, 65536)
        except BlockingIOError:
            return []
        found = [struct.unpack_from("llHHi", data, at) for at in range(0, len(data), 24)]
        return [value for _, _, kind, code, value in found if (kind, code) == (0x11, 0)]

    def raw(self, data: bytes) -> None:
        os.write(self._device, data)

    def unplug(self) -> None:
        ends, self._ends = self._ends, ()
        for end in ends:
            os.close(end)


@pytest.fixture
def pad() -> Iterator[Pad]:
    found = Pad()
    yield found
    found.unplug()


def test_a_keypad_votes_with_either_block_of_digits(pad: Pad) -> None:
    desk = Desk(f"input://{pad.path}")
    with desk.working():
        for code in (KEY_1, KEY_A, KEY_KP4, KEY_5):
            pad.tap(code)
        assert until(lambda: desk.levels() == [1, 4, 5])
        pad.tap(KEY_BACKSPACE)
        assert until(lambda: desk.levels() == [1, 4])


def test_a_key_that_is_held_undoes_and_does_not_repeat(pad: Pad) -> None:
    desk = Desk(f"input://{pad.path}")
    with desk.working():
        pad.tap(KEY_1)
        pad.tap(KEY_5)
        assert until(lambda: desk.levels() == [1, 5])
        pad.key(KEY_5, 1)
        for _ in range(20):
            pad.key(KEY_5, 2)  # the kernel's repeat
        assert until(lambda: desk.levels() == [1])
        pad.key(KEY_5, 0)
        pad.tap(KEY_KP4)
        assert until(lambda: desk.levels() == [1, 4])


def test_the_keypads_light_shows_what_was_stored_and_what_was_not(pad: Pad) -> None:
    desk = Desk(f"input://{pad.path}")
    with desk.working():
        pad.tap(KEY_1)
        seen: list[int] = []
        assert until(lambda: bool(seen.extend(pad.lights())) or seen == [1, 0])
        desk.failing = StoreError("disk full")
        pad.tap(KEY_1)
        assert until(lambda: bool(seen.extend(pad.lights())) or seen[2:] == [1, 0] * 5 + [0])
    assert desk.levels() == [1]


def test_events_that_arrive_in_pieces_and_dropped_ones_are_survived(pad: Pad) -> None:
    desk = Desk(f"input://{pad.path}")
    events = b"".join(struct.pack("llHHi", 0, 0, 1, KEY_5, value) for value in (1, 0))
    with desk.working():
        for at in range(0, len(events), 7):
            pad.raw(events[at : at + 7])
            time.sleep(0.005)
        assert until(lambda: desk.levels() == [5])
        pad.key(KEY_1, 1)
        pad.raw(struct.pack("llHHi", 0, 0, 0, 3, 0))  # SYN_DROPPED: whether the key is still down is not known
        time.sleep(0.6)
        pad.tap(KEY_KP4)
        assert until(lambda: desk.levels() == [5, 4])


def test_an_unplugged_keypad_takes_nothing_down(pad: Pad, tmp_path: Path) -> None:
    name = tmp_path / "event-kbd"
    name.symlink_to(pad.path)
    desk = Desk(f"input://{name}")
    with desk.working():
        assert until(lambda: desk.panel.state().state == "up")
        name.unlink()
        pad.unplug()
        assert until(lambda: desk.panel.state().state == "down")
        another = Pad()
        name.symlink_to(another.path)
        assert until(lambda: desk.panel.state().state == "up")
        another.tap(KEY_5)
        assert until(lambda: desk.levels() == [5])
    another.unplug()


def test_a_keypad_that_cannot_be_grabbed_is_said(pad: Pad) -> None:
    desk = Desk(f"input://{pad.path}?grab=1")
    desk.panel.open()
    assert "cannot be grabbed" in str(desk.panel.state().error)


# Pins.


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
        assert until(lambda: desk.panel.state().state == "up")
        light, buzzer = factory.pin(17), factory.pin(18)
        light.clear_states()
        buzzer.clear_states()
        press(factory.pin(19))
        assert until(lambda: desk.levels() == [4])
        assert until(lambda: [state.state for state in light.states] == [False, True, False])
        assert [state.state for state in buzzer.states] == [False, True, False]
        desk.failing = StoreError("disk full")
        light.clear_states()
        buzzer.clear_states()
        press(factory.pin(5))
        assert until(lambda: [state.state for state in light.states] == [False] + [True, False] * 5)
        assert [state.state for state in buzzer.states] == [False, True, False, True, False]
    assert desk.levels() == [4]


def test_the_light_stays_on_while_a_vote_is_wanted_and_blinks_to_be_found(factory: Any) -> None:
    desk = pins(factory)
    light = factory.pin(17)
    with desk.working():
        assert until(lambda: desk.panel.state().state == "up")
        desk.call = "ask"
        assert until(lambda: bool(light.state))
        press(factory.pin(19))
        assert until(lambda: desk.levels() == [4])
        light.clear_states()  # what is wanted stays wanted until the device says otherwise
        assert until(lambda: bool(light.state))
        desk.call = "quiet"
        assert until(lambda: not light.state)
        light.clear_states()
        desk.call = "here"
        assert until(lambda: [state.state for state in light.states] == [False, True, False, True, False])


def test_bouncing_contacts_vote_once_and_a_long_press_undoes(factory: Any) -> None:
    desk = pins(factory, "&debounce_ms=40")
    with desk.working():
        assert until(lambda: desk.panel.state().state == "up")
        pin = factory.pin(26)
        for _ in range(5):
            pin.drive_low()
            pin.drive_high()
        press(pin, 0.1)
        assert until(lambda: desk.levels() == [5])
        pin.drive_low()  # held, and never let go
        assert until(lambda: desk.levels() == [])
        press(factory.pin(5), 0.1)
        assert until(lambda: desk.levels() == [1])


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
        assert until(lambda: desk.panel.state().state == "up")
        press(factory.pin(5))
        assert until(lambda: bool(factory.pin(17).state))
        assert desk.levels() == [1]
    assert lit_before_commit == [False, False]


def test_a_pin_in_use_is_a_state_with_a_reason(factory: Any) -> None:
    first, second = pins(factory), pins(factory)
    with first.working():
        assert until(lambda: first.panel.state().state == "up")
        second.panel.open()
        assert "GPIO pins cannot be used" in str(second.panel.state().error)
    with second.working():
        assert until(lambda: second.panel.state().state == "up")


def test_pins_given_back_by_a_failed_opening_can_be_opened_again(factory: Any) -> None:
    taken = GpioPanel(GpioButtons((1, 2, 3, 4, 7), None, None, True, 0.0), 0.0, factory)
    with pytest.raises(SourceError, match="GPIO pins"):
        GpioPanel(GpioButtons((10, 11, 12, 13, 7), None, None, True, 0.0), 0.0, factory)
    GpioPanel(GpioButtons((10, 11, 12, 13, 14), None, None, True, 0.0), 0.0, factory).close()
    taken.close()


def test_a_panels_own_mistake_refuses_the_press_and_goes_on(box: PtyReplay, caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(f"serial://{box.path}")
    desk.panel._vote = lambda level: 1 / 0  # type: ignore[assignment,return-value]  # a bug somewhere behind the door
    with desk.working():
        box.write(b"3\n")
        assert answers(box, 1) == ["error the vote could not be stored"]
    assert "does not count" in caplog.text
