"""How tests wait for what happens elsewhere: patiently, since a busy machine is no fault."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], seconds: float = 90.0) -> T:
    """What `condition` says once that is true; fails the test when it does not become so."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"it did not come true in {seconds:.0f} s"
        time.sleep(0.02)
    return found
