"""What a light or a buzzer shows: on once for a vote that is stored, a fast blink or two beeps for one that is not.

While the device asks for a vote the light is on; while somebody wants to see which device it is, it blinks slowly.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

Pattern = tuple[tuple[bool, float], ...]
# What the device wants of the people at the buttons: nothing, a vote, or to be found.
Call = Literal["quiet", "ask", "here"]
_BLINK_S = 0.5

# (on or off, seconds); they end off.
LIGHT_ACCEPTED: Pattern = ((True, 0.4),)
LIGHT_REFUSED: Pattern = ((True, 0.07), (False, 0.07)) * 5
BEEP_ACCEPTED: Pattern = ((True, 0.12),)
BEEP_REFUSED: Pattern = ((True, 0.12), (False, 0.12), (True, 0.12))


def show(pattern: Pattern, switch: Callable[[bool], None], sleep: Callable[[float], None] = time.sleep) -> None:
    """Play a pattern of at most a second; returns when it is over and off."""
    for on, seconds in pattern:
        switch(on)
        sleep(seconds)
    switch(False)


class Lamp:
    """A light that shows calls between the patterns; it is switched only when it changes.

    Args:
        switch: Turns the light on or off.
    """

    def __init__(self, switch: Callable[[bool], None]) -> None:
        self._switch = switch
        self._on = False

    def play(self, pattern: Pattern) -> None:
        """Show a pattern; the next `attend` lights it again if it was on."""
        self._on = False
        show(pattern, self._switch)

    def attend(self, call: Call, now_s: float) -> None:
        """Show `call`; to be called at least twice a second. `now_s`: monotonic seconds."""
        on = call == "ask" or (call == "here" and now_s % (2 * _BLINK_S) < _BLINK_S)
        if on != self._on:
            self._switch(on)
            self._on = on
