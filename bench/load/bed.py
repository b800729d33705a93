"""A real device on a bench: a fake sensor, the page and a broker on loopback; somebody votes every 50 ms and looks."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wrong import Wrong

from comfywear.errors import ComfyWearError
from comfywear.feedback import ask
from comfywear.feedback.control import SOCKET_NAME
from comfywear.system.process import rss_mb

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
VOTE_EVERY_S, LOOK_EVERY_S, SAMPLE_EVERY_S = 0.05, 0.5, 0.2
START_S, BEFORE_S, AFTER_S = 40.0, 5.0, 5.0
LONGEST_WAIT_S = 30.0
DISK_MB = 24


@dataclass
class Seen:
    """What one scenario showed; times in ms, memory in MB (10⁶ bytes)."""

    scenario: str
    rss_mb: dict[str, float]
    vote_p99_ms: dict[str, float]
    vote_median_ms: dict[str, float]
    votes: int
    votes_refused: dict[str, int]
    votes_lost: int
    page: dict[str, int]
    page_longest_s: float
    troubles: list[str]
    log: list[str]
    tracebacks: int
    alive: bool
    note: str = ""


@dataclass
class _Notes:
    rss: list[tuple[float, float]] = field(default_factory=list)
    votes: list[tuple[float, float]] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    pages: list[tuple[float, float, str]] = field(default_factory=list)
    troubles: set[str] = field(default_factory=set)


class Bed:
    """Starts the device; `measure` puts a load on it.

    Args:
        out: Where its log goes.
        name: Of the scenario.
        host: The broker's name in the settings; "" = a mosquitto of our own on loopback.
        port: The port of a stand-in for the broker.
        disk: Have the state folder be a file system of 24 MB (root).
        read_only: Have that be read-only when the device starts.
        wrong: Have the device feel a wrong clock, disk and name server.
        names_ms: Have no name resolve from the start, which takes so long each; 0 = they do.

    Attributes:
        pid: Of the device.
        page: Its page's port.
        broker: The broker's port.
        wrong: What is wrong with clock, disk and names.
        disk: The file system, where there is one.
    """

    def __init__(
        self, out: Path, name: str, *, host: str = "", port: int = 0, disk: bool = False, read_only: bool = False,
        wrong: bool = False, names_ms: int = 0,
    ) -> None:  # fmt: skip
        self.folder = Path(tempfile.mkdtemp(prefix="comfywear-load-"))
        self.name = name
        self.disk = _mounted(self.folder / "disk") if disk else None
        self.state = (self.disk or self.folder) / "state"
        self.state.mkdir()
        self.wrong = Wrong(self.folder, self.state)
        self.wrong.set_names(names_ms)
        self.page, self.broker = free_port(), port or free_port()
        self._read_only = read_only and self.disk is not None
        self._own = not (host or port)
        self._broker: subprocess.Popen[bytes] | None = None
        self._notes = _Notes()
        self._log_path = out / f"{name}.log"
        self._log = self._log_path.open("wb")
        self.start_broker()
        config = self.folder / "device.toml"
        config.write_text(
            _SETTINGS.format(state=self.state, host=host or "127.0.0.1", port=self.broker, page=self.page)
        )
        if self._read_only and self.disk:
            remount(self.disk, "ro")
        self._device = subprocess.Popen(
            [sys.executable, "-m", "comfywear.cli", "run", "--config", str(config)],
            env=self.wrong.environ() if wrong else None, stdout=self._log, stderr=self._log,
        )  # fmt: skip
        self.pid = self._device.pid
        self.config = config

    def start_broker(self) -> None:
        """Start our own mosquitto, with what it kept."""
        if not self._own or self._broker is not None:
            return
        if MOSQUITTO is None:
            sys.exit("needs the broker mosquitto (Debian: apt install mosquitto)")
        user = "user root\n" if os.geteuid() == 0 else ""
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"{user}listener {self.broker} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
            f"persistence true\npersistence_location {self.folder}/\n"
        )
        self._broker = subprocess.Popen([MOSQUITTO, "-c", str(config)], stderr=subprocess.DEVNULL)

    def stop_broker(self) -> None:
        """End it; it writes down what it keeps."""
        if self._broker is not None:
            self._broker.send_signal(signal.SIGTERM)
            self._broker.wait(20)
            self._broker = None

    def measure(self, load: Callable[[Bed], str]) -> Seen:
        """Vote and look before, while and after `load` runs; it returns what is to be noted."""
        self._await_start()
        stop = threading.Event()
        probes = [
            threading.Thread(target=_every, args=(stop, seconds, probe), daemon=True)
            for seconds, probe in (
                (VOTE_EVERY_S, self._vote),
                (LOOK_EVERY_S, self._look),
                (SAMPLE_EVERY_S, self._sample),
            )
        ]
        for probe in probes:
            probe.start()
        time.sleep(BEFORE_S)
        marks = [time.monotonic()]
        try:
            note = load(self)
            marks.append(time.monotonic())
            self._ask()
            time.sleep(AFTER_S)
        finally:
            stop.set()
            for probe in probes:
                probe.join(LONGEST_WAIT_S + 5)
        return self._seen(marks, note)

    def close(self) -> None:
        """End all of it."""
        self.wrong.set_disk()
        self.wrong.set_names(0)
        self._device.terminate()
        try:
            self._device.wait(20)
        except subprocess.TimeoutExpired:
            self._device.kill()
        self.stop_broker()
        self._log.close()
        if self.disk:
            subprocess.run(["umount", "-l", str(self.disk)], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> list[str]:
        """The device's log so far."""
        return self._log_path.read_text(errors="replace").splitlines()

    def _await_start(self) -> None:
        until_s = time.monotonic() + START_S
        while time.monotonic() < until_s:
            # On a disk that cannot be written there is no control socket, but the page.
            if self._page_says() == "200" and (self._read_only or (self.state / SOCKET_NAME).exists()):
                return
            if self._device.poll() is not None:
                break
            time.sleep(0.2)
        sys.exit(f"{self.name}: the device did not start:\n" + "\n".join(self.log()[-10:]))

    def _vote(self) -> None:
        began_s = time.monotonic()
        level = 1 + int(began_s * 20) % 5
        try:
            answer = ask(self.state, {"verb": "vote", "level": level, "source": "load"}, timeout_s=LONGEST_WAIT_S)
        except ComfyWearError as error:
            self._notes.refused[str(error).replace(str(self.state), "…")[:160]] += 1
        else:
            self._notes.accepted.add(answer["vote"]["id"])
        self._notes.votes.append((began_s, time.monotonic() - began_s))

    def _look(self) -> None:
        began_s = time.monotonic()
        said = self._page_says()
        self._notes.pages.append((began_s, time.monotonic() - began_s, said))

    def _ask(self) -> None:
        with contextlib.suppress(ComfyWearError):
            status = ask(self.state, {"verb": "status"}, timeout_s=LONGEST_WAIT_S)
            self._notes.troubles |= {f"{each['name']}: {each['reason']}"[:200] for each in status["troubles"]}

    def _page_says(self) -> str:
        """The page's status, or how asking for it failed."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.page, timeout=5)
            with contextlib.closing(connection):
                connection.request("GET", "/api/now")
                return str(connection.getresponse().status)
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__

    def _sample(self) -> None:
        if found := rss_mb(self.pid):
            self._notes.rss.append((time.monotonic(), found))

    def _seen(self, marks: list[float], note: str) -> Seen:
        notes, (begin_s, end_s) = self._notes, marks
        before = [mb for at_s, mb in notes.rss if at_s < begin_s]
        during = [mb for at_s, mb in notes.rss if begin_s <= at_s <= end_s]
        took = {
            "before": [s for at_s, s in notes.votes if at_s < begin_s],
            "during": [s for at_s, s in notes.votes if begin_s <= at_s <= end_s],
        }
        lines = [line for line in self.log() if " WARNING " in line or " ERROR " in line or "WARN" in line]
        return Seen(
            self.name,
            {"before": statistics.median(before), "peak": max(during), "after": notes.rss[-1][1]},
            {name: _share(0.99, seconds) for name, seconds in took.items()},
            {name: _share(0.5, seconds) for name, seconds in took.items()},
            len(notes.accepted),
            dict(notes.refused),
            self._lost(),
            dict(Counter(said for at_s, _, said in notes.pages if begin_s <= at_s <= end_s)),
            round(max((took_s for at_s, took_s, _ in notes.pages if begin_s <= at_s <= end_s), default=0.0), 2),
            sorted(notes.troubles),
            lines[:6],
            sum("Traceback" in line for line in self.log()),
            self._device.poll() is None,
            note,
        )

    def _lost(self) -> int:
        """Accepted votes that are not in the store's file; of a device that keeps them in memory, all."""
        try:
            with contextlib.closing(sqlite3.connect(f"file:{self.state / 'votes.sqlite'}?mode=ro", uri=True)) as file:
                stored = {row[0] for row in file.execute("SELECT id FROM votes")}
        except sqlite3.Error:
            stored = set()
        return len(self._notes.accepted - stored)


def _share(share: float, seconds: list[float]) -> float:
    """The time in ms within which that share of the votes was answered; of few, the longest."""
    return round(1000 * sorted(seconds)[min(int(share * len(seconds)), len(seconds) - 1)], 1) if seconds else 0.0


def _every(stop: threading.Event, seconds: float, do: Callable[[], Any]) -> None:
    while not stop.is_set():
        began_s = time.monotonic()
        do()
        stop.wait(max(0.0, began_s + seconds - time.monotonic()))


def remount(disk: Path, how: str) -> bool:
    """`ro` or `rw`; false where the system refuses it."""
    order = ["mount", "-o", f"remount,{how}", str(disk)]
    return subprocess.run(order, capture_output=True, check=False).returncode == 0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _mounted(folder: Path) -> Path | None:
    folder.mkdir()
    order = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    return folder if subprocess.run(order, capture_output=True, check=False).returncode == 0 else None


_SETTINGS = """
[device]
site = "load"
id = "d1"
state_dir = "{state}"
[camera]
source = ""
[[sensors]]
uri = "fake://office"
[mqtt]
host = "{host}"
port = {port}
interval_s = 5
[votes]
repeat_s = 0
per_minute = 0
[web]
enabled = true
port = {page}
"""
