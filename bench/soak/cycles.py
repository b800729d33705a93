"""A million cycles of the device's own modules on a clock that runs fast: does anything grow?

    .venv/bin/python bench/soak/cycles.py --cycles 1000000 --out runs/cycles

A cycle is half a second of the device's time: a line of the sensor through the patient reader and the filter, and a
frame with up to two people through the budget, the tracker, the book of persons and the colours; every ten seconds the
zone's estimate with its messages through the spool's real file, and now and then a vote through its store. What is made
up is the detector (it says where people are), the wire (lines, noise, unplugged), the broker (it takes, or is away) and
the clocks. The disk is a real small one, which is filled now and then, where a file system may be mounted (root).
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from faults import fill

from comfywear import publishing
from comfywear.device.sight.frame_step import FrameStep
from comfywear.device.troubles import TroubleBook
from comfywear.device.votes.voting import Voting, moment_of
from comfywear.device.zones.estimator import Estimator, Newest
from comfywear.device.zones.presence import ZonePresence
from comfywear.errors import ComfyWearError
from comfywear.publishing.spool.ages import Moment
from comfywear.records import Detection, Frame, Trouble, Vote
from comfywear.settings import CameraSettings, Settings, VisionSettings
from comfywear.system.arguments import whole
from comfywear.system.clock import WallTime
from comfywear.system.process import rss_mb
from comfywear_sensors import ClimateFilter, PatientReader, Reading
from comfywear_sensors.errors import NotAReading, SensorError
from comfywear_sensors.lines import LineBuffer, line_parser, understood

CYCLE_S = 0.5
HEIGHT, WIDTH = 96, 128
SAMPLE_EVERY = 5000
FAULTS = ("nobody's camera", "broker away", "noise", "unplugged", "clock", "disk full")
SPARE = 400_000


class FastClock:
    """Time that moves a cycle at a time; the wall may be wrong."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.wrong_s = 0.0

    def monotonic(self) -> float:
        """Seconds, as the readers ask."""
        return self.now_s

    def sleep(self, seconds: float) -> None:
        """Nobody waits: time moves with the cycles alone."""

    def wall(self) -> WallTime:
        """What is stamped: none while the clock was set to before the device was made."""
        unix_s = 1.9e9 + self.now_s + self.wrong_s
        if unix_s < 1.8e9:
            return WallTime(None, False)
        return WallTime(time.strftime("%Y-%m-%dT%H:%M:%S.000+00:00", time.gmtime(unix_s)), True)

    def moment(self) -> Moment:
        """As the spool asks for ages."""
        return Moment("soak", self.now_s, 1.9e9 + self.now_s + self.wrong_s)


class Wire:
    """The sensor's side of a serial line, behind the real parser."""

    source, polled = "serial:///soak", False

    def __init__(self, clock: FastClock, draw: random.Random) -> None:
        self._clock, self._draw = clock, draw
        self._lines, self._parse = LineBuffer(skip_first=False), line_parser()
        self.wrong: set[str] = set()

    def read(self, timeout_s: float = 1.0) -> Reading:  # noqa: ARG002
        """A reading, or one of the errors of a real line."""
        if "unplugged" in self.wrong:
            raise SensorError("the port is gone")
        celsius = 22.0 + 4.0 * np.sin(self._clock.now_s / 3600) + self._draw.gauss(0, 0.05)
        sent = f"{celsius:.2f},{45 + self._draw.gauss(0, 0.3):.2f}\n".encode()
        if "noise" in self.wrong:
            sent = self._draw.randbytes(self._draw.randrange(60))
        for line in self._lines.feed(sent):
            values = understood(line, self._parse)
            if values:
                return Reading(values.get("air_temp_c"), values.get("humidity_pct"), self._clock.now_s, self.source)
        raise NotAReading("no temperature or humidity")

    def close(self) -> None:
        """Nothing is held."""


