"""A USB or Bluetooth keypad, read from the kernel: 24-byte `struct input_event`s of a 64-bit Linux.

Layout, codes and ioctls: linux/input.h and linux/input-event-codes.h. Keys 1–5 vote, on either block; backspace and 0
undo, as does a long press.
"""

from __future__ import annotations

import fcntl
import struct
import time
from contextlib import suppress
from typing import final

from comfywear.errors import SourceError
from comfywear.feedback.buttons.port import Port
from comfywear.feedback.buttons.presses import UNDO_KEY, Presses, Wish
from comfywear.feedback.buttons.signals import LIGHT_ACCEPTED, LIGHT_REFUSED, Call, Lamp
from comfywear.records import Vote
from comfywear.settings.button_uri import Keypad
from comfywear.texts import Text

EVENT = struct.Struct("llHHi")  # seconds, microseconds, type, code, value
EV_SYN, EV_KEY, EV_LED = 0x00, 0x01, 0x11
SYN_REPORT, SYN_DROPPED = 0, 3
UP, DOWN = 0, 1  # 2 is a repeat of a key that is held
_MOST_READS = 64  # before what was pressed is told, however fast more arrives
_EVIOCGRAB = 0x40044590
_EVIOCSCLOCKID = 0x400445A0
_LEDS = {"numlock": 0, "capslock": 1, "scrolllock": 2}

KEYS = {
    **{2 + n: 1 + n for n in range(5)},  # KEY_1…KEY_5
    79: 1,  # KEY_KP1
    80: 2,
    81: 3,
    75: 4,
    76: 5,
    11: UNDO_KEY,  # KEY_0
    82: UNDO_KEY,  # KEY_KP0
    14: UNDO_KEY,  # KEY_BACKSPACE
}


@final
class KeypadPanel:
    """The keypad of `spec`, open.

    Raises:
        SourceError: When it cannot be opened, or `grab` is asked for and refused.
    """

    def __init__(self, spec: Keypad, long_press_s: float) -> None:
        self._presses = Presses(long_press_s)
        self._led = _LEDS.get(spec.led)
        self._port = Port(spec.path)
        self._rest = b""
        self._lamp = Lamp(self._switch)
        # The times of events are wanted on the clock that no setting of the time moves; what is no input device
        # (a pipe in a test) has no clock, and its events count from when they are read.
        self._stamped = self._ioctl(_EVIOCSCLOCKID, struct.pack("i", time.CLOCK_MONOTONIC)) is None
        if spec.grab and (refusal := self._ioctl(_EVIOCGRAB, 1)):
            self._port.close()
            raise SourceError(
                Text(
                    "{path} cannot be grabbed ({refusal}); does another program hold it?",
                    path=spec.path,
                    refusal=refusal,
                )
            )

    def _ioctl(self, request: int, value: bytes | int) -> str | None:
        """None when it was done, else why it was not."""
        try:
            fcntl.ioctl(self._port.fd, request, value)
        except OSError as error:
            return error.strerror or str(error)
        return None

    def read(self, timeout_s: float) -> list[Wish]:
        """What was pressed, after `timeout_s` seconds at most.

        Raises:
            SourceError: When the keypad is gone.
        """
        due_s = self._presses.due_s()
        if due_s is not None:
            timeout_s = min(timeout_s, due_s - time.monotonic())
        wishes: list[Wish] = []
        for _ in range(_MOST_READS):
            if not (data := self._port.read(timeout_s)):
                break
            wishes += self._events(data)
            timeout_s = 0.0
        return wishes + self._presses.tick(time.monotonic())

    def _events(self, data: bytes) -> list[Wish]:
        data = self._rest + data
        whole = len(data) - len(data) % EVENT.size
        self._rest = data[whole:]
        wishes: list[Wish] = []
        for seconds, micros, kind, code, value in EVENT.iter_unpack(data[:whole]):
            if (kind, code) == (EV_SYN, SYN_DROPPED):
                self._presses.forget()
            elif kind == EV_KEY and code in KEYS and value in (UP, DOWN):
                at_s = seconds + micros / 1e6 if self._stamped else time.monotonic()
                wishes += self._presses.edge(KEYS[code], value == DOWN, at_s)
        return wishes

    def accepted(self, wish: Wish, vote: Vote) -> None:  # noqa: ARG002 - every source is told what was stored
        """Show that it is stored: the keypad's light goes on once."""
        self._lamp.play(LIGHT_ACCEPTED)

    def refused(self, wish: Wish, reason: str) -> None:  # noqa: ARG002 - a light cannot say why
        """Show that it is not: the light blinks fast."""
        self._lamp.play(LIGHT_REFUSED)

    def attend(self, call: Call) -> None:
        """Show on the keypad's light what the device wants."""
        self._lamp.attend(call, time.monotonic())

    def _switch(self, on: bool) -> None:
        if self._led is not None:
            self._port.write(EVENT.pack(0, 0, EV_LED, self._led, on) + EVENT.pack(0, 0, EV_SYN, SYN_REPORT, 0))

    def close(self) -> None:
        """Give the keypad back, and its keys to others."""
        with suppress(OSError, ValueError):
            fcntl.ioctl(self._port.fd, _EVIOCGRAB, 0)
        self._port.close()
