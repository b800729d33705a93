"""What the proofs are made of: a device that can be killed, the real collector, and the count of what was lost."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from comfywear.collect import AckPace, Collector, Options, open_store
from comfywear.publishing import BrokerSettings
from waiting import until

NAME = "archive"
FAST = AckPace(ack_every_s=0.3, grace_s=0.6, ask_again_s=1.0, ask_longest_s=5.0)
# The broker of the proofs keeps what it has, and drops nothing while a consumer is away: only kill -9 makes it forget.
KEEPING = "persistence true\npersistence_location {folder}/\nmax_queued_messages 0\n"


@dataclass(frozen=True)
class Figures:
    """What became of the messages of one proof."""

    what: str
    accepted: int
    delivered: int
    lost: int
    duplicates: int

    def __str__(self) -> str:
        return (
            f"{self.what}: accepted {self.accepted}, delivered {self.delivered}, lost {self.lost}, "
            f"duplicates {self.duplicates}"
        )


@dataclass
class Device:
    """The process of `rounds_device.py`; its spool and notes outlive it."""

    port: int
    folder: Path
    confirmed: bool
    rate: int = 200
    state: Path | None = None
    process: subprocess.Popen[str] | None = None
    said: list[str] = field(default_factory=list)

    @property
    def notes(self) -> Path:
        return self.folder / "accepted"

    def start(self) -> None:
        given = {
            "port": self.port,
            "folder": str(self.state or self.folder),
            "notes": str(self.notes),
            "rate": self.rate,
            "confirm_by": [NAME] if self.confirmed else [],
        }
        script = Path(__file__).with_name("rounds_device.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script), json.dumps(given)], stderr=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()

    def accept_more(self, count: int = 100, seconds: float = 600) -> None:
        """Wait until so many more were accepted."""
        before = sum(self.accepted().values())
        until(lambda: sum(self.accepted().values()) >= before + count, seconds)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def finish(self) -> None:
        """Stop offering, and wait until the spool is empty."""
        assert self._end(signal.SIGTERM) == 0, self.said

    def accepted(self) -> dict[str, int]:
        """The highest accepted number by epoch; a line that was cut off by a kill does not count."""
        found: dict[str, int] = {}
        text = self.notes.read_text() if self.notes.exists() else ""
        for line in text.splitlines(keepends=True):
            if line.endswith("\n"):
                epoch, seq = line.split()
                found[epoch] = max(found.get(epoch, 0), int(seq))
        return found

    def _end(self, number: int) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(300)

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr:
            self.said += process.stderr


class Archive:
    """`comfywear collect` in a thread: it can go away and come back."""

    def __init__(self, port: int, folder: Path) -> None:
        self.path = folder / "archive.sqlite"
        self.repeats = 0
        self._port = port
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def come(self) -> None:
        store = partial(open_store, str(self.path), FAST)
        options = Options(name=NAME, progress_s=0, pace=FAST)
        self._stop = threading.Event()
        self._collector = Collector(BrokerSettings("127.0.0.1", self._port, timeout_s=3), store, options)
        self._thread = threading.Thread(target=self._collector.run, args=(self._stop,))
        self._thread.start()

    def go(self) -> None:
        if self._thread is not None:
            self._stop.set()
            self._thread.join(120)
            assert not self._thread.is_alive()
            self._thread = None
            self.repeats += self._collector.counts.repeats

    def delivered(self) -> dict[str, set[int]]:
        """Stored numbers by epoch."""
        found: dict[str, set[int]] = {}
        if not self.path.exists():
            return found
        with closing(sqlite3.connect(self.path, timeout=10)) as connection:
            query = "SELECT epoch, seq FROM entries JOIN streams ON streams.id = stream"
            for epoch, seq in connection.execute(query):
                found.setdefault(epoch, set()).add(seq)
        return found


def count(what: str, device: Device, archive: Archive, settle_s: float = 120) -> Figures:
    """Wait until everything has come or nothing more comes, and count; prints the figures."""
    wanted = {(epoch, seq) for epoch, last in device.accepted().items() for seq in range(1, last + 1)}
    deadline_s = time.monotonic() + settle_s
    came: set[tuple[str, int]] = set()
    while not wanted <= came and time.monotonic() < deadline_s:
        time.sleep(0.2)
        came = {(epoch, seq) for epoch, seqs in archive.delivered().items() for seq in seqs}
    archive.go()
    figures = Figures(what, len(wanted), len(wanted & came), len(wanted - came), archive.repeats)
    print(f"\n{figures}", flush=True)
    return figures
