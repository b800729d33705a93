"""A serial sensor without hardware: recorded lines played onto a pseudo-terminal, which reads like any USB port."""

from __future__ import annotations

import errno
import itertools
import os
import tempfile
import threading
import tty
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import final


@final
class PtyReplay:
    """Plays `lines` onto a pty, one every `interval_s` seconds, again from the start at their end.

    It stands for a device outside this process, hence its own thread: `start` it, or call `step` for each line.
    `path` stays the same over `unplug` and `replug`, as a name below /dev/serial/by-id does.

        with PtyReplay(["23.1,45.2", "23.2,45.0"], interval_s=1.0) as sensor:
            sensor.start()
            reader = open_reader(f"serial://{sensor.path}?simulated=1")
    """

    def __init__(self, lines: Iterable[str], interval_s: float = 1.0) -> None:
        self._lines: Iterator[str] = itertools.cycle(list(lines))
        self._interval_s = interval_s
        self._folder = tempfile.TemporaryDirectory(prefix="comfywear-pty-")
        self.path = Path(self._folder.name) / "sensor"
        self._ends: tuple[int, int] | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.replug()

    def __enter__(self) -> PtyReplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Begin to play, in a thread that `close` ends."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._play, name="pty-replay", daemon=True)
            self._thread.start()

    def _play(self) -> None:
        while not self._stop.is_set():
            self.step()
            self._stop.wait(self._interval_s)

    def step(self) -> str:
        """Play the next line now and return it; while unplugged it is lost, as on a real wire."""
        line = next(self._lines)
        self.write(line.encode() + b"\r\n")
        return line

    def write(self, data: bytes) -> None:
        """Put raw bytes on the wire: half a line, noise. What does not fit because nobody reads is lost."""
        with self._lock:
            if self._ends:
                try:
                    os.write(self._ends[0], data)
                except OSError as error:
                    if error.errno != errno.EAGAIN:
                        raise

    def received(self) -> bytes:
        """What the reader has written to the device since the last call."""
        with self._lock:
            try:
                return os.read(self._ends[0], 4096) if self._ends else b""
            except BlockingIOError:
                return b""

    def unplug(self) -> None:
        """Pull the cable: the port vanishes and an open reader sees an error."""
        with self._lock:
            if self._ends:
                self.path.unlink(missing_ok=True)
                for end in self._ends:
                    os.close(end)
                self._ends = None

    def replug(self) -> None:
        """Put the cable back, at the same `path`."""
        with self._lock:
            if self._ends:
                return
            device, port = os.openpty()
            tty.setraw(port)
            os.set_blocking(device, False)
            self._ends = (device, port)  # our own hold on the port keeps its settings while no reader has it open
            self.path.symlink_to(os.ttyname(port))

    def close(self) -> None:
        """Stop playing and take the port away; may be called twice."""
        self._stop.set()
        if self._thread:
            self._thread.join()
            self._thread = None
        self.unplug()
        self._folder.cleanup()