class People:
    """A detector's answer for people who come, walk, and go."""

    thresholds: Mapping[str, float] = {"person": 0.3, "top": 0.3}

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._there: list[list[float]] = []

    def detect(
        self,
        image: np.ndarray[Any, Any],  # noqa: ARG002
        *,
        threshold: float | None = None,  # noqa: ARG002
    ) -> list[Detection]:
        """Boxes of whoever is there, with a top each."""
        if len(self._there) < 2 and self._draw.random() < 0.005:
            self._there.append([self._draw.uniform(5, WIDTH - 45), self._draw.uniform(5, 30)])
        if self._there and self._draw.random() < 0.01:
            self._there.pop(self._draw.randrange(len(self._there)))
        found = []
        for place in self._there:
            place[0] = min(max(place[0] + self._draw.gauss(0, 1), 0), WIDTH - 40)
            x, y = place
            found.append(Detection((x, y, x + 36, y + 80), 0.9, "person"))
            found.append(Detection((x + 4, y + 16, x + 32, y + 46), 0.8, "top"))
        return found


class Cycles:
    """The modules, wired as the device wires them, without its threads."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._draw = random.Random(seed)
        self.clock = FastClock()
        vision = VisionSettings(attribute_interval_s=60.0)
        settings = Settings(camera=CameraSettings(source="file:///soak"), vision=vision)
        self.wire = Wire(self.clock, self._draw)
        self._reader = PatientReader("serial:///soak", clock=self.clock, opener=lambda _: self.wire)
        self._filter = ClimateFilter("room")
        self._step = FrameStep(settings, People(self._draw), None)
        self._presence = ZonePresence(settings)
        self._newest = Newest(Estimator(settings.comfort))
        self._estimate: Any = None
        limits = publishing.SpoolLimits(bytes=2_000_000, written_bytes_a_day=0)
        self.spool = publishing.Spool(
            folder / "spool.sqlite", "soak", limits=limits, clock=self.clock.wall, now=self.clock.moment
        )
        often = msgspec.structs.replace(settings.votes, repeat_s=0.0, per_minute=0)  # their clock does not run fast
        self.topics = publishing.Topics("soak", "soak")
        self.voting = Voting(folder, ["room"], often, moment=lambda _: moment_of(self._estimate, {}), send=self._send)
        self.book = TroubleBook()
        self._image = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
        self.taken = self.refused = 0
        self.votes: set[str] = set()
        self.arrived: set[str] = set()
        self.wrong: set[str] = set()

    def cycle(self, index: int) -> None:
        """Half a second."""
        self.clock.now_s += CYCLE_S
        self.wire.wrong = self.wrong
        reading = self._reader.poll(0.0)
        if reading is not None:
            self._filter.add(reading)
        now_s = self.clock.now_s
        persons: Sequence[Any] = ()
        if "nobody's camera" not in self.wrong:
            frame = Frame(self._image, index, now_s, "soak")
            persons = self._step.take(frame)
            self._presence.take("camera", frame, persons)
            for change in self._presence.changes():
                self.spool.offer(self.topics.presence("room"), partial(publishing.presence_message, change))
        if index % 20 == 0:
            estimate = self._estimate = self._newest.zone("room", now_s, self._filter.climate(now_s), persons)
            climate = partial(publishing.climate_message, estimate.climate)
            comfort = partial(publishing.comfort_message, "room", estimate.comfort)
            self.spool.offer(self.topics.climate("room"), climate, retain=True)
            self.spool.offer(self.topics.comfort("room"), comfort, retain=True)
            self.book.update([Trouble("no-sensor", name, "soak", "wait") for name in self.wrong], now_s)
        if index % 40 == 0:
            self.spool.flush()
            self.carry()
        if index % 1000 == 0:
            self._vote()

    def carry(self) -> None:
        """The broker, where it is there: it takes the oldest that wait."""
        if "broker away" not in self.wrong:
            rows = self.spool.waiting(0, 500)
            self.taken += len(rows)
            self.arrived |= {json.loads(row.payload)["id"] for row in rows if row.topic.endswith("/vote")}
            self.spool.arrived(row.key for row in rows)

    def _vote(self) -> None:
        try:
            self.votes.add(self.voting.vote("room", self._draw.randint(1, 5), "soak").id)
        except ComfyWearError:
            self.refused += 1
        self.voting.retry()

    def _send(self, vote: Vote, _late: bool) -> None:
        self.spool.accept(self.topics.vote("room"), partial(publishing.vote_message, vote), event=True)


def main() -> int:
    """Run them and say what grew."""
    parser = argparse.ArgumentParser(description="the device's modules on a fast clock")
    parser.add_argument("--cycles", type=whole(1), default=1_000_000)
    parser.add_argument("--out", type=Path, default=Path("runs/cycles"))
    parser.add_argument("--seed", type=whole(0, 2**32 - 1), default=1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=args.out / "cycles.log", level=logging.ERROR, filemode="w")
    folder = Path(tempfile.mkdtemp(prefix="comfywear-cycles-"))
    order = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    mounted = subprocess.run(order, capture_output=True, check=False).returncode == 0
    try:
        figures = _run(args, Cycles(folder, args.seed), folder if mounted else None)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False)
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(figures, indent=1))
    return 0


def _run(args: argparse.Namespace, cycles: Cycles, disk: Path | None) -> dict[str, Any]:
    draw = random.Random(args.seed + 1)
    kinds = [name for name in FAULTS if disk or name != "disk full"]
    counts: Counter[str] = Counter()
    until: dict[str, int] = {}
    rows: list[tuple[int, float, int, int]] = []
    began_s = time.perf_counter()
    figures: dict[str, Any] = {}
    for index in range(1, args.cycles + 1):
        if draw.random() < 1 / 1000 and (name := draw.choice(kinds)) not in until:
            until[name] = index + draw.randrange(20, 1000)
            counts[name] += 1
            cycles.clock.wrong_s = draw.choice((-86400.0, 3600.0, 3e7, -5e8)) if name == "clock" else 0.0
        for name in [name for name, last in until.items() if index >= last]:
            del until[name]
            cycles.clock.wrong_s = 0.0 if name == "clock" else cycles.clock.wrong_s
        cycles.wrong = set(until)
        if disk:
            junk = disk / "junk"
            if "disk full" in until and index % 40 == 1:
                fill(junk, 0 if counts["disk full"] % 2 else SPARE)
            elif "disk full" not in until:
                junk.unlink(missing_ok=True)
        cycles.cycle(index)
        if index % SAMPLE_EVERY == 0 or index == args.cycles:
            files, threads = len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))  # noqa: PTH208
            rows.append((index, rss_mb() or 0.0, files, threads))
            figures = _figures(args, cycles, counts, rows, time.perf_counter() - began_s, disk is not None)
            (args.out / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    cycles.wrong = set()
    for _ in range(100):
        cycles.voting.retry()
        cycles.spool.flush()
        cycles.carry()
    figures["votes_missing"] = len(cycles.votes - cycles.arrived)
    (args.out / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    return figures


def _figures(
    args: argparse.Namespace,
    cycles: Cycles,
    counts: Counter[str],
    rows: list[tuple[int, float, int, int]],
    seconds: float,
    disk: bool,
) -> dict[str, Any]:
    warm = rows[len(rows) // 10 :]
    tenth = max(len(warm) // 10, 1)
    names = ("rss_mb", "files", "threads")
    spool = cycles.spool.health()
    return {
        "cycles": rows[-1][0],
        "seed": args.seed,
        "device_days": round(rows[-1][0] * CYCLE_S / 86400, 2),
        "seconds": round(seconds),
        "disk": disk,
        "faults": dict(sorted(counts.items())),
        "first": {name: statistics.median(row[i] for row in warm[:tenth]) for i, name in enumerate(names, 1)},
        "last": {name: statistics.median(row[i] for row in warm[-tenth:]) for i, name in enumerate(names, 1)},
        "most": {name: max(row[i] for row in warm) for i, name in enumerate(names, 1)},
        "votes_accepted": len(cycles.votes),
        "votes_refused": cycles.refused,
        "votes_missing": len(cycles.votes - cycles.arrived),
        "messages_taken": cycles.taken,
        "thinned": spool.thinned,
        "dropped": spool.dropped_telemetry,
        "dropped_events": spool.dropped_events,
        "not_accepted": spool.refused,
        "troubles_begun": cycles.book.begun,
    }


if __name__ == "__main__":
    sys.exit(main())
