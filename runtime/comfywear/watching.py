"""Watches over a running device: finds what does not work, says it, and keeps memory below its limit.

What is wrong goes out as the health message, onto the page, into `/metrics`, and with one line a change into the
journal; once an hour the journal gets a line on how things go.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from comfywear import publishing
from comfywear.cadence import Cadence
from comfywear.clock import wall_time
from comfywear.machine import headroom_of, hottest_c
from comfywear.memory import MemoryGuard, give_back, limit_mb
from comfywear.metrics import family_rss_mb
from comfywear.records import Trouble
from comfywear.supervisor import Pulse, Supervisor
from comfywear.troubles import TroubleBook, sentence

if TYPE_CHECKING:
    from comfywear.device import Device

__all__ = ["Watch"]

_log = logging.getLogger(__name__)

TICK_S = 1.0
SUMMARY_EVERY_S = 3600.0
HEALTH_EVERY_S = 60.0
# Memory that is free and not returned grows by megabytes an hour otherwise: docs/reliability.md.
GIVE_BACK_EVERY_S = 300.0
_GAP_S = 1.0
# Below half of its work a hot machine no longer does what it is there for.
_HOT_HEADROOM = 0.5
# The disk is nearly full below so much, or below this part of a small one.
_LITTLE_BYTES, _LITTLE_SHARE = 500e6, 0.1
# Looking that keeps its worker busy for so much of the time, and still misses this part of the frames, is slow.
_BUSY, _MISSED = 0.9, 0.8
_SPEED_OVER_S = 30.0
# Models are loaded and the camera is opened within so long, also on a small board.
_START_S = 60.0
_DOCTOR = "comfywear doctor --config FILE says more"


class Watch:
    """The watch over one device; any thread may read `book`.

    Attributes:
        book: What is wrong now, and what was of late.
        memory: Holds the limit of memory.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self.book = TroubleBook()
        ceiling = device.settings.budget.memory_mb or limit_mb()
        self.memory = MemoryGuard(ceiling, reopen=device.looking.reopen if device.looking else None)
        self._health = Cadence(HEALTH_EVERY_S, _GAP_S)
        self._summary_s = time.monotonic() + SUMMARY_EVERY_S
        self._give_back_s = time.monotonic() + GIVE_BACK_EVERY_S
        self._before: dict[str, float | None] = {}
        self._speed = (time.monotonic(), 0, 0.0)
        self._slow: str | None = None

    def add_worker(self, supervisor: Supervisor) -> None:
        """Have the supervisor run it."""
        supervisor.add("watch", self.work)

    def work(self, pulse: Pulse) -> None:
        """The worker."""
        while pulse.wait(TICK_S):
            self.tick(time.monotonic())

    def tick(self, now_s: float) -> None:
        """Look at everything once; `now_s` is monotonic."""
        for change in self.book.update(self._found(now_s), now_s):
            if change.until_s is None:
                _log.warning("trouble: %s → %s", sentence(change), change.do)
            else:
                _log.info("over after %.0f s: %s", change.until_s - change.since_s, sentence(change))
        # The newest that ended counts too: one may begin and end between two messages.
        said = tuple((each.name, each.about, each.until_s) for each in (*self.book.now(), *self.book.ended()[:1]))
        if self._health.due("health", said, now_s):
            build = partial(self._message, now_s)
            self._device.live.post(self._device.topics.health, build)
        if now_s >= self._give_back_s:
            self._give_back_s = now_s + GIVE_BACK_EVERY_S
            give_back()
        if now_s >= self._summary_s:
            self._summary_s = now_s + SUMMARY_EVERY_S
            _log.info("%s", self.summary())

    def forget(self) -> None:
        """The health message goes out again: somebody has just begun to listen."""
        self._health.forget()

    def summary(self) -> str:
        """How things went since the last summary, in a line."""
        now = self._device.metrics()
        before, self._before = self._before, now

        def more(name: str) -> int:
            return int((now.get(name) or 0) - (before.get(name) or 0))

        names = sorted({sentence(each) for each in self.book.now()})
        parts = [
            f"up {(now['uptime_s'] or 0.0) / 3600:.1f} h",
            *([f"{more('frames')} frames"] if self._device.looking else []),
            f"{more('votes')} votes",
            f"{more('acknowledged')} messages sent",
            f"{more('spool_dropped_telemetry') + more('spool_dropped_events') + more('spool_refused')} dropped",
            f"{int(now.get('spool_rows') or 0)} waiting",
            f"{more('restarts')} workers restarted",
            f"{family_rss_mb() or 0.0:.0f} MB",
            *([f"{now['board_temp_c']:.0f} °C"] if now.get("board_temp_c") is not None else []),
        ]
        return f"the last hour: {', '.join(parts)}; {'; '.join(names) or 'all is well'}"

    def _message(self, now_s: float, stamp: publishing.Stamp) -> publishing.Message:
        return publishing.health_message(self.book.now(), self.book.ended(), stamp, now_s=now_s)

    def _found(self, now_s: float) -> Iterator[Trouble]:
        yield from self._eyes(now_s)
        yield from self._air()
        yield from self._broker()
        yield from self._storage()
        yield from self._machine(now_s)
        yield from self._workers()

    def _eyes(self, now_s: float) -> Iterator[Trouble]:
        device = self._device
        if device.looking is None:
            return
        sight = device.looking.sight()
        starting_s = device.looking.starting_s()
        if sight.missing and starting_s is not None and starting_s < _START_S:
            return
        if sight.missing:
            yield Trouble("no-camera", None, sight.missing, f"look at its cable and at camera.source; {_DOCTOR}")
            return
        over = sight.load.over if sight.load else None
        if reason := over or self._slowness(now_s):
            yield Trouble("slow", None, reason, "choose int8, a smaller model or fewer frames: docs/vision.md, Budget")

    def _slowness(self, now_s: float) -> str | None:
        """Whether looking is busy all the time and still misses frames; looked at now and then."""
        looking = self._device.looking
        assert looking is not None
        since_s, frames, busy_s = self._speed
        if now_s - since_s >= _SPEED_OVER_S:
            passed_s, more, busy = now_s - since_s, looking.frames - frames, looking.looked_s - busy_s
            wanted = self._device.settings.camera.fps
            missed = more > 0 and busy > _BUSY * passed_s and more / passed_s < _MISSED * wanted
            self._slow = f"{more / passed_s:.2g} frames a second are looked at of {wanted:g}" if missed else None
            self._speed = (now_s, looking.frames, looking.looked_s)
        return self._slow

    def _air(self) -> Iterator[Trouble]:
        device = self._device
        silent = set()
        for zone, reader in device.readers():
            if reader.state != "up":
                silent.add(zone)
                reason = reader.error or "nothing heard so far"
                yield Trouble("no-sensor", reader.source, reason, "look at its plug; comfywear sensors list")
        for zone, estimate in device.estimates().items():
            air = estimate.climate
            if air.state != "fresh" and zone not in silent and zone in {each for each, _ in device.readers()}:
                yield Trouble("no-sensor", zone, air.reason or air.state, "docs/sensors.md says what is not believed")

    def _broker(self) -> Iterator[Trouble]:
        device = self._device
        if device.settings.mqtt.host and not device.connected():
            reason = device.broker_state().removeprefix("waiting: ")
            yield Trouble("no-broker", None, reason, f"nothing is lost: messages wait on this device; {_DOCTOR}")

    def _storage(self) -> Iterator[Trouble]:
        device = self._device
        try:
            disk = os.statvfs(device.folder)
        except OSError:
            disk = None
        free = disk.f_bavail * disk.f_frsize if disk else None
        full = False
        if disk and free is not None and free < min(_LITTLE_BYTES, _LITTLE_SHARE * disk.f_blocks * disk.f_frsize):
            full = True
            said = f"{device.folder}: {free / 1e6:.0f} MB free"
            yield Trouble("disk-full", None, said, "make room, or name another device.state_dir")
        reasons = device.storage_troubles()
        if reasons and not full:
            yield Trouble("no-storage", None, "; ".join(reasons), "make the folder writable, then restart the device")

    def _machine(self, now_s: float) -> Iterator[Trouble]:
        hot_c, heat_c = self._device.settings.budget.hot_c, hottest_c()
        if heat_c is not None and headroom_of(heat_c, hot_c) < _HOT_HEADROOM:
            yield Trouble("hot", None, f"{heat_c:.0f} °C: looking is cut down", "give it air or a heat sink")
        if reason := self.memory.check(now_s, family_rss_mb()):
            yield Trouble("memory", None, reason, "a larger budget.memory_mb, int8 or a smaller model; report it")
        if not wall_time().time_ok:
            said = "the clock is not set: messages carry no time"
            yield Trouble(
                "no-clock",
                None,
                said,
                "sudo timedatectl set-ntp true, or fit a battery-backed clock; with chrony: docs/service.md",
            )

    def _workers(self) -> Iterator[Trouble]:
        """Workers that do not run; one that is named here already by what it lacks is left out unless it hangs."""
        for name, health in self._device.health().items():
            if health.state == "hung":
                yield Trouble("worker", name, "it gives no sign of life", "the watchdog restarts the service")
            elif health.state != "running" and name != "vision":
                reason = health.failure or "it does not run"
                yield Trouble("worker", name, reason, "it is started again by itself; report it if it goes on")
