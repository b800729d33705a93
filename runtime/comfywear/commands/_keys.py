"""Keys of a terminal, one at a time, without waiting and without a thread."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def keys() -> Iterator[Callable[[], str]]:
    """A function that returns what was typed since its last call; always "" where stdin is no terminal."""
    if not sys.stdin.isatty():
        yield lambda: ""
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)  # a key counts at once; Ctrl-C still works
    try:
        yield lambda: _typed(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _typed(terminal: int) -> str:
    if not select.select([terminal], [], [], 0)[0]:
        return ""
    return os.read(terminal, 64).decode(errors="replace")
