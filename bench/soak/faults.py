"""What goes wrong in a soak: each fault begins, lasts, and ends; which one and for how long is drawn at random."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from stage import Stage

# A day back, an hour ahead, a year ahead, and a clock that was never set.
_JUMPS_S = (-86_400, 3600, 365 * 86_400, -1_700_000_000)
_NOISE = 400
# A slow card's sync; and a resolver that asks twice, 5 s each (resolv.conf(5)).
_SYNC_MS, _NAMES_MS = 2000, 10_000
_ZEROS = memoryview(bytes(65_536))


def _nothing() -> None:
    """Momentary faults end by themselves."""


@dataclass(frozen=True)
class Fault:
    """One kind: how it begins and ends, and what is done while it lasts (twice a second)."""

    name: str
    begin: Callable[[], object]
    end: Callable[[], object] = _nothing
    during: Callable[[], object] = _nothing


class Faults:
    """Draws faults, up to two at a time, none of the same part twice at once.

    Attributes:
        counts: How often each began.
    """

    def __init__(
        self, stage: Stage, seed: int, *, pause_s: float, longest_s: float, only: Sequence[str] | None = None
    ) -> None:
        self._random = random.Random(seed)
        self._stage = stage
        self._pause_s, self._longest_s = pause_s, longest_s
        self._kinds = [each for each in self._all() if only is None or each.name.split()[0] in only]
        self._active: list[tuple[float, Fault]] = []
        self._next_s: float | None = None
        self.counts: Counter[str] = Counter()
        self.sensor_speaks = True

    def tick(self, now_s: float) -> None:
        """End what is over, begin what is due; `now_s` is monotonic."""
        for until_s, fault in list(self._active):
            if now_s >= until_s:
                fault.end()
                self._active.remove((until_s, fault))
            else:
                fault.during()
        if self._next_s is None:
            self._next_s = now_s + self._pause_s
        if now_s >= self._next_s and len(self._active) < 2:
            self._begin(now_s)
            self._next_s = now_s + self._random.uniform(0.3, 2.0) * self._pause_s

    def active(self) -> list[str]:
        """What is wrong now."""
        return [fault.name for _, fault in self._active]

    def stop(self) -> None:
        """End everything."""
        for _, fault in self._active:
            fault.end()
        self._active.clear()
        self._next_s = float("inf")

    def _begin(self, now_s: float) -> None:
        parts = {fault.name.split()[0] for _, fault in self._active}
        kinds = [each for each in self._kinds if each.name.split()[0] not in parts]
        if not kinds:
            return
        fault = self._random.choice(kinds)
        fault.begin()
        self.counts[fault.name] += 1
        self._active.append((now_s + self._random.uniform(0.1, 1.0) * self._longest_s, fault))

    def _all(self) -> list[Fault]:
        stage = self._stage
        aside = stage.clip.with_suffix(".away")
        kinds = [
            Fault("camera killed", partial(stage.signal_cameras, signal.SIGKILL)),
            Fault(
                "camera hangs",
                partial(stage.signal_cameras, signal.SIGSTOP),
                partial(stage.signal_cameras, signal.SIGCONT),
            ),
            Fault("camera gone", partial(self._take_clip, aside), partial(aside.rename, stage.clip)),
            Fault("broker killed", partial(stage.stop_broker, signal.SIGKILL), stage.start_broker),
            Fault("broker stopped", partial(stage.stop_broker, signal.SIGTERM), stage.start_broker),
            Fault(
                "broker hangs", partial(stage.stop_broker, signal.SIGSTOP), partial(stage.stop_broker, signal.SIGCONT)
            ),
            Fault(
                "broker gone, votes undone",
                partial(stage.stop_broker, signal.SIGKILL),
                stage.start_broker,
                self._vote_and_undo,
            ),
            Fault("sensor shared", _nothing, during=self._second_sensor),
            Fault("sensor garbage", _nothing, during=self._noise),
            Fault("sensor unplugged", stage.sensor.unplug, stage.sensor.replug),
            Fault("sensor silent", partial(self._speak, False), partial(self._speak, True)),
        ]
        if stage.wrong.possible:
            wrong = stage.wrong
            kinds += [
                Fault("clock wrong", self._jump, partial(wrong.set_clock, 0)),
                Fault("disk read-only", partial(wrong.set_disk, read_only=True), wrong.set_disk),
                Fault("disk slow", partial(wrong.set_disk, sync_ms=_SYNC_MS), wrong.set_disk),
                Fault("names gone", self._no_names, partial(wrong.set_names, 0)),
            ]
        if stage.disk:
            junk = stage.disk / "junk"
            empty = partial(junk.unlink, missing_ok=True)
            kinds.append(Fault("disk full", partial(fill, junk, 0), empty, partial(fill, junk, 0)))
            kinds.append(Fault("disk nearly full", partial(fill, junk, 1_500_000), empty))
        return kinds

    def _take_clip(self, aside: Path) -> None:
        self._stage.clip.rename(aside)
        self._stage.signal_cameras(signal.SIGKILL)

    def _noise(self) -> None:
        self._stage.sensor.write(self._random.randbytes(self._random.randrange(_NOISE)))

    def _second_sensor(self) -> None:
        """Another sensor on the same line, with another format; now and then both talk at once."""
        line = f"{self._random.uniform(18, 20):.2f},{self._random.uniform(30, 40):.2f}\r\n".encode()
        cut = self._random.randrange(2 * len(line))
        self._stage.sensor.write(line[:cut] if cut else line)

    def _vote_and_undo(self) -> None:
        if self._random.random() < 0.2:
            self._stage.vote(self._random.randint(1, 5))
            self._stage.undo()

    def _no_names(self) -> None:
        """Nobody resolves names any more, and the broker comes anew: else a standing connection would not feel it."""
        self._stage.wrong.set_names(_NAMES_MS)
        if not any(fault.name.startswith("broker") for _, fault in self._active):
            self._stage.stop_broker(signal.SIGKILL)
            self._stage.start_broker()

    def _speak(self, speaks: bool) -> None:
        self.sensor_speaks = speaks

    def _jump(self) -> None:
        self._stage.wrong.set_clock(self._random.choice(_JUMPS_S))


def fill(path: Path, left: int) -> None:
    """Write until the disk takes no more, but for `left` bytes."""
    disk = os.statvfs(path.parent)
    room = max(disk.f_bavail * disk.f_frsize - left, 0)
    with path.open("ab", buffering=0) as file:
        try:
            while room > 0:
                room -= file.write(_ZEROS[:room])
        except OSError:
            return  # full, as was wanted
