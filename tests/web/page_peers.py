"""What several tests of the page share: a page that runs, of a device made up or real."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from comfywear import web
from comfywear.errors import StoreError, UsageError

TOKEN = "correct horse battery"


class MadeUp:
    """A device with two zones that keeps its votes in a list; `full` makes its disk full."""

    def __init__(self) -> None:
        self.votes: list[tuple[str | None, int, str, str | None]] = []
        self.undone: list[str] = []
        self.full = False

    def zones(self) -> Sequence[web.Zone]:
        return [web.Zone("desk", "Desk"), web.Zone("window", "Window")]

    def now(self, zone: str) -> web.Now:
        comfort = web.ComfortNow(0.6, 3, {"cooler": 0.4, "no change": 0.5, "warmer": 0.1}, (), None)
        air = web.AirNow(24.0, 45.0, None)
        return web.Now(zone, air, (), None, comfort, None, None, len(self.votes), web.Recording(False))

    def day(self, zone: str) -> web.Day:
        return web.Day(zone, 0.0, 86400.0, True, (), ())

    def vote(self, zone: str | None, level: int, source: str, person: str | None) -> web.Accepted:
        if self.full:
            raise StoreError("the disk is full")
        if not 1 <= level <= 5:
            raise UsageError(f"{level} is no vote")
        self.votes.append((zone, level, source, person))
        return web.Accepted(f"id{len(self.votes)}", zone or "desk", level, 60.0, None)

    def undo(self, vote_id: str) -> None:
        self.undone.append(vote_id)

    def sketch(self) -> bytes | None:
        return None

    def settings(self) -> Sequence[web.SettingsTable]:
        return []

    def metrics(self) -> bytes:
        return b"# HELP made_up A number.\nmade_up 1.0\n"


@contextmanager
def serving(device: web.PageDevice, token: str = "", host: str = "127.0.0.1", **options: str) -> Iterator[str]:
    """The page's address while it runs."""
    page, stop = web.Page(device, web.Access(token, b"s" * 32), host=host, **options), threading.Event()
    worker = threading.Thread(target=page.run, args=(stop, lambda: None))
    worker.start()
    try:
        deadline = time.monotonic() + 30
        while page.url is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield page.url.replace("0.0.0.0", "127.0.0.1").rstrip("/")
    finally:
        stop.set()
        worker.join(10)
        assert not worker.is_alive(), "the page ends when it is told to"
