"""What a light or a buzzer shows: on once for a vote that is stored, a fast blink or two beeps for one that is not."""

from __future__ import annotations

import time
from collections.abc import Callable

Pattern = tuple[tuple[bool, float], ...]

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
