"""Makes file operations, SQLite calls and socket calls of this process fail, a place of the program at a time.

A place is where the program asks for the operation: the nearest line of the package on the stack, with the operation.
"""

from __future__ import annotations

import errno
import os
import socket
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import comfywear

_PACKAGE = str(Path(comfywear.__file__).parent)
_EVENTS = {
    "open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.listdir", "os.scandir", "os.chmod", "os.chown",
    "os.truncate", "socket.connect", "socket.bind", "socket.getaddrinfo", "sqlite3.connect",
}  # fmt: skip
# What the interpreter itself opens: modules, sources for tracebacks; and the clock's own files.
_NOT = (".py", ".pyc", ".so", "/proc/self/status")


class Injection:
    """Knows the places that came by, and fails the one that is armed.

    Attributes:
        seen: How often each place came by.
        hits: How often each place was failed.
    """

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.hits: Counter[str] = Counter()
        self._armed: str | None = None
        self._until_s = 0.0
        self._lock = threading.Lock()

    def arm(self, place: str, for_s: float = 0.0) -> None:
        """Fail `place` the next time it comes by, and for `for_s` seconds from then on."""
        with self._lock:
            self._armed, self._until_s, self._for_s = place, float("inf"), for_s

    def disarm(self) -> None:
        """Everything works again."""
        with self._lock:
            self._armed = None

    def pass_by(self, operation: str) -> bool:
        """Note that an operation is asked for; true when it is to fail."""
        place = _place(operation)
        if place is None:
            return False
        with self._lock:
            self.seen[place] += 1
            if place != self._armed:
                return False
            now_s = time.monotonic()
            if self._until_s == float("inf"):
                self._until_s = now_s + self._for_s
            elif now_s > self._until_s:
                self._armed = None
                return False
            self.hits[place] += 1
            return True


def _place(operation: str) -> str | None:
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_PACKAGE):
            if "/web/" in name or "import" in operation:
                break
            return f"{operation} {name[len(_PACKAGE) + 1 :]}:{frame.f_lineno} {frame.f_code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]
    return None


_active: Injection | None = None


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if _active is None or event not in _EVENTS:
        return
    if event == "open" and (not isinstance(args[0], str) or args[0].endswith(_NOT)):
        return
    if _active.pass_by(event):
        if event == "sqlite3.connect":
            raise sqlite3.OperationalError("unable to open database file")
        if event == "socket.getaddrinfo":
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        number = errno.ECONNREFUSED if event.startswith("socket") else errno.EIO
        raise OSError(number, os.strerror(number))


_hooked = False


class _Connection(sqlite3.Connection):
    """Fails where it is told to."""

    def execute(self, *args: Any) -> sqlite3.Cursor:
        if _active is not None and _active.pass_by("execute"):
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(*args)

    def executemany(self, *args: Any) -> sqlite3.Cursor:
        if _active is not None and _active.pass_by("executemany"):
            raise sqlite3.OperationalError("database or disk is full")
        return super().executemany(*args)


@contextmanager
def injected(monkeypatch: pytest.MonkeyPatch) -> Iterator[Injection]:
    """Within it, the operations of this process can be made to fail."""
    global _active, _hooked
    if not _hooked:  # an audit hook is never taken out again; it does nothing while nothing is active
        sys.addaudithook(_audit)
        _hooked = True
    real_connect, real_fsync = sqlite3.connect, os.fsync

    def connect(*args: Any, **named: Any) -> sqlite3.Connection:
        return real_connect(*args, **{**named, "factory": _Connection})

    def fsync(handle: int) -> None:
        if _active is not None and _active.pass_by("fsync"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real_fsync(handle)

    def failing(name: str) -> Callable[..., Any]:
        real = getattr(socket.socket, name)

        def act(self: socket.socket, *args: Any) -> Any:
            if _active is not None and _active.pass_by(f"socket.{name}"):
                raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
            return real(self, *args)

        return act

    monkeypatch.setattr(sqlite3, "connect", connect)
    monkeypatch.setattr(os, "fsync", fsync)
    for name in ("send", "recv", "sendall"):
        monkeypatch.setattr(socket.socket, name, failing(name))
    _active = Injection()
    try:
        yield _active
    finally:
        _active = None
