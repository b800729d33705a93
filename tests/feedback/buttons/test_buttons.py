"""Buttons by their doors: input events through a pty, a box on a serial pty; a real store."""

from __future__ import annotations

import os
import struct
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from desks import Desk

from comfywear.errors import StoreError
from comfywear_sensors.pty_replay import PtyReplay
from waiting import until

KEY_1, KEY_5, KEY_BACKSPACE, KEY_A, KEY_KP4 = 2, 6, 14, 30, 75


# A serial box.


def answers(box: PtyReplay, lines: int) -> list[str]:
    heard, deadline = b"", time.monotonic() + 90
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
        until(lambda: desk.panel.state().state == "up")
        box.unplug()
        until(lambda: desk.panel.state().state == "down")
        assert "is it plugged in" in str(desk.panel.state().error) or "is gone" in str(desk.panel.state().error)
        box.replug()
        until(lambda: desk.panel.state().state == "up")
        box.write(b"1\n")
        assert answers(box, 1) == ["ok 1 very bad"]


def test_two_programs_do_not_share_a_box(box: PtyReplay) -> None:
    first, second = Desk(f"serial://{box.path}"), Desk(f"serial://{box.path}")
    with first.working():
        until(lambda: first.panel.state().state == "up")
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

    def key(self, code: int, *values: int) -> None:
        """One change of a key after the other, in one write: a busy machine cannot hold it down in between."""
        report = struct.pack("llHHi", 0, 0, 0, 0, 0)
        os.write(self._device, b"".join(struct.pack("llHHi", 0, 0, 1, code, value) + report for value in values))

    def tap(self, code: int) -> None:
        self.key(code, 1, 0)

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
        until(lambda: desk.levels() == [1, 4, 5])
        pad.tap(KEY_BACKSPACE)
        until(lambda: desk.levels() == [1, 4])


def test_a_key_that_is_held_undoes_and_does_not_repeat(pad: Pad) -> None:
    desk = Desk(f"input://{pad.path}")
    with desk.working():
        pad.tap(KEY_1)
        pad.tap(KEY_5)
        until(lambda: desk.levels() == [1, 5])
        pad.key(KEY_5, 1)
        for _ in range(20):
            pad.key(KEY_5, 2)  # the kernel's repeat
        until(lambda: desk.levels() == [1])
        pad.key(KEY_5, 0)
        pad.tap(KEY_KP4)
        until(lambda: desk.levels() == [1, 4])


def test_the_keypads_light_shows_what_was_stored_and_what_was_not(pad: Pad) -> None:
    desk = Desk(f"input://{pad.path}")
    with desk.working():
        pad.tap(KEY_1)
        seen: list[int] = []
        until(lambda: bool(seen.extend(pad.lights())) or seen == [1, 0])
        desk.failing = StoreError("disk full")
        pad.tap(KEY_1)
        until(lambda: bool(seen.extend(pad.lights())) or seen[2:] == [1, 0] * 5 + [0])
    assert desk.levels() == [1]


def test_events_that_arrive_in_pieces_and_dropped_ones_are_survived(pad: Pad) -> None:
    desk = Desk(f"input://{pad.path}")
    events = b"".join(struct.pack("llHHi", 0, 0, 1, KEY_5, value) for value in (1, 0))
    with desk.working():
        for at in range(0, len(events), 7):
            pad.raw(events[at : at + 7])
            time.sleep(0.005)
        until(lambda: desk.levels() == [5])
        pad.key(KEY_1, 1)
        pad.raw(struct.pack("llHHi", 0, 0, 0, 3, 0))  # SYN_DROPPED: whether the key is still down is not known
        time.sleep(0.6)
        pad.tap(KEY_KP4)
        until(lambda: desk.levels() == [5, 4])


def test_an_unplugged_keypad_takes_nothing_down(pad: Pad, tmp_path: Path) -> None:
    name = tmp_path / "event-kbd"
    name.symlink_to(pad.path)
    desk = Desk(f"input://{name}")
    with desk.working():
        until(lambda: desk.panel.state().state == "up")
        name.unlink()
        pad.unplug()
        until(lambda: desk.panel.state().state == "down")
        another = Pad()
        name.symlink_to(another.path)
        until(lambda: desk.panel.state().state == "up")
        another.tap(KEY_5)
        until(lambda: desk.levels() == [5])
    another.unplug()


def test_a_keypad_that_cannot_be_grabbed_is_said(pad: Pad) -> None:
    desk = Desk(f"input://{pad.path}?grab=1")
    desk.panel.open()
    assert "cannot be grabbed" in str(desk.panel.state().error)


def test_a_panels_own_mistake_refuses_the_press_and_goes_on(box: PtyReplay, caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(f"serial://{box.path}")
    desk.panel._vote = lambda level: 1 / 0  # type: ignore[assignment,return-value]  # a bug somewhere behind the door
    with desk.working():
        box.write(b"3\n")
        assert answers(box, 1) == ["error the vote could not be stored"]
    assert "does not count" in caplog.text
